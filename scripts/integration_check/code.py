"""What the code imports, and whether the texts it names are there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from . import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from . import Integration

# Components that are always there or are the platforms themselves.
FREE = {
    "binary_sensor",
    "button",
    "date",
    "datetime",
    "event",
    "homeassistant",
    "logger",
    "number",
    "persistent_notification",
    "select",
    "sensor",
    "switch",
    "system_health",
    "text",
    "update",
    "websocket_api",
}
PLATFORMS = FREE - {"homeassistant", "logger", "persistent_notification", "websocket_api"}


def check_code(integration: Integration) -> None:
    """Check every Python file of the integration."""
    for file in sorted(integration.directory.rglob("*.py")):
        place = file.relative_to(integration.directory).as_posix()
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except SyntaxError as error:
            integration.error(place, f"not Python: {error}")
            continue
        for name in imports(tree):
            check_import(integration, place, name)
        for section, key in named(tree, file):
            check_named(integration, place, section, key)


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield what is imported by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def check_import(integration: Integration, place: str, name: str) -> None:
    """Check one import."""
    parts = name.split(".")
    if parts[0] == "custom_components":
        integration.error(place, f"{name}: the integration imports itself by its full name")
    if any(part.startswith("_") and not part.startswith("__") for part in parts):
        integration.error(place, f"{name} is private")
    if parts[:2] == ["homeassistant", "components"] and len(parts) > 2:
        component = parts[2]
        manifest = integration.manifest
        allowed = {*manifest.get("dependencies", []), *manifest.get("after_dependencies", [])}
        own_platform = (integration.directory / f"{component}.py").exists()
        if component not in FREE | allowed | {DOMAIN} and not own_platform:
            integration.error(place, f"{component} is used but is no dependency in the manifest")


def named(tree: ast.AST, file: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts that code asks for with a constant: section of the translations, and key."""
    raised = {
        call
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        function = node.func.id if isinstance(node.func, ast.Name) else function
        given = {
            keyword.arg: keyword.value.value
            for keyword in node.keywords
            if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
        }
        key = given.get("translation_key")
        if key and (node in raised or function.endswith(("Error", "Failed", "NotReady"))):
            yield "exceptions", key
        elif key and function == "async_create_issue":
            yield "issues", key
        elif key and function.endswith("Description") and file.stem in PLATFORMS:
            yield f"entity.{file.stem}", key
        flow = "options" if "Options" in enclosing_class(tree, node) else "config"
        if file.stem.endswith("flow"):
            if function == "async_abort" and "reason" in given:
                yield f"{flow}.abort", given["reason"]
            if function in ("async_show_form", "async_show_menu") and "step_id" in given:
                yield f"{flow}.step", given["step_id"]
            if function == "async_show_progress" and "progress_action" in given:
                yield f"{flow}.progress", given["progress_action"]


def enclosing_class(tree: ast.AST, wanted: ast.AST) -> str:
    """Return the name of the class a node stands in, or nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(part is wanted for part in ast.walk(node)):
            return node.name
    return ""


def check_named(integration: Integration, place: str, section: str, key: str) -> None:
    """Check that a text is there."""
    tree = integration.texts
    for part in (*section.split("."), key):
        if not isinstance(tree, dict) or part not in tree:
            integration.error(place, f"the translations have no {section}.{key}")
            return
        tree = tree[part]
