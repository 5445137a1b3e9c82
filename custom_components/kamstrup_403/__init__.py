"""Kamstrup heat meters, read through their optical eye.

The protocol, the catalogue of meters and the check for implausible values are kamstrup_kmp's; this
maps them to Home Assistant.
"""

from homeassistant.const import CONF_PORT, CONF_TIMEOUT, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType
from kamstrup_kmp import Meter, MeterError, PortNameError, unknown_model

from . import adoption, issues
from .const import DEFAULT_TIMEOUT, DOMAIN
from .coordinator import KamstrupConfigEntry, KamstrupCoordinator
from .errors import translated
from .memory import GateMemory
from .needs import enabled_registers
from .services import async_setup_services

PLATFORMS = [Platform.BINARY_SENSOR, Platform.BUTTON, Platform.SENSOR]

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions; they are there whether or not a meter is."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: KamstrupConfigEntry) -> bool:
    """Find the meter, read it once, and add its entities."""
    port = str(entry.data[CONF_PORT])
    try:
        meter = Meter(port, answer_timeout=float(entry.options.get(CONF_TIMEOUT, DEFAULT_TIMEOUT)))
    except PortNameError as error:
        raise _no_port(port) from error
    # Also when the set-up fails further down: the port must be free for the next try.
    entry.async_on_unload(meter.close)
    try:
        identity = await meter.identify()
    except PortNameError as error:
        raise _no_port(port) from error
    except MeterError as error:
        raise ConfigEntryNotReady(**translated(error, port)) from error
    adoption.claim(hass, entry, identity)
    initial = enabled_registers(hass, entry, identity.serial, identity.model or unknown_model())
    memory = GateMemory(hass, entry.entry_id)
    coordinator = KamstrupCoordinator(
        hass, entry, meter, identity, initial, memory, await memory.load()
    )
    await coordinator.async_config_entry_first_refresh()
    issues.update_interval(hass, entry)
    entry.runtime_data = coordinator
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: KamstrupConfigEntry) -> bool:
    """Remove the entities and store what was learnt; the port is released with the entry."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await entry.runtime_data.async_store()
    return unloaded


async def async_migrate_entry(hass: HomeAssistant, entry: KamstrupConfigEntry) -> bool:
    """Accept an entry of golles/ha-kamstrup_403, whose version is 1.1.

    What there is to do needs the meter's serial number, so it is done in the set-up. The major
    version stays 1, because the other integration refuses higher ones.
    """
    if entry.minor_version < adoption.MINOR_VERSION:
        hass.config_entries.async_update_entry(entry, minor_version=adoption.MINOR_VERSION)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: KamstrupConfigEntry) -> None:
    """Leave nothing behind."""
    issues.clear_all(hass, entry)
    await GateMemory(hass, entry.entry_id).remove()


def _no_port(port: str) -> ConfigEntryError:
    return ConfigEntryError(
        translation_domain=DOMAIN,
        translation_key="invalid_port",
        translation_placeholders={"port": port},
    )
