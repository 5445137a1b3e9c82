"""Heat as cubic metres of gas, for people who count in gas."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry
from kamstrup_kmp import Record, convert

from .const import CONF_GAS_FACTOR, DEFAULT_GAS_FACTOR

GJ = 8


@dataclass(frozen=True, slots=True)
class GasConversion:
    """How much gas one GJ of heat stands for; 0 takes the meter's number as it is.

    golles/ha-kamstrup_403 publishes the number of the energy register unchanged as m³. Entries it
    made go on doing so until somebody sets a factor.
    """

    factor: Decimal

    @classmethod
    def of(cls, entry: ConfigEntry[Any], *, adopted: bool) -> Self:
        """Return the conversion an entry is set to."""
        default = 0 if adopted else DEFAULT_GAS_FACTOR
        return cls(Decimal(str(entry.options.get(CONF_GAS_FACTOR, default))))

    def convert(self, record: Record) -> Decimal | None:
        """Convert the reading of the energy register."""
        if not isinstance(record.value, Decimal):
            return None
        if not self.factor:
            return record.value
        energy = convert(record.value, record.unit_code, GJ)
        return None if energy is None else round(energy * self.factor, 3)
