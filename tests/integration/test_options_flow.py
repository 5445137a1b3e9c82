"""The dialog for the options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.data_entry_flow import FlowResultType, InvalidData

if TYPE_CHECKING:
    from fake_meter import FakeMeter
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.common import MockConfigEntry

OPTIONS = {"scan_interval": 1800, "timeout": 3.5, "align_to_hour": True, "gas_factor": 32.68}


def suggested(result: Any) -> dict[str, Any]:
    """Return what a form shows at first."""
    return {str(key): key.description["suggested_value"] for key in result["data_schema"].schema}


async def test_options_are_shown_changed_and_take_effect(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    result = await hass.config_entries.options.async_init(loaded.entry_id)
    assert suggested(result) == {
        "scan_interval": 3600,
        "timeout": 2.0,
        "align_to_hour": False,
        "gas_factor": 31.6,
    }
    done = await hass.config_entries.options.async_configure(result["flow_id"], OPTIONS)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert loaded.options == OPTIONS
    assert isinstance(loaded.options["scan_interval"], int)
    # Changed options reload the entry, by Home Assistant itself: there is no update listener.
    assert not loaded.update_listeners
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.runtime_data.interval.total_seconds() == 1800
    assert meter.open_ports == 1


async def test_options_of_golles_are_kept(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    hass.config_entries.async_update_entry(loaded, options={"scan_interval": 5, "timeout": 0.5})
    result = await hass.config_entries.options.async_init(loaded.entry_id)
    shown = suggested(result)
    assert (shown["scan_interval"], shown["timeout"]) == (5, 0.5)
    # What drained the battery before is not warned of again.
    same = {**shown, "align_to_hour": False}
    done = await hass.config_entries.options.async_configure(result["flow_id"], same)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_a_short_interval_is_warned_of_and_not_forbidden(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    result = await hass.config_entries.options.async_init(loaded.entry_id)
    warned = await hass.config_entries.options.async_configure(
        result["flow_id"], {**OPTIONS, "scan_interval": 60}
    )
    assert warned["step_id"] == "battery"
    assert warned["description_placeholders"] == {"interval": "60", "times": "60"}
    done = await hass.config_entries.options.async_configure(result["flow_id"], {})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert loaded.options["scan_interval"] == 60

    # Less often, and still too often.
    result = await hass.config_entries.options.async_init(loaded.entry_id)
    warned = await hass.config_entries.options.async_configure(
        result["flow_id"], {**OPTIONS, "scan_interval": 300}
    )
    assert warned["step_id"] == "battery"


@pytest.mark.parametrize(
    "wrong", [{"scan_interval": 0}, {"scan_interval": 90000}, {"timeout": -1}, {"gas_factor": -1}]
)
async def test_what_cannot_be_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, wrong: dict[str, float]
) -> None:
    result = await hass.config_entries.options.async_init(loaded.entry_id)
    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(result["flow_id"], {**OPTIONS, **wrong})
