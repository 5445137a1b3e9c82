"""The dialog that adds a meter, step by step."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from conftest import DOMAIN, PORT, SERIAL
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_PORT
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
from kamstrup_kmp import Meter
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fake_meter import FakeMeter
    from homeassistant.core import HomeAssistant
    from kamstrup_kmp import Identity

OTHER_PORT = "/dev/ttyUSB7"


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the dialog."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    return result


async def answer(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: Any
) -> ConfigFlowResult:
    """Fill in a form, and wait for what the progress behind it comes to."""
    result = await hass.config_entries.flow.async_configure(result["flow_id"], user_input)
    return await settled(hass, result)


async def settled(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Wait for the end of progress."""
    while result["type"] in (FlowResultType.SHOW_PROGRESS, FlowResultType.SHOW_PROGRESS_DONE):
        await hass.async_block_till_done(wait_background_tasks=True)
        result = await hass.config_entries.flow.async_configure(result["flow_id"])
    return result


@pytest.fixture
def fails(meter: FakeMeter) -> Callable[..., Any]:
    """Let the next look at a port fail; the meter answers afterwards."""
    from kamstrup_kmp import MeterError, Verdict

    identify = Meter.identify

    def fail(code: str, detail: str | None = None) -> Any:
        failures = [MeterError(Verdict(code), detail)]

        async def look(self: Meter) -> Any:
            if failures:
                raise failures.pop()
            return await identify(self)

        return patch.object(Meter, "identify", look)

    return fail


async def test_a_meter_that_answers_is_shown_and_added(
    hass: HomeAssistant, meter: FakeMeter
) -> None:
    found = await answer(hass, await start(hass), port=PORT)
    assert found["step_id"] == "found"
    assert found["description_placeholders"] == {
        "model": "MULTICAL 403",
        "serial": SERIAL,
        "port": PORT,
        "signal": "100",
    }
    assert meter.open_ports == 0

    created = await answer(hass, found)
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["title"] == f"MULTICAL 403 ({SERIAL})"
    assert created["data"] == {CONF_PORT: PORT}
    entry = created["result"]
    assert (entry.unique_id, entry.version, entry.minor_version) == (SERIAL, 1, 2)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


METER_VERDICTS = [
    "silent",
    "echo_only",
    "echo_mangled",
    "noise",
    "crc_mismatch",
    "truncated",
    "unexpected_answer",
    "not_supported",
    "asleep",
    "wrong_protocol",
]
PORT_VERDICTS = ["port_missing", "port_denied", "port_unreachable", "port_lost"]


@pytest.mark.parametrize("code", METER_VERDICTS)
async def test_each_verdict_about_the_meter_is_said_and_can_be_tried_again(
    hass: HomeAssistant, fails: Callable[..., Any], code: str
) -> None:
    with fails(code):
        failed = await answer(hass, await start(hass), port=PORT)
        assert failed["step_id"] == "retry"
        assert failed["errors"] == {"base": code}
        assert failed["description_placeholders"]["port"] == PORT
        found = await answer(hass, failed, next="again")
    assert found["step_id"] == "found"
    assert (await answer(hass, found))["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.parametrize("code", PORT_VERDICTS)
async def test_each_verdict_about_the_port_leads_back_to_the_port(
    hass: HomeAssistant, fails: Callable[..., Any], code: str
) -> None:
    with fails(code, "Connection refused"):
        failed = await answer(hass, await start(hass), port=PORT)
        assert failed["step_id"] == "user"
        assert failed["errors"] == {"base": code}
        assert failed["description_placeholders"]["detail"] == "Connection refused"
        found = await answer(hass, failed, port=PORT)
    assert found["step_id"] == "found"
    assert (await answer(hass, found))["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ({"device": {"path": OTHER_PORT}}, {}),
        ({"port": OTHER_PORT}, {}),
        ({}, {"serial_port": OTHER_PORT}),
    ],
)
async def test_a_busy_port_names_the_entry_that_holds_it(
    hass: HomeAssistant,
    fails: Callable[..., Any],
    data: dict[str, Any],
    options: dict[str, Any],
) -> None:
    MockConfigEntry(domain="zha", title="Zigbee", data=data, options=options).add_to_hass(hass)
    with fails("port_busy"):
        failed = await answer(hass, await start(hass), port=OTHER_PORT)
    assert failed["errors"] == {"base": "port_busy"}
    assert failed["description_placeholders"]["holder"] == "Zigbee"


