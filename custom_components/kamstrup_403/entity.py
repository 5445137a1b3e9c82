"""What all entities have in common: their device, their name and when they are available."""

from dataclasses import dataclass
from typing import override

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN, MANUFACTURER, SEED_NAME
from .coordinator import KamstrupCoordinator
from .naming import Naming
from .readings import Quality


@dataclass(frozen=True, kw_only=True)
class KamstrupDescription(EntityDescription):
    """An entity, the registers it needs, and what golles/ha-kamstrup_403 calls it."""

    registers: tuple[int, ...] = ()
    seed_name: str | None = None


class KamstrupEntity(CoordinatorEntity[KamstrupCoordinator]):
    """An entity of a meter."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: KamstrupCoordinator, naming: Naming, description: KamstrupDescription
    ) -> None:
        """Give the entity its identity."""
        super().__init__(coordinator, context=description.registers)
        self.entity_description = description
        self._registers = description.registers
        self._attr_translation_key = description.key
        self._attr_unique_id = naming.unique_id(description.key, description.seed_name)
        identity = coordinator.identity
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.serial)},
            manufacturer=MANUFACTURER,
            model=coordinator.model.name,
            model_id=None if identity.type_code is None else f"0x{identity.type_code:04x}",
            name=SEED_NAME if naming.adopted else f"{MANUFACTURER} {coordinator.model.name}",
            serial_number=identity.serial,
            sw_version=identity.software,
        )

    @property
    @override
    def available(self) -> bool:
        """Whether the last poll reached the meter, and this register was not lost on the way."""
        return super().available and not any(
            reading.quality is Quality.UNANSWERED
            for number in self._registers
            if (reading := self.coordinator.data.registers.get(number)) is not None
        )
