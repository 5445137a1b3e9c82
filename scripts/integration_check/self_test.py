"""Feeds the check a small integration that is right, and then the same with one thing wrong."""

from __future__ import annotations

import json
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import DOMAIN, LANGUAGES, Integration
from .scale import rules

MANIFEST: dict[str, Any] = {
    "domain": DOMAIN,
    "name": "Right",
    "codeowners": ["@someone"],
    "config_flow": True,
    "dependencies": ["usb"],
    "documentation": "https://example.com",
    "integration_type": "device",
    "iot_class": "local_polling",
    "issue_tracker": "https://example.com",
    "requirements": ["kamstrup-kmp==1.0.0"],
    "version": "1.0.0",
}
TEXTS: dict[str, Any] = {
    "config": {
        "step": {"user": {"data": {"port": "Port"}, "data_description": {"port": "Which"}}},
        "error": {"silent": "Nothing came from {port}."},
        "abort": {"already_configured": "Known."},
    },
    "entity": {"sensor": {"verdict": {"name": "Verdict", "state": {"ok": "Good"}}}},
    "exceptions": {"silent": {"message": "Silence on {port}."}},
    "services": {
        "read": {
            "name": "Read",
            "description": "Reads.",
            "fields": {"register": {"name": "Register", "description": "Which."}},
        }
    },
}
FILES: dict[str, Any] = {
    "hacs.json": {
        "name": "Right",
        "homeassistant": "2026.5.0",
        "zip_release": True,
        "filename": f"{DOMAIN}.zip",
    },
    "manifest.json": MANIFEST,
    "icons.json": {
        "entity": {"sensor": {"verdict": {"default": "mdi:eye"}}},
        "services": {"read": {"service": "mdi:book"}},
    },
    "services.yaml": {"read": {"fields": {"register": {"selector": {"text": None}}}}},
    "quality_scale.yaml": {"rules": dict.fromkeys(rules(), "done")},
    "config_flow.py": (
        "from homeassistant.components import usb\n"
        "from .const import DOMAIN\n"
        "class Flow:\n"
        "    def step(self):\n"
        "        self.async_abort(reason='already_configured')\n"
        "        self.async_show_form(step_id='user')\n"
    ),
    "sensor.py": "def f():\n    raise UpdateFailed(translation_key='silent')\n",
    "brand/icon.png": (256, 256),
    "brand/icon@2x.png": (512, 512),
    **{f"translations/{language}.json": TEXTS for language in LANGUAGES},
}

