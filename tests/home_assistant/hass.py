"""A Home Assistant of one's own: a real process with a configuration directory and a log."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from .api import PATIENCE, Api, RefusedError, wait_for

DOMAIN = "kamstrup_403"
STUBS = Path(__file__).parent / "stubs"
# Bounds for what never takes so long, on a machine with better things to do.
START_SECONDS = 240
STOP_SECONDS = 120

CONFIGURATION = """\
homeassistant:
  name: Home
  unit_system: metric
  time_zone: Europe/Copenhagen
  currency: DKK
  country: DK
  latitude: 55.68
  longitude: 12.57
recorder:
  commit_interval: 1
history:
energy:
logger:
  default: info
  logs:
    custom_components.kamstrup_403: debug
"""

LONG_AGO = "2026-01-12T00:00:00+00:00"

# As Home Assistant 2026.11 stores them when it starts for the first time.
HTTP_SETTINGS = {
    "stable": {
        "cors_allowed_origins": ["https://cast.home-assistant.io"],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-11-22T00:00:00+00:00",
        "error": None,
        "error_message": None,
    },
    "pending": None,
    "yaml_migration_done": True,
}

# What begins an entry of the log: time, level, thread, logger.
LOG_ENTRY = re.compile(
    r"^[-0-9]{10} [:.0-9]{12}[^ ]* (?P<level>[A-Z]+) \([^)]*\) \[(?P<logger>[^]]+)\] "
)


@dataclass(frozen=True)
class LogEntry:
    """One entry of the log, with the lines of its traceback."""

    level: str
    logger: str
    text: str


class Hass(Api):
    """A Home Assistant process and its configuration directory."""

    def __init__(
        self, directory: Path, python_path: list[Path], *, frontend: Path | None = None
    ) -> None:
        """Use that directory, which has a configuration; `python_path` is where our wheel lies."""
        self.port = free_port()
        super().__init__(self.port)
        self.directory = directory
        self.log_file = directory / "console.log"
        pages = [] if frontend is None else [frontend]
        self.python_path = [*python_path, *pages, STUBS]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, until: str = "RUNNING", debug: bool = False) -> None:
        """Start it and wait until it is that far."""
        assert self.process is None
        command = [sys.executable, "-m", "homeassistant", "--config", str(self.directory)]
        command += ["--skip-pip", "--log-no-color"]
        if debug:
            command.append("--debug")
        self._listen_on_loopback()
        environment = {
            **os.environ,
            "PYTHONPATH": ":".join(str(path) for path in self.python_path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self.directory,
                start_new_session=True,
            )
        self.wait_until(until)

    def wait_until(self, state: str) -> None:
        """Wait until it is that far: "up" is when it can be asked, "RUNNING" when it is done."""
        wait_for(
            f"Home Assistant to be {state}; see {self.log_file}", START_SECONDS, self._is(state)
        )

    def _listen_on_loopback(self) -> None:
        """Set address and port where Home Assistant keeps them, which is not its configuration."""
        file = self.directory / ".storage" / "http"
        if file.exists():
            stored = json.loads(file.read_text(encoding="utf-8"))
        else:
            file.parent.mkdir()
            stored = {
                "version": 3,
                "minor_version": 1,
                "key": "http",
                "data": deepcopy(HTTP_SETTINGS),
            }
        stored["data"]["stable"]["server_host"] = ["127.0.0.1"]
        stored["data"]["stable"]["server_port"] = self.port
        file.write_text(json.dumps(stored), encoding="utf-8")

    def _is(self, state: str) -> Any:
        def look() -> bool:
            assert self.process is not None
            if "Setup failed for 'api'" in self.log_file.read_text(errors="replace"):
                raise AssertionError(f"Home Assistant has no API; see {self.log_file}")
            if self.process.poll() is not None:
                raise AssertionError(f"Home Assistant ended:\n{self.log_file.read_text()[-3000:]}")
            try:
                if state == "up":
                    self.get("/api/onboarding")
                    return True
                return bool(self.get("/api/config")["state"] == state)
            except RefusedError as refused:
                if "401" in str(refused):
                    raise
                return False
            except aiohttp.ClientError, OSError:
                return False

        return look

    def stop(self) -> None:
        """Ask it to stop and wait until it has: what it remembers is then on disk."""
        if self.process is None:
            return
        # As from the menu: a SIGINT in the last moments of the start can leave it hanging.
        self.act("homeassistant", "stop")
        try:
            assert self.process.wait(STOP_SECONDS) == 0, f"it broke off; see {self.log_file}"
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"Home Assistant does not stop; see {self.log_file}") from None
        self.process = None

    def kill(self) -> None:
        """End it at once, for when nobody looks at the directory any more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def onboard(self, *, entirely: bool = False) -> None:
        """Create the first user and sign in for long.

        The pages insist on the other steps, too; those start integrations that are not here.
        """
        client = f"{self.url}/"
        code = self.post(
            "/api/onboarding/users",
            client_id=client,
            name="Test",
            username="test",
            password="test",
            language="en",
        )["auth_code"]
        self.token = self.post_form(
            "/auth/token", grant_type="authorization_code", code=code, client_id=client
        )["access_token"]
        if entirely:
            self.post("/api/onboarding/core_config")
            self.post("/api/onboarding/analytics")
            self.post("/api/onboarding/integration", client_id=client, redirect_uri=client)
        self.token = self.command("auth/long_lived_access_token", client_name="tests", lifespan=365)

    def log(self) -> list[LogEntry]:
        """Return everything logged so far."""
        entries: list[LogEntry] = []
        for line in self.log_file.read_text(encoding="utf-8", errors="replace").splitlines():
            begins = LOG_ENTRY.match(line)
            if begins:
                entries.append(LogEntry(begins["level"], begins["logger"], line))
            elif entries:
                last = entries.pop()
                entries.append(LogEntry(last.level, last.logger, f"{last.text}\n{line}"))
        return entries

    def log_of_ours(self, *levels: str) -> list[LogEntry]:
        """Return what our integration logged at these levels, or about it by others."""
        return [
            entry
            for entry in self.log()
            if entry.level in levels
            and (DOMAIN in entry.logger or DOMAIN in entry.text)
            # Home Assistant says this of every custom integration.
            and "not been tested by Home Assistant" not in entry.text
        ]

    def storage(self, name: str) -> Any:
        """Return what it has stored under that name; only sure after `stop`."""
        return json.loads((self.directory / ".storage" / name).read_text())["data"]

    # What the tests ask for most.

    def entries(self) -> list[dict[str, Any]]:
        """Return our config entries."""
        return list(self.command("config_entries/get", domain=DOMAIN))

    def entry(self) -> dict[str, Any]:
        """Return our only config entry."""
        (entry,) = self.entries()
        return entry

    def wait_for_entry(self, state: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait until our only config entry is in that state."""
        try:
            return wait_for(
                f"the entry to be {state}",
                seconds,
                lambda: next((entry for entry in self.entries() if entry["state"] == state), None),
            )
        except AssertionError as error:
            found = [(entry["state"], entry["reason"]) for entry in self.entries()]
            ours = [entry.text for entry in self.log_of_ours("ERROR")]
            raise AssertionError("\n".join([f"{error}; found {found}", *ours])) from None

    def devices(self) -> list[dict[str, Any]]:
        """Return the devices of our integration."""
        return [
            device
            for device in self.command("config/device_registry/list")
            if any(identifier[0] == DOMAIN for identifier in device["identifiers"])
        ]

    def registered(self) -> dict[str, dict[str, Any]]:
        """Return the registry's entries of our entities, by entity id."""
        return {
            entity["entity_id"]: entity
            for entity in self.command("config/entity_registry/list")
            if entity["platform"] == DOMAIN
        }

    def states(self) -> dict[str, dict[str, Any]]:
        """Return the states of our entities, by entity id."""
        ours = self.registered()
        return {
            state["entity_id"]: state
            for state in self.command("get_states")
            if state["entity_id"] in ours
        }

    def state(self, entity_id: str) -> str:
        """Return the state of one entity."""
        return str(self.get(f"/api/states/{entity_id}")["state"])

    def wait_for_state(self, entity_id: str, wanted: str | None, seconds: float = PATIENCE) -> str:
        """Wait until an entity has that state; with None, any but unknown and unavailable."""

        def look() -> str | None:
            try:
                state = self.state(entity_id)
            except RefusedError:
                return None
            if wanted is None:
                return None if state in ("unknown", "unavailable") else state
            return state if state == wanted else None

        return wait_for(f"{entity_id} to be {wanted or 'known'}", seconds, look)

    def act(self, domain: str, action: str, **fields: Any) -> Any:
        """Call an action that does not answer."""
        return self.post(f"/api/services/{domain}/{action}", **fields)

    def ask(self, domain: str, action: str, **fields: Any) -> Any:
        """Call an action that answers."""
        return self.post(f"/api/services/{domain}/{action}?return_response", **fields)[
            "service_response"
        ]

    def import_statistic(
        self, entity_id: str, unit: str, unit_class: str | None, reading: float
    ) -> None:
        """Give a counter a past: one hour, long ago."""
        row = {"start": LONG_AGO, "state": reading, "sum": reading}
        self.import_statistics(entity_id, unit, unit_class, [row])
        wait_for("the recorder", PATIENCE, lambda: self.statistic(entity_id))

    def import_statistics(
        self, entity_id: str, unit: str, unit_class: str | None, rows: list[dict[str, Any]]
    ) -> None:
        """Give a counter a past, hour by hour."""
        self.command(
            "recorder/import_statistics",
            metadata={
                "statistic_id": entity_id,
                "source": "recorder",
                "name": None,
                "mean_type": 0,
                "has_sum": True,
                "unit_class": unit_class,
                "unit_of_measurement": unit,
            },
            stats=rows,
        )

    def statistic(self, entity_id: str) -> list[dict[str, Any]]:
        """Return the long-term statistics of an entity."""
        found = self.command(
            "recorder/statistics_during_period",
            start_time=LONG_AGO,
            statistic_ids=[entity_id],
            period="hour",
            types=["state", "sum"],
        )
        return list(found.get(entity_id, []))

    def refresh(self, *entity_ids: str) -> None:
        """Have the entities read now."""
        self.act("homeassistant", "update_entity", entity_id=list(entity_ids))


# Linux gives ports from 32,768 on to outgoing connections. Processes that run at the same time
# begin at different places.
_ports = itertools.cycle(range(10_000, 32_000))
next(itertools.islice(_ports, os.getpid() * 97 % 22_000, None))


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and that nobody else is given."""
    for port in _ports:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("the ports never end")


def prepare(directory: Path, component: Path) -> None:
    """Write a configuration, and put the integration where the store would put it."""
    directory.mkdir(exist_ok=True)
    (directory / "configuration.yaml").write_text(CONFIGURATION, encoding="utf-8")
    target = directory / "custom_components" / DOMAIN
    shutil.copytree(component, target, ignore=shutil.ignore_patterns("__pycache__"))
