"""A Home Assistant with its real pages and a meter, for scripts/screenshots.mjs to look at.

Says on standard output where it is. Each line on standard input is an order, answered by a line:

    line WORD           spoil or mend the line to the meter: good, silent, noise, ...
    add                 add the meter, so that its entities are there
    history             give the heat a week's past and put it into the energy dashboard
    device              answer with the id of the meter's device
    stop                end
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .flows import add
from .hass import DOMAIN, Hass, prepare
from .meters import Bridge, Line, Meter

HEAT = "sensor.kamstrup_403_heat_energy_e1"


def main() -> None:
    """Set the stage and follow orders."""
    with tempfile.TemporaryDirectory() as name, Meter() as meter, Bridge(meter.port) as bridge:
        root = Path(name)
        for kind, place in (("WHEEL", root / "site"), ("ZIP", root / DOMAIN)):
            with zipfile.ZipFile(os.environ[f"HEATMETER_{kind}"]) as archive:
                archive.extractall(place)
        directory = root / "config"
        prepare(directory, root / DOMAIN)
        hass = Hass(directory, [root / "site"], frontend=Path(os.environ["HASS_FRONTEND"]))
        try:
            hass.start(until="up")
            hass.onboard(entirely=True)
            hass.wait_until("RUNNING")
            tidy(hass)
            say(url=hass.url, token=hass.token, port=bridge.port)
            for order in sys.stdin:
                if order.strip() == "stop":
                    break
                follow(hass, bridge, *order.split())
        finally:
            hass.kill()


def tidy(hass: Hass) -> None:
    """Remove what the onboarding has set up without its packages."""
    for entry in hass.command("config_entries/get"):
        if entry["state"] != "loaded" and entry["domain"] != DOMAIN:
            hass.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")


def follow(hass: Hass, bridge: Bridge, order: str, word: str = "") -> None:
    """Follow one order."""
    if order == "line":
        bridge.line = Line(word)
        say()
    elif order == "add":
        add(hass, bridge.port)
        say()
    elif order == "history":
        past(hass)
        say()
    elif order == "device":
        (device,) = hass.devices()
        say(id=device["id"])


def say(**answer: str) -> None:
    """Answer."""
    print(json.dumps(answer), flush=True)


def past(hass: Hass) -> None:
    """Let the meter have counted for a week, more by day than by night."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    reading = float(hass.state(HEAT))
    unit = hass.get(f"/api/states/{HEAT}")["attributes"]["unit_of_measurement"]
    rows = []
    for hours in range(1, 7 * 24):
        at = now - timedelta(hours=hours)
        used = 0.006 + 0.004 * math.cos((at.hour - 7) / 24 * 2 * math.pi) + 0.001 * (at.day % 3)
        rows.append({"start": at.isoformat(), "state": reading, "sum": reading})
        reading -= used
    hass.import_statistics(HEAT, unit, "energy", rows[::-1])
    source = {
        "type": "gas",
        "stat_energy_from": HEAT,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
    }
    hass.command("energy/save_prefs", energy_sources=[source], device_consumption=[])


if __name__ == "__main__":
    main()
