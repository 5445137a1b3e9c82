"""What can happen to a line that was good: entities say so, nothing wrong shows, all comes back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from .api import wait_for
from .flows import add, read_every
from .meters import Bridge, Line, Meter, decoded

if TYPE_CHECKING:
    from pathlib import Path

    from .hass import Hass

HEAT = "sensor.kamstrup_403_heat_energy_e1"
HOURS = "sensor.kamstrup_403_hourcounter"
VOLUME = "sensor.kamstrup_403_volume"
LAST_READ = "sensor.kamstrup_multical_403_last_read"
WATCHED = {HEAT: 60, VOLUME: 68, HOURS: 1004}
INTERVAL = 2
# The longest a poll may go on before it fails.
POLL = 45
# How long the line stays bad: several polls, as five minutes are with the usual retries.
BAD_SECONDS = 10


@pytest.mark.parametrize("line", [*(line for line in Line if line is not Line.GOOD), None])
def test_a_line_that_fails_and_comes_back(hass: Hass, line: Line | None) -> None:
    """Unavailable within a poll, back with a new value, one line in the log each way."""
    with Meter("--speed", "1") as meter, Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, INTERVAL)
        time.sleep(2 * INTERVAL)
        before = hass.state(LAST_READ)

        if line is None:
            bridge.go_away()
        else:
            bridge.line = line
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, "unavailable", INTERVAL + POLL)
        time.sleep(BAD_SECONDS)
        assert {hass.state(entity_id) for entity_id in WATCHED} == {"unavailable"}
        wait_for("the port to be free between polls", POLL, lambda: not bridge.in_use, every=0.02)

        bridge.line = Line.GOOD
        if line is None:
            bridge.come_back()
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, None, INTERVAL + POLL)
        assert hass.state(LAST_READ) > before
        assert hass.entry()["state"] == "loaded"

        check_log(hass)
        check_history(hass, bridge)


def is_newer(time_read: str, before: str) -> bool:
    """Tell whether a reading came after another; there may be none just now."""
    return time_read[:2] == "20" and time_read > before


def check_log(hass: Hass) -> None:
    """Check that the log has one line for the way down and one for the way up."""
    ours = [entry for entry in hass.log() if "kamstrup" in entry.logger]
    down = [entry.text for entry in ours if entry.level in ("WARNING", "ERROR", "CRITICAL")]
    up = [entry.text for entry in ours if "recovered" in entry.text]
    assert len(down) == 1, down
    assert len(up) == 1, up


def check_history(hass: Hass, bridge: Bridge) -> None:
    """Check that each value that was ever shown is one the meter sent, and in its order."""
    sent = decoded(bytes(bridge.received))
    for entity_id, register in WATCHED.items():
        history = hass.get(f"/api/history/period?filter_entity_id={entity_id}")[0]
        shown = [
            Decimal(state["state"])
            for state in history
            if state["state"] not in ("unknown", "unavailable")
        ]
        assert shown
        wrong = set(shown) - sent[register]
        assert not wrong, f"{entity_id} showed {wrong}, which the meter never sent"
        assert shown == sorted(shown), f"{entity_id} went back: {shown}"


def test_late_answers_are_never_taken_for_others(hass: Hass) -> None:
    """Each answer comes when the next question has been asked already."""
    with Meter("--speed", "1") as meter, Bridge(meter.port, late=2.5) as bridge:
        add(hass, bridge.port)
        read_every(hass, INTERVAL)
        time.sleep(2 * INTERVAL)
        bridge.line = Line.LATE
        time.sleep(20)
        bridge.line = Line.GOOD
        before = datetime.now(UTC).isoformat()
        wait_for("a new reading", INTERVAL + POLL, lambda: is_newer(hass.state(LAST_READ), before))
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, None, POLL)
        check_history(hass, bridge)
        assert hass.entry()["state"] == "loaded"


def test_answers_with_gaps_cost_only_what_is_missing(hass: Hass) -> None:
    """The meter leaves out a register now and then: no entity shows the value of another."""
    gaps = Meter("--speed", "1", "--fault", "missing-register=0.5")
    with gaps as meter, Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, INTERVAL)
        time.sleep(10 * INTERVAL)
        check_history(hass, bridge)
        assert not hass.log_of_ours("ERROR", "CRITICAL")


def test_a_bad_line_never_shows_a_wrong_value(hass: Hass) -> None:
    """Every kind of damage now and then, for half a minute of polling without pause."""
    faults = [
        option
        for fault in ("bit-flip", "burst", "drop", "double", "noise-before", "late", "other-answer")
        for option in ("--fault", f"{fault}=0.1")
    ]
    with Meter("--speed", "1", *faults) as meter, Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, 1)
        time.sleep(30)
        check_history(hass, bridge)


def test_a_head_that_is_pulled_out_and_put_back(hass: Hass, tmp_path: Path) -> None:
    """The device vanishes and comes back under its own name, as below /dev/serial/by-id."""
    link = tmp_path / "head"
    with Meter(pty=link):
        add(hass, str(link))
        read_every(hass, INTERVAL)
        value = hass.wait_for_state(HEAT, None)
    hass.wait_for_state(HEAT, "unavailable", INTERVAL + POLL)
    time.sleep(2 * INTERVAL)
    with Meter(pty=link):
        hass.wait_for_state(HEAT, value, INTERVAL + POLL)
        assert hass.entry()["state"] == "loaded"
        check_log(hass)
