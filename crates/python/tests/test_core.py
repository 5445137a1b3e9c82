"""The session without I/O, values, verdicts and the catalogue."""

from __future__ import annotations

import ast
import datetime
from decimal import Decimal
from pathlib import Path

import kamstrup_kmp
import pytest
from fake_meter import FakeMeter, Value
from kamstrup_kmp import (
    Attempt,
    Configure,
    Done,
    Idle,
    Record,
    Session,
    Transmit,
    Verdict,
    Wait,
    _core,
    convert,
    home_assistant_unit,
    identify,
    model,
    register,
    register_by_key,
    registers,
    unknown_model,
)


def run(session: Session, fake: FakeMeter, now: float = 100.0) -> list[object]:
    """Drive a session against a meter in memory, without a clock or a loop."""
    said: list[object] = []
    while True:
        output = session.poll()
        match output:
            case Transmit(data=data):
                answer = fake.answer(data)
                if answer is not None:
                    session.handle_receive(answer, now)
            case Wait(until=until):
                now = until
                session.handle_timeout(now)
            case Idle():
                return said
            case _:
                said.append(output)


def read(fake: FakeMeter, *numbers: int) -> list[Record]:
    """Read registers."""
    session = Session()
    session.start_read(numbers, 100.0)
    done = run(session, fake)[-1]
    assert isinstance(done, Done)
    return done.outcome.records


def test_a_session_says_what_to_do_and_is_told_what_came() -> None:
    session = Session()
    session.start_read([60, 68, 999], 100.0)
    configure, attempt, done = run(session, FakeMeter())
    assert isinstance(configure, Configure)
    assert (configure.baud, configure.data_bits, configure.parity, configure.stop_bits) == (
        1200,
        8,
        "N",
        2,
    )
    assert isinstance(attempt, Attempt)
    assert (attempt.request, attempt.registers) == ("GetRegister", [60, 68, 999])
    assert attempt.verdict is Verdict.OK
    assert isinstance(done, Done)
    outcome = done.outcome
    assert outcome.verdict is Verdict.OK
    assert [(r.key, r.value, r.unit) for r in outcome.records] == [
        ("heat_energy", Decimal("84.817"), "GJ"),
        ("volume", Decimal("1135.60"), "m³"),
    ]
    assert (outcome.unsupported, outcome.unanswered) == ([999], [])
    assert (outcome.line.requests, outcome.line.retries) == (1, 0)
    assert session.has_answered


def test_silence_has_a_verdict_and_an_end() -> None:
    session = Session(answer_timeout=2.0, attempts=2)
    session.start_get_type(0.0, time_limit=30)
    *_, done = run(session, FakeMeter(silent=True), 0.0)
    assert isinstance(done, Done)
    assert done.outcome.verdict is Verdict.SILENT
    assert (done.outcome.meter_type, done.outcome.serial) == (None, None)
    assert done.outcome.line.took < 30


def test_type_and_serial_number() -> None:
    session = Session()
    session.start_get_type(0.0)
    *_, done = run(session, FakeMeter(), 0.0)
    assert isinstance(done, Done)
    said = done.outcome.meter_type
    assert said is not None
    assert (said.code, said.software_code, said.software) == (0xF403, 0x0701, "G1")
    session.start_get_serial(1.0)
    *_, done = run(session, FakeMeter(), 1.0)
    assert isinstance(done, Done)
    assert done.outcome.serial == 84968362


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_an_error(wrong: float) -> None:
    with pytest.raises(ValueError, match="expected a number of seconds"):
        Session().handle_timeout(wrong)
    with pytest.raises(ValueError, match="expected a number of seconds"):
        Session(answer_timeout=wrong)
    with pytest.raises(ValueError, match="no register"):
        Session().start_read([], 0.0)


@pytest.mark.parametrize(
    ("value", "python", "text"),
    [
        (Value(8, 84817, -3), Decimal("84.817"), "84.817"),
        (Value(8, 0, -1), Decimal("0.0"), "0.0"),
        (Value(22, -20, -1), Decimal("-2.0"), "-2.0"),
        (Value(8, 2**31, 0), Decimal(2**31), "2147483648"),
        (Value(48, 260112), datetime.date(2026, 1, 12), "2026-01-12"),
        (Value(47, 200243), datetime.time(20, 2, 43), "20:02:43"),
        (Value(50, 1231), "--12-31", "--12-31"),
    ],
)
def test_values_are_what_python_has_for_them(value: Value, python: object, text: str) -> None:
    (record,) = read(_with(value), 60)
    assert record.value == python
    assert type(record.value) is type(python)
    assert record.text == text
    assert (record.quality, record.problem) == ("good", None)
    assert record == read(_with(value), 60)[0]
    assert len({record, read(_with(value), 60)[0]}) == 1


