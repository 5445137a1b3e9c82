"""What can be wrong when a meter is added, or when Home Assistant starts: said, and mended."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .api import PATIENCE, wait_for
from .flows import add, adding, check_texts
from .meters import Bridge, Line, Meter, first_line

if TYPE_CHECKING:
    from .hass import Hass

HEAT = "sensor.kamstrup_403_heat_energy_e1"
# How a line is spoiled, and what the dialog calls it.
LINES = {
    Line.SILENT: {"silent"},
    Line.ECHO: {"echo_only"},
    Line.NOISE: {"noise"},
    Line.LATE: {"silent"},
}
# What an entry gives as the reason when it cannot start; None is a bridge that is not there.
REASONS: dict[Line | None, set[str]] = {
    Line.SILENT: {"silent"},
    Line.ECHO: {"echo_only"},
    Line.NOISE: {"noise"},
    Line.CLOSING: {"port_lost"},
    None: {"port_unreachable"},
}
# The simulator's faults that no later answer mends.
FAULTS = {
    "silence": {"silent"},
    "noise-endless": {"noise", "truncated"},  # an answer begins, and turns into noise
    "wrong-crc": {"crc_mismatch"},
    "truncate": {"truncated"},
    "echo-mangled": {"echo_mangled"},
    "wrong-protocol": {"wrong_protocol"},
    "peer-close": {"port_lost"},
}


# Another program, which has a port for itself as serial programs do.
HOLD = """
import fcntl, sys, time
port = open(sys.argv[1], "r+b", buffering=0)
fcntl.flock(port, fcntl.LOCK_EX)
print("open", flush=True)
time.sleep(3600)
"""


@pytest.mark.parametrize("line", LINES)
def test_a_bad_line_is_named_and_the_same_dialog_goes_on_when_it_is_mended(
    hass: Hass, meter: Meter, line: Line
) -> None:
    """The verdict has a text in every language; "try again" leads to the meter, without leaving."""
    with Bridge(meter.port, line=line) as bridge:
        dialog = adding(hass)
        dialog.submit(port=bridge.port)
        assert dialog.step["step_id"] == "retry", dialog.step
        assert dialog.progress, "the dialog showed no progress while it asked the meter"
        error = dialog.errors["base"]
        assert error in LINES[line]
        check_texts(hass, "config", f"config.error.{error}", dialog.placeholders)
        port_is_free(bridge)

        bridge.line = Line.GOOD
        dialog.submit(next="again")
        assert dialog.step["step_id"] == "found", dialog.step
        assert dialog.placeholders["signal"] == "100"
        port_is_free(bridge)
        dialog.submit()
        assert dialog.step["type"] == "create_entry"
        hass.wait_for_state(HEAT, None)


def test_the_alignment_shows_a_score_and_ends_when_the_meter_answers(
    hass: Hass, meter: Meter
) -> None:
    """Somebody moves the head: first nothing, then light and shade, then answers."""
    with Bridge(meter.port, line=Line.SILENT) as bridge:
        dialog = adding(hass)
        dialog.submit(port=bridge.port)
        flow = f"{dialog.path}/{dialog.step['flow_id']}"
        step = hass.post(flow, next="align")
        assert step["type"] == "progress"
        assert step["progress_action"] == "align"

        def score_after(attempts: int) -> int:
            def look() -> dict[str, str] | None:
                shown: dict[str, str] = hass.get(flow)["description_placeholders"]
                assert "{" not in shown["verdict"]
                return shown if int(shown["attempts"]) >= attempts else None

            return int(wait_for(f"{attempts} attempts", PATIENCE, look)["score"])

        assert score_after(2) == 0
        bridge.line = Line.NOISE
        assert 0 < score_after(5) < 50
        bridge.line = Line.GOOD

        def found() -> dict[str, str] | None:
            step = hass.get(flow)
            return step["description_placeholders"] if step.get("step_id") == "found" else None

        shown = wait_for("the alignment to end", PATIENCE, found)
        assert shown["signal"] == "100", "the misses of the alignment are none of the place found"
        port_is_free(bridge)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_meter_that_never_answers_well_is_named(hass: Hass, fault: str) -> None:
    """Nothing is set up, the verdict is the right one, and the port is free again."""
    with Meter("--fault", f"{fault}=1") as meter, Bridge(meter.port) as bridge:
        dialog = adding(hass)
        dialog.submit(port=bridge.port)
        error = dialog.errors["base"]
        assert error in FAULTS[fault]
        check_texts(hass, "config", f"config.error.{error}", dialog.placeholders)
        port_is_free(bridge)
        hass.delete(f"{dialog.path}/{dialog.step['flow_id']}")
        assert not hass.entries()
        assert not hass.log_of_ours("ERROR", "CRITICAL")


def test_a_busy_port_says_who_holds_it(hass: Hass) -> None:
    """Another program by its name; and once it has let go, the same dialog goes on."""
    with Meter(pty=True) as meter:
        other = subprocess.Popen(
            [sys.executable, "-c", HOLD, meter.port],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert other.stdout is not None
            first_line(other.stdout)
            dialog = adding(hass)
            dialog.submit(port=meter.port)
            assert dialog.step["step_id"] == "user"
            assert dialog.errors == {"base": "port_busy"}
            assert f"(process {other.pid})" in dialog.placeholders["holder"]
            check_texts(hass, "config", "config.error.port_busy", dialog.placeholders)
        finally:
            other.kill()
            other.communicate()
        dialog.submit(port=meter.port)
        assert dialog.step["step_id"] == "found", dialog.step


def test_a_dialog_that_is_closed_lets_go_of_the_port(hass: Hass, meter: Meter) -> None:
    """Also while it is asking."""
    with Bridge(meter.port, line=Line.SILENT) as bridge:
        dialog = adding(hass)
        flow = f"{dialog.path}/{dialog.step['flow_id']}"
        assert hass.post(flow, port=bridge.port)["type"] == "progress"
        wait_for("a request", PATIENCE, lambda: bridge.requests)
        hass.delete(flow)
        port_is_free(bridge)
        assert not hass.log_of_ours("WARNING", "ERROR", "CRITICAL")


@pytest.mark.parametrize("line", REASONS)
def test_a_start_without_the_meter_is_tried_again_until_it_is_there(
    hass: Hass, meter: Meter, line: Line | None
) -> None:
    """The entry says why, its port is free in between, and nobody has to reload anything."""
    with Bridge(meter.port) as bridge:
        add(hass, bridge.port)
        value = hass.state(HEAT)
        hass.stop()
        if line is None:
            bridge.go_away()
        else:
            bridge.line = line
        hass.start()
        entry = hass.wait_for_entry("setup_retry")
        key = entry["error_reason_translation_key"]
        assert key in REASONS[line]
        placeholders = entry["error_reason_translation_placeholders"]
        check_texts(hass, "exceptions", f"exceptions.{key}.message", placeholders)
        assert hass.state(HEAT) == "unavailable"
        port_is_free(bridge)

        bridge.line = Line.GOOD
        if line is None:
            bridge.come_back()
        hass.wait_for_entry("loaded", 2 * PATIENCE)
        hass.wait_for_state(HEAT, value)
        assert not hass.log_of_ours("ERROR", "CRITICAL")


def test_a_register_the_meter_lacks_costs_only_itself(hass: Hass) -> None:
    """A MULTICAL 602 has no energy in high resolution: unknown, and everything else is there."""
    with Meter(model="602") as meter:
        read = meter.read("60", "68", "266")
        assert [reading["quality"] for reading in read["readings"]] == [
            "good",
            "good",
            "unsupported",
        ]
        add(hass, meter.port)
        assert hass.state(HEAT) == read["readings"][0]["value"]
        assert hass.state("sensor.kamstrup_403_volume") == read["readings"][1]["value"]
        assert hass.state("sensor.kamstrup_403_heat_energy_e1_high_res") == "unknown"
        assert not hass.log_of_ours("WARNING", "ERROR", "CRITICAL")


def port_is_free(bridge: Bridge) -> None:
    """Check that nobody holds the port, or will not any more in a moment."""
    wait_for("the port to be free", PATIENCE, lambda: not bridge.in_use, every=0.02)
