"""The dialogs that add, move and tune a meter, followed as the browser follows them."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from .api import PATIENCE, wait_for
from .hass import DOMAIN

if TYPE_CHECKING:
    from .hass import Hass

ADD = "/api/config/config_entries/flow"
TUNE = "/api/config/config_entries/options/flow"
LANGUAGES = ("da", "de", "en", "fi", "nb", "nl", "pl", "sv")


class Dialog:
    """A dialog in progress: `step` is what it shows."""

    def __init__(self, hass: Hass, path: str, **start: Any) -> None:
        """Open it."""
        self.hass = hass
        self.path = path
        self.progress: list[dict[str, Any]] = []
        self.step: dict[str, Any] = hass.post(path, **start)

    def submit(self, **fields: Any) -> dict[str, Any]:
        """Press the button and wait until there is something to do or to read again."""
        flow = f"{self.path}/{self.step['flow_id']}"
        self.step = self.hass.post(flow, **fields)
        if self.step["type"] == "progress":
            # A quick meter has answered before the next look.
            self.progress.append(self.step)
            self.step = self._watch(flow)
        return self.step

    def _watch(self, flow: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            step: dict[str, Any] = self.hass.get(flow)
            if step["type"] != "progress":
                return step
            if step != self.progress[-1]:
                self.progress.append(step)
            return None

        return wait_for("the dialog to go on", PATIENCE, look)

    @property
    def errors(self) -> dict[str, str]:
        """The errors it shows."""
        return self.step.get("errors") or {}

    @property
    def placeholders(self) -> dict[str, str]:
        """What it fills its texts with."""
        return self.step.get("description_placeholders") or {}


def adding(hass: Hass) -> Dialog:
    """Open the dialog that adds a meter."""
    return Dialog(hass, ADD, handler=DOMAIN)


def moving(hass: Hass) -> Dialog:
    """Open the dialog that moves our only meter to another port."""
    return Dialog(hass, ADD, handler=DOMAIN, entry_id=hass.entry()["entry_id"])


def tuning(hass: Hass) -> Dialog:
    """Open the dialog for the options of our only meter."""
    return Dialog(hass, TUNE, handler=hass.entry()["entry_id"])


def add(hass: Hass, port: str) -> dict[str, Any]:
    """Add the meter on a port, and return its entry."""
    dialog = adding(hass)
    dialog.submit(port=port)
    assert dialog.step["step_id"] == "found", dialog.step
    dialog.submit()
    assert dialog.step["type"] == "create_entry", dialog.step
    return hass.wait_for_entry("loaded")


def read_every(hass: Hass, seconds: int) -> None:
    """Set the interval."""
    dialog = tuning(hass)
    fields = {
        field["name"]: field["description"]["suggested_value"]
        for field in dialog.step["data_schema"]
    }
    dialog.submit(**{**fields, "scan_interval": seconds})
    if dialog.step["type"] == "form":
        assert dialog.step["step_id"] == "battery"
        dialog.submit()
    assert dialog.step["type"] == "create_entry", dialog.step
    hass.wait_for_entry("loaded")


def check_texts(hass: Hass, category: str, key: str, placeholders: dict[str, str]) -> None:
    """Check that a text is there in all our languages and that everything in it gets filled."""
    english = ""
    for language in LANGUAGES:
        texts = hass.command(
            "frontend/get_translations",
            language=language,
            category=category,
            integration=[DOMAIN],
            config_flow=True,
        )["resources"]
        text = texts.get(f"component.{DOMAIN}.{key}")
        assert text, f"{language}: no text {key}"
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert names <= placeholders.keys(), f"{language}: {key}: nobody fills {names}"
        if language == "en":
            english = text
    for language in set(LANGUAGES) - {"en"}:
        texts = hass.command(
            "frontend/get_translations",
            language=language,
            category=category,
            integration=[DOMAIN],
            config_flow=True,
        )["resources"]
        assert texts[f"component.{DOMAIN}.{key}"] != english, f"{language}: {key} is English"
