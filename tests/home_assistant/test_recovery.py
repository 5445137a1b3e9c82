"""What can happen to a line that was good: entities say so, nothing wrong shows, all comes back."""

from __future__ import annotations

import time
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from .api import PATIENCE, RefusedError, wait_for
from .flows import add, read_every
from .meters import Bridge, Line, Meter, decoded

if TYPE_CHECKING:
    from pathlib import Path

    from .hass import Hass

HEAT = "sensor.kamstrup_403_heat_energy_e1"
FINE = "sensor.kamstrup_403_heat_energy_e1_high_res"
HOURS = "sensor.kamstrup_403_hourcounter"
VOLUME = "sensor.kamstrup_403_volume"
LAST_READ = "sensor.kamstrup_multical_403_last_read"
# The second of these counts on with every poll of a house at this speed, so that one poll's values
# can be told from another's.
POLLED = {HEAT: 60, FINE: 266, VOLUME: 68}
# Hours are read once an hour.
WATCHED = (*POLLED, HOURS)
SPEED = ("--speed", "60")
INTERVAL = 2
# How long the line stays bad: several polls.
BAD_SECONDS = 10
FIVE_MINUTES = 300


@pytest.mark.parametrize("line", [line for line in Line if line is not Line.GOOD])
def test_a_line_that_fails_and_comes_back(hass: Hass, line: Line) -> None:
    """Unavailable within a poll, back with a new value, one line in the log each way."""
    with Meter(*SPEED) as meter, Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, INTERVAL)
        wait_for_polls(hass, 2)
        before = hass.state(LAST_READ)

        bridge.line = line
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, "unavailable")
        time.sleep(BAD_SECONDS)
        assert {hass.state(entity_id) for entity_id in WATCHED} == {"unavailable"}
        wait_for("the port to be free between polls", PATIENCE, lambda: not bridge.in_use, 0.02)

        bridge.line = Line.GOOD
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, None)
        assert hass.state(LAST_READ) > before
        assert hass.entry()["state"] == "loaded"

        check_log(hass)
        check_history(hass, bridge)


def test_a_bridge_that_is_away_for_five_minutes(hass: Hass) -> None:
    """It is found again by itself, and the log has one line each way. Runs beside other tests."""
    with Meter(*SPEED) as meter, Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, 10)
        wait_for_polls(hass, 2)
        before = hass.state(LAST_READ)

        bridge.go_away()
        began = time.monotonic()
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, "unavailable")
        while time.monotonic() < began + FIVE_MINUTES:
            time.sleep(5)
            assert {hass.state(entity_id) for entity_id in WATCHED} == {"unavailable"}

        bridge.come_back()
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, None)
        assert hass.state(LAST_READ) > before
        assert hass.entry()["state"] == "loaded"
        assert bridge.in_use

        check_log(hass)
        check_history(hass, bridge)


def test_a_bridge_that_hangs_up_between_polls_costs_nothing(hass: Hass) -> None:
    """As many do when nothing was said for a while: no entity notices, and the log has no word."""
    with Meter(*SPEED) as meter, Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, INTERVAL)
        wait_for_polls(hass, 1)
        start, connections = time.time(), bridge.connections
        for _ in range(3):
            bridge.drop()
            wait_for_polls(hass, 1)
        assert bridge.connections == connections + 3
        for entity_id in WATCHED:
            assert "unavailable" not in shown_since(hass, entity_id, start)
        assert not hass.log_of_ours("WARNING", "ERROR", "CRITICAL")
        check_history(hass, bridge)


def test_late_answers_are_never_taken_for_others(hass: Hass) -> None:
    """Each answer comes when the next question has been asked already."""
    with Meter(*SPEED) as meter, Bridge(meter.port, late=2.5) as bridge:
        add(hass, bridge.port)
        read_every(hass, INTERVAL)
        wait_for_polls(hass, 3)
        bridge.line = Line.LATE
        asked = bridge.requests
        wait_for("questions on a late line", PATIENCE, lambda: bridge.requests >= asked + 8)
        bridge.line = Line.GOOD
        wait_for_polls(hass, 3)
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, None)
        check_history(hass, bridge)
        assert hass.entry()["state"] == "loaded"


def test_answers_with_gaps_cost_only_what_is_missing(hass: Hass) -> None:
    """The meter leaves out a register now and then: no entity shows the value of another."""
    gaps = Meter(*SPEED, "--fault", "missing-register=0.5")
    with gaps as meter, Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, INTERVAL)
        wait_for_polls(hass, 1)
        start = time.time()
        wait_for_polls(hass, 10)
        for entity_id in (HEAT, FINE, VOLUME):
            hass.wait_for_state(entity_id, None)
            assert "unavailable" not in shown_since(hass, entity_id, start)
        check_history(hass, bridge)
        assert not hass.log_of_ours("ERROR", "CRITICAL")


