"""A meter on a port, read with asyncio.

The session decides everything that has to do with the protocol; this drives it: opens the port,
carries bytes and time, closes the port after every failure and opens it again for the next task.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from . import _core
from ._core import (
    Attempt,
    Checked,
    Configure,
    Done,
    Gate,
    Idle,
    Model,
    Outcome,
    Record,
    Session,
    Transmit,
)
from ._verdict import Verdict
from .alignment import Alignment, AlignmentStep
from .connection import Connection
from .errors import MeterError
from .port import Opener, normalise, open_port, opening_failed

_LOGGER = logging.getLogger(__package__)

SERIAL_NUMBER = 1001

# What a meter needs at most for the first byte of an answer; waiting less finds nothing.
LEAST_ANSWER_TIMEOUT = 1.6

# How often a request is sent on a line that was opened again because the old one was silent: the
# old one has had all its attempts, and nobody should wait as long once more.
_ATTEMPTS_ON_A_NEW_LINE = 2


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back, for logs and diagnostics."""

    at: datetime
    request: str
    registers: tuple[int, ...]
    verdict: Verdict
    sent: bytes
    received: bytes
    took: float


@dataclass(frozen=True, slots=True)
class Identity:
    """What a meter says about itself."""

    serial: str | None
    model: Model | None
    type_code: int | None
    software: str | None
    records: dict[int, Record] = field(default_factory=dict)

    @property
    def is_simulated(self) -> bool:
        """Whether this is heatmeter's own simulator."""
        return self.type_code is not None and _core.is_simulated(self.type_code)


# Starts a task at a moment, with so many attempts for each request.
_Start = Callable[[float, int | None], None]


