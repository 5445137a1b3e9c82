"""What is attached to bug reports: enough to find the bug, nothing about whose meter it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from unittest.mock import patch

from conftest import PORT, SERIAL
from fake_meter import PLAIN, Value
from homeassistant.components.diagnostics import REDACTED
from homeassistant.helpers.json import json_dumps
from kamstrup_kmp import Meter, MeterError, Verdict

if TYPE_CHECKING:
    from fake_meter import FakeMeter
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.common import MockConfigEntry


async def diagnostics(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, object]:
    """Collect them as Home Assistant does, JSON and back."""
    from custom_components.kamstrup_403.diagnostics import async_get_config_entry_diagnostics

    found: dict[str, object] = json.loads(
        json_dumps(await async_get_config_entry_diagnostics(hass, entry))
    )
    return found


async def test_the_last_exchanges_are_told_and_nobody_is_named(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    found = await diagnostics(hass, loaded)
    text = json.dumps(found)
    assert SERIAL not in text
    assert f"{int(SERIAL):08x}" not in text
    assert PORT not in text
    assert found["port_kind"] == "socket"
    assert found["meter"]["model"] == "multical-403"  # type: ignore[index]
    assert found["registers"]["60"]["value"] == "84.817"  # type: ignore[index]
    assert found["registers"]["1001"]["value"] == REDACTED  # type: ignore[index]
    who, serial, poll = found["exchanges"]  # type: ignore[misc]
    assert (who["request"], who["verdict"], who["sent"]) == ("GetType", "ok", "803f01058a0d")
    assert who["received"].startswith("403f01")
    assert serial["received"].endswith(" bytes")
    assert poll["registers"] == [60, 68, 99, 113, 266, 1001, 1004]
    assert poll["seconds"] >= 0


async def test_an_entry_that_is_not_loaded_has_diagnostics_too(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    meter.refused = FileNotFoundError(2, "gone")
    hass.config_entries.async_update_entry(entry, data={"port": "/dev/ttyUSB0"})
    await hass.config_entries.async_setup(entry.entry_id)
    found = await diagnostics(hass, entry)
    assert (found["state"], found["port_kind"]) == ("setup_retry", "device")
    assert "meter" not in found


async def test_a_serial_number_in_a_register_nobody_knows_is_left_out(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    meter.registers[9999] = Value(PLAIN, int(SERIAL))
    await loaded.runtime_data.async_read([9999])
    text = json.dumps(await diagnostics(hass, loaded))
    assert f"{int(SERIAL):08x}" not in text


async def test_a_failed_poll_is_named(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    with patch.object(Meter, "read_checked", side_effect=MeterError(Verdict.ECHO_ONLY)):
        await loaded.runtime_data.async_refresh()
    found = await diagnostics(hass, loaded)
    assert found["polling"]["last_exception"] == "echo_only"  # type: ignore[index]
    loaded.runtime_data.last_exception = ValueError("x")
    found = await diagnostics(hass, loaded)
    assert found["polling"]["last_exception"] == "ValueError"  # type: ignore[index]
