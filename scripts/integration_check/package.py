"""The manifest, the store's file, the pictures and what lies in the folder and the zip."""

from __future__ import annotations

import re
import struct
import zipfile
from typing import TYPE_CHECKING, Any

from . import DOMAIN

if TYPE_CHECKING:
    from pathlib import Path

    from . import Integration

REQUIRED = {
    "codeowners": list,
    "config_flow": bool,
    "documentation": str,
    "integration_type": str,
    "iot_class": str,
    "issue_tracker": str,
    "requirements": list,
    "version": str,
}
OPTIONAL = {
    "after_dependencies": list,
    "bluetooth": list,
    "dependencies": list,
    "dhcp": list,
    "disabled": str,
    "homekit": dict,
    "import_executor": bool,
    "loggers": list,
    "mqtt": list,
    "quality_scale": str,
    "single_config_entry": bool,
    "ssdp": list,
    "usb": list,
    "zeroconf": list,
}
TYPES = {"device", "entity", "hardware", "helper", "hub", "service", "system", "virtual"}
CLASSES = {
    "assumed_state",
    "calculated",
    "cloud_polling",
    "cloud_push",
    "local_polling",
    "local_push",
}
VERSION = re.compile(r"\d+\.\d+\.\d+([ab]\d+|rc\d+|-[a-z]+\.?\d*)?")
PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z,]+\])?==[0-9][A-Za-z0-9.]*")
USB_MATCHER = {"vid", "pid", "serial_number", "manufacturer", "description", "known_devices"}
# What Home Assistant brings itself and wants to choose the version of.
BROUGHT = {"aiohttp", "attrs", "homeassistant", "pyserial", "voluptuous", "PyYAML"}

STORE: dict[str, type | tuple[type, ...]] = {
    "content_in_root": bool,
    "country": (str, list),
    "filename": str,
    "hacs": str,
    "hide_default_branch": bool,
    "homeassistant": str,
    "name": str,
    "persistent_directory": str,
    "render_readme": bool,
    "zip_release": bool,
}
# SerialPortSelector and serial proxies came with 2026.5.
OLDEST = (2026, 5)

# Picture: allowed lengths of the shortest side, and whether it has to be square.
PICTURES = {
    "icon.png": (256, 256, True),
    "icon@2x.png": (512, 512, True),
    "logo.png": (128, 256, False),
    "logo@2x.png": (256, 512, False),
}
WANTED_PICTURES = {"icon.png", "icon@2x.png"}

NEVER = re.compile(r"(^|/)(__pycache__|strings\.json|\..*|.*\.(pyc|so|orig|rej|log))(/|$)")
LARGEST = 100 * 1024 * 1024


def check_manifest(integration: Integration) -> None:
    """Check manifest.json."""
    manifest, place = integration.manifest, "manifest.json"
    keys = list(manifest)
    ordered = ["domain", "name", *sorted(set(keys) - {"domain", "name"})]
    if keys != ordered:
        integration.error(place, f"keys have to be in the order {', '.join(ordered)}")
    if manifest.get("domain") != DOMAIN:
        integration.error(place, f"domain is {manifest.get('domain')!r}, not {DOMAIN!r}")
    for key, kind in (REQUIRED | {"name": str}).items():
        if key not in manifest:
            integration.error(place, f"{key} is missing")
        elif not isinstance(manifest[key], kind):
            integration.error(place, f"{key} is no {kind.__name__}")
    for key in set(keys) - REQUIRED.keys() - OPTIONAL.keys() - {"domain", "name"}:
        integration.error(place, f"{key} is not known for custom integrations")
    for key in OPTIONAL.keys() & set(keys):
        if not isinstance(manifest[key], OPTIONAL[key]):
            integration.error(place, f"{key} is no {OPTIONAL[key].__name__}")
    if manifest.get("integration_type") not in TYPES:
        integration.error(place, f"integration_type is none of {', '.join(sorted(TYPES))}")
    if manifest.get("iot_class") not in CLASSES:
        integration.error(place, f"iot_class is none of {', '.join(sorted(CLASSES))}")
    if not VERSION.fullmatch(str(manifest.get("version"))):
        integration.error(place, "version is not like 1.2.3")
    for key in ("documentation", "issue_tracker"):
        if not str(manifest.get(key)).startswith("https://"):
            integration.error(place, f"{key} is no https address")
    for owner in manifest.get("codeowners", []):
        if not str(owner).startswith("@"):
            integration.error(place, f"codeowner {owner} does not begin with @")
    for requirement in manifest.get("requirements", []):
        name = re.split(r"[=<>~!\[]", requirement)[0]
        if not PINNED.fullmatch(requirement):
            integration.error(place, f"requirement {requirement} is not pinned with ==")
        if name in BROUGHT:
            integration.error(place, f"requirement {name}: Home Assistant brings it itself")
    for matcher in manifest.get("usb", []):
        check_usb(integration, matcher)
    if manifest.get("config_flow") and not (integration.directory / "config_flow.py").exists():
        integration.error(place, "config_flow is set, but there is no config_flow.py")


