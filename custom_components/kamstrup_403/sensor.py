"""Sensors: one for each register the meter may have, and a few about the reading itself."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import batched
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfVolume
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from kamstrup_kmp import (
    Classes,
    Model,
    Register,
    Verdict,
    home_assistant_unit,
    register,
    registers,
    unit_symbol,
)

from .const import HEAT_ENERGY
from .coordinator import KamstrupConfigEntry, KamstrupCoordinator
from .entity import KamstrupDescription, KamstrupEntity
from .gas import GasConversion
from .info import flags, info_registers, text
from .naming import Naming, is_adopted, seed_entity_id

PARALLEL_UPDATES = 0

# So many sensors are added in one go.
AT_ONCE = 16

type NativeValue = StateType | date | datetime | Decimal


@dataclass(frozen=True, kw_only=True)
class KamstrupSensorDescription(KamstrupDescription, SensorEntityDescription):
    """A sensor."""


@dataclass(frozen=True, kw_only=True)
class ComputedDescription(KamstrupSensorDescription):
    """A sensor whose value is made of more than one register, or of none."""

    value_fn: Callable[[KamstrupCoordinator], NativeValue]
    attributes_fn: Callable[[KamstrupCoordinator], dict[str, str]] | None = None
    # Whether it says something about a line on which nothing comes back, too.
    always_available: bool = False


GAS = KamstrupSensorDescription(
    key="gas",
    seed_name="Heat Energy to Gas",
    registers=(HEAT_ENERGY,),
    device_class=SensorDeviceClass.GAS,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=UnitOfVolume.CUBIC_METERS,
    entity_registry_enabled_default=False,
)


def computed(model: Model) -> list[ComputedDescription]:
    """Describe the sensors about the meter and the reading itself."""
    found = [
        ComputedDescription(
            key="last_read",
            device_class=SensorDeviceClass.TIMESTAMP,
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda coordinator: coordinator.data.read_at,
        ),
        ComputedDescription(
            key="held",
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda coordinator: len(coordinator.data.held()),
            attributes_fn=_held,
        ),
        ComputedDescription(
            key="line_quality",
            native_unit_of_measurement=PERCENTAGE,
            state_class=SensorStateClass.MEASUREMENT,
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
            always_available=True,
            value_fn=_line_quality,
        ),
        ComputedDescription(
            key="meter_type",
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
            value_fn=lambda coordinator: coordinator.model.name,
        ),
    ]
    if model.info_registers:
        found.append(
            ComputedDescription(
                key="info_text",
                registers=info_registers(model),
                entity_category=EntityCategory.DIAGNOSTIC,
                value_fn=_info_text,
            )
        )
    return found


def descriptions(model: Model) -> list[KamstrupSensorDescription]:
    """Describe every sensor of a meter: golles' own, then what the model has besides."""
    return [*_of_registers(model), GAS, *computed(model)]


def _of_registers(model: Model) -> list[KamstrupSensorDescription]:
    is_heat = model.medium == "heat"
    return [
        KamstrupSensorDescription(
            key=known.key,
            seed_name=known.seed_name,
            registers=(known.id,),
            entity_category=_category(model.classes(known.id)),
            entity_registry_enabled_default=(
                known.seed_enabled if known.seed_name and is_heat else _is_shown(model, known)
            ),
        )
        for known in registers()
        if model.has(known.id) or (known.seed_name and is_heat)
    ]


def _is_shown(model: Model, known: Register) -> bool:
    """Tell whether a sensor golles' integration does not have is on from the start."""
    return model.medium != "heat" and known.id in model.usual


def _category(classes: Classes) -> EntityCategory | None:
    return EntityCategory(classes.entity_category) if classes.entity_category else None


def _line_quality(coordinator: KamstrupCoordinator) -> int | None:
    exchanges = coordinator.meter.exchanges
    if not exchanges:
        return None
    answered = sum(exchange.verdict is Verdict.OK for exchange in exchanges)
    return round(100 * answered / len(exchanges))


def _held(coordinator: KamstrupCoordinator) -> dict[str, str]:
    """Say of each register that is held back, why."""
    return {
        known.key if (known := register(number)) else str(number): reason
        for number, reason in coordinator.data.held().items()
    }


def _info_text(coordinator: KamstrupCoordinator) -> str | None:
    reported = flags(coordinator)
    if reported is None:
        return None
    return text(reported, coordinator.hass.config.language) or "OK"


