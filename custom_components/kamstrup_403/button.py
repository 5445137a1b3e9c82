"""A button that reads the meter at once."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import KamstrupConfigEntry
from .entity import KamstrupDescription, KamstrupEntity
from .naming import Naming, is_adopted

# There is one port, and one meter behind it.
PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class KamstrupButtonDescription(KamstrupDescription, ButtonEntityDescription):
    """A button."""


READ_NOW = KamstrupButtonDescription(key="read_now", entity_category=EntityCategory.DIAGNOSTIC)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: KamstrupConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the button of an entry."""
    coordinator = entry.runtime_data
    naming = Naming(entry.entry_id, coordinator.serial, is_adopted(hass, entry))
    async_add_entities([ReadNowButton(coordinator, naming, READ_NOW)])


class ReadNowButton(KamstrupEntity, ButtonEntity):
    """Reads everything that enabled entities show."""

    @property
    @override
    def available(self) -> bool:
        """Whatever the last poll found: pressing it is a try."""
        return True

    @override
    async def async_press(self) -> None:
        await self.coordinator.async_read_now()
