"""Taking over an installation of golles/ha-kamstrup_403: nothing is lost, and it goes back, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conftest import DOMAIN, PORT, SERIAL
from golles import ENABLED, OPTIONS, leave_behind
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import CONF_PORT
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

if TYPE_CHECKING:
    from fake_meter import FakeMeter
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant


def identities(hass: HomeAssistant) -> dict[str, Any]:
    """Return what must not change of every entity."""
    return {
        entity.entity_id: (entity.unique_id, entity.disabled_by, entity.device_id)
        for entity in er.async_get(hass).entities.values()
    }


def device(hass: HomeAssistant, entry: ConfigEntry) -> dr.DeviceEntry:
    """Return the only device."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device


async def test_nothing_is_lost(hass: HomeAssistant, meter: FakeMeter) -> None:
    entry = leave_behind(hass)
    before, device_id = identities(hass), device(hass, entry).id
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    after = identities(hass)
    assert {entity_id: after[entity_id] for entity_id in before} == before
    assert not [
        entity_id
        for entity_id in after
        if entity_id.removesuffix("_2") in before.keys() - {entity_id}
    ]
    assert entry.options == OPTIONS
    assert entry.data == {CONF_PORT: PORT}
    assert (entry.unique_id, entry.version, entry.minor_version) == (SERIAL, 1, 2)

    adopted = device(hass, entry)
    assert adopted.id == device_id
    assert adopted.area_id == "cellar"
    # The port stays among the identifiers: by it the other integration finds the device again.
    assert adopted.identifiers == {(DOMAIN, PORT), (DOMAIN, SERIAL)}
    assert (adopted.name, adopted.model, adopted.serial_number) == (
        "Kamstrup 403",
        "MULTICAL 403",
        SERIAL,
    )
    assert adopted.entry_type is None
    state = hass.states.get("sensor.kamstrup_403_heat_energy_e1")
    assert state is not None
    assert (state.state, state.name) == ("84.817", "Kamstrup 403 Heat Energy (E1)")
    for name in ENABLED:
        entity_id = next(key for key, value in before.items() if value[0].endswith(f"403 {name}"))
        assert hass.states.get(entity_id).state not in ("unknown", "unavailable")  # type: ignore[union-attr]


async def test_doing_it_twice_changes_nothing(hass: HomeAssistant, meter: FakeMeter) -> None:
    entry = leave_behind(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    once, device_once = identities(hass), device(hass, entry)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert identities(hass) == once
    assert device(hass, entry).identifiers == device_once.identifiers


async def test_a_meter_that_does_not_answer_yet_changes_nothing(
    hass: HomeAssistant, meter: FakeMeter
) -> None:
    entry = leave_behind(hass)
    before = identities(hass)
    meter.refused = FileNotFoundError(2, "no such file")
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.unique_id is None
    assert identities(hass) == before
    assert device(hass, entry).identifiers == {(DOMAIN, PORT)}


async def test_gas_stays_the_number_it_was_until_a_factor_is_set(
    hass: HomeAssistant, meter: FakeMeter
) -> None:
    entry = leave_behind(hass)
    gas = "sensor.kamstrup_403_heat_energy_to_gas"
    er.async_get(hass).async_update_entity(gas, disabled_by=None)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(gas).state == "84.817"  # type: ignore[union-attr]

    result = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        result["flow_id"], {**OPTIONS, "align_to_hour": False, "gas_factor": 31.6}
    )
    await hass.async_block_till_done()
    assert hass.states.get(gas).state == "2680.217"  # type: ignore[union-attr]


async def test_a_port_that_another_device_goes_by_is_left_to_it(
    hass: HomeAssistant, meter: FakeMeter
) -> None:
    from pytest_homeassistant_custom_component.common import MockConfigEntry

    entry = leave_behind(hass)
    other = MockConfigEntry(
        domain=DOMAIN, data={CONF_PORT: "/dev/ttyUSB1"}, disabled_by=ConfigEntryDisabler.USER
    )
    other.add_to_hass(hass)
    moved = "socket://192.168.1.30:2217"
    dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={(DOMAIN, moved)}
    )
    hass.config_entries.async_update_entry(entry, data={CONF_PORT: moved})
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert (DOMAIN, SERIAL) in device(hass, entry).identifiers
    assert device(hass, other).identifiers == {(DOMAIN, moved)}


async def test_an_entry_without_its_device_is_adopted(
    hass: HomeAssistant, meter: FakeMeter
) -> None:
    entry = leave_behind(hass)
    entities = er.async_get(hass)
    for entity in list(entities.entities.values()):
        entities.async_update_entity(entity.entity_id, device_id=None)
    dr.async_get(hass).async_remove_device(device(hass, entry).id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert device(hass, entry).identifiers == {(DOMAIN, SERIAL)}
