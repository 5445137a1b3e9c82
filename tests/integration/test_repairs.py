"""Repairs made with a click: a replaced meter, an interval that drains the battery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from conftest import DOMAIN, SERIAL
from fake_meter import PLAIN, Value
from golles import leave_behind
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

if TYPE_CHECKING:
    from fake_meter import FakeMeter
    from homeassistant.core import HomeAssistant

NEW = "11111111"


async def repair(hass: HomeAssistant, issue_id: str) -> list[Any]:
    """Click through the repair of an issue."""
    from custom_components.kamstrup_403.repairs import async_create_fix_flow

    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    flow = await async_create_fix_flow(hass, issue_id, issue.data)
    flow.hass = hass
    flow.handler = DOMAIN
    flow.flow_id = "repair"
    shown = await flow.async_step_init()  # type: ignore[attr-defined]
    if shown["type"] is not FlowResultType.FORM:
        return [shown]
    done = await flow.async_step_confirm({})  # type: ignore[attr-defined]
    await hass.async_block_till_done()
    return [shown, done]


async def test_a_replaced_meter_goes_on_with_the_same_entities(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    entities, devices = er.async_get(hass), dr.async_get(hass)
    before = {e.entity_id for e in er.async_entries_for_config_entry(entities, loaded.entry_id)}
    (device,) = dr.async_entries_for_config_entry(devices, loaded.entry_id)
    meter.registers[1001] = Value(PLAIN, int(NEW))
    await hass.config_entries.async_reload(loaded.entry_id)
    issue_id = f"wrong_meter_{loaded.entry_id}"
    shown, done = await repair(hass, issue_id)
    assert shown["description_placeholders"] == {
        "title": f"MULTICAL 403 ({SERIAL})",
        "expected": SERIAL,
        "found": NEW,
    }
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.unique_id == NEW
    assert loaded.title == f"MULTICAL 403 ({NEW})"
    after = er.async_entries_for_config_entry(entities, loaded.entry_id)
    assert {entity.entity_id for entity in after} == before
    assert {entity.unique_id.split("_")[0] for entity in after} == {NEW}
    (same,) = dr.async_entries_for_config_entry(devices, loaded.entry_id)
    assert same.id == device.id
    assert same.identifiers == {(DOMAIN, NEW)}
    assert same.serial_number == NEW
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None


async def test_a_meter_replaced_while_it_is_read_goes_on_too(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    entities = er.async_get(hass)
    before = {e.entity_id for e in er.async_entries_for_config_entry(entities, loaded.entry_id)}
    meter.registers[1001] = Value(PLAIN, int(NEW))
    with pytest.raises(HomeAssistantError):
        await loaded.runtime_data.async_read_now()
    assert loaded.state is ConfigEntryState.LOADED
    _, done = await repair(hass, f"wrong_meter_{loaded.entry_id}")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.unique_id == NEW
    after = er.async_entries_for_config_entry(entities, loaded.entry_id)
    assert {entity.entity_id for entity in after} == before
    assert {entity.unique_id.split("_")[0] for entity in after} == {NEW}
    assert hass.states.get("sensor.kamstrup_403_serial_number").state == NEW  # type: ignore[union-attr]
    assert meter.open_ports == 1


async def test_heads_that_have_changed_places_are_no_replaced_meter(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    other = MockConfigEntry(domain=DOMAIN, unique_id=NEW, data={"port": "/dev/ttyUSB7"})
    other.add_to_hass(hass)
    meter.registers[1001] = Value(PLAIN, int(NEW))
    await hass.config_entries.async_reload(loaded.entry_id)
    (refused,) = await repair(hass, f"wrong_meter_{loaded.entry_id}")
    assert refused["type"] is FlowResultType.ABORT
    assert refused["reason"] == "already_configured"
    assert loaded.unique_id == SERIAL


async def test_a_replaced_meter_of_an_adopted_entry_keeps_the_ids_of_golles(
    hass: HomeAssistant, meter: FakeMeter
) -> None:
    entry = leave_behind(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    entities = er.async_get(hass)
    before = {
        entity.entity_id: entity.unique_id
        for entity in er.async_entries_for_config_entry(entities, entry.entry_id)
        if entity.unique_id.startswith(entry.entry_id)
    }
    meter.registers[1001] = Value(PLAIN, int(NEW))
    await hass.config_entries.async_reload(entry.entry_id)
    await repair(hass, f"wrong_meter_{entry.entry_id}")
    for entity_id, unique_id in before.items():
        assert entities.async_get(entity_id).unique_id == unique_id  # type: ignore[union-attr]
    assert hass.states.get("sensor.kamstrup_403_heat_energy_e1").state == "84.817"  # type: ignore[union-attr]


async def test_a_short_interval_is_set_to_an_hour(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={CONF_SCAN_INTERVAL: 30, "timeout": 3.0})
    assert await hass.config_entries.async_setup(entry.entry_id)
    shown, done = await repair(hass, f"short_interval_{entry.entry_id}")
    assert shown["description_placeholders"] == {"title": entry.title}
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {CONF_SCAN_INTERVAL: 3600, "timeout": 3.0}
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"short_interval_{entry.entry_id}") is None


async def test_the_entry_may_be_gone(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={CONF_SCAN_INTERVAL: 30})
    assert await hass.config_entries.async_setup(entry.entry_id)
    issue_id = f"short_interval_{entry.entry_id}"
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    await hass.config_entries.async_remove(entry.entry_id)
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data=issue.data,
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key="short_interval",
        translation_placeholders={"title": "", "interval": ""},
    )
    (gone,) = await repair(hass, issue_id)
    assert gone["reason"] == "entry_removed"
