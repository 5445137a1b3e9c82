"""Looks at a port before an entry is made of it."""

import os
from collections.abc import Iterable

from homeassistant.components import usb
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from kamstrup_kmp import holders

# Where other integrations keep their port.
_PORT_KEYS = ("port", "device", "device_path", "serial_port", "usb_path")


async def stable_path(hass: HomeAssistant, port: str) -> str:
    """Return the path of a device that stays the same; addresses are left as they are."""
    if "://" in port:
        return port
    return str(await hass.async_add_executor_job(usb.get_serial_by_id, port))


async def holder(hass: HomeAssistant, port: str, ours: ConfigEntry | None) -> str | None:
    """Name who uses a port: another entry of Home Assistant, or another program."""
    others = [
        (entry.title, _ports(entry))
        for entry in hass.config_entries.async_entries(include_ignore=False)
        if ours is None or entry.entry_id != ours.entry_id
    ]
    return await hass.async_add_executor_job(_holder, port, others)


def _holder(port: str, others: Iterable[tuple[str, set[str]]]) -> str | None:
    device = _device(port)
    for title, ports in others:
        if device in map(_device, ports):
            return title
    return ", ".join(holders(port)) or None


def _device(port: str) -> str:
    """Return what a path leads to: a device has several names."""
    return port if "://" in port else os.path.realpath(port)


def _ports(entry: ConfigEntry) -> set[str]:
    found: set[str] = set()
    for data in (entry.data, entry.options):
        for key in _PORT_KEYS:
            value = data.get(key)
            # zha keeps its port one level down.
            nested = value.get("path") if isinstance(value, dict) else value
            if isinstance(nested, str):
                found.add(nested)
    return found
