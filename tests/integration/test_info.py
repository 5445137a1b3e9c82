"""What the meter reports about itself: in words, as problems, and in the repairs panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conftest import DOMAIN, SERIAL, set_up_with_all
from fake_meter import PLAIN, Value
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir

if TYPE_CHECKING:
    from fake_meter import FakeMeter
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.common import MockConfigEntry

EXTERNAL_ALARM = Value(PLAIN, 90_000_000)
T1_ABOVE_RANGE = "temperature sensor T1 above"


def state(hass: HomeAssistant, platform: str, key: str) -> str:
    """Return the state of one of our entities."""
    entity_id = er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{SERIAL}_{key}")
    assert entity_id is not None
    found = hass.states.get(entity_id)
    assert found is not None
    return found.state


async def test_a_problem_is_reported_everywhere_and_withdrawn(
    hass: HomeAssistant,
    meter: FakeMeter,
    entry: MockConfigEntry,
) -> None:
    meter.registers[99] = EXTERNAL_ALARM
    await set_up_with_all(hass, entry)
    assert state(hass, "binary_sensor", "problem") == "on"
    assert state(hass, "binary_sensor", "info_external_alarm") == "on"
    assert state(hass, "binary_sensor", "info_low_battery") == "off"
    assert state(hass, "sensor", "info_text") == "External alarm"
    issues = ir.async_get(hass)
    issue = issues.async_get_issue(DOMAIN, f"info_code_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders == {
        "title": entry.title,
        "flags": "External alarm",
    }

    # Not known is not over.
    del meter.registers[99]
    await entry.runtime_data.async_read_now()
    assert state(hass, "binary_sensor", "problem") == "unknown"
    assert issues.async_get_issue(DOMAIN, f"info_code_{entry.entry_id}") is not None

    meter.registers[99] = Value(PLAIN, 0)
    await entry.runtime_data.async_read_now()
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor", "problem") == "off"
    assert state(hass, "sensor", "info_text") == "OK"
    assert issues.async_get_issue(DOMAIN, f"info_code_{entry.entry_id}") is None


async def test_flags_are_named_in_the_language_of_the_house(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    hass.config.language = "de"
    meter.registers[99] = EXTERNAL_ALARM
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "sensor", "info_text") == "Externer Alarm"


async def test_nothing_known_is_not_nothing_wrong(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    del meter.registers[99]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor", "problem") == "unknown"
    assert state(hass, "sensor", "info_text") == "unknown"


def test_many_flags_fit_into_a_state() -> None:
    from kamstrup_kmp import model

    from custom_components.kamstrup_403.info import LONGEST_STATE, text

    flags = model("403").info_flags  # type: ignore[union-attr]
    words = text(flags, "en")
    assert len(words) == LONGEST_STATE
    assert words.endswith("…")
