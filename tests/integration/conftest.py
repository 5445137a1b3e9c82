"""What the tests inside one process share: our wheel, a meter in memory, and entries."""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PORT
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

ROOT = Path(__file__).resolve().parents[2]
# The package's own tests have the meter in memory.
sys.path.append(str(ROOT / "crates" / "python" / "tests"))

from fake_meter import FakeMeter  # noqa: E402

DOMAIN = "kamstrup_403"
PORT = "socket://192.168.1.20:2217"
SERIAL = "84968362"


def _use_wheel() -> None:
    """Put our wheel where Python finds it, before anything imports the integration."""
    file = os.environ.get("HEATMETER_WHEEL")
    if not file:
        raise RuntimeError("HEATMETER_WHEEL does not say where our wheel is; `make test` sets it")
    site = tempfile.mkdtemp(prefix="heatmeter-wheel-")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(site)
    sys.path.insert(0, site)


def _use_tree() -> None:
    """Let Home Assistant find the integration of this tree, and no other."""
    package = ModuleType("custom_components")
    package.__path__ = [str(ROOT / "custom_components")]
    sys.modules[package.__name__] = package


_use_wheel()
_use_tree()


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find ours."""


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> FakeMeter:
    """Put a meter behind every port."""
    meter = FakeMeter()
    monkeypatch.setattr("serialx.create_serial_connection", meter.connect)
    return meter


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    """Make an entry of our own, not set up yet."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=f"MULTICAL 403 ({SERIAL})",
        unique_id=SERIAL,
        data={CONF_PORT: PORT},
        minor_version=2,
        entry_id="01TESTENTRY",
    )
    entry.add_to_hass(hass)
    return entry


async def set_up_with_all(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the entry up with every entity enabled, as if somebody had enabled them one by one."""
    if entry.state is ConfigEntryState.NOT_LOADED:
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
    entities = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(entities, entry.entry_id):
        entities.async_update_entity(entity.entity_id, disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
async def loaded(hass: HomeAssistant, meter: FakeMeter, entry: MockConfigEntry) -> MockConfigEntry:
    """Set the entry up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry
