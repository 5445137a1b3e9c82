"""Keeps over a restart what the gate has learnt about a meter."""

from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from kamstrup_kmp import Gate

from .const import DOMAIN, LOGGER

VERSION = 1
# Polls come hours or seconds apart; the disk need not follow each of the latter.
DELAY = 30


class GateMemory:
    """The stored memory of one entry."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Remember where it is stored."""
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(hass, VERSION, f"{DOMAIN}.{entry_id}")

    async def load(self) -> Gate:
        """Return a gate that knows what the last one knew."""
        stored = await self._store.async_load()
        if stored is None:
            return Gate()
        try:
            saved_at = float(stored["saved_at"])
            # A clock that was set back has run for no time at all.
            away = max(0.0, dt_util.utcnow().timestamp() - saved_at)
            return Gate.restore(stored["meters"], away, self._hass.loop.time())
        except (KeyError, TypeError, ValueError) as error:
            LOGGER.warning("The stored memory of the meter is of no use: %s", error)
            return Gate()

    @callback
    def save(self, gate: Gate) -> None:
        """Store the gate's memory soon."""
        self._store.async_delay_save(
            lambda: {
                "saved_at": dt_util.utcnow().timestamp(),
                "meters": gate.snapshot(self._hass.loop.time()),
            },
            DELAY,
        )

    async def remove(self) -> None:
        """Delete what is stored."""
        await self._store.async_remove()