async def async_setup_entry(
    hass: HomeAssistant,
    entry: KamstrupConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of an entry."""
    coordinator = entry.runtime_data
    naming = Naming(entry.entry_id, coordinator.serial, is_adopted(hass, entry))
    gas = GasConversion.of(entry, adopted=naming.adopted)
    entities: list[SensorEntity] = [
        RegisterSensor(coordinator, naming, description)
        for description in _of_registers(coordinator.model)
    ]
    entities.append(GasSensor(coordinator, naming, GAS, gas))
    entities += [
        ComputedSensor(coordinator, naming, description)
        for description in computed(coordinator.model)
    ]
    for some in batched(entities, AT_ONCE, strict=False):
        async_add_entities(some)
        # There are more than a hundred: let others have their turn.
        await asyncio.sleep(0)


class KamstrupSensor(KamstrupEntity, SensorEntity):
    """A sensor of a meter."""

    entity_description: KamstrupSensorDescription

    def __init__(
        self,
        coordinator: KamstrupCoordinator,
        naming: Naming,
        description: KamstrupSensorDescription,
    ) -> None:
        """Give the sensor the entity id it has always had."""
        super().__init__(coordinator, naming, description)
        if description.seed_name:
            self.entity_id = seed_entity_id(description.seed_name)


class RegisterSensor(KamstrupSensor):
    """The value of one register, in the unit the meter sends it in."""

    def __init__(
        self,
        coordinator: KamstrupCoordinator,
        naming: Naming,
        description: KamstrupSensorDescription,
    ) -> None:
        """Remember the register."""
        super().__init__(coordinator, naming, description)
        (self._register,) = description.registers
        usual = coordinator.model.unit_codes(self._register)
        self._usual_unit = usual[0] if usual else 0

    @property
    def _unit_code(self) -> int:
        record = self.coordinator.data.record(self._register)
        return record.unit_code if record else self._usual_unit

    @property
    def _classes(self) -> Classes:
        return self.coordinator.model.classes(self._register).in_unit(self._unit_code)

    @property
    @override
    def device_class(self) -> SensorDeviceClass | None:
        found = self._classes.device_class
        return SensorDeviceClass(found) if found else None

    @property
    @override
    def state_class(self) -> SensorStateClass | None:
        found = self._classes.state_class
        return SensorStateClass(found) if found else None

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        # Home Assistant keeps to the first unit it hears of: say nothing before a look at it.
        if self._register not in self.coordinator.data.registers:
            return None
        # A unit that Home Assistant has no word for is shown in the meter's own.
        known = home_assistant_unit(self._unit_code)
        return known if known or self.device_class else unit_symbol(self._unit_code)

    @property
    @override
    def suggested_display_precision(self) -> int | None:
        record = self.coordinator.data.record(self._register)
        if record is None or not isinstance(record.value, Decimal) or self.state_class is None:
            return None
        exponent = record.value.as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else None

    @property
    @override
    def native_value(self) -> NativeValue:
        record = self.coordinator.data.record(self._register)
        if record is None or record.value is None:
            return None
        value = record.value
        if self.device_class is SensorDeviceClass.DATE:
            return value if isinstance(value, date) else None
        if self.state_class is not None:
            return value if isinstance(value, Decimal | int) else None
        if isinstance(value, time | datetime):
            return value.isoformat()
        return record.text


class GasSensor(KamstrupSensor):
    """Heat as the gas that would have been burnt for it."""

    def __init__(
        self,
        coordinator: KamstrupCoordinator,
        naming: Naming,
        description: KamstrupSensorDescription,
        conversion: GasConversion,
    ) -> None:
        """Remember how to convert."""
        super().__init__(coordinator, naming, description)
        self._conversion = conversion

    @property
    @override
    def native_value(self) -> Decimal | None:
        record = self.coordinator.data.record(HEAT_ENERGY)
        return self._conversion.convert(record) if record else None


class ComputedSensor(KamstrupSensor):
    """A sensor about the meter or the reading itself."""

    entity_description: ComputedDescription

    @property
    @override
    def available(self) -> bool:
        return self.entity_description.always_available or super().available

    @property
    @override
    def native_value(self) -> NativeValue:
        return self.entity_description.value_fn(self.coordinator)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str] | None:
        attributes_fn = self.entity_description.attributes_fn
        return attributes_fn(self.coordinator) if attributes_fn else None
