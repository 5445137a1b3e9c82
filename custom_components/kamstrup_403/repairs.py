"""Repairs that can be made with a click."""

from abc import abstractmethod
from typing import TYPE_CHECKING, override

from homeassistant.components.repairs import RepairsFlow
from homeassistant.const import CONF_SCAN_INTERVAL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

from . import issues
from .const import DEFAULT_SCAN_INTERVAL, DOMAIN
from .coordinator import KamstrupConfigEntry
from .schema import vol

if TYPE_CHECKING:
    # Home Assistant before 2026.6 has no name for it.
    from homeassistant.components.repairs import RepairsFlowResult


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Choose the flow that repairs an issue."""
    entry_id = str((data or {}).get("entry_id"))
    if issue_id.startswith(issues.WRONG_METER):
        return ReplacedMeterFlow(entry_id, str((data or {}).get("found")))
    return IntervalFlow(entry_id)


class _Confirm(RepairsFlow):
    """Asks once and then does it."""

    def __init__(self, entry_id: str) -> None:
        self._entry_id = entry_id

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        entry: KamstrupConfigEntry | None = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None:
            return self.async_abort(reason="entry_removed")
        reason = self._refused(entry)
        if reason is not None:
            return self.async_abort(
                reason=reason, description_placeholders=self._placeholders(entry)
            )
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders=self._placeholders(entry),
            )
        self._repair(entry)
        self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_create_entry(data={})

    def _placeholders(self, entry: KamstrupConfigEntry) -> dict[str, str]:
        return {"title": entry.title}

    def _refused(self, entry: KamstrupConfigEntry) -> str | None:
        """Say why it cannot be done, if so."""
        return None

    @abstractmethod
    def _repair(self, entry: KamstrupConfigEntry) -> None:
        """Do it."""


class IntervalFlow(_Confirm):
    """Sets the interval to one that spares the battery."""

    @override
    def _repair(self, entry: KamstrupConfigEntry) -> None:
        self.hass.config_entries.async_update_entry(
            entry, options={**entry.options, CONF_SCAN_INTERVAL: DEFAULT_SCAN_INTERVAL}
        )


class ReplacedMeterFlow(_Confirm):
    """Goes on with a new meter in place of the old one; entities and their history stay."""

    def __init__(self, entry_id: str, found: str) -> None:
        """Remember the new meter's serial number."""
        super().__init__(entry_id)
        self._found = found

    @override
    def _placeholders(self, entry: KamstrupConfigEntry) -> dict[str, str]:
        return {"title": entry.title, "expected": str(entry.unique_id), "found": self._found}

    @override
    def _refused(self, entry: KamstrupConfigEntry) -> str | None:
        other = self.hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, self._found)
        # Two heads have changed places: nothing was replaced.
        return "already_configured" if other not in (None, entry) else None

    @override
    def _repair(self, entry: KamstrupConfigEntry) -> None:
        before = entry.unique_id
        entities = er.async_get(self.hass)
        for entity in er.async_entries_for_config_entry(entities, entry.entry_id):
            if before and entity.unique_id.startswith(f"{before}_"):
                entities.async_update_entity(
                    entity.entity_id,
                    new_unique_id=self._found + entity.unique_id.removeprefix(before),
                )
        devices = dr.async_get(self.hass)
        for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
            if before and (DOMAIN, before) in device.identifiers:
                devices.async_update_device(
                    device.id,
                    new_identifiers=(device.identifiers - {(DOMAIN, before)})
                    | {(DOMAIN, self._found)},
                )
        title = entry.title.replace(before, self._found) if before else entry.title
        self.hass.config_entries.async_update_entry(entry, unique_id=self._found, title=title)
        issues.clear(self.hass, entry, issues.WRONG_METER)