@pytest.mark.parametrize(
    ("holders", "key", "named"),
    [
        ([], "port_busy_unknown", ""),
        (["zigbee2mqtt (process 7)"], "port_busy", "zigbee2mqtt (process 7)"),
    ],
)
async def test_a_busy_port_names_the_program_that_holds_it(
    hass: HomeAssistant, fails: Callable[..., Any], holders: list[str], key: str, named: str
) -> None:
    with (
        fails("port_busy"),
        patch("custom_components.kamstrup_403.probe.holders", return_value=holders),
    ):
        failed = await answer(hass, await start(hass), port=OTHER_PORT)
    assert failed["errors"] == {"base": key}
    assert failed["description_placeholders"]["holder"] == named


@pytest.mark.parametrize("port", ["COM3", "", "socket://host", "rfc2217://host:seven"])
async def test_what_is_no_port_is_refused_before_anything_is_opened(
    hass: HomeAssistant, meter: FakeMeter, port: str
) -> None:
    failed = await answer(hass, await start(hass), port=port)
    assert failed["errors"] == {CONF_PORT: "invalid_port"}
    assert not meter.opened
    assert (await answer(hass, failed, port=PORT))["step_id"] == "found"


async def test_what_serialx_takes_for_no_port_is_refused(
    hass: HomeAssistant, meter: FakeMeter
) -> None:
    meter.refused = ValueError("what is that")
    failed = await answer(hass, await start(hass), port="rfc2217://host:7?what=that")
    assert (failed["step_id"], failed["errors"]) == ("user", {CONF_PORT: "invalid_port"})
    meter.refused = None
    assert (await answer(hass, failed, port=PORT))["step_id"] == "found"


async def test_a_device_has_several_names(
    hass: HomeAssistant, fails: Callable[..., Any], tmp_path: Path
) -> None:
    device, link = tmp_path / "ttyUSB0", tmp_path / "by-id"
    device.touch()
    link.symlink_to(device)
    MockConfigEntry(domain="zha", title="Zigbee", data={"port": str(device)}).add_to_hass(hass)
    with fails("port_busy"):
        failed = await answer(hass, await start(hass), port=str(link))
    assert failed["errors"] == {"base": "port_busy"}
    assert failed["description_placeholders"]["holder"] == "Zigbee"


async def test_a_device_is_kept_by_the_path_that_stays(
    hass: HomeAssistant, meter: FakeMeter
) -> None:
    stable = "/dev/serial/by-id/usb-FTDI_head-if00-port0"
    with patch("homeassistant.components.usb.get_serial_by_id", return_value=stable):
        found = await answer(hass, await start(hass), port="/dev/ttyUSB0")
    assert (await answer(hass, found))["data"] == {CONF_PORT: stable}
    await hass.async_block_till_done()