def check_usb(integration: Integration, matcher: dict[str, Any]) -> None:
    """Check one matcher of USB devices: heads have the ids of any adapter's chip."""
    place = "manifest.json"
    for key in matcher.keys() - USB_MATCHER:
        integration.error(place, f"usb: {key} is not known")
    for key in {"vid", "pid"} & matcher.keys():
        if not re.fullmatch(r"[0-9A-F]{4}", str(matcher[key])):
            integration.error(place, f"usb: {key} is not four upper-case hexadecimal digits")
    if not {"serial_number", "manufacturer", "description"} & matcher.keys():
        integration.error(place, "usb: matches a chip that all kinds of devices have")


def check_store(integration: Integration) -> None:
    """Check hacs.json."""
    store, place = integration.json(integration.root / "hacs.json"), "hacs.json"
    for key, value in store.items():
        if key not in STORE:
            integration.error(place, f"{key} is not known")
        elif not isinstance(value, STORE[key]):
            integration.error(place, f"{key} is of the wrong type")
    if "name" not in store:
        integration.error(place, "name is missing")
    oldest = re.fullmatch(r"(\d{4})\.(\d{1,2})\.(\d+)", str(store.get("homeassistant")))
    if not oldest:
        integration.error(place, "homeassistant does not say from which version on")
    elif (int(oldest[1]), int(oldest[2])) < OLDEST:
        integration.error(place, "homeassistant has to be 2026.5.0 or newer")
    if store.get("zip_release") and store.get("filename") != f"{DOMAIN}.zip":
        integration.error(place, f"filename is not {DOMAIN}.zip")


def check_layout(integration: Integration) -> None:
    """Check the pictures and that nothing lies in the folder that belongs elsewhere."""
    components = integration.root / "custom_components"
    for other in components.iterdir() if components.is_dir() else ():
        if other.is_dir() and other.name not in (DOMAIN, "__pycache__"):
            integration.error(other.name, "the store takes only one integration per repository")
    for file in sorted(integration.directory.rglob("*")):
        name = file.relative_to(integration.directory).as_posix()
        if "__pycache__" not in name and NEVER.search(name):
            integration.error(name, "does not belong into an integration")
    brand = integration.directory / "brand"
    for name in sorted(WANTED_PICTURES):
        if not (brand / name).exists():
            integration.error(f"brand/{name}", "missing")
    for file in sorted(brand.glob("*")):
        check_picture(integration, file)


def check_picture(integration: Integration, file: Path) -> None:
    """Check a picture's kind and size."""
    place, name = f"brand/{file.name}", file.name.removeprefix("dark_")
    if name not in PICTURES:
        integration.error(place, "a name that Home Assistant does not look for")
        return
    head = file.read_bytes()[:24]
    if head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        integration.error(place, "not a PNG")
        return
    width, height = struct.unpack(">II", head[16:24])
    least, most, square = PICTURES[name]
    if square and width != height:
        integration.error(place, f"{width} x {height} is not square")
    if not least <= min(width, height) <= most:
        integration.error(
            place, f"{width} x {height}: the shorter side has to be {least} to {most}"
        )


def check_zip(integration: Integration, file: Path) -> None:
    """Check that the store's zip is the folder, unpacked straight into its place."""
    ours = {
        path.relative_to(integration.directory).as_posix(): path.read_bytes()
        for path in integration.directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    if file.stat().st_size > LARGEST:
        integration.error(file.name, "larger than the store takes")
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if "manifest.json" not in names:
            integration.error(file.name, "manifest.json is not at its root")
        for name in sorted(set(names) - ours.keys()):
            integration.error(file.name, f"{name} is not in the tree")
        for name in sorted(ours.keys() - set(names)):
            integration.error(file.name, f"{name} of the tree is missing")
        for name in sorted(ours.keys() & set(names)):
            if archive.read(name) != ours[name]:
                integration.error(file.name, f"{name} is not what the tree has; run: make zip")
