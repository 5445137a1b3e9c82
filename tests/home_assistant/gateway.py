"""A gateway of one's own, and the broker between it and Home Assistant."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
from typing import TYPE_CHECKING, Any, Self

from .api import wait_for
from .hass import free_port
from .meters import HEATMETER, READY_SECONDS, first_line

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from .hass import Hass

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") or ""


class Server:
    """A process in a folder that can go and come back."""

    def __init__(self, directory: Path) -> None:
        """Start it."""
        self.directory = directory
        self.directory.mkdir()
        self.process: subprocess.Popen[Any] | None = None

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self.kill()


class Broker(Server):
    """A mosquitto that forgets everything when it ends."""

    def __init__(self, directory: Path) -> None:
        """Start it."""
        super().__init__(directory)
        self.port = free_port()
        (directory / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n", encoding="utf-8"
        )
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        assert MOSQUITTO, "there is no mosquitto; install Debian's package"
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [MOSQUITTO, "-c", str(self.directory / "mosquitto.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

        def listens() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, (self.directory / "log").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
            except OSError:
                return False
            return True

        wait_for("mosquitto to listen", READY_SECONDS, listens)


class Gateway(Server):
    """`heatmeter run` for one meter, which it reads every five seconds unless told otherwise."""

    def __init__(
        self,
        directory: Path,
        meter: str,
        broker: Broker,
        *registers: str,
        schedule: str = "every 5 s",
    ) -> None:
        """Start it; without registers it reads what the model has."""
        super().__init__(directory)
        self.file = directory / "heatmeter.toml"
        self.web = free_port()
        self.meter = meter
        self.broker = broker
        self.schedule = schedule
        self.configure(*registers)
        self.start()

    def configure(self, *registers: str) -> None:
        """Write the configuration."""
        read = f"registers = {json.dumps(registers)}\n" if registers else ""
        self.file.write_text(
            f'[web]\nlisten = "127.0.0.1:{self.web}"\n'
            f'[[meter]]\nname = "House"\nport = "{self.meter}"\nschedule = "{self.schedule}"\n'
            f'mains_powered = true\ntimeout = "1s"\n{read}'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {self.broker.port}\n',
            encoding="utf-8",
        )

    def start(self) -> None:
        """Start it and wait until it listens."""
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [HEATMETER, "run", "--json", "--config", str(self.file)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        assert first_line(self.process.stdout), (self.directory / "log").read_text()

    def reload(self) -> None:
        """Have it read its configuration again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Ask it to end and wait until it has."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(READY_SECONDS) == 0, (self.directory / "log").read_text()
        self.kill()


def add_broker(hass: Hass, broker: Broker) -> None:
    """Set the MQTT integration up, as a person does who knows the address."""
    path = "/api/config/config_entries/flow"
    step = hass.post(path, handler="mqtt")
    step = hass.post(
        f"{path}/{step['flow_id']}",
        broker="127.0.0.1",
        port=broker.port,
        protocol="5",
        other_settings={"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"},
    )
    assert step["type"] == "create_entry", step
