"""What Home Assistant's hassfest and the store's validation would say of our integration.

Neither can be had offline. The rules here are those of a custom integration in November 2026:
what the two refuse, plus what a person would see as a gap (a text without translation, an icon for
nothing, a rule nobody judged).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

DOMAIN = "kamstrup_403"
LANGUAGES = {"da", "de", "en", "fi", "nb", "nl", "pl", "sv"}


@dataclass
class Integration:
    """A repository with an integration in it, and what is wrong with it."""

    root: Path
    errors: list[str] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        """Return where the integration is."""
        return self.root / "custom_components" / DOMAIN

    def error(self, place: str, message: str) -> None:
        """Note an error."""
        self.errors.append(f"{place}: {message}")

    def json(self, place: Path) -> dict[str, Any]:
        """Read a JSON object; what is not one is an error and reads as empty."""
        try:
            content = json.loads(place.read_text(encoding="utf-8"), object_pairs_hook=no_repetition)
        except FileNotFoundError:
            self.error(place.name, "missing")
        except ValueError as error:
            self.error(place.name, f"not JSON: {error}")
        else:
            if isinstance(content, dict):
                return content
            self.error(place.name, "not a JSON object")
        return {}

    def yaml(self, place: Path) -> dict[str, Any]:
        """Read a YAML mapping; what is not one is an error and reads as empty."""
        try:
            content = yaml.safe_load(place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.error(place.name, "missing")
        except yaml.YAMLError as error:
            self.error(place.name, f"not YAML: {error}")
        else:
            if isinstance(content, dict):
                return content
            self.error(place.name, "not a YAML mapping")
        return {}

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return the manifest."""
        return self.json(self.directory / "manifest.json")

    @cached_property
    def services(self) -> dict[str, Any]:
        """Return the description of the actions; there may be none."""
        place = self.directory / "services.yaml"
        return self.yaml(place) if place.exists() else {}

    @cached_property
    def icons(self) -> dict[str, Any]:
        """Return the icons; there may be none."""
        place = self.directory / "icons.json"
        return self.json(place) if place.exists() else {}

    @cached_property
    def texts(self) -> dict[str, Any]:
        """Return the English texts, which the other languages follow."""
        return self.json(self.directory / "translations" / "en.json")


def no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object whose keys are all different."""
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"the key {key!r} comes twice")
        seen[key] = value
    return seen


def leaves(tree: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    """Return what stands at the ends of nested objects, by path."""
    if not isinstance(tree, dict):
        return {path: tree}
    found: dict[tuple[str, ...], object] = {}
    for key, value in tree.items():
        found |= leaves(value, (*path, str(key)))
    return found
