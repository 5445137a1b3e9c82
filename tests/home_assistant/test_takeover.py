"""Whoever has golles/ha-kamstrup_403 changes over and loses nothing, and can go back."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .api import PATIENCE, wait_for
from .flows import check_texts
from .hass import DOMAIN, prepare
from .meters import Bridge, Line, Meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from .hass import Hass

STAND_IN = Path(__file__).parent / "golles_stand_in"
HEAT = "sensor.kamstrup_403_heat_energy_e1"
POWER = "sensor.kamstrup_403_power"
GAS = "sensor.kamstrup_403_heat_energy_to_gas"
VOLUME = "sensor.kamstrup_403_volume"
OPTIONS = {"scan_interval": 1800, "timeout": 1.5}
# What must not change of a registry entry.
KEPT = ("unique_id", "name", "area_id", "labels", "disabled_by", "hidden_by", "icon", "device_id")


@pytest.fixture
def golles(new_hass: Callable[[], Hass]) -> Hass:
    """Make a Home Assistant with the stand-in, started."""
    hass = new_hass()
    swap(hass, STAND_IN)
    hass.start()
    return hass


def swap(hass: Hass, component: Path) -> None:
    """Put another integration into the folder, as a download by the store does."""
    shutil.rmtree(hass.directory / "custom_components")
    prepare(hass.directory, component)


def set_up(hass: Hass, port: str, **options: float) -> None:
    """Set up golles' integration and use it as people do."""
    flows = "/api/config/config_entries/flow"
    flow = hass.post(flows, handler=DOMAIN)["flow_id"]
    assert hass.post(f"{flows}/{flow}", port=port, **options)["type"] == "create_entry"
    hass.wait_for_entry("loaded")
    assert len(hass.registered()) == 36


def settle_in(hass: Hass) -> None:
    """Leave traces of a person: an area, names, an enabled entity, statistics, the dashboard."""
    area = hass.command("config/area_registry/create", name="Cellar")["area_id"]
    (device,) = hass.devices()
    hass.command("config/device_registry/update", device_id=device["id"], area_id=area)
    hass.command("config/entity_registry/update", entity_id=HEAT, name="Warmth", icon="mdi:fire")
    hass.command("config/entity_registry/update", entity_id=POWER, disabled_by=None)
    hass.command("config/entity_registry/update", entity_id=GAS, disabled_by=None)
    hass.command("config/entity_registry/update", entity_id=VOLUME, area_id=area)
    hass.import_statistic(HEAT, "GJ", "energy", 7.5)
    hass.import_statistic(VOLUME, "m³", "volume", 20)
    source = {
        "type": "gas",
        "stat_energy_from": HEAT,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": 0.9,
    }
    hass.command("energy/save_prefs", energy_sources=[source], device_consumption=[])


def kept(hass: Hass) -> dict[str, dict[str, Any]]:
    """Return what must not change of golles' 36 registry entries."""
    return {
        entity_id: {key: entity[key] for key in KEPT}
        for entity_id, entity in hass.registered().items()
    }


