"""An open port with a session behind it."""

import asyncio
import logging

from ._core import Session
from .port import Transport, port_lost

_LOGGER = logging.getLogger(__package__)

# How long a port may take to close; undelivered bytes can hold it up.
_CLOSING = 2.0


class Connection(asyncio.Protocol):
    """An open port: feeds the session, and wakes whoever waits."""

    # More than the longest answer, so that noise without end is not kept.
    _KEPT = 512

    def __init__(self, session: Session) -> None:
        """Feed that session; the transport comes when the port is open."""
        self.transport: Transport | None = None
        self.is_lost = False
        self.sent = b""
        self.received = bytearray()
        self._error: Exception | None = None
        self._session = session
        self._woken = asyncio.Event()
        self._clock = asyncio.get_running_loop().time

    def data_received(self, data: bytes) -> None:
        """Take bytes, whether or not anybody waits for them."""
        if len(self.received) < self._KEPT:
            self.received += data[: self._KEPT - len(self.received)]
        if self._session.handle_receive(data, self._clock()):
            self._woken.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember that the port is gone."""
        self.is_lost = True
        self._error = exc
        self._woken.set()

    async def settle(self) -> None:
        """Let in what was waiting in buffers: it answers nothing that is going to be asked."""
        self.received.clear()
        await asyncio.sleep(0.01)
        self._check()

    def send(self, data: bytes) -> None:
        """Send a request, in one go."""
        self._check()
        self.sent = data
        self.received.clear()
        if self.transport is not None:
            try:
                self.transport.write(data)
            except Exception as error:
                # Not only OSError: serial proxies have errors of their own.
                raise port_lost(error, b"") from error

    async def wait(self, until: float) -> None:
        """Wait for bytes, or for the moment, or for the end of the connection."""
        self._check()
        self._woken.clear()
        try:
            async with asyncio.timeout_at(until):
                await self._woken.wait()
        except TimeoutError:
            return
        self._check()

    async def close(self) -> None:
        """Close the port and wait until it is free, but not for ever."""
        self.is_lost = True
        self._woken.set()
        if self.transport is None:
            return
        transport, self.transport = self.transport, None
        try:
            transport.abort()
            async with asyncio.timeout(_CLOSING):
                await transport.wait_closed()
        except Exception:
            # It is as closed as it can be, whatever a serial proxy says to it.
            _LOGGER.debug("closing the port failed", exc_info=True)

    def _check(self) -> None:
        if self.is_lost:
            raise port_lost(self._error, bytes(self.received))
