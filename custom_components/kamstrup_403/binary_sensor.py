"""Binary sensors: whether the meter reports a problem, and each thing it may report."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (  # type: ignore[attr-defined]
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from kamstrup_kmp import Model

from .coordinator import KamstrupConfigEntry
from .entity import KamstrupDescription, KamstrupEntity
from .info import flags, info_registers
from .naming import Naming, is_adopted

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class KamstrupBinarySensorDescription(KamstrupDescription, BinarySensorEntityDescription):
    """A binary sensor; without a flag it stands for all of them that need a person."""

    flag: str | None = None


def descriptions(model: Model) -> list[KamstrupBinarySensorDescription]:
    """Describe every binary sensor of a meter."""
    needed = info_registers(model)
    if not needed:
        return []
    return [
        KamstrupBinarySensorDescription(
            key="problem",
            registers=needed,
            device_class=BinarySensorDeviceClass.PROBLEM,
            entity_category=EntityCategory.DIAGNOSTIC,
        ),
        *(
            KamstrupBinarySensorDescription(
                key=f"info_{flag.key}",
                flag=flag.key,
                registers=needed,
                device_class=BinarySensorDeviceClass.PROBLEM,
                entity_category=EntityCategory.DIAGNOSTIC,
                entity_registry_enabled_default=False,
            )
            for flag in model.info_flags
        ),
    ]


async def async_setup_entry(
    hass: HomeAssistant,
    entry: KamstrupConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of an entry."""
    coordinator = entry.runtime_data
    naming = Naming(entry.entry_id, coordinator.serial, is_adopted(hass, entry))
    async_add_entities(
        InfoBinarySensor(coordinator, naming, description)
        for description in descriptions(coordinator.model)
    )


class InfoBinarySensor(KamstrupEntity, BinarySensorEntity):
    """Something the meter may report about itself."""

    entity_description: KamstrupBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        reported = flags(self.coordinator)
        if reported is None:
            return None
        wanted = self.entity_description.flag
        return any(flag.is_problem if wanted is None else flag.key == wanted for flag in reported)
