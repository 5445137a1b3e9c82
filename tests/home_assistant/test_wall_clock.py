"""Nothing of ours holds up Home Assistant. Measures time, so little else may run beside it."""

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
# Whoever else uses the machine can hold up anything, but not the same thing each time.
ROUNDS = 4


def test_wall_clock_nothing_of_ours_holds_up_home_assistant(hass: Hass, meter: Meter) -> None:
    """With asyncio's own watch for callbacks over 100 ms: start, dialog, polls, every bad line."""
    with Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, 1)
        rounds = []
        for _ in range(ROUNDS):
            hass.stop()
            before = len(hass.log())
            hass.start(debug=True)
            hass.wait_for_entry("loaded")
            dialog_and_lines(hass, bridge)
            rounds.append(held_up(hass, before))
            if not rounds[-1]:
                return
    raise AssertionError(f"held up in each of {ROUNDS} rounds: {rounds}")


def held_up(hass: Hass, before: int) -> list[str]:
    """Return what the log says of us since then: slow callbacks, and calls that block."""
    since = hass.log()[before:]
    slow = [
        entry.text
        for entry in since
        if entry.logger == "asyncio"
        and "Executing" in entry.text
        and any(name in entry.text for name in OURS)
    ]
    blocking = [entry.text for entry in since if DOMAIN in entry.text and "blocking" in entry.text]
    return slow + blocking


def dialog_and_lines(hass: Hass, bridge: Bridge) -> None:
    """Go through a dialog that finds nobody, a reload, and every kind of line."""
    with Bridge(None) as silent:
        dialog = adding(hass)
        dialog.submit(port=silent.port)
        assert dialog.errors == {"base": "silent"}
        hass.delete(f"{dialog.path}/{dialog.step['flow_id']}")
    hass.post(f"/api/config/config_entries/entry/{hass.entry()['entry_id']}/reload")
    hass.wait_for_entry("loaded")
    for line in Line:
        bridge.line = line
        time.sleep(4)
    bridge.go_away()
    time.sleep(4)
    bridge.come_back()
    bridge.line = Line.GOOD
    hass.wait_for_state("sensor.kamstrup_403_volume", None)
