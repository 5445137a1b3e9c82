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
        self._is_pending = False
        self._is_closed = False

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
        """Store the gate's memory soon; it is looked at only when it is written."""
        # Asking again would put the writing off, for ever if polls come often.
        if self._is_pending or self._is_closed:
            return
        self._is_pending = True
        self._store.async_delay_save(lambda: self._snapshot(gate), DELAY)

    async def close(self, gate: Gate) -> None:
        """Store the gate's memory now, and nothing later: somebody else may go on with it."""
        self._is_closed = True
        await self._store.async_save(self._snapshot(gate))

    def _snapshot(self, gate: Gate) -> dict[str, Any]:
        self._is_pending = False
        return {
            "saved_at": dt_util.utcnow().timestamp(),
            "meters": gate.snapshot(self._hass.loop.time()),
        }

    async def remove(self) -> None:
        """Delete what is stored."""
        await self._store.async_remove()