# File, the path in it and its new value (None: removed), and what the check has to say of it.
Break = tuple[str, tuple[str, ...], Any, str]
BREAKS: list[Break] = [
    ("manifest.json", ("version",), None, "version is missing"),
    ("manifest.json", ("version",), "newest", "version is not like"),
    ("manifest.json", ("domain",), "kamstrup", "domain is 'kamstrup'"),
    ("manifest.json", ("homeassistant",), "2026.5.0", "homeassistant is not known"),
    ("manifest.json", ("requirements",), ["kamstrup-kmp>=1"], "not pinned"),
    ("manifest.json", ("requirements",), ["pyserial==3.5"], "brings it itself"),
    ("manifest.json", ("iot_class",), "local", "iot_class is none of"),
    ("manifest.json", ("codeowners",), ["someone"], "does not begin with @"),
    ("manifest.json", ("issue_tracker",), "example.com", "no https address"),
    ("manifest.json", ("usb",), [{"vid": "0403", "pid": "6001"}], "all kinds of devices"),
    ("manifest.json", ("usb",), [{"vid": "10c4", "description": "x"}], "upper-case"),
    ("hacs.json", ("domains",), ["sensor"], "domains is not known"),
    ("hacs.json", ("filename",), "other.zip", "filename is not"),
    ("hacs.json", ("homeassistant",), "2025.1.0", "2026.5.0 or newer"),
    ("hacs.json", ("name",), None, "name is missing"),
    ("translations/da.json", (), None, "da.json: missing"),
    ("translations/fr.json", (), TEXTS, "none of our languages"),
    ("translations/da.json", ("config", "error", "silent"), None, "silent is missing"),
    ("translations/da.json", ("config", "error", "noise"), "Larm", "is not in English"),
    (
        "translations/da.json",
        ("config", "error", "silent"),
        "Tavs.",
        "placeholders have to be port",
    ),
    ("translations/da.json", ("config", "error", "silent"), " {port}", "with a space"),
    ("translations/da.json", ("config", "error", "silent"), "'{port}'", "single quotes"),
    ("translations/da.json", ("config", "error", "silent"), "{port} <b>x</b>", "HTML"),
    ("translations/da.json", ("config", "error", "silent"), "{port} https://x.y", "an address"),
    ("translations/da.json", ("config", "error", "silent"), "[%key:x%]{port}", "another text"),
    ("translations/en.json", ("config", "steps"), {"x": "y"}, "nobody looks"),
    (
        "translations/en.json",
        ("config", "step", "user", "data_description"),
        None,
        "no description",
    ),
    ("translations/en.json", ("issues",), {"old": {"title": "Old"}}, "either a description"),
    ("translations/en.json", ("services", "read", "name"), None, "no name"),
    ("translations/en.json", ("services", "log"), {"name": "Log"}, "no action"),
    ("translations/en.json", ("config", "abort"), None, "no config.abort.already_configured"),
    ("translations/en.json", ("exceptions",), None, "no exceptions.silent"),
    ("translations/en.json", ("config", "step", "user"), None, "no config.step.user"),
    ("icons.json", ("entity", "sensor", "verdict", "default"), "eye", "no icon"),
    ("icons.json", ("entity", "sensor", "other"), {"default": "mdi:eye"}, "icon for nothing"),
    ("icons.json", ("entity", "sensor", "verdict", "state"), {"bad": "mdi:x"}, "not a state"),
    ("icons.json", ("services", "read"), None, "services.read.service is missing"),
    ("services.yaml", ("read", "fields", "register", "selector"), None, "no selector"),
    ("services.yaml", ("read", "name"), "Read", "belongs into the translations"),
    ("services.yaml", ("log",), {}, "has no name"),
    ("quality_scale.yaml", ("rules", "brands"), None, "brands is not judged"),
    ("quality_scale.yaml", ("rules", "brands"), "yes", "none of done"),
    ("quality_scale.yaml", ("rules", "brands"), {"status": "exempt"}, "without saying why"),
    ("quality_scale.yaml", ("rules", "beauty"), "done", "beauty is no rule"),
    ("brand/icon.png", (), (256, 255), "not square"),
    ("brand/icon.png", (), (100, 100), "shorter side"),
    ("brand/icon.png", (), None, "missing"),
    ("brand/picture.png", (), (256, 256), "does not look for"),
    ("strings.json", (), {}, "does not belong"),
    ("config_flow.py", (), None, "no config_flow.py"),
    ("sensor.py", (), "from custom_components.kamstrup_403 import const\n", "imports itself"),
    ("sensor.py", (), "from kamstrup_kmp._core import Session\n", "is private"),
    ("sensor.py", (), "from homeassistant.components import mqtt\n", "no dependency"),
]


def self_test(check: Callable[[Integration, Path | None], None]) -> list[str]:
    """Return what the check said of the right one, and what it did not say of the wrong ones."""
    failures = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        right = write(root / "right", FILES)
        archive = root / f"{DOMAIN}.zip"
        pack(right, archive)
        check(right, archive)
        failures += [f"a right one: {error}" for error in right.errors]
        for number, (file, path, value, wanted) in enumerate(BREAKS):
            wrong = write(root / str(number), broken(file, path, value))
            check(wrong, None)
            if not any(wanted in error for error in wrong.errors):
                failures.append(f"{file} {'.'.join(path)} = {value!r}: nothing about {wanted!r}")
        pack(right, archive, folder=f"{DOMAIN}/")
        packed_wrong = Integration(right.root)
        check(packed_wrong, archive)
        if not any("not at its root" in error for error in packed_wrong.errors):
            failures.append("a zip with a folder in it: nothing about its root")
    return failures


def broken(file: str, path: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return the files with one thing changed."""
    files = dict(FILES)
    if path:
        tree = json.loads(json.dumps(files[file]))
        place = tree
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        if value is None:
            del place[path[-1]]
        value = tree
    files[file] = value
    return files


def write(root: Path, files: dict[str, Any]) -> Integration:
    """Write an integration."""
    for name, content in files.items():
        home = root if name == "hacs.json" else root / "custom_components" / DOMAIN
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, tuple):
            size = struct.pack(">II", *content)
            file.write_bytes(
                b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + size + b"\x08\x06\x00\x00\x00"
            )
        elif isinstance(content, str):
            file.write_text(content, encoding="utf-8")
        elif content is not None:
            # JSON is YAML, too.
            file.write_text(json.dumps(content), encoding="utf-8")
    return Integration(root)


def pack(integration: Integration, file: Path, folder: str = "") -> None:
    """Make the store's zip."""
    with zipfile.ZipFile(file, "w") as archive:
        for path in integration.directory.rglob("*"):
            if path.is_file():
                archive.write(path, folder + path.relative_to(integration.directory).as_posix())
