"""Ports: how their names are written, how they are opened, and what their errors mean.

`serialx` opens them, so that everything it opens can be used: devices, `socket://`, `rfc2217://`
and, inside Home Assistant, the serial proxies of ESPHome.
"""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import urlsplit

import serialx

from ._core import Configure
from ._verdict import Verdict
from .errors import MeterError, PortNameError


class Transport(Protocol):
    """What a driver needs of an open port."""

    def write(self, data: bytes, /) -> None:
        """Send bytes, or keep them until they can be sent."""

    def abort(self) -> None:
        """Close at once; what is not sent is not sent."""

    async def wait_closed(self) -> None:
        """Wait until the port is free."""


Opener = Callable[[str, Configure, asyncio.Protocol], Awaitable[Transport]]

_PARITY = {"N": serialx.Parity.NONE, "E": serialx.Parity.EVEN, "O": serialx.Parity.ODD}

# Errors of devices that have gone, or that were never there.
_GONE = {errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ENOTDIR}
_NOT_SERIAL = {errno.ENOTTY, errno.EISDIR, errno.EINVAL}
_UNREACHABLE = {
    errno.ECONNREFUSED,
    errno.EHOSTUNREACH,
    errno.EHOSTDOWN,
    errno.ENETUNREACH,
    errno.ENETDOWN,
    errno.ETIMEDOUT,
    errno.ECONNRESET,
    errno.ECONNABORTED,
    errno.EPIPE,
}


def normalise(port: str) -> str:
    """Bring a port's name into the form serialx knows; refuse what cannot be one."""
    name = port.strip()
    if not name:
        raise PortNameError(port, "it is empty")
    if "://" not in name:
        if not name.startswith("/"):
            raise PortNameError(port, "a device starts with /")
        return name
    scheme, rest = name.split("://", 1)
    scheme = scheme.lower()
    if scheme in {"tcp", "socket", "rfc2217"}:
        _check_host_and_port(port, rest)
        scheme = "socket" if scheme == "tcp" else scheme
    return f"{scheme}://{rest}"


def _check_host_and_port(port: str, rest: str) -> None:
    try:
        parts = urlsplit(f"//{rest}")
        complete = bool(parts.hostname) and bool(parts.port)
    except ValueError as error:
        raise PortNameError(port, str(error)) from None
    if not complete:
        raise PortNameError(port, "host or port number is missing")


async def open_port(port: str, line: Configure, protocol: asyncio.Protocol) -> Transport:
    """Open a port for ourselves alone."""
    try:
        transport, _ = await serialx.create_serial_connection(
            asyncio.get_running_loop(),
            lambda: protocol,
            port,
            baudrate=line.baud,
            parity=_PARITY[line.parity],
            stopbits=serialx.StopBits(line.stop_bits),
            byte_size=line.data_bits,
            exclusive=True,
        )
    except ValueError as error:
        raise PortNameError(port, str(error)) from error
    except Exception as error:
        # Serial proxies come with errors of their own besides those of serialx.
        raise opening_failed(port, error) from error
    return transport


def opening_failed(port: str, error: Exception) -> MeterError:
    """Say which verdict an error on opening is."""
    detail = _words(error)
    is_network = "://" in port
    if isinstance(error, socket.gaierror):
        return MeterError(Verdict.PORT_UNREACHABLE, detail)
    if isinstance(error, PermissionError):
        return MeterError(Verdict.PORT_DENIED, detail)
    if isinstance(error, TimeoutError):
        return MeterError(Verdict.PORT_UNREACHABLE, detail)
    if isinstance(error, OSError):
        if error.errno in {errno.EBUSY, errno.EAGAIN}:
            return MeterError(Verdict.PORT_BUSY, detail)
        if error.errno in _UNREACHABLE or is_network:
            return MeterError(Verdict.PORT_UNREACHABLE, detail)
        if error.errno in _GONE | _NOT_SERIAL:
            return MeterError(Verdict.PORT_MISSING, detail)
        return MeterError(Verdict.PORT_LOST, detail)
    # serialx's own, or a proxy's: a bridge that refuses, settings that a device does not have.
    verdict = Verdict.PORT_UNREACHABLE if is_network else Verdict.PORT_MISSING
    return MeterError(verdict, detail)


def port_lost(error: Exception | None, said: bytes) -> MeterError:
    """Say what it means that an open port was closed from the other side."""
    # The words of ser2net when its one client is already there.
    if b"in use" in said.lower():
        return MeterError(Verdict.PORT_BUSY, said.decode("ascii", "replace").strip())
    return MeterError(Verdict.PORT_LOST, _words(error) if error else "closed by the other side")


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
