"""Polling: what is read when, what a failure costs, and what is held back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from conftest import DOMAIN, SERIAL, set_up_with_all
from fake_meter import GJ, PLAIN, Value
from homeassistant.const import CONF_SCAN_INTERVAL, STATE_UNAVAILABLE
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util
from kamstrup_kmp import Meter, MeterError, Verdict
from pytest_homeassistant_custom_component.common import async_fire_time_changed

if TYPE_CHECKING:
    from fake_meter import FakeMeter
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.common import MockConfigEntry

ENERGY = "sensor.kamstrup_403_heat_energy_e1"
HELD = "sensor.kamstrup_multical_403_held_back"


def shown(hass: HomeAssistant, entity_id: str) -> str:
    """Return a state."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


async def poll(hass: HomeAssistant, entry: MockConfigEntry, after: timedelta) -> None:
    """Let that time pass for the schedule, and poll."""
    later = dt_util.utcnow() + after
    with patch("custom_components.kamstrup_403.coordinator.dt_util.utcnow", return_value=later):
        await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()


async def test_slow_registers_are_not_asked_for_with_every_poll(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(loaded, options={CONF_SCAN_INTERVAL: 60})
    await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert meter.asked[-1] == [60, 68, 99, 113, 266, 1001, 1004]
    await poll(hass, loaded, timedelta(minutes=1))
    often = meter.asked[-1]
    assert {60, 68} <= set(often) < {60, 68, 99, 113, 266, 1001, 1004}
    assert 1001 not in often
    await poll(hass, loaded, timedelta(hours=1))
    hourly = meter.asked[-1]
    assert set(often) < set(hourly)
    assert 1001 not in hourly
    await poll(hass, loaded, timedelta(days=1))
    assert meter.asked[-1] == [60, 68, 99, 113, 266, 1001, 1004]


async def test_only_what_enabled_entities_need_is_asked_for(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    entities = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(entities, loaded.entry_id):
        if entity.entity_id != ENERGY:
            entities.async_update_entity(
                entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER
            )
    await hass.async_block_till_done()
    await loaded.runtime_data.async_read_now()
    # The serial number goes along: it says whether this is still the same meter.
    assert meter.asked[-1] == [60, 1001]

    entities.async_update_entity(ENERGY, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    before = len(meter.asked)
    await loaded.runtime_data.async_refresh()
    assert loaded.runtime_data.last_update_success
    assert len(meter.asked) == before


async def test_eight_registers_at_most_are_asked_for_at_once(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    await set_up_with_all(hass, entry)
    assert max(map(len, meter.asked)) == 8


async def test_what_the_meter_lacks_is_asked_for_three_times_and_then_daily(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    del meter.registers[266]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    for hours in (1, 2):
        await poll(hass, entry, timedelta(hours=hours))
        assert 266 in meter.asked[-1]
    await poll(hass, entry, timedelta(hours=3))
    assert 266 not in meter.asked[-1]
    await poll(hass, entry, timedelta(hours=27))
    assert 266 in meter.asked[-1]


async def test_what_is_missing_from_an_answer_is_back_with_the_next(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    energy = meter.registers.pop(60)
    for hours in range(1, 6):
        await poll(hass, loaded, timedelta(hours=hours))
        assert shown(hass, ENERGY) == "unknown"
    meter.registers[60] = energy
    await poll(hass, loaded, timedelta(hours=6))
    assert shown(hass, ENERGY) == "84.817"


async def test_whether_it_is_still_the_same_meter_is_looked_at_after_a_failure(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    await poll(hass, loaded, timedelta(hours=1))
    assert 1001 not in meter.asked[-1]
    with patch.object(Meter, "read_checked", side_effect=MeterError(Verdict.SILENT)):
        await poll(hass, loaded, timedelta(hours=2))
    await poll(hass, loaded, timedelta(hours=3))
    assert 1001 in meter.asked[-1]


async def test_polls_and_actions_take_turns(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    running: list[int] = []
    read = Meter.read_checked

    async def alone(self: Meter, registers: list[int], *more: Any) -> Any:
        assert not running
        running.append(1)
        await asyncio.sleep(0)
        found = await read(self, registers, *more)
        running.pop()
        return found

    coordinator = loaded.runtime_data
    with patch.object(Meter, "read_checked", alone):
        await asyncio.gather(
            coordinator.async_read([60]), coordinator.async_read_now(), coordinator.async_read([68])
        )
    assert coordinator.last_update_success


async def test_whoever_waits_for_a_turn_when_the_entry_is_unloaded_opens_nothing(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    meter.silent = True
    coordinator = loaded.runtime_data
    asked = meter.requests
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=3601))
    while meter.requests == asked:
        await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(coordinator.async_read([60])) for _ in range(2)]
    await asyncio.sleep(0)
    caplog.clear()
    assert await hass.config_entries.async_unload(loaded.entry_id)
    for task in waiting:
        with pytest.raises(MeterError) as failed:
            await task
        assert failed.value.verdict is Verdict.PORT_LOST
    assert (meter.open_ports, len(meter.opened)) == (0, 1)
    # A poll that is broken off is no failure of the meter.
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_what_is_switched_off_is_not_asked_for_any_more(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    entities = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(entities, loaded.entry_id):
        if entity.entity_id != "button.kamstrup_multical_403_read_now":
            entities.async_update_entity(
                entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER
            )
    await hass.async_block_till_done()
    before = len(meter.asked)
    await loaded.runtime_data.async_read_now()
    assert len(meter.asked) == before


async def test_entities_go_with_the_meter_and_come_back_and_each_is_said_once(
    hass: HomeAssistant,
    meter: FakeMeter,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.clear()
    failing = patch.object(Meter, "read_checked", side_effect=MeterError(Verdict.SILENT))
    with failing:
        for _ in range(3):
            await poll(hass, loaded, timedelta(hours=1))
    assert shown(hass, ENERGY) == STATE_UNAVAILABLE
    assert shown(hass, "button.kamstrup_multical_403_read_now") != STATE_UNAVAILABLE
    for _ in range(2):
        await poll(hass, loaded, timedelta(hours=1))
    assert shown(hass, ENERGY) == "84.817"
    ours = [record for record in caplog.records if DOMAIN in record.name and record.levelno >= 20]
    assert [record.levelname for record in ours] == ["ERROR", "INFO"]
    assert "did not answer: not one byte came back" in ours[0].message


async def test_a_lost_line_is_opened_again_within_the_poll(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    meter.hang_up()
    await poll(hass, loaded, timedelta(hours=1))
    assert shown(hass, ENERGY) == "84.817"
    assert meter.open_ports == 1
    assert len(meter.opened) == 2


async def test_after_a_failure_the_next_try_comes_sooner_than_the_next_poll(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    coordinator = loaded.runtime_data
    pauses = []
    with patch.object(Meter, "read_checked", side_effect=MeterError(Verdict.PORT_LOST)):
        for _ in range(6):
            with pytest.raises(UpdateFailed) as failed:
                await coordinator._async_update_data()
            pauses.append(failed.value.retry_after)
    assert pauses == [60, 120, 240, 480, 900, 900]
    coordinator.interval = timedelta(seconds=5)
    assert coordinator._failed(MeterError(Verdict.SILENT)).retry_after == 5


async def test_polls_go_on_by_themselves(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    meter.registers[60] = Value(GJ, 84818, -3)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=3601))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass, ENERGY) == "84.818"


async def test_a_register_that_got_no_answer_is_unavailable_alone(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    read = Meter.read_checked

    class Partial:
        """An outcome that lacks an answer for one register."""

        def __init__(self, outcome: Any) -> None:
            self.verdict = outcome.verdict
            self.unanswered = [60]

    async def without(self: Meter, registers: list[int], *more: Any) -> Any:
        outcome, checked = await read(self, [r for r in registers if r != 60], *more)
        return Partial(outcome), checked

    with patch.object(Meter, "read_checked", without):
        await poll(hass, loaded, timedelta(hours=1))
    assert shown(hass, ENERGY) == STATE_UNAVAILABLE
    assert shown(hass, "sensor.kamstrup_403_volume") == "1135.60"
    await poll(hass, loaded, timedelta(hours=1))
    assert shown(hass, ENERGY) == "84.817"


async def test_an_implausible_value_is_held_back_and_said_why(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    answer = meter.answer
    jumps = iter([1_426_148_369, 900_000_000])

    def jump(wire: bytes) -> bytes | None:
        meter.registers[60] = Value(GJ, next(jumps, 84818), -3)
        return answer(wire)

    meter.answer = jump  # type: ignore[method-assign]
    await poll(hass, loaded, timedelta(hours=1))
    assert shown(hass, ENERGY) == "84.817"
    assert shown(hass, HELD) == "1"
    reasons = hass.states.get(HELD).attributes  # type: ignore[union-attr]
    assert "1426148.369" in reasons["heat_energy"]

    await poll(hass, loaded, timedelta(hours=2))
    assert shown(hass, ENERGY) == "84.818"
    assert shown(hass, HELD) == "0"


async def test_an_implausible_value_that_was_a_slip_is_read_again_at_once(
    hass: HomeAssistant,
    meter: FakeMeter,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = meter.answer
    values = iter([1_426_148_369])

    def slip(wire: bytes) -> bytes | None:
        meter.registers[60] = Value(GJ, next(values, 84818), -3)
        return answer(wire)

    meter.answer = slip  # type: ignore[method-assign]
    await poll(hass, loaded, timedelta(hours=1))
    assert shown(hass, ENERGY) == "84.818"
    assert "a second reading was sound" in caplog.text


async def test_the_gate_remembers_over_a_restart(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    stored = hass_storage[f"{DOMAIN}.{loaded.entry_id}"]["data"]
    assert stored["meters"][0]["serial"] == SERIAL

    values = iter([1_426_148_369, 900_000_000])
    answer = meter.answer

    def jump(wire: bytes) -> bytes | None:
        if b"\x00\x3c" in wire:
            meter.registers[60] = Value(GJ, next(values, 84818), -3)
        return answer(wire)

    meter.answer = jump  # type: ignore[method-assign]
    await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done()
    assert shown(hass, ENERGY) == "unknown"
    assert shown(hass, HELD) == "1"


async def test_the_gate_is_stored_soon_however_often_it_learns(
    hass: HomeAssistant,
    meter: FakeMeter,
    loaded: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    key = f"{DOMAIN}.{loaded.entry_id}"
    for _ in range(3):
        await loaded.runtime_data.async_read_now()
    assert key not in hass_storage
    # What is put off looks at the clock, which stands still here, and waits on.
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    await hass.async_block_till_done()
    assert hass_storage[key]["data"]["meters"]


async def test_nothing_is_left_of_a_meter_that_is_deleted(
    hass: HomeAssistant,
    meter: FakeMeter,
    loaded: MockConfigEntry,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config_entries.async_remove(loaded.entry_id)
    freezer.tick(60)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert f"{DOMAIN}.{loaded.entry_id}" not in hass_storage
    assert meter.open_ports == 0


@pytest.mark.parametrize("stored", [{}, {"saved_at": 0, "meters": [{}]}, {"saved_at": "x"}])
async def test_a_memory_that_is_damaged_is_no_obstacle(
    hass: HomeAssistant,
    meter: FakeMeter,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    stored: dict[str, Any],
) -> None:
    key = f"{DOMAIN}.{entry.entry_id}"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": stored}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert shown(hass, ENERGY) == "84.817"
    await hass.config_entries.async_remove(entry.entry_id)
    assert key not in hass_storage


async def test_another_meter_on_the_port_is_noticed_and_its_values_are_not_taken(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    meter.registers[1001] = Value(PLAIN, 11111111)
    meter.registers[60] = Value(GJ, 5, -3)
    await poll(hass, loaded, timedelta(days=1))
    assert shown(hass, ENERGY) == STATE_UNAVAILABLE
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"wrong_meter_{loaded.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["found"] == "11111111"

    # The head was on a neighbour's meter and is put back: nobody has to reload anything.
    meter.registers[1001] = Value(PLAIN, int(SERIAL))
    meter.registers[60] = Value(GJ, 84818, -3)
    await poll(hass, loaded, timedelta(days=1, hours=1))
    assert shown(hass, ENERGY) == "84.818"
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"wrong_meter_{loaded.entry_id}") is None


async def test_a_meter_that_changes_between_two_looks_at_its_number_shows_nothing_wrong(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    await poll(hass, loaded, timedelta(hours=1))
    assert 1001 not in meter.asked[-1]
    meter.registers[1001] = Value(PLAIN, 11111111)
    meter.registers[60] = Value(GJ, 5, -3)
    with pytest.raises(HomeAssistantError) as refused:
        await loaded.runtime_data.async_read([60])
    assert refused.value.translation_key == "wrong_meter"
    await poll(hass, loaded, timedelta(hours=2))
    assert shown(hass, ENERGY) == STATE_UNAVAILABLE
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"wrong_meter_{loaded.entry_id}") is not None


async def test_the_button_reads_everything_and_says_what_is_wrong(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    button = {"entity_id": "button.kamstrup_multical_403_read_now"}
    before = len(meter.asked)
    await hass.services.async_call("button", "press", button, blocking=True)
    assert meter.asked[before] == [60, 68, 99, 113, 266, 1001, 1004]
    with (
        patch.object(Meter, "read_checked", side_effect=MeterError(Verdict.ECHO_ONLY)),
        pytest.raises(HomeAssistantError) as failed,
    ):
        await hass.services.async_call("button", "press", button, blocking=True)
    assert failed.value.translation_key == "echo_only"

    meter.registers[1001] = Value(PLAIN, 11111111)
    with pytest.raises(HomeAssistantError) as refused:
        await hass.services.async_call("button", "press", button, blocking=True)
    assert refused.value.translation_key == "wrong_meter"


async def test_line_quality_is_the_share_of_answered_requests(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    await set_up_with_all(hass, entry)
    quality = "sensor.kamstrup_multical_403_line_quality"
    assert shown(hass, quality) == "100"
    entry.runtime_data.meter.exchanges.clear()
    entry.runtime_data.async_update_listeners()
    assert shown(hass, quality) == "unknown"

    # It says most where nothing comes back.
    meter.silent = True
    with patch.object(Meter, "read_checked", _silence):
        await entry.runtime_data.async_refresh()
    assert shown(hass, ENERGY) == STATE_UNAVAILABLE
    assert shown(hass, quality) == "0"


async def _silence(self: Meter, registers: list[int], *more: object) -> None:
    await self.read(registers, time_limit=0.1)


@pytest.mark.parametrize(
    ("now", "interval", "expected"),
    [
        ("12:00:00", 3600, "12:59:50"),
        ("12:59:50", 3600, "13:59:50"),
        ("12:59:52", 3600, "13:59:50"),
        ("12:59:45", 3600, "13:59:50"),
        ("12:20:00", 3600, "12:59:50"),
        ("12:35:00", 3600, "12:59:50"),
        ("12:58:45", 3600, "12:59:50"),
        ("12:59:00", 3600, "13:59:50"),
        ("12:00:03", 5, "12:00:10"),
        ("12:01:00", 900, "12:14:50"),
        ("23:59:50", 3600, "00:59:50"),
    ],
)
def test_aligned_polls_come_shortly_before_full_hours(
    now: str, interval: int, expected: str
) -> None:
    from custom_components.kamstrup_403.schedule import until_next_poll

    moment = datetime.fromisoformat(f"2026-11-22T{now}+05:30")
    pause = until_next_poll(moment, timedelta(seconds=interval), aligned=True)
    assert (moment + pause).strftime("%H:%M:%S") == expected
    assert until_next_poll(moment, timedelta(seconds=7), aligned=False).total_seconds() == 7
    assert moment.astimezone(UTC).utcoffset() == timedelta(0)
