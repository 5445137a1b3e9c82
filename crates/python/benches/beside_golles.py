#!/usr/bin/env python3
"""Read one simulated meter through our wheel and through golles' client, and compare.

    benches/beside_golles.py GOLLES             prints the table of docs/benchmarks.md
    benches/beside_golles.py GOLLES --polls 50

GOLLES is a git repository of golles/ha-kamstrup_403, whose client is taken out of it into a
temporary directory for the run, or a directory with the client's files. Runs in a Python that has
kamstrup-kmp and serialx; HEATMETER is the program.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kamstrup_kmp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

HEATMETER = os.environ.get("HEATMETER", "heatmeter")
CLIENT = "custom_components/kamstrup_403/pykamstrup"
# What golles' seven default sensors need; and what all of them do.
DEFAULT = [60, 266, 68, 99, 113, 1001, 1004]
ALL = [
    60, 266, 63, 80, 86, 87, 89, 74, 68, 141, 139, 145, 143, 149, 150, 126, 124, 130, 128, 146, 147,
    97, 110, 99, 113, 1001, 1004, 140, 138, 144, 142, 125, 123, 129, 127,
]  # fmt: skip
CHUNK = 8


def take_out(source: Path, into: Path) -> Any:  # noqa: ANN401 -- theirs is not typed for us
    """Take golles' client out of a repository or directory and import it."""
    git = (
        ["git", "-C", str(source)] if (source / ".git").exists() else ["git", f"--git-dir={source}"]
    )
    package = into / "golles"
    package.mkdir()
    for name in ("__init__.py", "const.py", "kamstrup.py"):
        if (source / name).exists():
            text = (source / name).read_text(encoding="utf-8")
        else:
            show = [*git, "show", f"HEAD:{CLIENT}/{name}"]
            done = subprocess.run(show, stdout=subprocess.PIPE, text=True, check=True)
            text = done.stdout
        (package / name).write_text(text, encoding="utf-8")
    sys.path.insert(0, str(into))
    return importlib.import_module("golles.kamstrup").Kamstrup


def simulate(*options: str) -> tuple[subprocess.Popen[str], str]:
    """Start a meter."""
    process = subprocess.Popen(
        [HEATMETER, "simulate", "--model", "403", "--speed", "0", "--tcp", "127.0.0.1:0", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["listening"]


async def measure(poll: Callable[[], Awaitable[object]], polls: int) -> tuple[float, float]:
    """Return median seconds and mean CPU milliseconds of a poll."""
    await poll()
    walls, cpu = [], time.process_time()
    for _ in range(polls):
        begun = time.perf_counter()
        await poll()
        walls.append(time.perf_counter() - begun)
    return statistics.median(walls), (time.process_time() - cpu) * 1000 / polls


async def ours(port: str, registers: Sequence[int], polls: int) -> tuple[float, float]:
    """Read through the wheel, gate included."""
    gate, model = kamstrup_kmp.Gate(), kamstrup_kmp.model("403")
    async with kamstrup_kmp.Meter(port) as meter:

        async def poll() -> None:
            outcome, checked = await meter.read_checked(registers, gate, model)
            assert len(outcome.records) == len(registers), outcome
            assert all(reading.quality == "good" for reading in checked.readings)

        return await measure(poll, polls)


async def theirs(
    client: Any,  # noqa: ANN401
    port: str,
    registers: Sequence[int],
    polls: int,
) -> tuple[float, float]:
    """Read through golles' client, in chunks as its coordinator does."""
    meter = client(url=port, baudrate=1200, timeout=2.0)
    await meter.connect()

    async def poll() -> None:
        for first in range(0, len(registers), CHUNK):
            values = await meter.get_values(list(registers[first : first + CHUNK]))
            assert values is not None
            assert all(value is not None for value, _ in values.values())

    try:
        return await measure(poll, polls)
    finally:
        await meter.disconnect()


async def compare(client: Any, polls: int) -> None:  # noqa: ANN401
    """Print the table."""
    print("| line | registers | | time for a poll | CPU for a poll |")
    print("| --- | ---: | --- | ---: | ---: |")
    lines = (
        ("as fast as it goes", (), polls),
        ("paced at 1200 baud", ("--pace",), max(polls // 5, 3)),
    )
    for line, options, count in lines:
        for registers in (DEFAULT, ALL):
            for name, read in (("heatmeter", None), ("golles", client)):
                process, port = simulate(*options)
                try:
                    if read is None:
                        wall, cpu = await ours(port, registers, count)
                    else:
                        wall, cpu = await theirs(read, port, registers, count)
                finally:
                    process.terminate()
                    process.wait()
                print(
                    f"| {line} | {len(registers)} | {name} | {wall * 1000:.1f} ms | {cpu:.2f} ms |"
                )


def main() -> int:
    """Compare the two."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("golles", type=Path, help="golles/ha-kamstrup_403, or the client alone")
    parser.add_argument("--polls", type=int, default=50)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory:
        client = take_out(arguments.golles, Path(directory))
        print(f"Python {platform.python_version()}, kamstrup-kmp {kamstrup_kmp.__version__}\n")
        asyncio.run(compare(client, arguments.polls))
    return 0


if __name__ == "__main__":
    sys.exit(main())
