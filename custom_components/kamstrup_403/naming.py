"""Unique ids and entity ids.

An entry that golles/ha-kamstrup_403 made keeps that integration's unique ids for its entities, so
that going back to it still works. A new entry's are made of the meter's serial number.
"""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import slugify

from .const import SEED_NAME


@dataclass(frozen=True, slots=True)
class Naming:
    """How the entities of one entry are named."""

    entry_id: str
    serial: str
    adopted: bool

    def unique_id(self, key: str, seed_name: str | None) -> str:
        """Return the unique id of an entity."""
        if self.adopted and seed_name:
            return f"{self.entry_id}-{SEED_NAME} {seed_name}"
        return f"{self.serial}_{key}"


def is_adopted(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Tell whether golles/ha-kamstrup_403 has made this entry's entities."""
    prefix = f"{entry.entry_id}-{SEED_NAME} "
    entries = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return any(entity.unique_id.startswith(prefix) for entity in entries)


def seed_entity_id(seed_name: str) -> str:
    """Return the entity id golles/ha-kamstrup_403 gives an entity.

    It is suggested in every language, so that who removes that integration's entry and adds ours
    gets the same ids, and with them the recorded history, back.
    """
    return f"sensor.{slugify(f'{SEED_NAME} {seed_name}')}"
