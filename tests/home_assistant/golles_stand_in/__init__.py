"""Leaves behind what golles/ha-kamstrup_403 3.2 leaves behind, and nothing else of it.

The tests of the takeover run it in a real Home Assistant, so that the entry, the device and the 36
registry entries are in the shape that Home Assistant itself writes. What it wrote for the real
thing, run here on 2026-11-22, differs in the icons only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeassistant.const import Platform

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Set up the sensors."""
    await hass.config_entries.async_forward_entry_setups(entry, [Platform.SENSOR])
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Remove the sensors."""
    return await hass.config_entries.async_unload_platforms(entry, [Platform.SENSOR])