def _with(value: Value) -> FakeMeter:
    fake = FakeMeter()
    fake.registers[60] = value
    return fake


def test_an_impossible_date_has_no_value() -> None:
    (record,) = read(_with(Value(48, 230230)), 60)
    assert (record.value, record.quality) == (None, "invalid")
    assert record.problem == "no such date: 230230"
    assert "230230" in repr(record)


def test_a_year_python_does_not_have_is_invalid_and_no_crash() -> None:
    (record,) = read(_with(Value(49, 101)), 60)
    assert (record.value, record.quality) == (None, "invalid")


def test_the_enum_has_every_verdict_with_its_texts() -> None:
    assert [(v.value, v.message, v.help) for v in Verdict] == _core.verdicts()
    assert Verdict("port_busy").is_port
    assert not Verdict.SILENT.is_port


def test_the_catalogue() -> None:
    energy = register_by_key("heat_energy")
    assert energy is not None
    assert energy == register(60)
    assert (energy.kind, energy.tier, energy.units[0]) == ("energy", "poll", "GJ")
    assert energy.labels["de"] == "Wärmeenergie"
    assert list(energy.labels) == sorted(kamstrup_kmp.languages())
    assert (energy.seed_name, energy.seed_enabled) == ("Heat Energy (E1)", True)
    assert energy.is_counter
    assert not energy.wraps
    assert energy.classes.device_class == "energy"
    assert energy.classes.in_unit(51).device_class is None
    assert kamstrup_kmp.nearest_key("heat_enery") == "heat_energy"
    assert register(59) is None
    assert len(registers()) > 200
    assert home_assistant_unit(41) == "L/h"
    assert kamstrup_kmp.unit_symbol(200) is None


def test_models() -> None:
    meter = model("403")
    assert meter is not None
    assert (meter.slug, meter.name, meter.medium) == ("multical-403", "MULTICAL 403", "heat")
    assert meter in kamstrup_kmp.models()
    assert meter != unknown_model()
    assert meter.has(60)
    assert set(meter.inferred) < set(meter.registers)
    assert len(meter.usual) == 8
    assert meter.tier(1001) == "once"
    assert meter.unit_codes(266) == [1]
    assert meter.battery_readings_per_hour == 1
    assert identify(0xF403) == meter
    assert kamstrup_kmp.is_simulated(0xF403)
    water = identify(texts={640: "KWM2231"})
    assert water is not None
    assert water.medium == "water"
    assert identify(0x0ABC) is None
    with pytest.raises(KeyError):
        meter.tier(59)


def test_info_codes() -> None:
    meter = model("403")
    assert meter is not None
    reported = meter.decode_info(99, 90_000_002)
    assert reported is not None
    assert [flag.key for flag in reported] == ["external_alarm", "unknown_digit_8_2"]
    assert [flag.is_known for flag in reported] == [True, False]
    assert all(flag.is_problem for flag in reported)
    assert reported[0].labels["en"] == "External alarm"
    assert reported[0] in meter.info_flags
    assert meter.decode_info(60, 1) is None


def test_converting_is_exact_or_nothing() -> None:
    assert convert(Decimal("1.234567"), 3, 8) == Decimal("4.4444412")
    assert convert(Decimal("1E+3"), 1, 2) == Decimal(1)
    assert convert(Decimal(1), 8, 2) is None
    assert convert(Decimal(1), 8, 40) is None
    with pytest.raises(ValueError, match="no decimal"):
        convert(Decimal("NaN"), 8, 8)


def test_the_stub_has_what_the_module_has() -> None:
    stub = Path(kamstrup_kmp.__file__).with_name("_core.pyi").read_text(encoding="utf-8")
    stated: dict[str, set[str]] = {}
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ClassDef):
            functions = (n for n in node.body if isinstance(n, ast.FunctionDef))
            stated[node.name] = {n.name for n in functions if not n.name.startswith("__")}
        elif isinstance(node, ast.FunctionDef):
            stated[node.name] = set()
    found = {name: set[str]() for name in dir(_core) if not name.startswith("__")}
    for name in found:
        thing = getattr(_core, name)
        if isinstance(thing, type):
            found[name] = {member for member in vars(thing) if not member.startswith("__")}
    assert found == stated
    assert set(kamstrup_kmp.__all__) <= set(dir(kamstrup_kmp))