async def test_the_same_port_or_meter_is_added_once(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    same_port = await answer(hass, await start(hass), port=PORT)
    assert same_port["type"] is FlowResultType.ABORT
    assert same_port["reason"] == "already_configured"

    same_meter = await answer(hass, await start(hass), port=OTHER_PORT)
    assert same_meter["type"] is FlowResultType.ABORT
    assert same_meter["reason"] == "already_configured"


async def test_a_meter_without_a_serial_number_is_not_added(
    hass: HomeAssistant, meter: FakeMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_serial(self: object, record: object) -> None:
        return None

    monkeypatch.setattr("kamstrup_kmp.Meter._serial", no_serial)
    failed = await answer(hass, await start(hass), port=PORT)
    assert (failed["step_id"], failed["errors"]) == ("retry", {"base": "no_serial"})


async def test_another_port_can_be_chosen_after_a_failure(
    hass: HomeAssistant, fails: Callable[..., Any]
) -> None:
    with fails("silent"):
        failed = await answer(hass, await start(hass), port=PORT)
        again = await answer(hass, failed, next="port")
        assert again["step_id"] == "user"
        assert (await answer(hass, again, port=OTHER_PORT))["step_id"] == "found"


async def test_aligning_goes_on_until_the_meter_answers_in_a_row(
    hass: HomeAssistant, meter: FakeMeter, fails: Callable[..., Any], aligning: list[str]
) -> None:
    aligning += ["silent", "crc_mismatch", "ok", "echo_only", "ok", "ok", "ok"]
    with fails("silent"):
        failed = await answer(hass, await start(hass), port=PORT)
        result = await hass.config_entries.flow.async_configure(
            failed["flow_id"], {"next": "align"}
        )
        scores = []
        while result["step_id"] == "align":
            scores.append(result["description_placeholders"])
            await hass.async_block_till_done(wait_background_tasks=True)
            result = await hass.config_entries.flow.async_configure(result["flow_id"])
        found = await settled(hass, result)
    assert found["step_id"] == "found"
    assert not aligning
    assert (await answer(hass, found))["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_aligning_shows_score_and_verdict_in_the_language_of_the_house(
    hass: HomeAssistant, meter: FakeMeter, fails: Callable[..., Any], aligning: list[str]
) -> None:
    hass.config.language = "nl"
    gate = asyncio.Event()
    aligning += ["silent", gate, "port_lost"]  # type: ignore[list-item]
    with fails("silent"):
        failed = await answer(hass, await start(hass), port=PORT)
        result = await hass.config_entries.flow.async_configure(
            failed["flow_id"], {"next": "align"}
        )
        assert result["description_placeholders"]["verdict"] == "…"
        while result["description_placeholders"]["attempts"] == "0":
            await asyncio.sleep(0.01)
            result = await hass.config_entries.flow.async_configure(failed["flow_id"])
        shown = result["description_placeholders"]
        assert "antwoordde niet" in shown["verdict"]
        assert (shown["score"], shown["answered"], shown["attempts"]) == ("0", "0", "1")
        gate.set()
        await hass.async_block_till_done(wait_background_tasks=True)
        lost = await settled(hass, result)
    assert (lost["step_id"], lost["errors"]) == ("user", {"base": "port_lost"})


async def test_aligning_ends_and_asks_whether_to_go_on(
    hass: HomeAssistant, meter: FakeMeter, fails: Callable[..., Any], aligning: list[str]
) -> None:
    aligning += ["silent"] * 3
    with fails("silent"), patch("custom_components.kamstrup_403.config_flow.MOST_ATTEMPTS", 3):
        failed = await answer(hass, await start(hass), port=PORT)
        ended = await answer(hass, failed, next="align")
    assert (ended["step_id"], ended["errors"]) == ("retry", {"base": "silent"})


async def test_the_port_is_free_after_aligning(
    hass: HomeAssistant, meter: FakeMeter, fails: Callable[..., Any]
) -> None:
    meter.silent = True
    with fails("silent"), patch("custom_components.kamstrup_403.config_flow.MOST_ATTEMPTS", 1):
        failed = await answer(hass, await start(hass), port=PORT)
        ended = await answer(hass, failed, next="align")
    assert ended["step_id"] == "retry"
    assert meter.opened
    assert meter.open_ports == 0


async def test_an_answer_is_said_in_the_language_of_the_house(
    hass: HomeAssistant, meter: FakeMeter, fails: Callable[..., Any], aligning: list[Any]
) -> None:
    hass.config.language = "de"
    gate = asyncio.Event()
    aligning += ["ok", gate, "port_lost"]
    with fails("silent"):
        failed = await answer(hass, await start(hass), port=PORT)
        result = await hass.config_entries.flow.async_configure(
            failed["flow_id"], {"next": "align"}
        )
        while result["description_placeholders"]["attempts"] == "0":
            await asyncio.sleep(0.01)
            result = await hass.config_entries.flow.async_configure(failed["flow_id"])
        assert result["description_placeholders"]["verdict"] == "Der Zähler hat geantwortet."
        gate.set()
        await hass.async_block_till_done(wait_background_tasks=True)
        await settled(hass, result)


@pytest.fixture
def aligning(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let single requests of the alignment come out as listed; an event is waited for."""
    from kamstrup_kmp import Alignment, MeterError, Verdict

    script: list[Any] = []

    async def align(self: Meter, *, pause: float = 0) -> Any:
        if isinstance(script[0], asyncio.Event):
            await script.pop(0).wait()
        verdict = Verdict(script.pop(0))
        if verdict.is_port:
            raise MeterError(verdict)
        yield Alignment().add(verdict)

    monkeypatch.setattr(Meter, "align", align)
    return script


async def test_closing_the_dialog_releases_the_port(hass: HomeAssistant, meter: FakeMeter) -> None:
    meter.silent = True
    started = await start(hass)
    result = await hass.config_entries.flow.async_configure(started["flow_id"], {CONF_PORT: PORT})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    while not meter.open_ports:
        await asyncio.sleep(0.01)
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert meter.open_ports == 0


async def test_a_meter_moves_to_another_port_and_keeps_its_entities(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    before = hass.states.async_entity_ids()
    result = await loaded.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure"
    moved = await answer(hass, result, port=OTHER_PORT)
    assert moved["type"] is FlowResultType.ABORT
    assert moved["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert loaded.data == {CONF_PORT: OTHER_PORT}
    assert loaded.state is ConfigEntryState.LOADED
    assert hass.states.async_entity_ids() == before
    assert meter.open_ports == 1


async def test_another_meter_on_the_new_port_is_refused(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry
) -> None:
    from fake_meter import PLAIN, Value

    result = await loaded.start_reconfigure_flow(hass)
    meter.registers[1001] = Value(PLAIN, 11111111)
    refused = await answer(hass, result, port=OTHER_PORT)
    assert refused["reason"] == "wrong_meter"
    assert refused["description_placeholders"] == {"expected": SERIAL, "found": "11111111"}
    assert loaded.data == {CONF_PORT: PORT}


async def test_the_entry_goes_on_if_reconfiguring_is_given_up(
    hass: HomeAssistant, loaded: MockConfigEntry, fails: Callable[..., Any]
) -> None:
    result = await loaded.start_reconfigure_flow(hass)
    with fails("port_missing"):
        failed = await answer(hass, result, port=OTHER_PORT)
    assert (failed["step_id"], failed["errors"]) == ("reconfigure", {"base": "port_missing"})
    assert loaded.state is ConfigEntryState.NOT_LOADED
    hass.config_entries.flow.async_abort(failed["flow_id"])
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.LOADED


async def test_the_entry_goes_on_if_the_dialog_is_left_open(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry, fails: Callable[..., Any]
) -> None:
    result = await loaded.start_reconfigure_flow(hass)
    with fails("silent"):
        failed = await answer(hass, result, port=OTHER_PORT)
    assert loaded.state is ConfigEntryState.NOT_LOADED
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=301))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert loaded.state is ConfigEntryState.LOADED
    assert meter.opened[-1] == PORT

    # Whoever comes back goes on where they were.
    moved = await answer(hass, failed, next="again")
    assert moved["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert loaded.data == {CONF_PORT: OTHER_PORT}
    assert loaded.state is ConfigEntryState.LOADED
    assert meter.open_ports == 1


async def test_reconfiguring_waits_for_a_set_up_under_way_and_uses_its_timeout(
    hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"timeout": 7.5})
    held, identify = asyncio.Event(), Meter.identify

    async def slowly(self: Meter) -> Identity:
        await self.connect()
        await held.wait()
        return await identify(self)

    with patch.object(Meter, "identify", slowly):
        setting_up = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
        while not meter.open_ports:
            await asyncio.sleep(0.01)
        result = await entry.start_reconfigure_flow(hass)
        with patch("custom_components.kamstrup_403.config_flow.Meter", wraps=Meter) as made:
            result = await hass.config_entries.flow.async_configure(
                result["flow_id"], {CONF_PORT: PORT}
            )
        assert result["type"] is FlowResultType.SHOW_PROGRESS
        made.assert_called_once_with(PORT, answer_timeout=7.5)
        await asyncio.sleep(0.05)
        assert meter.open_ports == 1
        held.set()
        moved = await settled(hass, result)
    assert moved["reason"] == "reconfigure_successful"
    await setting_up
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert meter.open_ports == 1


async def test_an_entry_that_is_deleted_meanwhile_is_not_set_up_again(
    hass: HomeAssistant, meter: FakeMeter, loaded: MockConfigEntry, fails: Callable[..., Any]
) -> None:
    result = await loaded.start_reconfigure_flow(hass)
    with fails("silent"):
        failed = await answer(hass, result, port=OTHER_PORT)
    await hass.config_entries.async_remove(loaded.entry_id)
    hass.config_entries.flow.async_abort(failed["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert loaded.state is ConfigEntryState.NOT_LOADED
    assert meter.open_ports == 0


async def test_a_busy_port_is_not_said_to_be_held_by_the_meter_itself(
    hass: HomeAssistant, loaded: MockConfigEntry, fails: Callable[..., Any]
) -> None:
    result = await loaded.start_reconfigure_flow(hass)
    with fails("port_busy"):
        failed = await answer(hass, result, port=PORT)
    assert failed["errors"] == {"base": "port_busy_unknown"}


async def test_reconfiguring_can_go_back_to_the_port(
    hass: HomeAssistant, loaded: MockConfigEntry, fails: Callable[..., Any]
) -> None:
    result = await loaded.start_reconfigure_flow(hass)
    with fails("silent"):
        failed = await answer(hass, result, port=OTHER_PORT)
        again = await answer(hass, failed, next="port")
    assert again["step_id"] == "reconfigure"
    assert (await answer(hass, again, port=PORT))["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
