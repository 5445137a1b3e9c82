"""Translations, icons and descriptions of actions: whole, and alike in all languages."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Any

from . import LANGUAGES, leaves

if TYPE_CHECKING:
    from . import Integration

Path = tuple[str, ...]

SECTIONS = {
    "common",
    "conditions",
    "config",
    "config_subentries",
    "device",
    "device_automation",
    "entity",
    "entity_component",
    "exceptions",
    "issues",
    "options",
    "selector",
    "services",
    "system_health",
    "title",
    "triggers",
}
FLOW = {"abort", "create_entry", "error", "flow_title", "progress", "step"}
STEP = {"data", "data_description", "description", "menu_options", "sections", "submit", "title"}
ENTITY = {"name", "state", "state_attributes", "unit_of_measurement"}
KEY = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
ICON = re.compile(r"mdi:[a-z0-9]+(?:-[a-z0-9]+)*")
HTML = re.compile(r"</?[a-z][a-z0-9]*[^>]*>", re.IGNORECASE)
LINK = re.compile(r"https?://[\w-]+\.\w")
QUOTED = re.compile(r"'\{\w+\}'")
# Words that Home Assistant uses for something else.
REFERENCE = "[%key:"


def check_texts(integration: Integration) -> None:
    """Check the translations."""
    directory = integration.directory / "translations"
    found = {file.stem: file for file in directory.glob("*.json")}
    for language in sorted(LANGUAGES - found.keys()):
        integration.error(f"translations/{language}.json", "missing")
    for language in sorted(found.keys() - LANGUAGES):
        integration.error(f"translations/{language}.json", "is none of our languages")
    english = leaves(integration.texts)
    check_shape(integration, integration.texts)
    for language, file in sorted(found.items()):
        place = f"translations/{language}.json"
        texts = leaves(integration.texts if language == "en" else integration.json(file))
        for path in english.keys() - texts.keys():
            integration.error(place, f"{'.'.join(path)} is missing")
        for path in texts.keys() - english.keys():
            integration.error(place, f"{'.'.join(path)} is not in English")
        for path, text in texts.items():
            check_text(integration, place, path, text)
        for path in english.keys() & texts.keys():
            theirs, ours = placeholders(english[path]), placeholders(texts[path])
            if theirs != ours:
                wanted = ", ".join(sorted(theirs)) or "none"
                integration.error(place, f"{'.'.join(path)}: placeholders have to be {wanted}")


def check_text(integration: Integration, place: str, path: Path, text: object) -> None:
    """Check one text by itself."""
    name = ".".join(path)
    for key in path:
        if not KEY.fullmatch(key):
            integration.error(place, f"{name}: {key!r} is no key")
    if not isinstance(text, str):
        integration.error(place, f"{name} is no text")
        return
    if not text.strip():
        integration.error(place, f"{name} is empty")
    elif text != text.strip():
        integration.error(place, f"{name} begins or ends with a space")
    if REFERENCE in text:
        integration.error(place, f"{name} refers to another text, which only Core may")
    if HTML.search(text):
        integration.error(place, f"{name} has HTML in it")
    if QUOTED.search(text):
        integration.error(place, f"{name} has a placeholder in single quotes, which hide it")
    if LINK.search(text):
        integration.error(place, f"{name} has an address in it; make it a placeholder")
    try:
        placeholders(text)
    except ValueError as error:
        integration.error(place, f"{name}: {error}")


def placeholders(text: object) -> set[str]:
    """Return the names of a text's placeholders."""
    try:
        return {name for _, name, _, _ in Formatter().parse(str(text)) if name is not None}
    except ValueError:
        return {"unbalanced braces"}