def check_unchanged(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> None:
    """Check that what was there is as it was, and that nothing of it is there twice."""
    assert {entity_id: after.get(entity_id) for entity_id in before} == before
    assert not [entity_id for entity_id in before if f"{entity_id}_2" in after]


def test_nothing_is_lost_on_the_way_in_and_on_the_way_back(
    golles: Hass, component: Path, meter: Meter
) -> None:
    """Entry, options, device, entities, their customisation and history are as they were."""
    hass, read = golles, meter.read("60", "68", "80")
    set_up(hass, meter.port, **OPTIONS)
    settle_in(hass)
    before, (device,) = kept(hass), hass.devices()
    preferences = hass.command("energy/get_prefs")
    statistics = {entity: hass.statistic(entity) for entity in (HEAT, VOLUME)}
    hass.stop()
    (entry,) = stored_entries(hass)
    assert (entry["version"], entry["minor_version"]) == (1, 1)
    assert entry["unique_id"] is None

    swap(hass, component)
    hass.start()
    hass.wait_for_entry("loaded")
    hass.wait_for_state(HEAT, None)
    after = kept(hass)
    check_unchanged(before, after)
    (adopted,) = hass.devices()
    assert adopted["id"] == device["id"]
    assert adopted["area_id"] == device["area_id"] == "cellar"
    assert adopted["serial_number"] == read["meter"]["serial"]
    assert adopted["model"] == read["meter"]["model"]
    assert [DOMAIN, meter.port] in adopted["identifiers"]
    states = hass.states()
    for entity_id, reading in zip((HEAT, VOLUME, POWER), read["readings"], strict=True):
        assert Decimal(states[entity_id]["state"]) == Decimal(reading["value"]), entity_id
    # golles' number: the energy itself, called cubic metres.
    assert Decimal(states[GAS]["state"]) == Decimal(states[HEAT]["state"])
    assert states[HEAT]["attributes"]["friendly_name"] == "Kamstrup 403 Warmth"
    for entity, rows in statistics.items():
        # At the full hour Home Assistant adds one of its own.
        assert hass.statistic(entity)[: len(rows)] == rows
    assert hass.command("energy/get_prefs") == preferences
    assert hass.command("energy/validate")["energy_sources"] == [[]]
    assert not hass.log_of_ours("WARNING", "ERROR", "CRITICAL")
    hass.stop()
    (entry,) = stored_entries(hass)
    assert entry["version"] == 1, "golles' integration refuses another major version"
    assert entry["options"] == OPTIONS
    assert entry["data"] == {"port": meter.port}
    assert entry["unique_id"] == read["meter"]["serial"]

    swap(hass, STAND_IN)
    hass.start()
    hass.wait_for_entry("loaded")
    hass.wait_for_state(HEAT, "1.0")
    back = kept(hass)
    check_unchanged(before, back)
    assert [own["id"] for own in hass.devices()] == [device["id"]]


def stored_entries(hass: Hass) -> list[dict[str, Any]]:
    """Return our entries as they are on disk."""
    return [
        entry
        for entry in hass.storage("core.config_entries")["entries"]
        if entry["domain"] == DOMAIN
    ]


def test_a_silent_meter_on_the_day_of_the_change_costs_nothing(
    golles: Hass, component: Path, meter: Meter
) -> None:
    """The serial number can only be learned later; until then everything stays as it was."""
    hass = golles
    with Bridge(meter.port, line=Line.SILENT) as bridge:
        set_up(hass, bridge.port)
        before = kept(hass)
        hass.stop()
        swap(hass, component)
        hass.start()
        hass.wait_for_entry("setup_retry")
        assert kept(hass) == before
        assert not bridge.in_use
        bridge.line = Line.GOOD
        hass.wait_for_entry("loaded", 2 * PATIENCE)
        after = kept(hass)
        check_unchanged(before, after)


def test_two_entries_for_one_meter_are_told_apart(golles: Hass, component: Path) -> None:
    """Nobody ever looked whether two ports lead to one meter; the second entry says so."""
    hass = golles
    with Meter() as meter, Meter() as same:
        set_up(hass, meter.port)
        flows = "/api/config/config_entries/flow"
        flow = hass.post(flows, handler=DOMAIN)["flow_id"]
        hass.post(f"{flows}/{flow}", port=same.port)
        before = kept(hass)
        hass.stop()
        swap(hass, component)
        hass.start()

        def look() -> bool:
            return sorted(entry["state"] for entry in hass.entries()) == ["loaded", "setup_error"]

        wait_for("one entry to be loaded and the other refused", PATIENCE, look)
        issues = hass.command("repairs/list_issues")["issues"]
        (issue,) = (issue for issue in issues if issue["domain"] == DOMAIN)
        assert issue["translation_key"] == "duplicate_meter"
        check_texts(
            hass, "issues", "issues.duplicate_meter.title", issue["translation_placeholders"]
        )
        after = kept(hass)
        assert {entity_id: after.get(entity_id) for entity_id in before} == before
