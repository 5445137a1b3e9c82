"""Simulated meters, and a bridge to them on which things can go wrong meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import random
import selectors
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from .hass import free_port

if TYPE_CHECKING:
    from types import TracebackType

HEATMETER = os.environ.get("HEATMETER") or shutil.which("heatmeter") or ""
READY_SECONDS = 120


class Meter:
    """`heatmeter simulate` as a process; its house stands still unless told otherwise."""

    def __init__(self, *options: str, model: str = "403", pty: bool | Path = False) -> None:
        """Start it, on a pseudo-terminal (with a link to it) or a network port: `self.port`."""
        assert HEATMETER, "HEATMETER does not say where the heatmeter program is"
        front = ["--pty", *([str(pty)] if isinstance(pty, Path) else [])]
        if not pty:
            front = ["--tcp", "127.0.0.1:0"]
        speed = [] if "--speed" in options else ["--speed", "0"]
        self.process = subprocess.Popen(
            [HEATMETER, "simulate", "--json", "--model", model, *front, *speed, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = str(json.loads(first_line(self.process.stdout))["listening"])

    def read(self, *registers: str) -> dict[str, Any]:
        """Read it with `heatmeter read --json`; nobody else may be reading it."""
        return heatmeter("read", self.port, *registers)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self.stop()


def first_line(stream: IO[str]) -> str:
    """Return the first line, which has to come soon."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        assert selector.select(READY_SECONDS), f"nothing said within {READY_SECONDS} s"
    return stream.readline()


def heatmeter(*arguments: str) -> dict[str, Any]:
    """Run `heatmeter ... --json` and return what it prints."""
    done = subprocess.run(
        [HEATMETER, *arguments, "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}: {done.returncode}: {done.stdout}{done.stderr}"
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@dataclass
class Answer:
    """What a meter said to one request, and when it was asked."""

    asked_at: float
    received: bytes = b""


def decoded(received: bytes) -> dict[int, list[Decimal]]:
    """Return every value that sound answers in these bytes have for a register, in their order."""
    values: dict[int, list[Decimal]] = {}
    done = subprocess.run(
        [HEATMETER, "decode", "--json"],
        input=received.hex(" "),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    for line in done.stdout.splitlines():
        for reading in json.loads(line).get("registers", []):
            with contextlib.suppress(InvalidOperation, TypeError):
                values.setdefault(reading["register"], []).append(Decimal(reading["value"]))
    return values


class Line(StrEnum):
    """What becomes of bytes between Home Assistant and the meter."""

    GOOD = "good"
    SILENT = "silent"  # the head has fallen off
    ECHO = "echo"  # the head lies on the table and hears itself
    NOISE = "noise"  # sunlight: bytes that never end
    LATE = "late"  # answers come after whoever asked has given up
    CLOSING = "closing"  # the bridge closes the connection when it is asked something


class Bridge:
    """A serial bridge on loopback, one client at a time, whose line can be spoiled and mended."""

    def __init__(self, upstream: str | None, *, line: Line = Line.GOOD, late: float = 15.0) -> None:
        """Listen; `upstream` is the simulated meter, if there is one behind it."""
        self.upstream = upstream
        self.line = line
        self.late = late
        self.number = free_port()
        self.port = f"socket://127.0.0.1:{self.number}"
        self.connections = 0
        self.requests = 0
        self.answers: list[Answer] = []
        self._open = 0
        self._dropping = threading.Event()
        self._listening = threading.Event()
        self._ended = threading.Event()
        self._away = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._listening.wait(READY_SECONDS)

    @property
    def in_use(self) -> bool:
        """Whether someone holds the port."""
        return self._open > 0

    def go_away(self) -> None:
        """Switch the bridge off: connections break, new ones are refused."""
        self._away.set()
        while self._listening.is_set():
            time.sleep(0.01)

    def drop(self) -> None:
        """Close the connection, and take the next one at once."""
        before = self.connections
        self._dropping.set()
        while self._open and self.connections == before:
            time.sleep(0.01)

    def come_back(self) -> None:
        """Switch it on again."""
        self._away.clear()
        self._listening.wait(READY_SECONDS)

    def close(self) -> None:
        """End it."""
        self._ended.set()
        self._away.set()
        self._thread.join(READY_SECONDS)

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            if self._away.is_set():
                time.sleep(0.01)
                continue
            with socket.create_server(("127.0.0.1", self.number)) as server:
                server.settimeout(0.05)
                self._listening.set()
                while not self._away.is_set():
                    try:
                        client, _ = server.accept()
                    except TimeoutError:
                        continue
                    self.connections += 1
                    self._open += 1
                    with contextlib.suppress(OSError), client:
                        self._carry(client)
                    self._dropping.clear()
                    self._open -= 1
            self._listening.clear()

    def _carry(self, client: socket.socket) -> None:
        """Carry bytes until the client goes, the bridge is switched off or the line says so."""
        with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ)
            meter: socket.socket | None = None
            if self.upstream is not None:
                host, _, number = self.upstream.removeprefix("socket://").rpartition(":")
                meter = stack.enter_context(socket.create_connection((host, int(number)), 5))
                selector.register(meter, selectors.EVENT_READ)
            noise = random.Random(403)
            delayed: list[tuple[float, bytes]] = []
            while not self._away.is_set() and not self._dropping.is_set():
                for key, _ in selector.select(0.02):
                    data = key.fileobj.recv(4096)  # type: ignore[union-attr]
                    if not data:
                        return
                    if key.fileobj is client:
                        self.requests += 1
                        if self.line is Line.CLOSING:
                            return
                        if self.line is Line.ECHO:
                            client.sendall(data)
                        elif self.line in (Line.GOOD, Line.LATE) and meter is not None:
                            self.answers.append(Answer(time.time()))
                            meter.sendall(data)
                        continue
                    self.answers[-1].received += data
                    if self.line is Line.LATE:
                        delayed.append((time.monotonic() + self.late, data))
                    elif self.line is Line.GOOD:
                        client.sendall(data)
                if self.line is Line.NOISE:
                    client.sendall(bytes(noise.choice(NO_ANSWER) for _ in range(4)))
                while delayed and delayed[0][0] <= time.monotonic():
                    client.sendall(delayed.pop(0)[1])


# Every byte but those that begin or end a frame.
NO_ANSWER = [byte for byte in range(256) if byte not in (0x0D, 0x40, 0x80)]
