"""Claims an entry for the meter that answers, also one that golles/ha-kamstrup_403 has made.

Entities keep their ids and unique ids, options and data stay. The entry and its device learn the
serial number; the device keeps the identifier the other integration knows it by, so that going
back to that integration finds the same device and no second set of entities.
"""

from homeassistant.const import CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, HomeAssistantError
from homeassistant.helpers import device_registry as dr
from kamstrup_kmp import Identity

from . import issues
from .const import DOMAIN
from .coordinator import KamstrupConfigEntry
from .naming import is_adopted

# golles/ha-kamstrup_403 leaves 1. Both integrations accept the other's.
MINOR_VERSION = 2


@callback
def claim(hass: HomeAssistant, entry: KamstrupConfigEntry, identity: Identity) -> None:
    """Give entry and device the meter's serial number, or refuse another meter than before."""
    serial = identity.serial
    if serial is None:
        return
    if entry.unique_id is None:
        _take_serial(hass, entry, serial)
    elif entry.unique_id != serial:
        issues.wrong_meter(hass, entry, expected=entry.unique_id, found=serial)
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="wrong_meter",
            translation_placeholders={
                "port": str(entry.data[CONF_PORT]),
                "expected": entry.unique_id,
                "found": serial,
            },
        )
    issues.clear(hass, entry, issues.WRONG_METER)
    if is_adopted(hass, entry):
        _adopt_device(hass, entry, serial)


def _take_serial(hass: HomeAssistant, entry: KamstrupConfigEntry, serial: str) -> None:
    other = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, serial)
    if other is not None:
        issues.duplicate(hass, entry, other)
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="duplicate_meter",
            translation_placeholders={"other": other.title},
        )
    issues.clear(hass, entry, issues.DUPLICATE)
    hass.config_entries.async_update_entry(entry, unique_id=serial)


def _adopt_device(hass: HomeAssistant, entry: KamstrupConfigEntry, serial: str) -> None:
    """Let the device be known by the serial number as well as by the port."""
    registry = dr.async_get(hass)
    ours = dr.async_entries_for_config_entry(registry, entry.entry_id)
    device = next((own for own in ours if (DOMAIN, serial) in own.identifiers), None) or next(
        iter(ours), None
    )
    if device is None:
        return
    identifiers = {(DOMAIN, serial), (DOMAIN, str(entry.data[CONF_PORT]))}
    if device.identifiers == identifiers and device.entry_type is None:
        return
    try:
        registry.async_update_device(device.id, new_identifiers=identifiers, entry_type=None)
    except HomeAssistantError:  # pragma: no cover - Home Assistant before 2026.8
        # Another device goes by this port still: meters have changed places.
        registry.async_update_device(
            device.id, merge_identifiers={(DOMAIN, serial)}, entry_type=None
        )
