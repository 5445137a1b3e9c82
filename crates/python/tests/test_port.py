"""Names of ports, real errors of real ports, and who holds one."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys

import pytest
import serialx
from kamstrup_kmp import Meter, MeterError, PortNameError, Verdict, holders, normalise
from kamstrup_kmp.port import opening_failed


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (" /dev/ttyUSB0 ", "/dev/ttyUSB0"),
        ("tcp://bridge:2217", "socket://bridge:2217"),
        ("SOCKET://bridge:2217", "socket://bridge:2217"),
        ("rfc2217://[fe80::1]:2217", "rfc2217://[fe80::1]:2217"),
        ("esphome-hass://abc/uart", "esphome-hass://abc/uart"),
    ],
)
def test_names_are_brought_into_one_form(given: str, name: str) -> None:
    assert normalise(given) == name


@pytest.mark.parametrize(
    "given", ["", "COM3", "socket://bridge", "tcp://:2217", "rfc2217://bridge:many", "ttyUSB0"]
)
def test_what_is_no_port_is_refused_with_what_is_accepted(given: str) -> None:
    with pytest.raises(PortNameError, match="accepted are /dev/"):
        Meter(given)


@pytest.mark.parametrize(
    ("port", "verdict"),
    [
        ("/dev/no-such-port", Verdict.PORT_MISSING),
        ("/dev/null", Verdict.PORT_MISSING),
        ("socket://127.0.0.1:1", Verdict.PORT_UNREACHABLE),
        ("rfc2217://127.0.0.1:1", Verdict.PORT_UNREACHABLE),
        ("socket://no-such-host.invalid:1", Verdict.PORT_UNREACHABLE),
    ],
)
async def test_real_ports_fail_with_their_verdicts(port: str, verdict: Verdict) -> None:
    with pytest.raises(MeterError) as failed:
        await Meter(port).connect()
    assert failed.value.verdict is verdict
    assert failed.value.detail
    assert str(failed.value).startswith(verdict.message)


async def test_a_scheme_nobody_opens_is_refused() -> None:
    with pytest.raises((MeterError, PortNameError)):
        await Meter("carrier-pigeon://loft").connect()


def test_errors_of_serialx_itself_have_verdicts() -> None:
    refused = serialx.SerialException("Server refused COM-PORT-OPTION")
    assert opening_failed("rfc2217://bridge:1", refused).verdict is Verdict.PORT_UNREACHABLE
    assert opening_failed("/dev/ttyS0", refused).verdict is Verdict.PORT_MISSING


def test_who_holds_a_port_is_named() -> None:
    ours, theirs = pty.openpty()
    port = os.ttyname(theirs)
    code = "import sys; f = open(sys.argv[1]); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        (named,) = holders(port)
        assert f"process {other.pid}" in named
        other.communicate(b"\n")
    assert holders(port) == []
    assert holders("/dev/no-such-port") == []
    assert holders("socket://bridge:2217") == []
    os.close(ours)
    os.close(theirs)


async def test_a_port_that_vanishes_is_lost() -> None:
    ours, theirs = pty.openpty()
    meter = Meter(os.ttyname(theirs))
    os.close(theirs)
    await meter.connect()
    reading = asyncio.create_task(meter.read([60]))
    await asyncio.sleep(0.05)
    os.close(ours)
    with pytest.raises(MeterError) as failed:
        await reading
    assert failed.value.verdict.is_port
    assert not meter.is_open
