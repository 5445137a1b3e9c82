"""The driver: on a meter in memory, and on simulated ones."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from conftest import heatmeter
from fake_meter import PLAIN, FakeMeter, Value
from kamstrup_kmp import Configure, Gate, Meter, MeterError, Verdict, model
from kamstrup_kmp.meter import LEAST_ANSWER_TIMEOUT
from kamstrup_kmp.port import Transport, open_port, opening_failed

if TYPE_CHECKING:
    from collections.abc import Callable

PORT = "socket://192.168.1.20:2217"


async def test_reads_what_the_program_reads(simulate: Callable[..., str]) -> None:
    port = simulate()
    async with Meter(port) as meter:
        identity = await meter.identify()
        assert identity.model is not None
        outcome = await meter.read(identity.model.usual)
    said = heatmeter("read", "--json", port)
    assert isinstance(said["readings"], list)
    told = [(r["register"], r["key"], r["value"], r["unit"]) for r in said["readings"]]
    assert [(r.register, r.key, r.text, r.unit) for r in outcome.records] == told
    assert (identity.model.name, identity.software) == ("MULTICAL 403", "G1")
    assert said["meter"]["serial"] == identity.serial  # type: ignore[index]
    assert identity.is_simulated


async def test_reads_a_serial_device(simulate: Callable[..., str]) -> None:
    port = simulate(front=("--pty",))
    async with Meter(port) as meter:
        assert (await meter.identify()).serial
        with pytest.raises(MeterError) as busy:
            await Meter(port).connect()
        assert busy.value.verdict is Verdict.PORT_BUSY
    async with Meter(port) as again:
        assert (await again.read([60])).verdict is Verdict.OK


async def test_reads_through_an_echo_and_damage(simulate: Callable[..., str]) -> None:
    port = simulate("--echo", "--seed", "7", "--fault", "bit-flip=0.3")
    async with Meter(port) as meter:
        for _ in range(3):
            outcome = await meter.read([60, 68])
            assert [record.register for record in outcome.records] == [60, 68]


async def test_silence_is_said_and_the_port_released(fake: FakeMeter) -> None:
    fake.silent = True
    meter = Meter(PORT)
    with pytest.raises(MeterError) as failed:
        await meter.read([60], time_limit=2.5)
    assert failed.value.verdict is Verdict.SILENT
    assert failed.value.outcome is not None
    assert failed.value.outcome.unanswered == [60]
    assert not meter.is_open
    assert fake.open_ports == 0
    fake.silent = False
    assert (await meter.read([60])).verdict is Verdict.OK
    await meter.close()


async def test_noise_without_end_has_an_end() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(os.urandom(16).replace(b"\x40", b"\x41"))
                await writer.drain()
                await asyncio.sleep(0.005)
        except OSError:
            writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        host, number = server.sockets[0].getsockname()[:2]
        meter = Meter(f"socket://{host}:{number}")
        async with asyncio.timeout(8):
            with pytest.raises(MeterError) as failed:
                await meter.read([60], time_limit=4)
        assert failed.value.verdict is Verdict.NOISE
        assert not meter.is_open


async def test_a_bridge_that_hung_up_between_polls_costs_nothing(fake: FakeMeter) -> None:
    meter = Meter(PORT)
    await meter.read([60])
    fake.hang_up()
    assert (await meter.read([60])).verdict is Verdict.OK
    assert len(fake.opened) == 2
    await meter.close()


async def test_a_bridge_that_died_without_a_word_costs_one_try(fake: FakeMeter) -> None:
    meter = Meter(PORT)
    await meter.read([60])
    dead = fake.line
    assert dead is not None
    dead.write = lambda data: None  # type: ignore[method-assign]
    assert (await meter.read([60], time_limit=2)).verdict is Verdict.OK
    assert len(fake.opened) == 2
    await meter.close()


async def test_a_bridge_with_one_place_says_that_it_is_taken(fake: FakeMeter) -> None:
    def full(wire: bytes) -> bytes | None:
        loop = asyncio.get_running_loop()
        assert fake.line is not None
        loop.call_soon(fake.line.protocol.data_received, b"Port already in use\r\n")
        loop.call_soon(fake.hang_up)
        return None

    fake.answer = full  # type: ignore[method-assign]
    with pytest.raises(MeterError) as failed:
        await Meter(PORT).read([60])
    assert failed.value.verdict is Verdict.PORT_BUSY
    assert failed.value.detail == "Port already in use"


async def test_closing_ends_what_runs_and_opens_nothing_again(fake: FakeMeter) -> None:
    fake.silent = True
    meter = Meter(PORT)
    await meter.connect()
    reading = asyncio.create_task(meter.read([60]))
    await asyncio.sleep(0.05)
    await meter.close()
    with pytest.raises(MeterError) as failed:
        await reading
    assert failed.value.verdict is Verdict.PORT_LOST
    assert (fake.open_ports, len(fake.opened)) == (0, 1)


async def test_closing_ends_what_waits_for_its_turn_and_opens_nothing_for_it(
    fake: FakeMeter,
) -> None:
    fake.silent = True
    meter = Meter(PORT)
    reading = [asyncio.create_task(meter.read([60])) for _ in range(3)]
    connecting = asyncio.create_task(meter.connect())
    while not fake.open_ports:
        await asyncio.sleep(0.01)
    await meter.close()
    for task in (*reading, connecting):
        with pytest.raises(MeterError) as failed:
            await task
        assert failed.value.verdict is Verdict.PORT_LOST
    assert (fake.open_ports, len(fake.opened)) == (0, 1)
    fake.silent = False
    assert (await meter.read([60])).verdict is Verdict.OK
    await meter.close()


async def test_a_silent_bridge_is_asked_in_full_once_and_briefly_again(fake: FakeMeter) -> None:
    asked_before: list[int] = []

    async def opener(port: str, line: Configure, protocol: asyncio.Protocol) -> Transport:
        asked_before.append(fake.requests)
        return await open_port(port, line, protocol)

    meter = Meter(PORT, answer_timeout=LEAST_ANSWER_TIMEOUT, opener=opener)
    await meter.read([60])
    fake.silent = True
    with pytest.raises(MeterError) as failed:
        await meter.read([60])
    assert failed.value.verdict is Verdict.ASLEEP
    _, reopened = asked_before
    assert fake.requests - reopened < reopened / 2
    assert fake.open_ports == 0


async def test_a_serial_proxy_may_have_errors_of_its_own(fake: FakeMeter) -> None:
    class ProxyError(Exception):
        """Neither OSError nor one of serialx."""

    fake.refused = ProxyError("not connected")
    meter = Meter("esphome-hass://esphome/1?port_name=head")
    with pytest.raises(MeterError) as refused:
        await meter.read([60])
    assert (refused.value.verdict, refused.value.detail) == (
        Verdict.PORT_UNREACHABLE,
        "not connected",
    )

    def fail(*_: object) -> None:
        raise ProxyError("gone")

    fake.refused = None
    await meter.read([60])
    assert fake.line is not None
    fake.line.write = fail  # type: ignore[method-assign]
    fake.line.abort = fail  # type: ignore[method-assign]
    # It is opened again for the same task.
    assert (await meter.read([60])).verdict is Verdict.OK
    await meter.close()


async def test_cancelling_releases_the_port(fake: FakeMeter) -> None:
    fake.silent = True
    meter = Meter(PORT)
    reading = asyncio.create_task(meter.read([60]))
    await asyncio.sleep(0.05)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert fake.open_ports == 0
    fake.silent = False
    assert (await meter.read([60])).verdict is Verdict.OK
    await meter.close()


async def test_tasks_wait_for_their_turn(fake: FakeMeter) -> None:
    meter = Meter(PORT)
    outcomes = await asyncio.gather(*(meter.read([number]) for number in (60, 68, 74)))
    assert [outcome.records[0].register for outcome in outcomes] == [60, 68, 74]
    assert fake.opened == [PORT]
    await meter.close()


async def test_what_the_gate_doubts_is_read_again(fake: FakeMeter) -> None:
    meter, gate = Meter(PORT), Gate()
    await meter.read_checked([60], gate, model("403"))
    answer, values = fake.answer, iter([1_426_148_369])

    def slip(wire: bytes) -> bytes | None:
        fake.registers[60] = Value(8, next(values, 84818), -3)
        return answer(wire)

    fake.answer = slip  # type: ignore[method-assign]
    _, checked = await meter.read_checked([60], gate, model("403"))
    assert checked.readings[0].record is not None
    assert checked.readings[0].record.text == "84.818"
    assert checked.notices
    await meter.close()


async def test_a_second_look_that_fails_holds(fake: FakeMeter) -> None:
    meter, gate = Meter(PORT), Gate()
    await meter.read_checked([60], gate, model("403"))
    answer = fake.answer
    fake.registers[60] = Value(8, 1_426_148_369, -3)

    def once(wire: bytes) -> bytes | None:
        fake.refused = OSError(errno.EBUSY, "busy")
        answered = answer(wire)
        asyncio.get_running_loop().call_later(0.001, fake.hang_up)
        return answered

    fake.answer = once  # type: ignore[method-assign]
    _, checked = await meter.read_checked([60], gate, model("403"))
    assert checked.readings[0].quality == "held"


async def test_a_meter_that_only_answers_registers_is_read(fake: FakeMeter) -> None:
    answer = fake.answer

    def registers_only(wire: bytes) -> bytes | None:
        return answer(wire) if wire[2] == 0x10 else None

    fake.answer = registers_only  # type: ignore[method-assign]
    identity = await Meter(PORT).identify()
    assert (identity.serial, identity.model, identity.type_code) == ("84968362", None, None)
    assert not identity.is_simulated
    assert fake.asked[0] == [1001, 1005, 254, 404, 640]


async def test_a_damaged_answer_does_not_cost_the_model(fake: FakeMeter) -> None:
    answer, damaged = fake.answer, [1, 2]

    def damage(wire: bytes) -> bytes | None:
        found = answer(wire)
        if found is not None and wire[2] == 0x01 and damaged:
            damaged.pop()
            return found[:4] + bytes((found[4] ^ 1,)) + found[5:]
        return found

    fake.answer = damage  # type: ignore[method-assign]
    meter = Meter(PORT)
    identity = await meter.identify()
    assert not damaged
    assert identity.model is not None
    assert identity.model.name == "MULTICAL 403"
    await meter.close()


async def test_the_serial_number_may_come_by_its_own_command(fake: FakeMeter) -> None:
    del fake.registers[1001]
    assert (await Meter(PORT).identify()).serial == "84968362"
    fake.registers[1001] = Value(PLAIN, 7)
    assert (await Meter(PORT).identify()).serial == "7"


async def test_nobody_answers(fake: FakeMeter) -> None:
    fake.refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    for call in (Meter(PORT).identify(), anext(Meter(PORT).align())):
        with pytest.raises(MeterError) as failed:
            await call
        assert failed.value.verdict is Verdict.PORT_UNREACHABLE


async def test_aligning_keeps_the_port_and_the_score(fake: FakeMeter) -> None:
    meter = Meter(PORT)
    seen = []
    async with aclosing(meter.align(pause=0)) as steps:
        async for step in steps:
            seen.append((step.verdict, step.answered, step.attempts))
            if len(seen) == 2:
                break
            fake.silent = True
    assert seen == [(Verdict.OK, 1, 1), (Verdict.ASLEEP, 1, 2)]
    assert len(fake.opened) == 1
    await meter.close()


async def test_a_port_that_does_not_open_in_time() -> None:
    async def never(*_: object) -> object:
        await asyncio.sleep(60)
        return None

    meter = Meter(PORT, open_timeout=0.05, opener=never)  # type: ignore[arg-type]
    with pytest.raises(MeterError) as failed:
        await meter.connect()
    assert failed.value.verdict is Verdict.PORT_UNREACHABLE


async def test_exchanges_are_remembered_with_bytes_and_timing(fake: FakeMeter) -> None:
    meter = Meter(PORT)
    await meter.read([60])
    (exchange,) = meter.exchanges
    assert (exchange.request, exchange.registers) == ("GetRegister", (60,))
    assert exchange.sent.startswith(bytes.fromhex("803f1001003c"))
    assert exchange.received[0] == 0x40
    assert 0 <= exchange.took < 1
    assert exchange.verdict is Verdict.OK
    await meter.close()


@pytest.mark.parametrize(
    ("port", "error", "verdict"),
    [
        ("/dev/ttyUSB0", FileNotFoundError(errno.ENOENT, "x"), Verdict.PORT_MISSING),
        ("/dev/ttyUSB0", OSError(errno.ENXIO, "x"), Verdict.PORT_MISSING),
        ("/dev/null", OSError(errno.ENOTTY, "x"), Verdict.PORT_MISSING),
        ("/dev/ttyUSB0", PermissionError(errno.EACCES, "x"), Verdict.PORT_DENIED),
        ("/dev/ttyUSB0", OSError(errno.EBUSY, "x"), Verdict.PORT_BUSY),
        ("/dev/ttyUSB0", OSError(errno.EIO, "x"), Verdict.PORT_LOST),
        (PORT, OSError(errno.ECONNREFUSED, "x"), Verdict.PORT_UNREACHABLE),
        (PORT, OSError(errno.EIO, "x"), Verdict.PORT_UNREACHABLE),
        (PORT, TimeoutError(), Verdict.PORT_UNREACHABLE),
    ],
)
def test_errors_on_opening_have_verdicts(port: str, error: OSError, verdict: Verdict) -> None:
    assert opening_failed(port, error).verdict is verdict
