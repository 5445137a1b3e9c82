"""Set-up, unloading, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import DOMAIN, PORT, SERIAL
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PORT, CONF_SCAN_INTERVAL
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

if TYPE_CHECKING:
    from fake_meter import FakeMeter
    from homeassistant.core import HomeAssistant


async def test_sets_up_and_unloads(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    assert loaded.state is ConfigEntryState.LOADED
    assert meter.opened == [PORT]
    # GetType, the serial number, then all that is enabled in one request.
    assert meter.requests == 3
    assert meter.asked[-1] == [60, 68, 99, 113, 266, 1001, 1004]
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    assert device.identifiers == {(DOMAIN, SERIAL)}
    assert (device.manufacturer, device.model) == ("Kamstrup", "MULTICAL 403")
    assert (device.serial_number, device.sw_version, device.model_id) == (SERIAL, "G1", "0xf403")
    assert device.entry_type is None

    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert loaded.state is ConfigEntryState.NOT_LOADED
    assert meter.open_ports == 0


async def test_a_port_that_cannot_be_opened_is_tried_again(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    meter.refused = ConnectionRefusedError(111, "refused")
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "port_unreachable"
    assert meter.open_ports == 0

    meter.refused = None
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


async def test_the_port_is_free_after_a_failed_first_poll(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    answer = meter.answer

    def only_who(wire: bytes) -> bytes | None:
        if len(meter.asked) == 1:
            meter.hang_up()
            meter.refused = OSError(16, "busy")
            return None
        return answer(wire)

    meter.answer = only_who  # type: ignore[method-assign]
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert meter.open_ports == 0


async def test_a_port_that_is_none_is_an_error(hass: HomeAssistant, meter: FakeMeter) -> None:
    entry = MockConfigEntry(domain=DOMAIN, data={CONF_PORT: "COM3"})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "invalid_port"
    assert meter.requests == 0


async def test_what_serialx_takes_for_no_port_is_an_error(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    meter.refused = ValueError("what is that")
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "invalid_port"


async def test_a_serial_proxy_that_is_not_ready_yet_is_tried_again(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    meter.refused = ConfigEntryNotReady("ESPHome has not loaded yet")
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "port_unreachable"


async def test_another_meter_is_refused(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, unique_id="11111111")
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "wrong_meter"
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"wrong_meter_{entry.entry_id}")
    assert issue is not None
    assert issue.is_fixable
    assert not er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert meter.open_ports == 0


async def test_two_entries_of_one_meter_are_one_too_many(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    second = MockConfigEntry(domain=DOMAIN, title="second", data={CONF_PORT: "/dev/ttyUSB7"})
    second.add_to_hass(hass)
    await hass.config_entries.async_setup(second.entry_id)
    assert second.state is ConfigEntryState.SETUP_ERROR
    assert second.error_reason_translation_key == "duplicate_meter"
    issues = ir.async_get(hass)
    assert issues.async_get_issue(DOMAIN, f"duplicate_meter_{second.entry_id}") is not None

    assert await hass.config_entries.async_remove(second.entry_id)
    assert issues.async_get_issue(DOMAIN, f"duplicate_meter_{second.entry_id}") is None


async def test_a_meter_without_a_serial_number_is_known_by_its_entry(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter.serial = None
    del meter.registers[1001]
    # What has no answer would be asked for several times over.
    monkeypatch.setattr("kamstrup_kmp.Meter._serial", _no_serial)
    hass.config_entries.async_update_entry(entry, unique_id=None)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert entry.unique_id is None
    unique_id = f"{entry.entry_id}_heat_energy"
    assert er.async_get(hass).async_get_entity_id("sensor", DOMAIN, unique_id)


async def _no_serial(self: object, record: object) -> None:
    return None


async def test_a_newer_entry_is_refused(hass: HomeAssistant, meter: FakeMeter) -> None:
    entry = MockConfigEntry(domain=DOMAIN, version=2, data={CONF_PORT: PORT})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.MIGRATION_ERROR


@pytest.mark.parametrize(("interval", "is_short"), [(60, True), (900, False), (3600, False)])
async def test_a_short_interval_is_said_to_drain_the_battery(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry, interval: int, is_short: bool
) -> None:
    hass.config_entries.async_update_entry(entry, options={CONF_SCAN_INTERVAL: interval})
    await hass.config_entries.async_setup(entry.entry_id)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"short_interval_{entry.entry_id}")
    assert (issue is not None) == is_short
