"""Nothing of ours holds up Home Assistant. Measures time, so nothing else may run beside it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .flows import add, adding, read_every
from .hass import DOMAIN
from .meters import Bridge, Line

if TYPE_CHECKING:
    from .hass import Hass
    from .meters import Meter

OURS = (DOMAIN, "kamstrup_kmp", "serialx")


def test_wall_clock_nothing_of_ours_holds_up_home_assistant(hass: Hass, meter: Meter) -> None:
    """With asyncio's own watch for callbacks over 100 ms: start, dialog, polls, every bad line."""
    hass.stop()
    hass.start(debug=True)
    with Bridge(meter.port, line=Line.SILENT) as bridge:
        dialog = adding(hass)
        dialog.submit(port=bridge.port)
        assert dialog.errors == {"base": "silent"}
        hass.delete(f"{dialog.path}/{dialog.step['flow_id']}")
        bridge.line = Line.GOOD
        add(hass, bridge.port)
        read_every(hass, 1)
        hass.stop()
        hass.start(debug=True)
        hass.wait_for_entry("loaded")
        for line in Line:
            bridge.line = line
            time.sleep(4)
        bridge.go_away()
        time.sleep(4)
        bridge.come_back()
        bridge.line = Line.GOOD
        hass.wait_for_state("sensor.kamstrup_403_volume", None)

    slow = [
        entry.text
        for entry in hass.log()
        if entry.logger == "asyncio"
        and "Executing" in entry.text
        and any(name in entry.text for name in OURS)
    ]
    blocking = [entry.text for entry in hass.log_of_ours("WARNING") if "blocking" in entry.text]
    assert not slow + blocking
