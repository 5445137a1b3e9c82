"""Where the package is tested: against a meter in memory, and against the simulator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from fake_meter import FakeMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEATMETER = os.environ.get("HEATMETER") or shutil.which("heatmeter") or ""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeMeter:
    """Put a meter in memory behind every port."""
    fake = FakeMeter()
    monkeypatch.setattr("serialx.create_serial_connection", fake.connect)
    return fake


@pytest.fixture
def simulate() -> Iterator[Callable[..., str]]:
    """Start simulated meters; each returns its port."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str, front: tuple[str, ...] = ("--tcp", "127.0.0.1:0")) -> str:
        assert HEATMETER, "HEATMETER does not say where the heatmeter program is"
        process = subprocess.Popen(
            [HEATMETER, "simulate", "--model", "403", "--speed", "0", *front, *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        return str(json.loads(process.stdout.readline())["listening"])

    yield start
    for process in running:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def heatmeter(*arguments: str) -> dict[str, object]:
    """Run the program and return what it prints."""
    done = subprocess.run([HEATMETER, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    printed: dict[str, object] = json.loads(done.stdout)
    return printed
