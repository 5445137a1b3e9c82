"""What people do with a meter that is set up: act, press, look into the diagnostics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .api import PATIENCE, RefusedError, wait_for
from .flows import add
from .hass import DOMAIN

if TYPE_CHECKING:
    from .hass import Hass
    from .meters import Meter

LAST_READ = "sensor.kamstrup_multical_403_last_read"
BUTTON = "button.kamstrup_multical_403_read_now"


def test_the_action_reads_what_heatmeter_reads(hass: Hass, meter: Meter) -> None:
    """By key and by number, with unit and quality; a register that is none is refused."""
    read = meter.read("power", "60")
    add(hass, meter.port)
    answer = hass.ask(DOMAIN, "read", registers=["power", 60])
    assert answer["readings"] == read["readings"]
    assert answer["meter"] == read["meter"]
    with pytest.raises(RefusedError):
        hass.ask(DOMAIN, "read", registers=["no_such_register"])


def test_the_button_reads_now(hass: Hass, meter: Meter) -> None:
    """The time of the last reading moves on."""
    add(hass, meter.port)
    before = hass.state(LAST_READ)
    wait_for("the next second", PATIENCE, lambda: pressed(hass) and hass.state(LAST_READ) > before)


def pressed(hass: Hass) -> bool:
    """Press the button."""
    hass.act("button", "press", entity_id=BUTTON)
    return True


def test_the_diagnostics_name_nobody(hass: Hass, meter: Meter) -> None:
    """They can be posted: neither serial number nor port, but the last exchanges."""
    serial = meter.read("60")["meter"]["serial"]
    add(hass, meter.port)
    entry_id = hass.entry()["entry_id"]
    found = json.dumps(hass.get(f"/api/diagnostics/config_entry/{entry_id}")["data"])
    assert serial not in found
    assert f"{int(serial):08x}" not in found.lower(), "the serial number is in a frame"
    assert meter.port not in found
    assert "exchanges" in found
