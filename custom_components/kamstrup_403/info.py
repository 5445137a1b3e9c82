"""What the meter reports about itself, decoded."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from kamstrup_kmp import InfoFlag, Model

if TYPE_CHECKING:
    from .coordinator import KamstrupCoordinator

LONGEST_STATE = 255


def info_registers(model: Model) -> tuple[int, ...]:
    """Return the registers to look into: those the family surely has, or else the likely ones."""
    likely = set(model.inferred)
    sure = tuple(number for number in model.info_registers if number not in likely)
    return sure or tuple(model.info_registers)


def flags(coordinator: KamstrupCoordinator) -> list[InfoFlag] | None:
    """Return what the meter reports, each flag once; None if that is not known."""
    found: dict[str, InfoFlag] = {}
    is_known = False
    for number in coordinator.model.info_registers:
        record = coordinator.data.record(number)
        if record is None or not isinstance(record.value, Decimal | int):
            continue
        decoded = coordinator.model.decode_info(number, int(record.value))
        if decoded is not None:
            is_known = True
            found.update((flag.key, flag) for flag in decoded)
    return list(found.values()) if is_known else None


def text(reported: Iterable[InfoFlag], language: str) -> str:
    """Put flags into words."""
    code = language.split("-")[0]
    words = "; ".join(flag.labels.get(code, flag.labels["en"]) for flag in reported)
    return words if len(words) <= LONGEST_STATE else words[: LONGEST_STATE - 1] + "…"
