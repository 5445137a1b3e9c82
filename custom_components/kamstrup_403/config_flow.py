"""The dialog that adds a meter: port, look who answers, align the head if nobody does."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_PORT, CONF_TIMEOUT
from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    SerialPortSelector,
)
from homeassistant.helpers.translation import async_get_translations
from kamstrup_kmp import (
    Alignment,
    AlignmentStep,
    Identity,
    Meter,
    MeterError,
    PortNameError,
    Verdict,
    unknown_model,
)

from . import adoption, probe
from .const import DEFAULT_TIMEOUT, DOMAIN
from .options_flow import KamstrupOptionsFlow
from .schema import vol

PORT_SCHEMA = vol.Schema({vol.Required(CONF_PORT): SerialPortSelector()})

CONF_NEXT = "next"
NEXT_ALIGN, NEXT_AGAIN, NEXT_PORT = "align", "again", "port"
RETRY_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NEXT, default=NEXT_ALIGN): SelectSelector(
            SelectSelectorConfig(
                options=[NEXT_ALIGN, NEXT_AGAIN, NEXT_PORT],
                mode=SelectSelectorMode.LIST,
                translation_key=CONF_NEXT,
            )
        )
    }
)

# The head sits well when so many requests in a row are answered.
ANSWERS_IN_A_ROW = 3
# About five minutes, after which whoever aligns is asked whether to go on.
MOST_ATTEMPTS = 120
# After so many seconds without an answer to a form, a meter that is being moved is read on its old
# port again: whoever has left the dialog open may have gone to bed.
LEFT_ALONE = 300


class KamstrupConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds a meter, or moves one to another port."""

    VERSION = 1
    MINOR_VERSION = adoption.MINOR_VERSION

    def __init__(self) -> None:
        """Start with nothing known."""
        self._port = ""
        self._meter: Meter | None = None
        self._task: asyncio.Task[Any] | None = None
        self._errors: dict[str, str] = {}
        self._placeholders: dict[str, str] = {}
        self._identity: Identity | None = None
        self._alignment = Alignment()
        self._step: AlignmentStep | None = None
        self._in_a_row = 0
        self._unloaded: ConfigEntry | None = None
        self._cancel_timer: CALLBACK_TYPE | None = None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> KamstrupOptionsFlow:
        """Return the dialog for the options."""
        return KamstrupOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the port."""
        return await self._step_port("user", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the new port of a meter we know."""
        return await self._step_port("reconfigure", user_input)

    async def _step_port(self, step_id: str, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        if user_input is not None:
            errors = await self._choose(str(user_input[CONF_PORT]))
            if not errors:
                return await self.async_step_identify()
            self._errors = errors
        suggested: Mapping[str, Any] = user_input or {CONF_PORT: self._port}
        if not suggested[CONF_PORT] and self.source == SOURCE_RECONFIGURE:
            suggested = self._get_reconfigure_entry().data
        errors, self._errors = self._errors, {}
        self._start_timer()
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(PORT_SCHEMA, suggested),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    async def _choose(self, port: str) -> dict[str, str]:
        """Take a port; return what is wrong with it."""
        self._placeholders = {"port": port}
        await self._release()
        timeout = DEFAULT_TIMEOUT
        if self.source == SOURCE_RECONFIGURE:
            timeout = self._get_reconfigure_entry().options.get(CONF_TIMEOUT, timeout)
        try:
            meter = Meter(port, answer_timeout=float(timeout))
        except PortNameError:
            return {CONF_PORT: "invalid_port"}
        self._port = await probe.stable_path(self.hass, meter.port)
        if self.source != SOURCE_RECONFIGURE:
            self._async_abort_entries_match({CONF_PORT: self._port})
        self._meter = meter
        return {}

    async def async_step_identify(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look who answers."""
        if self._task is None:
            assert self._meter is not None
            # The signal is that of the head as it sits now.
            self._meter.exchanges.clear()
            self._task = self._begin(self._identify(self._meter))
        if not self._task.done():
            return self.async_show_progress(
                step_id="identify",
                progress_action="identify",
                progress_task=self._task,
                description_placeholders={"port": self._port},
            )
        task, self._task = self._task, None
        found = task.result()
        if isinstance(found, str):
            return self.async_show_progress_done(next_step_id=found)
        self._identity = found
        if self._identity.serial is None:
            self._errors = {"base": "no_serial"}
            return self.async_show_progress_done(next_step_id="retry")
        return self.async_show_progress_done(next_step_id="found")

    async def _failed(self, error: MeterError) -> str:
        """Remember what went wrong and return the step that says it."""
        key = error.verdict.value
        self._placeholders = {"port": self._port, "detail": error.detail or ""}
        if error.verdict is Verdict.PORT_BUSY:
            ours = self._unloaded
            found = await probe.holder(self.hass, self._port, ours)
            self._placeholders["holder"] = found or ""
            if found is None:
                key = "port_busy_unknown"
        self._errors = {"base": key}
        return self._port_step if error.verdict.is_port else "retry"

    @property
    def _port_step(self) -> str:
        return "reconfigure" if self.source == SOURCE_RECONFIGURE else "user"

    async def async_step_retry(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer to align the head, to try again, or to take another port."""
        if user_input is not None:
            chosen = user_input[CONF_NEXT]
            if chosen == NEXT_PORT:
                return await self._step_port(self._port_step, None)
            if chosen == NEXT_AGAIN:
                return await self.async_step_identify()
            self._alignment, self._step, self._in_a_row = Alignment(), None, 0
            self._placeholders["verdict"] = "…"
            return await self.async_step_align()
        errors, self._errors = self._errors, {}
        self._start_timer()
        return self.async_show_form(
            step_id="retry",
            data_schema=RETRY_SCHEMA,
            errors=errors,
            description_placeholders={
                "port": self._port,
                "score": str(self._alignment.score),
                **self._placeholders,
            },
        )

    async def async_step_align(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask again and again while somebody moves the head, and show how well it sits."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            next_step = task.result()
            if next_step is not None:
                return self.async_show_progress_done(next_step_id=next_step)
        if self._task is None:
            assert self._meter is not None
            self._task = self._begin(self._align_once(self._meter))
        shown = self._step
        return self.async_show_progress(
            step_id="align",
            progress_action="align",
            progress_task=self._task,
            description_placeholders={
                "port": self._port,
                "score": str(shown.score if shown else 0),
                "attempts": str(shown.attempts if shown else 0),
                "answered": str(shown.answered if shown else 0),
                "verdict": self._placeholders.get("verdict", "…"),
            },
        )

    def _begin[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start work that Home Assistant does not wait for when it stops."""
        return self.hass.async_create_background_task(work, f"{DOMAIN} dialog", eager_start=False)

    # All that takes time happens in the tasks. The steps that show their progress run in one go:
    # Home Assistant and the browser call them at the same time.

    async def _identify(self, meter: Meter) -> Identity | str:
        """Return who answers, or the step that says why nobody does."""
        await self._take_port()
        try:
            return await meter.identify()
        except PortNameError:
            self._errors = {CONF_PORT: "invalid_port"}
            return self._port_step
        except MeterError as error:
            return await self._failed(error)

    async def _align_once(self, meter: Meter) -> str | None:
        """Ask once; return the step to go on with, if the aligning is over."""
        await self._take_port()
        try:
            async with aclosing(meter.align(pause=0)) as steps:
                step = self._alignment.add((await anext(steps)).verdict)
        except MeterError as error:
            return await self._failed(error)
        words = await self._words(step.verdict)
        self._step, self._placeholders["verdict"] = step, words
        self._in_a_row = self._in_a_row + 1 if step.verdict is Verdict.OK else 0
        if self._in_a_row >= ANSWERS_IN_A_ROW:
            return "identify"
        if step.attempts < MOST_ATTEMPTS:
            return None
        # While nobody asks, the port is free for others.
        await meter.close()
        self._errors = {"base": step.verdict.value}
        return "retry"

    async def _words(self, verdict: Verdict) -> str:
        """Return a verdict's text in the language of this Home Assistant."""
        category, key = "config", f"config.error.{verdict.value}"
        if verdict is Verdict.OK:
            category, key = "common", "common.answered"
        language = self.hass.config.language
        texts = await async_get_translations(self.hass, language, category, [DOMAIN])
        text = texts.get(f"component.{DOMAIN}.{key}", verdict.message)
        # The dialog fills its own text only, not what is filled in.
        return str(text).replace("{port}", self._port)

    async def async_step_found(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show which meter answers, and take it."""
        assert self._identity is not None
        assert self._identity.serial is not None
        serial = self._identity.serial
        model = (self._identity.model or unknown_model()).name
        await self._close()
        await self.async_set_unique_id(serial, raise_on_progress=False)
        if self.source == SOURCE_RECONFIGURE:
            return self._reconfigured(serial)
        self._abort_if_unique_id_configured()
        if user_input is not None:
            return self.async_create_entry(
                title=f"{model} ({serial})", data={CONF_PORT: self._port}
            )
        self._set_confirm_only()
        return self.async_show_form(
            step_id="found",
            description_placeholders={
                "model": model,
                "serial": serial,
                "port": self._port,
                "signal": str(self._signal()),
            },
        )

    def _reconfigured(self, serial: str) -> ConfigFlowResult:
        entry = self._get_reconfigure_entry()
        # An entry of golles' integration that has not met its meter knows no serial number.
        if entry.unique_id is not None and entry.unique_id != serial:
            return self.async_abort(
                reason="wrong_meter",
                description_placeholders={"expected": entry.unique_id, "found": serial},
            )
        self._unloaded = None
        return self.async_update_reload_and_abort(
            entry, unique_id=serial, data_updates={CONF_PORT: self._port}
        )

    def _signal(self) -> int:
        """Return how many of the requests were answered, in percent."""
        exchanges = self._meter.exchanges if self._meter else ()
        answered = sum(exchange.verdict is Verdict.OK for exchange in exchanges)
        return round(100 * answered / len(exchanges)) if exchanges else 0

    async def _take_port(self) -> None:
        """Let the entry that is being moved go of its port; only one of us can have it."""
        self._stop_timer()
        if self.source != SOURCE_RECONFIGURE:
            return
        entry = self._get_reconfigure_entry()
        # A set-up that is under way has the port, too: wait for its end.
        async with entry.setup_lock:
            pass
        holds_port = entry.state in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY)
        if holds_port and await self.hass.config_entries.async_unload(entry.entry_id):
            self._unloaded = entry

    async def _give_port_back(self) -> None:
        entry, self._unloaded = self._unloaded, None
        if (
            entry is not None
            and entry.state is ConfigEntryState.NOT_LOADED
            and self.hass.config_entries.async_get_entry(entry.entry_id) is entry
        ):
            await self.hass.config_entries.async_setup(entry.entry_id)

    def _start_timer(self) -> None:
        self._stop_timer()
        if self._unloaded is not None:
            left_alone = HassJob(self._left_alone, cancel_on_shutdown=True)
            self._cancel_timer = async_call_later(self.hass, LEFT_ALONE, left_alone)

    async def _left_alone(self, now: datetime) -> None:
        self._cancel_timer = None
        await self._give_port_back()

    def _stop_timer(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    async def _close(self) -> None:
        if self._meter is not None:
            await self._meter.close()

    async def _release(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        await self._close()

    @callback
    @override
    def async_remove(self) -> None:
        """Release the port when the dialog is closed, and give it back to the entry it was of."""
        self.hass.async_create_task(self._clean_up(), eager_start=True)

    async def _clean_up(self) -> None:
        self._stop_timer()
        await self._release()
        await self._give_port_back()
