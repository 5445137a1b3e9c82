"""The action `kamstrup_403.read`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from conftest import DOMAIN, SERIAL
from fake_meter import PLAIN, Value
from homeassistant.const import CONF_PORT
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from kamstrup_kmp import Meter, MeterError, Verdict
from pytest_homeassistant_custom_component.common import MockConfigEntry

if TYPE_CHECKING:
    from fake_meter import FakeMeter
    from homeassistant.core import HomeAssistant


async def read(hass: HomeAssistant, **data: Any) -> Any:
    """Call the action."""
    return await hass.services.async_call(DOMAIN, "read", data, blocking=True, return_response=True)


async def test_reads_by_key_and_number(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    answer = await read(hass, registers=["heat_energy", 68, "0x10a", "123", 9999, 60])
    assert answer["meter"] == {
        "manufacturer": "Kamstrup",
        "model": "MULTICAL 403",
        "type": "0xf403",
        "software": "G1",
        "serial": SERIAL,
    }
    assert answer["readings"] == [
        {"register": 60, "key": "heat_energy", "value": "84.817", "unit": "GJ", "quality": "good"},
        {"register": 68, "key": "volume", "value": "1135.60", "unit": "m³", "quality": "good"},
        {
            "register": 266,
            "key": "heat_energy_high_res",
            "value": "939324",
            "unit": "Wh",
            "quality": "good",
        },
        {
            "register": 123,
            "key": "max_flow_year_date",
            "value": "2026-01-12",
            "unit": None,
            "quality": "good",
        },
        {"register": 9999, "key": None, "value": None, "unit": None, "quality": "unsupported"},
    ]
    assert answer["line"]["requests"] == 1
    assert answer["line"]["bytes_sent"] > 0


async def test_reads_the_usual_registers_if_none_is_named(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    answer = await read(hass)
    assert [reading["register"] for reading in answer["readings"]] == meter.asked[-1]
    assert len(answer["readings"]) == 8


async def test_what_has_no_meaning_has_no_value(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    meter.registers[123] = Value(48, 230230)
    answer = await read(hass, registers=[123])
    (reading,) = answer["readings"]
    assert (reading["quality"], reading["value"]) == ("invalid", None)
    assert reading["reason"] == "no such date: 230230"


@pytest.mark.parametrize(
    ("registers", "key", "placeholders"),
    [
        (
            ["heat_enery"],
            "unknown_register_meant",
            {"register": "heat_enery", "meant": "heat_energy"},
        ),
        (["zzzzzz"], "unknown_register", {"register": "zzzzzz", "meant": ""}),
        ([70000], "unknown_register", {"register": "70000", "meant": ""}),
        (list(range(65)), "too_many_registers", {"found": "65", "most": "64"}),
    ],
)
async def test_what_is_no_register_is_refused(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    registers: list[Any],
    key: str,
    placeholders: dict[str, str],
) -> None:
    with pytest.raises(ServiceValidationError) as refused:
        await read(hass, registers=registers)
    assert refused.value.translation_key == key
    assert refused.value.translation_placeholders == placeholders


async def test_a_meter_that_does_not_answer_is_an_error(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    with (
        patch.object(Meter, "read_checked", side_effect=MeterError(Verdict.ASLEEP)),
        pytest.raises(HomeAssistantError) as failed,
    ):
        await read(hass)
    assert failed.value.translation_key == "asleep"


async def test_the_meter_is_named_where_there_are_several(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    assert (await read(hass, device_id=device.id))["meter"]["serial"] == SERIAL

    meter.registers[1001] = Value(PLAIN, 11111111)
    second = MockConfigEntry(domain=DOMAIN, data={CONF_PORT: "/dev/ttyUSB1"}, minor_version=2)
    second.add_to_hass(hass)
    assert await hass.config_entries.async_setup(second.entry_id)
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError) as several:
        await read(hass)
    assert several.value.translation_key == "several_meters"
    with pytest.raises(ServiceValidationError) as none:
        await read(hass, device_id="no-such-device")
    assert none.value.translation_key == "no_such_meter"
    assert "deprecated" not in caplog.text

    for entry in (loaded, second):
        await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as nobody:
        await read(hass)
    assert nobody.value.translation_key == "no_meter"


async def test_a_register_without_an_answer_is_told_from_one_that_is_not_there(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    from types import SimpleNamespace

    stats = SimpleNamespace(requests=1, retries=4, bytes_sent=9, bytes_received=0, took=20.0)
    outcome = SimpleNamespace(records=[], unsupported=[], unanswered=[60], line=stats)
    checked = SimpleNamespace(readings=[], notices=[])
    with patch.object(Meter, "read_checked", return_value=(outcome, checked)):
        answer = await read(hass, registers=[60])
    assert answer["readings"][0]["quality"] == "unanswered"
