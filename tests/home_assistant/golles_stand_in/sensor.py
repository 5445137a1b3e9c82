"""The 36 sensors by name, with what the registry keeps of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeassistant.components.sensor import SensorDeviceClass as Kind
from homeassistant.components.sensor import SensorEntity
from homeassistant.components.sensor import SensorStateClass as Counts
from homeassistant.const import EntityCategory
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

# Name: device class, state class, unit, value. A value means: on by default.
SENSORS: dict[str, tuple[Kind | None, Counts | None, str | None, float | None]] = {
    "Heat Energy (E1)": (Kind.ENERGY, Counts.TOTAL_INCREASING, "GJ", 1.0),
    "Heat Energy (E1) high res": (Kind.ENERGY, Counts.TOTAL_INCREASING, "Wh", 277000.0),
    "Cooling Energy (E3)": (Kind.ENERGY, Counts.TOTAL_INCREASING, "GJ", None),
    "Power": (Kind.POWER, Counts.MEASUREMENT, "kW", None),
    "Temp1": (Kind.TEMPERATURE, Counts.MEASUREMENT, "°C", None),
    "Temp2": (Kind.TEMPERATURE, Counts.MEASUREMENT, "°C", None),
    "Tempdiff": (Kind.TEMPERATURE, Counts.MEASUREMENT, "K", None),
    "Flow": (Kind.VOLUME_FLOW_RATE, Counts.MEASUREMENT, "L/h", None),
    "Volume": (None, Counts.TOTAL_INCREASING, "m³", 20.0),
    "Temp1xm3": (None, Counts.MEASUREMENT, "m³ x °C", None),
    "Temp2xm3": (None, Counts.MEASUREMENT, "m³ x °C", None),
    "Infoevent": (None, Counts.MEASUREMENT, None, 0.0),
    "Infoevent counter": (None, Counts.MEASUREMENT, None, 0.0),
    "Serial number": (None, Counts.MEASUREMENT, None, 12345678.0),
    "HourCounter": (None, Counts.TOTAL_INCREASING, "h", 100.0),
    "Heat Energy to Gas": (Kind.GAS, Counts.TOTAL_INCREASING, "m³", None),
    **{
        f"{least}{what}_{period}": (kind, Counts.MEASUREMENT, unit, None)
        for what, kind, unit in (("Flow", None, "l/h"), ("Power", Kind.POWER, "kW"))
        for least in ("Min", "Max")
        for period in "MY"
    },
    **{
        f"AvgTemp{number}_{period}": (Kind.TEMPERATURE, Counts.MEASUREMENT, "°C", None)
        for number in "12"
        for period in "MY"
    },
    **{
        f"{least}{what}Date_{period}": (Kind.TIMESTAMP, None, None, None)
        for what in ("Flow", "Power")
        for least in ("Min", "Max")
        for period in "MY"
    },
}
UNIT_IN_THE_CODE = {"Flow", "Heat Energy to Gas"}
DIAGNOSTIC = {"Infoevent", "Infoevent counter", "Serial number", "HourCounter"}


async def async_setup_entry(
    hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add all of them."""
    async_add_entities(StandInSensor(entry, name) for name in SENSORS)


class StandInSensor(SensorEntity):
    """A sensor with a value that never changes."""

    _attr_should_poll = False

    def __init__(self, entry: ConfigEntry, name: str) -> None:
        """Take identity and name as golles builds them."""
        kind, counts, unit, value = SENSORS[name]
        self._attr_unique_id = f"{entry.entry_id}-Kamstrup 403 {name}"
        self._attr_name = f"Kamstrup 403 {name}"
        self._attr_device_class = kind
        self._attr_state_class = counts
        if name in UNIT_IN_THE_CODE:
            self._attr_native_unit_of_measurement = unit
        self._unit_and_value = unit, value
        self._attr_entity_registry_enabled_default = value is not None
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={("kamstrup_403", str(entry.data["port"]))},
            manufacturer="Kamstrup",
            name="Kamstrup 403",
            model="403",
        )
        if name in DIAGNOSTIC:
            self._attr_entity_category = EntityCategory.DIAGNOSTIC
            self._attr_suggested_display_precision = 0

    async def async_added_to_hass(self) -> None:
        """Learn the unit and the value from the meter, which the registry has not waited for."""
        self._attr_native_unit_of_measurement, self._attr_native_value = self._unit_and_value
