"""Makes an entry of a port and options, without looking."""

from __future__ import annotations

from typing import Any

import probatio as vol
from homeassistant.config_entries import ConfigFlow, ConfigFlowResult

FIELDS = vol.Schema(
    {
        vol.Required("port"): str,
        vol.Optional("scan_interval"): int,
        vol.Optional("timeout"): float,
    }
)


class StandInFlow(ConfigFlow, domain="kamstrup_403"):
    """One form."""

    VERSION = 1

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Make the entry: no unique id, the port as its title."""
        if user_input is None:
            return self.async_show_form(step_id="user", data_schema=FIELDS)
        port = user_input.pop("port")
        return self.async_create_entry(title=port, data={"port": port}, options=user_input)
