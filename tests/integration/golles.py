"""What golles/ha-kamstrup_403 3.2 leaves behind, entry, device and 36 entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conftest import DOMAIN, PORT
from homeassistant.const import CONF_PORT
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util import slugify
from pytest_homeassistant_custom_component.common import MockConfigEntry

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

ENABLED = [
    "Heat Energy (E1)",
    "Heat Energy (E1) high res",
    "Volume",
    "Infoevent",
    "Infoevent counter",
    "Serial number",
    "HourCounter",
]
DISABLED = [
    "Cooling Energy (E3)",
    "Power",
    "Temp1",
    "Temp2",
    "Tempdiff",
    "Flow",
    *(
        f"{extreme}{quantity}{date}_{period}"
        for quantity in ("Flow", "Power")
        for extreme in ("Min", "Max")
        for date in ("", "Date")
        for period in ("M", "Y")
    ),
    *(f"AvgTemp{sensor}_{period}" for sensor in (1, 2) for period in ("M", "Y")),
    "Temp1xm3",
    "Temp2xm3",
    "Heat Energy to Gas",
]
OPTIONS = {"scan_interval": 600, "timeout": 1.0}


def leave_behind(hass: HomeAssistant) -> MockConfigEntry:
    """Put an installation into the registries."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=PORT,
        data={CONF_PORT: PORT},
        options=OPTIONS,
        version=1,
        minor_version=1,
        unique_id=None,
    )
    entry.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, PORT)},
        entry_type=dr.DeviceEntryType.SERVICE,
        manufacturer="Kamstrup",
        model="403",
        name="Kamstrup 403",
    )
    dr.async_get(hass).async_update_device(device.id, area_id="cellar")
    entities = er.async_get(hass)
    for name in [*ENABLED, *DISABLED]:
        entities.async_get_or_create(
            "sensor",
            DOMAIN,
            f"{entry.entry_id}-Kamstrup 403 {name}",
            config_entry=entry,
            device_id=device.id,
            suggested_object_id=slugify(f"Kamstrup 403 {name}"),
            disabled_by=None if name in ENABLED else er.RegistryEntryDisabler.INTEGRATION,
            original_name=f"Kamstrup 403 {name}",
        )
    assert len(entities.entities) == 36
    return entry
