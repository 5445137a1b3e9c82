"""Looks at a port before an entry is made of it."""

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
    for entry in hass.config_entries.async_entries(include_ignore=False):
        if ours is not None and entry.entry_id == ours.entry_id:
            continue
        if port in _ports(entry):
            return entry.title
    found = await hass.async_add_executor_job(holders, port)
    return ", ".join(found) or None


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
