"""Who holds a serial port: the names of the processes that have it open."""

import os
from pathlib import Path


def holders(port: str) -> list[str]:
    """Name the other processes that have this device open, as far as we may see.

    Blocks for some milliseconds: call it in an executor. Ports that are not devices of this machine
    have no holders that could be seen.
    """
    if "://" in port:
        return []
    try:
        device = Path(port).stat().st_rdev
    except OSError:
        return []
    names = []
    for process in _entries(Path("/proc")):
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        if any(_is_device(opened, device) for opened in _entries(process / "fd")):
            names.append(f"{_command(process)} (process {process.name})")
    return names


def _entries(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []


def _is_device(opened: Path, device: int) -> bool:
    try:
        return device != 0 and opened.stat().st_rdev == device
    except OSError:
        return False


def _command(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "unknown"