def test_a_bad_line_never_shows_a_wrong_value(hass: Hass) -> None:
    """Every kind of damage now and then, many polls without pause."""
    faults = [
        option
        for fault in ("bit-flip", "burst", "drop", "double", "noise-before", "late", "other-answer")
        for option in ("--fault", f"{fault}=0.1")
    ]
    # The one that is read later is the elder: its counters are ahead.
    with (
        Meter(*SPEED, *faults) as damaged,
        Meter(*SPEED) as meter,
        Bridge(meter.port) as bridge,
    ):
        add(hass, bridge.port)
        read_every(hass, INTERVAL)
        wait_for_polls(hass, 2)
        bridge.upstream = damaged.port
        bridge.drop()
        wait_for_polls(hass, 8)
        check_history(hass, bridge)


def test_a_head_that_is_pulled_out_and_put_back(hass: Hass, tmp_path: Path) -> None:
    """The device vanishes and comes back under its own name, as below /dev/serial/by-id."""
    link = tmp_path / "head"
    with Meter(pty=link):
        add(hass, str(link))
        read_every(hass, INTERVAL)
        value = hass.wait_for_state(HEAT, None)
    hass.wait_for_state(HEAT, "unavailable")
    time.sleep(2 * INTERVAL)
    with Meter(pty=link):
        hass.wait_for_state(HEAT, value)
        assert hass.entry()["state"] == "loaded"
        check_log(hass)


def wait_for_polls(hass: Hass, polls: int) -> None:
    """Wait for so many good polls from now on."""
    for _ in range(polls):
        before = last_read(hass)

        def is_newer(before: str = before) -> bool:
            return last_read(hass) not in ("", before)

        wait_for("a new reading", PATIENCE, is_newer)


def last_read(hass: Hass) -> str:
    """Return the time of the last reading, or nothing if there is none just now."""
    try:
        state = hass.state(LAST_READ)
    except RefusedError:
        return ""
    return "" if state in ("unknown", "unavailable") else state


def check_log(hass: Hass) -> None:
    """Check that the log has one line for the way down and one for the way up."""
    ours = [entry for entry in hass.log() if "kamstrup" in entry.logger]
    down = [entry.text for entry in ours if entry.level in ("WARNING", "ERROR", "CRITICAL")]
    up = [entry.text for entry in ours if "recovered" in entry.text]
    assert len(down) == 1, down
    assert len(up) == 1, up


def history(hass: Hass, entity_id: str) -> list[dict[str, Any]]:
    """Return everything an entity has ever shown."""
    found: list[dict[str, Any]] = hass.get(
        f"/api/history/period?filter_entity_id={entity_id}&significant_changes_only=0"
    )[0]
    return found


def shown_since(hass: Hass, entity_id: str, start: float) -> set[str]:
    """Return what an entity has shown from some time on."""
    states = history(hass, entity_id)
    return {state["state"] for state in states if moment(state["last_changed"]) > start}


def check_history(hass: Hass, bridge: Bridge) -> None:
    """Check each value that was ever shown: the meter sent it, in the poll that showed it.

    `last read` shows when a poll began, to the second, and is written after the values of the
    poll. Polls begin more than a second after the end of the last one, so what was asked for
    before that second is of an earlier poll, be it only by one.
    """
    answers = [(answer.asked_at, decoded(answer.received)) for answer in bridge.answers]
    begins = [
        (moment(state["last_changed"]), moment(state["state"]))
        for state in history(hass, LAST_READ)
        if state["state"] not in ("unknown", "unavailable")
    ]
    most = 0
    for entity_id, register in POLLED.items():
        shown: list[Decimal] = []
        for state in history(hass, entity_id):
            if state["state"] in ("unknown", "unavailable"):
                continue
            value, at = Decimal(state["state"]), moment(state["last_changed"])
            # The very last poll may be half written.
            begin = next((begin for written, begin in begins if written >= at), 0.0)
            sent = {
                found
                for asked_at, values in answers
                if begin <= asked_at <= at
                for found in values.get(register, [])
            }
            assert value in sent, f"{entity_id} showed {value}; asked since {begin}: {sent}"
            shown.append(value)
        assert shown, entity_id
        assert shown == sorted(shown), f"{entity_id} went back: {shown}"
        most = max(most, len(set(shown)))
    assert most > 2, "the values hardly moved: nothing was shown by this"


def moment(text: str) -> float:
    """Return a time of Home Assistant's as seconds."""
    return datetime.fromisoformat(text).timestamp()
