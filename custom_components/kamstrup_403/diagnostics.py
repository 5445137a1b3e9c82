"""What to attach to a bug report. Nothing in it tells whose meter it is."""

from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from kamstrup_kmp import Exchange, __version__, register

from .const import SERIAL_NUMBER
from .coordinator import KamstrupConfigEntry, KamstrupCoordinator

# The port can hold the key of an ESPHome device.
TO_REDACT = {"port", "serial", "title", "unique_id", "entry_id"}

# Registers that name the meter or its owner, besides the serial number itself.
PRIVATE_KEYS = {
    "serial_number",
    "serial_number_copy",
    "customer_number",
    "customer_number_1",
    "customer_number_2",
    "din_meter_id",
    "meter_number_1",
    "input_a_meter_number",
    "input_b_meter_number",
    "mbus_secondary_address_1",
    "mbus_secondary_address_2",
    "mbus_secondary_address_external",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: KamstrupConfigEntry
) -> dict[str, Any]:
    """Collect what is known of an entry, its meter and the last exchanges with it."""
    found: dict[str, Any] = {
        "kamstrup_kmp": __version__,
        "entry": async_redact_data(entry.as_dict(), TO_REDACT),
        # What kind of port it is matters; where it is does not.
        "port_kind": str(entry.data["port"]).split("://")[0]
        if "://" in entry.data["port"]
        else "device",
        "state": entry.state.value,
    }
    if entry.state is ConfigEntryState.LOADED:
        found.update(_of_meter(entry.runtime_data))
    return found


def _of_meter(coordinator: KamstrupCoordinator) -> dict[str, Any]:
    identity = coordinator.identity
    return {
        "meter": {
            "model": coordinator.model.slug,
            "is_recognised": identity.model is not None,
            "type_code": identity.type_code,
            "software": identity.software,
            "is_simulated": identity.is_simulated,
        },
        "polling": {
            "last_update_success": coordinator.last_update_success,
            "last_exception": _of_error(coordinator.last_exception),
            "read_at": coordinator.data.read_at,
            "interval": coordinator.interval.total_seconds(),
            "registers": coordinator.wanted(),
        },
        "registers": {
            str(number): _of_register(coordinator, number)
            for number in sorted(coordinator.data.registers)
        },
        "exchanges": [
            _of_exchange(exchange, identity.serial) for exchange in coordinator.meter.exchanges
        ],
    }


def _of_error(error: BaseException | None) -> str | None:
    """Name an error, without its text: that names the port."""
    if error is None:
        return None
    return getattr(error, "translation_key", None) or type(error).__name__


def _of_register(coordinator: KamstrupCoordinator, number: int) -> dict[str, Any]:
    reading = coordinator.data.registers[number]
    record = reading.record
    return {
        "quality": reading.quality.value,
        "reason": None if _is_private(number) else reading.reason,
        "value": None if record is None else "**REDACTED**" if _is_private(number) else record.text,
        "unit": record.unit if record else None,
    }


def _of_exchange(exchange: Exchange, serial: str | None) -> dict[str, Any]:
    # Who asks for the serial number gets it back in the bytes, and who asks for a register that
    # nobody knows may get it, too.
    private = (
        exchange.request == "GetSerialNo"
        or any(map(_is_private, exchange.registers))
        or (serial is not None and f"{int(serial):08x}" in exchange.received.hex())
    )
    return {
        "at": exchange.at,
        "request": exchange.request,
        "registers": list(exchange.registers),
        "verdict": exchange.verdict.value,
        "seconds": round(exchange.took, 3),
        "sent": exchange.sent.hex(),
        "received": f"{len(exchange.received)} bytes" if private else exchange.received.hex(),
    }


def _is_private(number: int) -> bool:
    known = register(number)
    return number == SERIAL_NUMBER or (known is not None and known.key in PRIVATE_KEYS)
