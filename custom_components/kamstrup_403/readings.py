"""What is known of a meter's registers."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kamstrup_kmp import Record


class Quality(StrEnum):
    """What a register's value is worth."""

    GOOD = "good"
    INVALID = "invalid"
    HELD = "held"
    UNSUPPORTED = "unsupported"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Reading:
    """One register: the value that may be shown, and what the last look at it was worth."""

    quality: Quality
    record: Record | None = None
    reason: str | None = None


@dataclass(slots=True)
class Readings:
    """All registers, as of the last poll."""

    registers: dict[int, Reading] = field(default_factory=dict)
    read_at: datetime | None = None

    def record(self, register: int) -> Record | None:
        """Return the value that may be shown, if there is one."""
        reading = self.registers.get(register)
        return reading.record if reading else None

    def held(self) -> dict[int, str]:
        """Return the registers whose new values are held back, and why."""
        return {
            number: reading.reason or ""
            for number, reading in self.registers.items()
            if reading.quality is Quality.HELD
        }
