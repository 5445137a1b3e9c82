#!/usr/bin/env python3
"""Measures the gateway with one meter, MQTT and history on; prints, asserts nothing.

Called by measure-gateway.sh. The meter is simulated at 1200 baud, the broker is a real mosquitto,
everything is on loopback and in a temporary folder.
"""

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

MINUTE = 60.0
PATIENCE = 60.0
SETTLED_AFTER = 15.0


def main() -> None:
    """Measure the program that is named, with so many starts."""
    program = Path(sys.argv[1]).resolve()
    starts = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print(f"binary, stripped               {program.stat().st_size / 2**20:8.2f} MiB")
    firsts = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        broker = stack.enter_context(mosquitto(folder))
        port = stack.enter_context(meter(program))
        for start in range(starts):
            place = folder / f"start-{start}"
            place.mkdir()
            web = configure(place, port, broker)
            with gateway(program, place, broker) as (process, took):
                firsts.append((took, wire_seconds(program, place)))
                if start + 1 == starts:
                    watch(process, web)
    for took, wire in firsts:
        line = f"of which the line {wire * 1000:.0f} ms"
        print(f"start to first value at broker {took * 1000:8.0f} ms, {line}")


def watch(process: subprocess.Popen[str], web: int) -> None:
    """Tell what the process needs while nothing is to be done, and after somebody has looked."""
    time.sleep(SETTLED_AFTER)
    tell_memory("after the first poll", process.pid)
    before = cpu_seconds(process.pid)
    time.sleep(MINUTE)
    used = cpu_seconds(process.pid) - before
    print(f"CPU in a minute between polls  {used * 1000:8.1f} ms, {used / MINUTE:.4%} of a core")
    for path in ["", "api/status", "api/meters", "openapi.json", "metrics"]:
        with urllib.request.urlopen(f"http://127.0.0.1:{web}/{path}", timeout=PATIENCE) as answer:
            answer.read()
    tell_memory("after the page was opened", process.pid)


def tell_memory(when: str, pid: int) -> None:
    """Print how much memory it has: its own, and what is mapped from files."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = {
        key: value.split()[0]
        for key, value in (line.split(":\t", 1) for line in lines if line.endswith(" kB"))
    }
    mib = {key: int(fields[key]) / 1024 for key in ("VmRSS", "VmHWM", "RssAnon", "RssFile")}
    print(
        f"RSS {when:<26} {mib['VmRSS']:8.2f} MiB (own {mib['RssAnon']:.2f}, program and libraries"
        f" {mib['RssFile']:.2f}); at most so far {mib['VmHWM']:.2f}"
    )


def cpu_seconds(pid: int) -> float:
    """Add up what all threads have used, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def wire_seconds(program: Path, place: Path) -> float:
    """Give the time from the first byte of the first poll to its last, as the gateway has it."""
    command: list[str | Path] = [
        program,
        "export",
        "--config",
        place / "heatmeter.toml",
        "--format",
        "jsonl",
    ]
    exported = subprocess.run(command, check=True, capture_output=True, text=True)
    poll = json.loads(exported.stdout.splitlines()[0])
    return float(poll["line"]["seconds"])


def configure(place: Path, meter_port: str, broker: int) -> int:
    """Write its configuration, and give the port that its page will be at."""
    web = free_port()
    (place / "heatmeter.toml").write_text(
        f'[web]\nlisten = "127.0.0.1:{web}"\n[[meter]]\nname = "house"\nport = "{meter_port}"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker}\n'
    )
    return web


@contextlib.contextmanager
def gateway(
    program: Path, place: Path, broker: int
) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """Run it, and tell how long its first value took to somebody who listens."""
    topic = ["-t", "heatmeter/+/state"]
    forget_retained(broker)
    listener = subprocess.Popen(
        # It says when it listens, and by itself would keep that until its buffer is full.
        ["stdbuf", "-oL", "mosquitto_sub", "-p", str(broker), *topic, "-C", "1", "-d"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listener.stdout is not None
    while "SUBACK" not in listener.stdout.readline():
        pass
    began = time.monotonic()
    command: list[str | Path] = [program, "run", "--config", place / "heatmeter.toml"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True)
    try:
        for line in listener.stdout:
            if line.startswith("{"):
                break
        else:
            raise SystemExit("no value came")
        took = time.monotonic() - began
        listener.wait(PATIENCE)
        yield process, took
    finally:
        end(process)


def forget_retained(broker: int) -> None:
    """Take away what the broker kept, so that the next value that comes is a new one."""
    command = ["mosquitto_sub", "-p", str(broker), "-t", "#", "--remove-retained", "-W", "1"]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def meter(program: Path) -> Iterator[str]:
    """Run a simulated meter, and tell its port."""
    command: list[str | Path] = [
        program,
        "simulate",
        "--model",
        "403",
        "--tcp",
        "127.0.0.1:0",
        "--pace",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["listening"]
    finally:
        end(process)


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Run a broker, and tell its port."""
    port = free_port()
    file = folder / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", file], stderr=subprocess.DEVNULL)
    try:
        began = time.monotonic()
        while not listens(port):
            if time.monotonic() - began > PATIENCE:
                raise SystemExit("mosquitto does not start")
            time.sleep(0.02)
        yield port
    finally:
        end(process)


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Ask it to end, and wait until it has."""
    process.terminate()
    process.wait(PATIENCE)


def listens(port: int) -> bool:
    """Tell whether somebody answers there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Give a port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
