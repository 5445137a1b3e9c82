"""Reads what the enabled entities need, and no more often than needed."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PORT, CONF_SCAN_INTERVAL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util
from kamstrup_kmp import (
    Checked,
    Gate,
    Identity,
    Meter,
    MeterError,
    Model,
    Outcome,
    Verdict,
    unknown_model,
)

from . import issues
from .const import (
    CONF_ALIGN_TO_HOUR,
    DEFAULT_SCAN_INTERVAL,
    DOMAIN,
    LOGGER,
    SERIAL_NUMBER,
)
from .errors import as_home_assistant_error, translated
from .memory import GateMemory
from .readings import Quality, Reading, Readings
from .schedule import Schedule, until_next_poll

type KamstrupConfigEntry = ConfigEntry[KamstrupCoordinator]

# After a failure the next try comes sooner than the next poll, then later each time.
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(minutes=15)


class KamstrupCoordinator(DataUpdateCoordinator[Readings]):
    """Polls one meter."""

    config_entry: KamstrupConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: KamstrupConfigEntry,
        meter: Meter,
        identity: Identity,
        initial: Iterable[int],
        memory: GateMemory,
        gate: Gate,
    ) -> None:
        """Remember the meter; `initial` is what to read before there are entities."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=DOMAIN,
            always_update=True,
        )
        self.meter = meter
        self.identity = identity
        self.serial = identity.serial or entry.entry_id
        self.model: Model = identity.model or unknown_model()
        self.interval = timedelta(
            seconds=entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL)
        )
        self.aligned = bool(entry.options.get(CONF_ALIGN_TO_HOUR, False))
        self.update_interval = self.interval
        self.data = Readings()
        self.gate = gate
        self._memory = memory
        self._initial = set(initial)
        self._schedule = Schedule(self.model)
        self._failures = 0
        self._turn = asyncio.Lock()

    @property
    def port(self) -> str:
        """The port, as it was configured."""
        return str(self.config_entry.data[CONF_PORT])

    def wanted(self) -> list[int]:
        """Return the registers that enabled entities need."""
        contexts = list(self.async_contexts())
        needed = {number for numbers in contexts for number in numbers}
        if not contexts:
            needed = self._initial
        return sorted(needed | {SERIAL_NUMBER}) if needed else []

    async def async_read(self, registers: Iterable[int]) -> tuple[Outcome, Checked]:
        """Read registers and have the gate judge them, polls and actions each in their turn.

        Values and the gate's judgements of them have to come in the same order. Values of another
        meter than ours are refused.
        """
        async with self._turn:
            if self._shutdown_requested:
                # Whoever has waited until now would open the port again.
                raise MeterError(Verdict.PORT_LOST)
            outcome, checked = await self.meter.read_checked(registers, self.gate, self.model)
        self._memory.save(self.gate)
        self._check_serial()
        return outcome, checked

    async def async_store(self) -> None:
        """Store what was learnt about the meter."""
        await self._memory.close(self.gate)

    async def async_read_now(self) -> None:
        """Read everything at once, whatever is due; raise if it fails."""
        self._schedule.forget()
        await self.async_refresh()
        error = self.last_exception
        if self.last_update_success or error is None:
            return
        cause = error.__cause__
        if isinstance(cause, MeterError):
            raise as_home_assistant_error(cause, self.port)
        raise error

    @override
    async def _async_update_data(self) -> Readings:
        now = dt_util.utcnow()
        wanted = self._schedule.due(self.wanted(), now, self.interval / 2)
        if wanted:
            try:
                outcome, checked = await self.async_read(wanted)
            except MeterError as error:
                raise self._failed(error) from error
            self._take(outcome, checked, now)
        self._failures = 0
        self.update_interval = until_next_poll(dt_util.now(), self.interval, aligned=self.aligned)
        issues.update_info(self.hass, self)
        return self.data

    def _failed(self, error: MeterError) -> UpdateFailed:
        self._failures += 1
        # Whoever was at the meter meanwhile may have replaced it.
        self._schedule.forget(SERIAL_NUMBER)
        pause = min(FIRST_RETRY * 2 ** min(self._failures - 1, 10), LAST_RETRY, self.interval)
        return UpdateFailed(**translated(error, self.port), retry_after=pause.total_seconds())

    def _check_serial(self) -> None:
        """Refuse values of another meter than ours.

        The gate knows whose they are: what surprises it, it reads again together with the number.
        """
        found = self.gate.serial
        if found is None or self.identity.serial is None:
            return
        if found == self.serial:
            issues.clear(self.hass, self.config_entry, issues.WRONG_METER)
            return
        # It stays due until it is ours.
        self._schedule.forget(SERIAL_NUMBER)
        issues.wrong_meter(self.hass, self.config_entry, expected=self.serial, found=found)
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="wrong_meter",
            translation_placeholders={"port": self.port, "expected": self.serial, "found": found},
        )

    def _take(self, outcome: Outcome, checked: Checked, now: datetime) -> None:
        """Take over what was read; what is not there costs only itself."""
        registers = self.data.registers
        for notice in checked.notices:
            LOGGER.info("%s", notice)
        for reading in checked.readings:
            number, quality = reading.register, Quality(reading.quality)
            if quality is Quality.GOOD:
                registers[number] = Reading(quality, reading.record)
            elif quality is Quality.HELD:
                # What was shown so far stays, and the register stays due: the next poll decides.
                registers[number] = Reading(quality, self.data.record(number), reading.reason)
                LOGGER.info("Held back: %s", reading.reason)
                continue
            else:
                registers[number] = Reading(quality, reason=reading.reason)
            if quality is Quality.UNSUPPORTED:
                self._schedule.unsupported(number, now)
            else:
                self._schedule.done(number, now)
        for number in outcome.unanswered:
            registers[number] = Reading(Quality.UNANSWERED, self.data.record(number))
        if outcome.verdict is Verdict.OK:
            self.data.read_at = now
