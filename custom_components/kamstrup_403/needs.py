"""What to read before there are entities to ask."""

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from kamstrup_kmp import Model

from . import binary_sensor, sensor
from .const import DOMAIN
from .coordinator import KamstrupConfigEntry
from .naming import Naming, is_adopted


def enabled_registers(
    hass: HomeAssistant, entry: KamstrupConfigEntry, serial: str | None, model: Model
) -> set[int]:
    """Return the registers of the entities that are enabled, or will be when they are added."""
    naming = Naming(entry.entry_id, serial or entry.entry_id, is_adopted(hass, entry))
    registry = er.async_get(hass)
    described = [
        *((Platform.SENSOR, found) for found in sensor.descriptions(model)),
        *((Platform.BINARY_SENSOR, found) for found in binary_sensor.descriptions(model)),
    ]
    needed: set[int] = set()
    for platform, description in described:
        unique_id = naming.unique_id(description.key, description.seed_name)
        entity_id = registry.async_get_entity_id(platform, DOMAIN, unique_id)
        known = registry.async_get(entity_id) if entity_id else None
        enabled = not known.disabled if known else description.entity_registry_enabled_default
        if enabled:
            needed.update(description.registers)
    return needed
