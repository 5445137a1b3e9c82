"""The dialog for the options."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import CONF_SCAN_INTERVAL, CONF_TIMEOUT, UnitOfTime
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)

from .const import (
    BATTERY_FRIENDLY_INTERVAL,
    CONF_ALIGN_TO_HOUR,
    CONF_GAS_FACTOR,
    DEFAULT_GAS_FACTOR,
    DEFAULT_SCAN_INTERVAL,
    DEFAULT_TIMEOUT,
)
from .naming import is_adopted
from .schema import vol

SCHEMA = vol.Schema(
    {
        vol.Required(CONF_SCAN_INTERVAL): vol.All(
            NumberSelector(
                NumberSelectorConfig(
                    min=1,
                    max=86400,
                    step=1,
                    mode=NumberSelectorMode.BOX,
                    unit_of_measurement=UnitOfTime.SECONDS,
                )
            ),
            vol.Coerce(int),
        ),
        vol.Required(CONF_TIMEOUT): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=30,
                step=0.1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=UnitOfTime.SECONDS,
            )
        ),
        vol.Required(CONF_ALIGN_TO_HOUR): BooleanSelector(),
        vol.Required(CONF_GAS_FACTOR): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=1000,
                step=0.001,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement="m³/GJ",
            )
        ),
    }
)


class KamstrupOptionsFlow(OptionsFlowWithReload):
    """Asks for the options; warns of what drains the battery, and lets it be."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        self._chosen: dict[str, Any] = {}

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the options."""
        if user_input is not None:
            self._chosen = {**self.config_entry.options, **user_input}
            before = self.config_entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL)
            interval = user_input[CONF_SCAN_INTERVAL]
            if interval < BATTERY_FRIENDLY_INTERVAL and interval != before:
                return await self.async_step_battery()
            return self.async_create_entry(data=self._chosen)
        adopted = is_adopted(self.hass, self.config_entry)
        current = {
            CONF_SCAN_INTERVAL: DEFAULT_SCAN_INTERVAL,
            CONF_TIMEOUT: DEFAULT_TIMEOUT,
            CONF_ALIGN_TO_HOUR: False,
            CONF_GAS_FACTOR: 0 if adopted else DEFAULT_GAS_FACTOR,
            **self.config_entry.options,
        }
        return self.async_show_form(
            step_id="init", data_schema=self.add_suggested_values_to_schema(SCHEMA, current)
        )

    async def async_step_battery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what so short an interval costs, and take it if it is meant."""
        if user_input is not None:
            return self.async_create_entry(data=self._chosen)
        interval = self._chosen[CONF_SCAN_INTERVAL]
        return self.async_show_form(
            step_id="battery",
            data_schema=vol.Schema({}),
            description_placeholders={
                "interval": str(interval),
                "times": str(round(DEFAULT_SCAN_INTERVAL / interval)),
            },
        )