class Meter:
    """A meter behind a port. One task runs at a time; others wait for their turn."""

    def __init__(
        self,
        port: str,
        *,
        answer_timeout: float = 2.0,
        open_timeout: float = 10.0,
        opener: Opener = open_port,
    ) -> None:
        """Remember the port; nothing is opened before the first task."""
        self.port = normalise(port)
        self.exchanges: deque[Exchange] = deque(maxlen=32)
        self._open_timeout = open_timeout
        self._opener = opener
        self._session = Session(answer_timeout=max(answer_timeout, LEAST_ANSWER_TIMEOUT))
        self._connection: Connection | None = None
        self._times_closed = 0
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Open the port."""
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the port."""
        await self.close()

    @property
    def is_open(self) -> bool:
        """Whether the port is open."""
        return self._connection is not None and not self._connection.is_lost

    async def connect(self) -> None:
        """Open the port, unless it is open."""
        times_closed = self._times_closed
        async with self._lock:
            self._check_not_closed(times_closed)
            await self._connected()

    async def close(self) -> None:
        """Close the port. A task that still runs, or waits for its turn, fails."""
        self._times_closed += 1
        await self._drop()

    async def read(self, registers: Iterable[int], *, time_limit: float | None = None) -> Outcome:
        """Read registers; raise `MeterError` if the meter did not answer.

        What the meter does not have is in the outcome's `unsupported`, what got no answer in time
        is in its `unanswered`.
        """
        wanted = list(registers)
        return await self._run(
            lambda now, attempts: self._session.start_read(
                wanted, now, time_limit=time_limit, attempts=attempts
            )
        )

    async def read_checked(
        self,
        registers: Iterable[int],
        gate: Gate,
        model: Model | None = None,
        *,
        time_limit: float | None = None,
    ) -> tuple[Outcome, Checked]:
        """Read registers, and have the gate judge the values; what it doubts is read again.

        Registers that got no answer in time are in the outcome's `unanswered` and nowhere else.
        """
        clock = asyncio.get_running_loop().time
        outcome = await self.read(registers, time_limit=time_limit)
        look = gate.first(model, _answered(outcome), outcome.records, clock())
        if isinstance(look, Checked):
            return outcome, look
        try:
            again = await self.read(look.reread)
        except MeterError:
            return outcome, gate.second(look, [], [], clock())
        return outcome, gate.second(look, _answered(again), again.records, clock())

    async def identify(self) -> Identity:
        """Find out which meter this is: two requests, three if its type code is not known."""
        failed: MeterError | None = None
        meter_type = None
        try:
            asked = await self._run(
                lambda now, _: self._session.start_get_type(now, attempts=2, time_limit=8)
            )
            meter_type = asked.meter_type
        except MeterError as error:
            if error.verdict.is_port:
                raise
            # A meter may answer registers and nothing else.
            failed = error
        known = _core.identify(meter_type.code, meter_type.software_code) if meter_type else None
        wanted = [SERIAL_NUMBER, *([] if known else _core.identifying_registers())]
        outcome = await self.read(wanted, time_limit=12 if failed else None)
        if failed and failed.verdict not in (Verdict.SILENT, Verdict.ASLEEP):
            # Damage, not a meter that does not know the question: it is there, so ask again.
            with suppress(MeterError):
                asked = await self._run(
                    lambda now, _: self._session.start_get_type(now, attempts=3, time_limit=8)
                )
                meter_type = asked.meter_type
        records = {record.register: record for record in outcome.records}
        texts = {number: record.text for number, record in records.items()}
        return Identity(
            serial=await self._serial(records.get(SERIAL_NUMBER)),
            model=known
            or _core.identify(
                meter_type.code if meter_type else None,
                meter_type.software_code if meter_type else None,
                texts,
            ),
            type_code=meter_type.code if meter_type else None,
            software=meter_type.software if meter_type else None,
            records=records,
        )

    async def _serial(self, record: Record | None) -> str | None:
        """Return the serial number, from its register or else by its own command."""
        if record is not None and record.quality == "good":
            return record.text
        try:
            outcome = await self._run(
                lambda now, _: self._session.start_get_serial(now, attempts=2, time_limit=8)
            )
        except MeterError as error:
            if error.verdict.is_port:
                raise
            return None
        return None if outcome.serial is None else str(outcome.serial)

    async def align(self, *, pause: float = 0.2) -> AsyncGenerator[AlignmentStep, None]:
        """Ask one small thing after another, as long as the caller wants, and keep the score."""
        alignment = Alignment()
        while True:
            try:
                outcome = await self._run(
                    lambda now, _: self._session.start_get_type(now, attempts=1, time_limit=5),
                    aligning=True,
                )
                verdict = outcome.verdict
            except MeterError as error:
                if error.verdict.is_port:
                    raise
                verdict = error.verdict
            yield alignment.add(verdict)
            await asyncio.sleep(pause)

    async def _run(self, start: _Start, *, aligning: bool = False) -> Outcome:
        """Run one task; on a line that may have died unnoticed since the last one, run it again."""
        times_closed = self._times_closed
        async with self._lock:
            self._check_not_closed(times_closed)
            was_open = self.is_open
            try:
                return await self._attempt(start, keep_open=aligning)
            except MeterError as error:
                died_unnoticed = error.verdict is Verdict.PORT_LOST or "://" in self.port
                closed = times_closed != self._times_closed
                if aligning or not was_open or not died_unnoticed or closed:
                    raise
                attempts = None if error.verdict is Verdict.PORT_LOST else _ATTEMPTS_ON_A_NEW_LINE
            return await self._attempt(start, keep_open=False, attempts=attempts)

    def _check_not_closed(self, times_closed: int) -> None:
        if times_closed != self._times_closed:
            raise MeterError(Verdict.PORT_LOST, "closed before it was used")

    async def _attempt(
        self, start: _Start, *, keep_open: bool, attempts: int | None = None
    ) -> Outcome:
        connection = await self._connected()
        if keep_open:
            # What was asked while nobody heard it is not owed: else the first answer after many
            # misses is taken for theirs, and the one under way is never answered.
            self._session.reconnected()
        try:
            await connection.settle()
            outcome = await self._drive(connection, lambda now: start(now, attempts))
        except BaseException:
            await self._drop()
            raise
        if outcome.verdict not in (Verdict.OK, Verdict.NOT_SUPPORTED):
            if not keep_open:
                await self._drop()
            raise MeterError(outcome.verdict, outcome=outcome)
        return outcome

    async def _drive(self, connection: Connection, start: Callable[[float], None]) -> Outcome:
        clock = asyncio.get_running_loop().time
        start(clock())
        while True:
            match self._session.poll():
                case Transmit(data=data):
                    connection.send(data)
                case Attempt() as attempt:
                    self._remember(attempt, connection)
                case Done(outcome=outcome):
                    return outcome
                case Configure():
                    # The line is opened as the session wants it; KMP does not change it later.
                    continue
                case Idle():
                    raise AssertionError("the session ended without an outcome")
                case wait:
                    await connection.wait(wait.until)
                    if clock() >= wait.until:
                        self._session.handle_timeout(clock())

    async def _connected(self) -> Connection:
        if self._connection is not None and not self._connection.is_lost:
            return self._connection
        await self._drop()
        self._session.reconnected()
        line = self._session.poll()
        if not isinstance(line, Configure):
            raise AssertionError("a session on a new line begins with its settings")
        connection, times_closed = Connection(self._session), self._times_closed
        try:
            async with asyncio.timeout(self._open_timeout):
                connection.transport = await self._opener(self.port, line, connection)
        except TimeoutError as error:
            raise opening_failed(self.port, error) from error
        if times_closed != self._times_closed:
            await connection.close()
            raise MeterError(Verdict.PORT_LOST, "closed while it was being opened")
        self._connection = connection
        return connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _remember(self, attempt: Attempt, connection: Connection) -> None:
        _LOGGER.debug(
            "%s %s: %s, %d bytes sent, %d received, %.3f s",
            attempt.request,
            attempt.registers,
            attempt.verdict,
            attempt.sent,
            attempt.received,
            attempt.took,
        )
        self.exchanges.append(
            Exchange(
                at=datetime.now(UTC),
                request=attempt.request,
                registers=tuple(attempt.registers),
                verdict=attempt.verdict,
                sent=bytes(connection.sent),
                received=bytes(connection.received),
                took=attempt.took,
            )
        )


def _answered(outcome: Outcome) -> list[int]:
    return [*(record.register for record in outcome.records), *outcome.unsupported]
