"""The gateway's meters appear in Home Assistant by themselves, and stay what they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from .api import PATIENCE, RefusedError, wait_for
from .gateway import Broker, Gateway, add_broker
from .meters import Bridge, Line, Meter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .hass import Hass

SERIAL = "84968362"
DEVICE = f"kamstrup_{SERIAL}"
# After its start it is read when somebody asks for it, and not so soon again.
SELDOM = "daily at 03:00"
MOMENT = timedelta(seconds=7)
# What a 403 shows from the beginning: key, device class, state class, unit.
SHOWN = [
    ("heat_energy", "energy", "total_increasing", "GJ"),
    ("heat_energy_high_res", "energy", "total_increasing", "Wh"),
    ("volume", "volume", "total_increasing", "m³"),
    ("flow", "volume_flow_rate", "measurement", "L/h"),
    ("power", "power", "measurement", "kW"),
    ("flow_temperature", "temperature", "measurement", "°C"),
    ("return_temperature", "temperature", "measurement", "°C"),
    ("temperature_difference", "temperature_delta", "measurement", "K"),
    ("hour_counter", "duration", "total_increasing", "h"),
    ("info_code", None, None, None),
    ("info_event_counter", None, "total_increasing", None),
    ("serial_number", None, None, None),
]
# What is there when the meter is not, and who says so.
ABOUT_THE_READING = ["last_read", "verdict", "read_now"]
ABOUT_THE_METER = ["problem", "info_text"]


class House:
    """What the gateway announced, as one Home Assistant has it."""

    def __init__(self, hass: Hass) -> None:
        """Look at that Home Assistant."""
        self.hass = hass

    def registered(self) -> dict[str, dict[str, Any]]:
        """Return the registry's entries of the meter's entities, by key."""
        return {
            entity["unique_id"].removeprefix(f"{DEVICE}_"): entity
            for entity in self.hass.command("config/entity_registry/list")
            if entity["platform"] == "mqtt"
        }

    def state(self, key: str) -> dict[str, Any]:
        """Return the state of an entity with its attributes, or nothing if it has none."""
        entity = self.registered().get(key)
        if entity is None:
            return {"state": None, "attributes": {}}
        try:
            state: dict[str, Any] = self.hass.get(f"/api/states/{entity['entity_id']}")
        except RefusedError:
            return {"state": None, "attributes": {}}
        return state

    def wait_for(self, key: str, *wanted: str) -> str:
        """Wait until an entity has one of these states; without any, a value."""

        def look() -> str | None:
            state: str | None = self.state(key)["state"]
            if wanted:
                return state if state in wanted else None
            return None if state in (None, "unknown", "unavailable") else state

        try:
            return wait_for(f"{key} to be {wanted or 'known'}", PATIENCE, look)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self.complaints()])) from None

    def wait_for_poll(self) -> None:
        """Wait until a poll that begins from now on is shown."""
        before = self.wait_for("last_read")
        wait_for("a new poll", PATIENCE, lambda: self.wait_for("last_read") > before)

    def complaints(self) -> list[str]:
        """Return what Home Assistant has logged against what it was told."""
        return [
            entry.text
            for entry in self.hass.log()
            if entry.level in ("WARNING", "ERROR", "CRITICAL")
            and (
                # Its client says that the broker is away, which is no fault of ours.
                ("components.mqtt" in entry.logger and not entry.logger.endswith(".client"))
                or any(word in entry.text for word in (DEVICE, f"heatmeter/{SERIAL}", ".house_"))
            )
        ]


# Home Assistant's own, about its own parts.
@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
def test_a_meter_appears_with_all_it_has(hass: Hass, tmp_path: Path) -> None:
    """Device and entities are as `heatmeter read` says, also those that are off at first."""
    with (
        Meter("--serial", SERIAL) as meter,
        Broker(tmp_path / "broker") as broker,
    ):
        read = meter.read("--all")
        with Gateway(tmp_path / "gateway", meter.port, broker, schedule=SELDOM) as gateway:
            add_broker(hass, broker)
            house = House(hass)
            house.wait_for("heat_energy")
            registered = house.registered()
            (device,) = (
                device
                for device in hass.command("config/device_registry/list")
                if ["mqtt", DEVICE] in device["identifiers"]
            )
            assert device["name"] == "House"
            assert device["manufacturer"] == "Kamstrup"
            assert device["model"] == read["meter"]["model"]
            assert device["serial_number"] == SERIAL
            assert device["sw_version"] == read["meter"]["software"]
            assert {entity["device_id"] for entity in registered.values()} == {device["id"]}

            shown = {key for key, entity in registered.items() if entity["disabled_by"] is None}
            expected = {key for key, *_ in SHOWN} | {*ABOUT_THE_READING, *ABOUT_THE_METER}
            assert shown == expected

            readings = {reading["key"]: reading for reading in read["readings"]}
            for key, device_class, state_class, unit in SHOWN:
                state = house.state(key)
                attributes = state["attributes"]
                assert attributes.get("device_class") == device_class, key
                assert attributes.get("state_class") == state_class, key
                assert attributes.get("unit_of_measurement") == unit, key
                check_value(state["state"], readings[key])
            assert house.state("problem")["state"] == "off"
            assert house.state("info_text")["state"] == "OK"
            assert house.state("verdict")["state"] == "ok"

            # What is off at first is as good.
            for entity in registered.values():
                if entity["disabled_by"] is not None:
                    hass.command(
                        "config/entity_registry/update",
                        entity_id=entity["entity_id"],
                        disabled_by=None,
                    )
            (entry,) = hass.command("config_entries/get", domain="mqtt")
            hass.post(f"/api/config/config_entries/entry/{entry['entry_id']}/reload")
            for key in registered.keys() - {"read_now"}:
                house.wait_for(key)
            for key, reading in readings.items():
                if key in registered:
                    check_value(house.state(key)["state"], reading)
            check_keys(hass.command("mqtt/device/debug_info", device_id=device["id"]), registered)
            flags = {key for key in registered if key.startswith("info_")} - readings.keys()
            assert {house.state(key)["state"] for key in flags - {"info_text"}} == {"off"}

            # What was read a moment ago is not read again.
            before = datetime.fromisoformat(house.wait_for("last_read"))
            wait_for("a moment", PATIENCE, lambda: datetime.now(UTC) > before + MOMENT)
            hass.act("button", "press", entity_id=registered["read_now"]["entity_id"])
            wait_for(
                "a new poll",
                PATIENCE,
                lambda: datetime.fromisoformat(house.wait_for("last_read")) > before,
            )
            gateway.stop()
        assert house.complaints() == []


def check_value(state: str, reading: dict[str, Any]) -> None:
    """Check that a state is what was read."""
    assert reading["quality"] == "good", reading
    if state == reading["value"]:
        return
    assert Decimal(state) == Decimal(reading["value"]), reading


def check_keys(told: dict[str, Any], registered: dict[str, Any]) -> None:
    """Check that Home Assistant knows every key that was said; it drops others without a word."""
    assert len(told["entities"]) == len(registered)
    for entity in told["entities"]:
        platform = entity["entity_id"].split(".")[0]
        module = import_module(f"homeassistant.components.mqtt.{platform}")
        schema = module.PLATFORM_SCHEMA_MODERN
        schema = getattr(schema, "validators", [schema])[0]
        unknown = entity["discovery_data"]["payload"].keys() - {str(key) for key in schema.schema}
        # Of what is said once for all, each takes its part.
        assert unknown <= {"platform", "state_topic"}, entity["entity_id"]


def test_availability_follows_the_meter_and_the_gateway(hass: Hass, tmp_path: Path) -> None:
    """Silence makes values unavailable, and what tells of it stays; a register that goes, goes."""
    with (
        Meter("--serial", SERIAL) as meter,
        Bridge(meter.port) as bridge,
        Broker(tmp_path / "broker") as broker,
        Gateway(tmp_path / "gateway", bridge.port, broker, "heat_energy", "flow") as gateway,
    ):
        add_broker(hass, broker)
        house = House(hass)
        heat, flow = house.wait_for("heat_energy"), house.wait_for("flow")

        bridge.line = Line.SILENT
        house.wait_for("heat_energy", "unavailable")
        house.wait_for("verdict", "silent", "asleep")
        house.wait_for("last_read")
        bridge.line = Line.GOOD
        house.wait_for("heat_energy", heat)
        house.wait_for("verdict", "ok")

        gateway.kill()
        for key in ("heat_energy", "last_read", "read_now"):
            house.wait_for(key, "unavailable")
        gateway.start()
        house.wait_for("heat_energy", heat)
        house.wait_for("last_read")

        house.wait_for("flow", flow)
        gateway.configure("heat_energy")
        gateway.reload()
        wait_for("flow to go", PATIENCE, lambda: "flow" not in house.registered())
        house.wait_for("heat_energy", heat)
        assert house.complaints() == []


def test_each_may_be_restarted_in_any_order(hass: Hass, tmp_path: Path) -> None:
    """Gateway, broker, and Home Assistant, which then starts while there is no broker."""
    with (
        Meter("--serial", SERIAL, "--speed", "60") as meter,
        Broker(tmp_path / "broker") as broker,
        Gateway(tmp_path / "gateway", meter.port, broker, "heat_energy", "flow") as gateway,
    ):
        add_broker(hass, broker)
        house = House(hass)
        house.wait_for("heat_energy")
        house.wait_for("flow")
        registered = house.registered()

        def restart_gateway() -> None:
            gateway.stop()
            house.wait_for("heat_energy", "unavailable")
            gateway.start()

        def restart_broker() -> None:
            broker.kill()
            house.wait_for("heat_energy", "unavailable")
            broker.start()

        def restart_home_assistant() -> None:
            hass.stop()
            broker.kill()
            hass.start()
            broker.start()

        def check(*keys: str) -> None:
            house.wait_for_poll()
            for key in keys:
                house.wait_for(key)
            assert house.registered().keys() == registered.keys()
            for key, entity in house.registered().items():
                assert entity["entity_id"] == registered[key]["entity_id"]
            assert house.complaints() == []

        restarts: dict[str, Callable[[], None]] = {
            "g": restart_gateway,
            "b": restart_broker,
            "h": restart_home_assistant,
        }
        # Every order of the three is somewhere in it.
        for one in "gbhgbghbg":
            restarts[one]()
            check("heat_energy", "flow")

        # A register goes while Home Assistant is away.
        hass.stop()
        gateway.stop()
        gateway.configure("heat_energy")
        hass.start()
        gateway.start()
        wait_for("flow to go", PATIENCE, lambda: "flow" not in house.registered())
        registered.pop("flow")
        check("heat_energy")
