"""The gate from Python: first and second look, and what it remembers."""

from __future__ import annotations

import json

import pytest
from fake_meter import GJ, FakeMeter, Value
from kamstrup_kmp import Checked, Doubt, Gate, model
from test_core import read

MODEL = model("403")


def look(gate: Gate, fake: FakeMeter, now: float) -> Checked | Doubt:
    """Read the energy and look at it."""
    return gate.first(MODEL, [60], read(fake, 60), now)


def known() -> tuple[Gate, FakeMeter]:
    """Return a gate that has seen the energy once."""
    gate, fake = Gate(), FakeMeter()
    checked = look(gate, fake, 0.0)
    assert isinstance(checked, Checked)
    (reading,) = checked.readings
    assert (reading.register, reading.quality, reading.reason) == (60, "good", "good")
    assert reading.record == reading.raw == read(fake, 60)[0]
    return gate, fake


def test_a_surprise_is_read_again_and_held_if_it_is_not_confirmed() -> None:
    gate, fake = known()
    fake.registers[60] = Value(GJ, 1_426_148_369, -3)
    doubt = look(gate, fake, 3600.0)
    assert isinstance(doubt, Doubt)
    assert 60 in doubt.reread
    checked = gate.second(doubt, [], [], 3601.0)
    (reading,) = [reading for reading in checked.readings if reading.register == 60]
    assert (reading.quality, reading.record) == ("held", None)
    assert reading.raw is not None
    assert "1426148.369" in reading.reason
    assert doubt.reread == []
    with pytest.raises(RuntimeError, match="settled"):
        gate.second(doubt, [], [], 3602.0)


def test_a_slip_is_outvoted() -> None:
    gate, fake = known()
    fake.registers[60] = Value(GJ, 1_426_148_369, -3)
    doubt = look(gate, fake, 3600.0)
    assert isinstance(doubt, Doubt)
    fake.registers[60] = Value(GJ, 84818, -3)
    checked = gate.second(doubt, [60], read(fake, 60), 3601.0)
    assert checked.readings[0].quality == "good"
    assert "a second reading was sound" in checked.notices[0]


def test_the_memory_goes_through_json() -> None:
    gate, fake = known()
    stored = json.loads(json.dumps(gate.snapshot(10.0)))
    again = Gate.restore(stored, 3600.0, 0.0)
    fake.registers[60] = Value(GJ, 1_426_148_369, -3)
    assert isinstance(look(again, fake, 0.0), Doubt)
    assert again.snapshot(0.0)[0]["registers"][0]["age"] == 3610.0


def test_a_gate_learns_whose_meter_it_is() -> None:
    gate, fake = Gate(), FakeMeter()
    assert gate.serial is None
    gate.first(MODEL, [1001], read(fake, 1001), 0.0)
    assert gate.serial == "84968362"


@pytest.mark.parametrize(
    "stored",
    [
        [{}],
        [{"serial": None, "registers": [{"register": 1}]}],
        [
            {
                "serial": None,
                "registers": [
                    {
                        "register": 60,
                        "unit": 8,
                        "length": 4,
                        "exponent": 0,
                        "value": "much",
                        "age": 0.0,
                        "beyond": None,
                        "gap": None,
                    }
                ],
            }
        ],
    ],
)
def test_a_damaged_memory_is_an_error(stored: list[dict[str, object]]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Gate.restore(stored, 0.0, 0.0)
