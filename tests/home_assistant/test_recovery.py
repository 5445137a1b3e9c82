"""What can happen to a line that was good: entities say so, nothing wrong shows, all comes back."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from .flows import add, read_every
from .meters import Bridge, Line, Meter, decoded
from .test_faults_at_set_up import no_slow_callback, port_is_free

if TYPE_CHECKING:
    from .hass import Hass

HEAT = "sensor.kamstrup_403_heat_energy_e1"
HOURS = "sensor.kamstrup_403_hourcounter"
VOLUME = "sensor.kamstrup_403_volume"
WATCHED = {HEAT: 60, VOLUME: 68, HOURS: 1004}
INTERVAL = 2
# The longest a poll may go on before it fails.
POLL = 20
# How long the line stays bad: several polls, as five minutes are with the usual retries.
BAD_SECONDS = 20


@pytest.mark.parametrize("line", [*(set(Line) - {Line.GOOD}), None])
def test_a_line_that_fails_and_comes_back(hass: Hass, line: Line | None) -> None:
    """Unavailable within a poll, back with a new value, one line in the log each way."""
    hass.stop()
    hass.start(debug=True)
    # An hour in the house passes in a second, so that an old value is a wrong one.
    with Meter("--speed", "3600") as meter, Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, INTERVAL)
        time.sleep(2 * INTERVAL)
        before = hass.state(HOURS)

        if line is None:
            bridge.go_away()
        else:
            bridge.line = line
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, "unavailable", INTERVAL + POLL)
        time.sleep(BAD_SECONDS)
        assert {hass.state(entity_id) for entity_id in WATCHED} == {"unavailable"}
        port_is_free(bridge)

        bridge.line = Line.GOOD
        if line is None:
            bridge.come_back()
        for entity_id in WATCHED:
            hass.wait_for_state(entity_id, None, INTERVAL + POLL)
        assert float(hass.state(HOURS)) > float(before)
        assert hass.entry()["state"] == "loaded"

        ours = [entry for entry in hass.log() if "kamstrup" in entry.logger]
        assert len([entry for entry in ours if entry.level in ("WARNING", "ERROR")]) == 1, ours
        assert len([entry for entry in ours if "recovered" in entry.text]) == 1, ours
        check_history(hass, bridge)
        no_slow_callback(hass)


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
        assert len(shown) > 1
        wrong = set(shown) - sent[register]
        assert not wrong, f"{entity_id} showed {wrong}, which the meter never sent"
        assert shown == sorted(shown), f"{entity_id} went back: {shown}"


def test_answers_with_gaps_cost_only_what_is_missing(hass: Hass) -> None:
    """The meter leaves out a register now and then: no entity shows the value of another."""
    with Meter("--speed", "3600", "--fault", "missing-register=0.5") as meter:
        with Bridge(meter.port) as bridge:
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
    with Meter("--speed", "3600", *faults) as meter, Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        read_every(hass, 1)
        time.sleep(30)
        check_history(hass, bridge)


def test_the_simulator_answers_again(hass: Hass) -> None:
    """The simulator's own port goes away and comes back, as a plug that is pulled."""
    with Meter("--fault", "port-gone=0.2", "--gone-for", "3s", "--speed", "3600") as meter:
        add(hass, meter.port)
        read_every(hass, INTERVAL)
        first = hass.wait_for_state(HOURS, None, POLL)
        time.sleep(10 * INTERVAL)
        last = hass.wait_for_state(HOURS, None, POLL)
        assert float(last) > float(first)