def check_shape(integration: Integration, texts: dict[str, Any]) -> None:
    """Check that every text stands where Home Assistant looks for it."""
    place = "translations/en.json"

    def known(where: str, tree: object, names: set[str]) -> None:
        if not isinstance(tree, dict):
            integration.error(place, f"{where} is no object")
            return
        for key in tree.keys() - names:
            integration.error(place, f"{where}.{key}: nobody looks for it there")

    known("", texts, SECTIONS)
    for flow in ("config", "options"):
        known(flow, texts.get(flow, {}), FLOW)
        for name, step in texts.get(flow, {}).get("step", {}).items():
            where = f"{flow}.step.{name}"
            known(where, step, STEP)
            for part in (step, *step.get("sections", {}).values()):
                fields, described = part.get("data", {}), part.get("data_description", {})
                for key in described.keys() - fields.keys():
                    integration.error(place, f"{where}: {key} is described but has no label")
                for key in fields.keys() - described.keys():
                    integration.error(place, f"{where}: {key} has no description")
    for platform, entities in texts.get("entity", {}).items():
        for name, entity in entities.items():
            known(f"entity.{platform}.{name}", entity, ENTITY)
    for name, exception in texts.get("exceptions", {}).items():
        known(f"exceptions.{name}", exception, {"message"})
    for name, issue in texts.get("issues", {}).items():
        known(f"issues.{name}", issue, {"title", "description", "fix_flow"})
        if "title" not in issue or ("description" in issue) == ("fix_flow" in issue):
            wanted = "a title and either a description or a fix_flow"
            integration.error(place, f"issues.{name} needs {wanted}")


def check_icons(integration: Integration) -> None:
    """Check that icons are icons, and are for something that exists."""
    place, icons, texts = "icons.json", integration.icons, integration.texts
    for section in icons.keys() - {"entity", "services", "issues", "triggers", "conditions"}:
        integration.error(place, f"{section} is not known")
    for path, icon in leaves(icons).items():
        if not ICON.fullmatch(str(icon)):
            integration.error(place, f"{'.'.join(path)}: {icon!r} is no icon")
    for platform, entities in icons.get("entity", {}).items():
        for name, entity in entities.items():
            where = f"entity.{platform}.{name}"
            words = texts.get("entity", {}).get(platform, {}).get(name)
            if words is None:
                integration.error(place, f"{where} is an icon for nothing")
                continue
            for key in entity.keys() - {"default", "state", "range", "state_attributes"}:
                integration.error(place, f"{where}.{key} is not known")
            if "default" not in entity:
                integration.error(place, f"{where} has no default")
            free = {"on", "off"} if platform in ("binary_sensor", "switch") else set()
            for state in entity.get("state", {}).keys() - words.get("state", {}).keys() - free:
                integration.error(place, f"{where}: {state} is not a state")
            for state, icon in entity.get("state", {}).items():
                if icon == entity.get("default"):
                    integration.error(place, f"{where}: {state} repeats the default")


def check_services(integration: Integration) -> None:
    """Check that each action and field has words, and each action an icon."""
    words = integration.texts.get("services", {})
    icons = integration.icons.get("services", {})
    for name in words.keys() - integration.services.keys():
        integration.error("translations/en.json", f"services.{name} is no action of services.yaml")
    for name in icons.keys() - integration.services.keys():
        integration.error("icons.json", f"services.{name} is no action of services.yaml")
    for name, service in integration.services.items():
        place = f"services.yaml: {name}"
        if "service" not in icons.get(name, {}):
            integration.error("icons.json", f"services.{name}.service is missing")
        if not {"name", "description"} <= words.get(name, {}).keys():
            integration.error(place, "has no name or no description in the translations")
        service = service or {}
        for key in service.keys() - {"fields", "target"}:
            integration.error(place, f"{key} is not known or belongs into the translations")
        described = words.get(name, {}).get("fields", {})
        fields = service.get("fields") or {}
        for field in described.keys() - fields.keys():
            integration.error("translations/en.json", f"services.{name}: {field} is no field")
        for field, about in fields.items():
            if not {"name", "description"} <= described.get(field, {}).keys():
                integration.error(place, f"{field} has no name or no description")
            if "selector" not in (about or {}):
                integration.error(place, f"{field} has no selector")
            for key in (about or {}).keys() - {
                "required",
                "default",
                "example",
                "selector",
                "filter",
            }:
                integration.error(place, f"{field}.{key} is not known or belongs elsewhere")
