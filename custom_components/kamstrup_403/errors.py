"""A meter's verdicts as Home Assistant's errors, each with its own translated text."""

from typing import TypedDict

from homeassistant.exceptions import HomeAssistantError
from kamstrup_kmp import MeterError

from .const import DOMAIN


class Translated(TypedDict):
    """What names a text in the translations."""

    translation_domain: str
    translation_key: str
    translation_placeholders: dict[str, str]


def translated(error: MeterError, port: str) -> Translated:
    """Name the text of a verdict."""
    return {
        "translation_domain": DOMAIN,
        "translation_key": error.verdict.value,
        "translation_placeholders": {"port": port, "detail": error.detail or ""},
    }


def as_home_assistant_error(error: MeterError, port: str) -> HomeAssistantError:
    """Make an error for a button or an action of it."""
    return HomeAssistantError(**translated(error, port))
