"""Every entity: its registry entry and its state, and what single ones are special in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from conftest import DOMAIN, SERIAL, set_up_with_all
from fake_meter import Value
from homeassistant.const import Platform
from homeassistant.helpers import entity_registry as er

if TYPE_CHECKING:
    from fake_meter import FakeMeter
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.common import MockConfigEntry
    from syrupy.assertion import SnapshotAssertion

MWH, FLOW_M3, MONTH_DAY = 3, 42, 50


def line(hass: HomeAssistant, entity: er.RegistryEntry, *, on_at_first: bool) -> str:
    """Put down an entity in one line: what it is in the registry, and what it shows."""
    state = hass.states.get(entity.entity_id)
    assert state is not None
    attributes = {
        key: value
        for key, value in state.attributes.items()
        if key not in ("friendly_name", "device_class", "state_class", "unit_of_measurement")
    }
    sensor = entity.options.get("sensor", {})
    parts = {
        "is": f"{state.state} {entity.unit_of_measurement or ''}".strip(),
        "name": entity.original_name,
        "unique_id": entity.unique_id,
        "key": entity.translation_key,
        "class": entity.original_device_class,
        "state_class": (entity.capabilities or {}).get("state_class"),
        "category": entity.entity_category,
        "precision": sensor.get("suggested_display_precision"),
        "on": on_at_first,
        "more": attributes or None,
    }
    told = ", ".join(f"{key}: {value}" for key, value in parts.items() if value is not None)
    return f"{entity.entity_id} | {told}"


@pytest.mark.parametrize("platform", [Platform.SENSOR, Platform.BINARY_SENSOR, Platform.BUTTON])
async def test_every_entity(
    hass: HomeAssistant,
    meter: FakeMeter,
    entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    platform: Platform,
) -> None:
    now = datetime(2026, 11, 22, 16, 35, 30, tzinfo=UTC)
    with (
        patch("custom_components.kamstrup_403.PLATFORMS", [platform]),
        patch("custom_components.kamstrup_403.coordinator.dt_util.utcnow", return_value=now),
    ):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        at_first = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
        on = {entity.entity_id for entity in at_first if not entity.disabled}
        await set_up_with_all(hass, entry)
    lines = [
        line(hass, entity, on_at_first=entity.entity_id in on)
        for entity in er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    ]
    assert sorted(lines) == snapshot


async def test_seven_entities_of_golles_are_on_and_the_rest_is_off(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    on = {entity.entity_id for entity in entities if not entity.disabled}
    assert on == {
        "sensor.kamstrup_403_heat_energy_e1",
        "sensor.kamstrup_403_heat_energy_e1_high_res",
        "sensor.kamstrup_403_volume",
        "sensor.kamstrup_403_infoevent",
        "sensor.kamstrup_403_infoevent_counter",
        "sensor.kamstrup_403_serial_number",
        "sensor.kamstrup_403_hourcounter",
        "sensor.kamstrup_multical_403_held_back",
        "sensor.kamstrup_multical_403_info",
        "sensor.kamstrup_multical_403_last_read",
        "binary_sensor.kamstrup_multical_403_problem",
        "button.kamstrup_multical_403_read_now",
    }


async def test_entity_ids_are_the_same_in_every_language(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    hass.config.language = "da"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    state = hass.states.get("sensor.kamstrup_403_heat_energy_e1")
    assert state is not None
    assert state.name == "Kamstrup MULTICAL 403 Varmeenergi"
    info = hass.states.get("sensor.kamstrup_multical_403_meldinger")
    assert info is not None


def shows(hass: HomeAssistant, key: str) -> tuple[str, str | None, str | None]:
    """Return state, unit and device class of a sensor."""
    entity_id = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, f"{SERIAL}_{key}")
    assert entity_id is not None
    state = hass.states.get(entity_id)
    assert state is not None
    attributes = state.attributes
    return state.state, attributes.get("unit_of_measurement"), attributes.get("device_class")


@pytest.mark.parametrize(
    ("key", "register", "value", "shown"),
    [
        ("heat_energy", 60, Value(MWH, 12345, -3), ("12.345", "MWh", "energy")),
        ("flow", 74, Value(FLOW_M3, 35, -1), ("3.5", "m³/h", "volume_flow_rate")),
        ("power", 80, Value(22, -20, -1), ("-2.0", "kW", "power")),
        ("temperature_difference", 89, Value(38, 4010, -2), ("40.10", "K", "temperature_delta")),
        ("volume", 68, Value(40, 0, -2), ("0.00", "m³", "volume")),
        # A unit that Home Assistant refuses for the class: the number, without the class.
        ("heat_energy", 60, Value(51, 5), ("5", None, None)),
        ("max_flow_year_date", 123, Value(48, 90101), ("2009-01-01", None, "date")),
        ("max_flow_year_date", 123, Value(48, 0), ("unknown", None, "date")),
        # A number where there should be a date.
        ("max_flow_year_date", 123, Value(51, 7), ("unknown", None, "date")),
        ("clock", 1002, Value(47, 200243), ("20:02:43", None, None)),
        ("target_date_1", 327, Value(MONTH_DAY, 1231), ("--12-31", None, None)),
        # Text where a number is counted.
        ("heat_energy", 60, Value(48, 260101), ("unknown", None, None)),
    ],
)
async def test_a_value_is_shown_as_the_meter_sent_it(
    hass: HomeAssistant,
    meter: FakeMeter,
    entry: MockConfigEntry,
    key: str,
    register: int,
    value: Value,
    shown: tuple[str, str | None, str | None],
) -> None:
    meter.registers[register] = value
    await set_up_with_all(hass, entry)
    assert shows(hass, key) == shown


async def test_a_register_the_meter_lacks_costs_only_itself(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    del meter.registers[266]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert shows(hass, "heat_energy_high_res") == ("unknown", "Wh", "energy")
    assert shows(hass, "heat_energy")[0] == "84.817"


@pytest.mark.parametrize(
    ("unit", "gas"), [(8, "2680.217"), (MWH, "9648.782"), (2, "9.649"), (51, "unknown")]
)
async def test_gas_is_converted_from_any_unit(
    hass: HomeAssistant,
    meter: FakeMeter,
    entry: MockConfigEntry,
    unit: int,
    gas: str,
) -> None:
    meter.registers[60] = Value(unit, 84817, -3)
    await set_up_with_all(hass, entry)
    assert shows(hass, "gas") == (gas, "m³", "gas")


async def test_gas_of_what_is_no_number_is_unknown(
    hass: HomeAssistant,
    meter: FakeMeter,
    entry: MockConfigEntry,
) -> None:
    meter.registers[60] = Value(48, 260101)
    await set_up_with_all(hass, entry)
    assert shows(hass, "gas")[0] == "unknown"
    del meter.registers[60]
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert shows(hass, "gas")[0] == "unknown"


async def test_an_electricity_meter_has_no_info_codes(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    from kamstrup_kmp import model

    electricity = model("electricity")
    with patch("kamstrup_kmp.meter._core.identify", return_value=electricity):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert not hass.states.async_entity_ids("binary_sensor")


async def test_a_water_meter_has_the_entities_of_a_water_meter(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    from kamstrup_kmp import model

    water = model("water")
    assert water is not None
    with patch("kamstrup_kmp.meter._core.identify", return_value=water):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert shows(hass, "volume") == ("1135.60", "m³", "water")
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert f"{SERIAL}_cooling_energy" not in {entity.unique_id for entity in entities}
