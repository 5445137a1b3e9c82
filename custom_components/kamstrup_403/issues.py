"""What a person has to do something about, in the repairs panel."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import BATTERY_FRIENDLY_INTERVAL, DEFAULT_SCAN_INTERVAL, DOMAIN
from .info import flags, text

if TYPE_CHECKING:
    from .coordinator import KamstrupCoordinator

WRONG_METER = "wrong_meter"
SHORT_INTERVAL = "short_interval"
INFO_CODE = "info_code"
DUPLICATE = "duplicate_meter"

DOCUMENTATION = "https://github.com/heatmeter/heatmeter/blob/main/docs/home-assistant.md"


@callback
def wrong_meter(hass: HomeAssistant, entry: ConfigEntry[Any], *, expected: str, found: str) -> None:
    """Tell that another meter answers on the port; its values are not taken."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _id(WRONG_METER, entry),
        data={"entry_id": entry.entry_id, "found": found},
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        learn_more_url=f"{DOCUMENTATION}#another-meter",
        translation_key=WRONG_METER,
        translation_placeholders={"title": entry.title, "expected": expected, "found": found},
    )


@callback
def duplicate(hass: HomeAssistant, entry: ConfigEntry[Any], other: ConfigEntry[Any]) -> None:
    """Tell that two entries read the same meter."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _id(DUPLICATE, entry),
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=DUPLICATE,
        translation_placeholders={"title": entry.title, "other": other.title},
    )


@callback
def update_interval(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Tell, or no longer tell, that the interval drains the meter's battery."""
    interval = entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL)
    if interval >= BATTERY_FRIENDLY_INTERVAL:
        ir.async_delete_issue(hass, DOMAIN, _id(SHORT_INTERVAL, entry))
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        _id(SHORT_INTERVAL, entry),
        data={"entry_id": entry.entry_id},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        learn_more_url=f"{DOCUMENTATION}#battery",
        translation_key=SHORT_INTERVAL,
        translation_placeholders={"title": entry.title, "interval": f"{interval:g}"},
    )


@callback
def update_info(hass: HomeAssistant, coordinator: KamstrupCoordinator) -> None:
    """Tell, or no longer tell, that the meter reports something that needs a person."""
    entry = coordinator.config_entry
    reported = flags(coordinator)
    if reported is None:
        # Not known is not over; withdrawing an issue would also forget that somebody ignores it.
        return
    problems = [flag for flag in reported if flag.is_problem]
    if not problems:
        ir.async_delete_issue(hass, DOMAIN, _id(INFO_CODE, entry))
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        _id(INFO_CODE, entry),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        learn_more_url=f"{DOCUMENTATION}#info-codes",
        translation_key=INFO_CODE,
        translation_placeholders={
            "title": entry.title,
            "flags": text(problems, hass.config.language),
        },
    )


@callback
def clear(hass: HomeAssistant, entry: ConfigEntry[Any], kind: str) -> None:
    """Withdraw an issue."""
    ir.async_delete_issue(hass, DOMAIN, _id(kind, entry))


@callback
def clear_all(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Withdraw every issue of an entry."""
    for kind in (WRONG_METER, SHORT_INTERVAL, INFO_CODE, DUPLICATE):
        clear(hass, entry, kind)


def _id(kind: str, entry: ConfigEntry[Any]) -> str:
    return f"{kind}_{entry.entry_id}"
