"""The action `kamstrup_403.read`: reads registers now and returns them."""

from typing import Any

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
from kamstrup_kmp import MeterError, Reading, nearest_key, register, register_by_key

from .const import DOMAIN, MANUFACTURER
from .coordinator import KamstrupConfigEntry, KamstrupCoordinator
from .errors import as_home_assistant_error
from .readings import Quality
from .schema import vol

READ = "read"
ATTR_REGISTERS = "registers"

HIGHEST_REGISTER = 0xFFFF
MOST_REGISTERS = 64

READ_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_DEVICE_ID): cv.string,
        vol.Optional(ATTR_REGISTERS): vol.All(cv.ensure_list, [vol.Any(int, cv.string)]),
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN, READ, _read, schema=READ_SCHEMA, supports_response=SupportsResponse.ONLY
    )


async def _read(call: ServiceCall) -> ServiceResponse:
    coordinator = _entry(call).runtime_data
    asked = call.data.get(ATTR_REGISTERS)
    numbers = [_number(name) for name in asked] if asked else coordinator.model.usual
    if len(numbers) > MOST_REGISTERS:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="too_many_registers",
            translation_placeholders={"found": str(len(numbers)), "most": str(MOST_REGISTERS)},
        )
    time = dt_util.utcnow()
    try:
        outcome, checked = await coordinator.async_read(numbers)
    except MeterError as error:
        raise as_home_assistant_error(error, coordinator.port) from error
    readings = {reading.register: _reading(reading) for reading in checked.readings}
    return {
        "time": time.isoformat(),
        "meter": _who(coordinator),
        "readings": [
            readings.get(number) or _without_value(number, Quality.UNANSWERED)
            for number in dict.fromkeys(numbers)
        ],
        "line": {
            "requests": outcome.line.requests,
            "retries": outcome.line.retries,
            "bytes_sent": outcome.line.bytes_sent,
            "bytes_received": outcome.line.bytes_received,
            "seconds": round(outcome.line.took, 3),
        },
    }


def _entry(call: ServiceCall) -> KamstrupConfigEntry:
    """Find the meter an action is for; it need not be named if there is only one."""
    hass = call.hass
    loaded: list[KamstrupConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    device_id = call.data.get(ATTR_DEVICE_ID)
    if device_id is not None:
        devices = dr.async_get(hass)
        for entry in loaded:
            own = dr.async_entries_for_config_entry(devices, entry.entry_id)
            if any(device.id == device_id for device in own):
                return entry
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_such_meter",
            translation_placeholders={"device_id": device_id},
        )
    if len(loaded) == 1:
        return loaded[0]
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="several_meters" if loaded else "no_meter",
    )


def _number(name: int | str) -> int:
    """Return the number of a register given by key or number."""
    text = str(name).strip()
    known = register_by_key(text)
    if known is not None:
        return known.id
    try:
        number = int(text, 0)
    except ValueError:
        number = -1
    if 0 <= number <= HIGHEST_REGISTER:
        return number
    meant = nearest_key(text)
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="unknown_register_meant" if meant else "unknown_register",
        translation_placeholders={"register": text, "meant": meant or ""},
    )


def _who(coordinator: KamstrupCoordinator) -> dict[str, Any]:
    identity = coordinator.identity
    return {
        "manufacturer": MANUFACTURER,
        "model": identity.model.name if identity.model else None,
        "type": None if identity.type_code is None else f"0x{identity.type_code:04x}",
        "software": identity.software,
        "serial": identity.serial,
    }


def _reading(reading: Reading) -> dict[str, Any]:
    """Put down what came of one register, as `heatmeter read --json` does."""
    told = _without_value(reading.register, Quality(reading.quality))
    record = reading.record
    if record is not None:
        told |= {"value": record.text, "unit": record.unit}
    elif told["quality"] in (Quality.HELD, Quality.INVALID):
        told["reason"] = reading.reason
    return told


def _without_value(number: int, quality: Quality) -> dict[str, Any]:
    known = register(number)
    return {
        "register": number,
        "key": known.key if known else None,
        "value": None,
        "unit": None,
        "quality": quality.value,
    }
