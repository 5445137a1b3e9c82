"""From nothing to heat in the energy dashboard, as a person goes through it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from .flows import add, adding, moving
from .meters import Bridge, Meter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .hass import Hass

# What a new meter shows: entity, register, device class, state class.
DEFAULT = [
    ("sensor.kamstrup_403_heat_energy_e1", 60, "energy", "total_increasing"),
    ("sensor.kamstrup_403_heat_energy_e1_high_res", 266, "energy", "total_increasing"),
    ("sensor.kamstrup_403_volume", 68, "volume", "total_increasing"),
    ("sensor.kamstrup_403_infoevent", 99, None, None),
    ("sensor.kamstrup_403_infoevent_counter", 113, None, "total_increasing"),
    ("sensor.kamstrup_403_serial_number", 1001, None, None),
    ("sensor.kamstrup_403_hourcounter", 1004, "duration", "total_increasing"),
]
ENERGY = DEFAULT[0][0]
UNITS = {"m3": "m³", "m3/h": "m³/h", "l/h": "L/h"}


@pytest.fixture(params=["socket", "pty"])
def any_meter(request: pytest.FixtureRequest) -> Iterator[Meter]:
    """Start a simulated meter on a network port, then one on a pseudo-terminal."""
    with Meter(pty=request.param == "pty") as meter:
        yield meter


def test_a_new_meter_shows_what_heatmeter_reads(hass: Hass, any_meter: Meter) -> None:
    """The dialog names the meter; device and entities are as `heatmeter read` says."""
    read = any_meter.read("60", "266", "68", "99", "113", "1001", "1004")
    serial, model = read["meter"]["serial"], read["meter"]["model"]

    dialog = adding(hass)
    assert [field["name"] for field in dialog.step["data_schema"]] == ["port"]
    assert "serial_port" in dialog.step["data_schema"][0]["selector"]
    dialog.submit(port=any_meter.port)
    assert dialog.step["step_id"] == "found"
    assert dialog.progress, "the dialog showed no progress while it asked the meter"
    assert dialog.placeholders["serial"] == serial
    assert dialog.placeholders["model"] == model
    assert dialog.placeholders["signal"] == "100"
    dialog.submit()

    entry = hass.wait_for_entry("loaded")
    assert dialog.step["result"]["entry_id"] == entry["entry_id"]
    assert serial in entry["title"]

    (device,) = hass.devices()
    assert device["serial_number"] == serial
    assert device["model"] == model
    assert device["manufacturer"] == "Kamstrup"
    assert device["entry_type"] is None

    states = hass.states()
    assert {entity for entity, *_ in DEFAULT} <= states.keys()
    readings = {reading["register"]: reading for reading in read["readings"]}
    for entity, register, device_class, state_class in DEFAULT:
        check_state(states[entity], readings[register])
        attributes = states[entity]["attributes"]
        assert attributes.get("device_class") == device_class, entity
        assert attributes.get("state_class") == state_class, entity
    others = states.keys() - {entity for entity, *_ in DEFAULT}
    assert not [entity for entity in others if states[entity]["state"] == "unavailable"]
    assert not hass.log_of_ours("WARNING", "ERROR", "CRITICAL")

    again = adding(hass)
    again.submit(port=any_meter.port)
    assert again.step["type"] == "abort"
    assert again.step["reason"] == "already_configured"


def check_state(state: dict[str, Any], reading: dict[str, Any]) -> None:
    """Check that a state is exactly what was read."""
    unit = state["attributes"].get("unit_of_measurement")
    assert reading["quality"] == "good", reading
    assert unit == UNITS.get(reading["unit"], reading["unit"]), state["entity_id"]
    if state["entity_id"].endswith(("serial_number", "infoevent")):
        assert state["state"] == reading["value"], state["entity_id"]
    else:
        assert Decimal(state["state"]) == Decimal(reading["value"]), state["entity_id"]


def test_the_port_can_be_written_by_hand_and_is_checked(hass: Hass, meter: Meter) -> None:
    """What is no port, and a port nobody listens on, is said in the form, which then takes one."""
    dialog = adding(hass)
    dialog.submit(port="meter.local")
    assert dialog.step["step_id"] == "user"
    assert dialog.errors == {"port": "invalid_port"}
    with Bridge(None) as bridge:
        bridge.go_away()
        dialog.submit(port=bridge.port)
    assert dialog.step["step_id"] == "user"
    assert dialog.errors == {"base": "port_unreachable"}
    dialog.submit(port="/dev/serial/by-id/usb-none")
    assert dialog.errors == {"base": "port_missing"}
    dialog.submit(port=meter.port)
    assert dialog.step["step_id"] == "found"


def test_another_entity_can_be_enabled(hass: Hass, meter: Meter) -> None:
    """An entity that was off by default gets its value once it is on."""
    power = "sensor.kamstrup_403_power"
    (reading,) = meter.read("80")["readings"]
    add(hass, meter.port)
    assert hass.registered()[power]["disabled_by"] == "integration"
    hass.command("config/entity_registry/update", entity_id=power, disabled_by=None)
    # Home Assistant waits half a minute for more of them before it reloads the entry.
    hass.wait_for_state(power, None)
    check_state(hass.get(f"/api/states/{power}"), reading)


def test_heat_goes_into_the_energy_dashboard_as_gas(hass: Hass, meter: Meter) -> None:
    """Home Assistant finds nothing to complain of."""
    add(hass, meter.port)
    (heat,) = (
        found
        for found in hass.command("recorder/list_statistic_ids")
        if found["statistic_id"] == ENERGY
    )
    assert heat["unit_class"] == "energy"
    assert heat["has_sum"] is True
    # Home Assistant's own first row comes with the next five minutes; this is what it looks like.
    hass.import_statistic(ENERGY, heat["statistics_unit_of_measurement"], "energy", 7.5)
    source = {
        "type": "gas",
        "stat_energy_from": ENERGY,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": 0.9,
    }
    hass.command("energy/save_prefs", energy_sources=[source], device_consumption=[])
    found = hass.command("energy/validate")
    assert found["energy_sources"] == [[]]


def test_another_port_keeps_the_entities(hass: Hass, meter: Meter) -> None:
    """The meter moves to a new bridge; entities, their ids and the device stay."""
    add(hass, meter.port)
    entities, (device,) = hass.registered(), hass.devices()
    with Bridge(None) as wrong, Meter("--seed", "2") as other:
        dialog = moving(hass)
        assert dialog.step["step_id"] == "reconfigure"
        dialog.submit(port=other.port)
        assert dialog.step["reason"] == "wrong_meter"
        hass.wait_for_entry("loaded")
        wrong.go_away()
        dialog = moving(hass)
        dialog.submit(port=wrong.port)
        assert dialog.errors == {"base": "port_unreachable"}
        hass.delete(f"{dialog.path}/{dialog.step['flow_id']}")
        hass.wait_for_entry("loaded")
    with Bridge(meter.port) as bridge:
        dialog = moving(hass)
        dialog.submit(port=bridge.port)
        assert dialog.step["type"] == "abort"
        assert dialog.step["reason"] == "reconfigure_successful"
        hass.wait_for_entry("loaded")
        hass.wait_for_state(ENERGY, None)
        assert bridge.in_use
        after = hass.registered()
        assert {key: own["unique_id"] for key, own in after.items()} == {
            key: own["unique_id"] for key, own in entities.items()
        }
        assert [own["id"] for own in hass.devices()] == [device["id"]]
        assert not hass.log_of_ours("ERROR", "CRITICAL")
