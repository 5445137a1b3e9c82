"""What the live tests share: a Home Assistant with a user, copied for each test."""

from __future__ import annotations

import fcntl
import os
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .hass import DOMAIN, Hass, prepare
from .meters import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack our wheel, as pip would install it."""
    file = os.environ.get("HEATMETER_WHEEL")
    assert file, "HEATMETER_WHEEL does not say where our wheel is; `make test` sets it"
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(site)
    return site


@pytest.fixture(scope="session")
def component(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack what the store would install."""
    file = os.environ.get("HEATMETER_ZIP")
    assert file, "HEATMETER_ZIP does not say where the store's file is; `make test` sets it"
    directory = tmp_path_factory.mktemp("store") / DOMAIN
    with zipfile.ZipFile(file) as archive:
        archive.extractall(directory)
    return directory


@pytest.fixture(scope="session")
def onboarded(
    tmp_path_factory: pytest.TempPathFactory, wheel: Path, component: Path
) -> tuple[Path, str]:
    """Prepare a configuration directory with a user, and the user's token."""
    # pytest-xdist gives each of its processes a directory of its own below a common one.
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent
    directory, token = common / "onboarded", common / "token"
    with (common / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not token.exists():
            prepare(directory, component)
            hass = Hass(directory, [wheel])
            try:
                hass.start(until="up")
                hass.onboard()
                hass.wait_until("RUNNING")
                hass.stop()
            finally:
                hass.kill()
            token.write_text(hass.token, encoding="utf-8")
    return directory, token.read_text(encoding="utf-8")


@pytest.fixture
def new_hass(
    onboarded: tuple[Path, str], wheel: Path, tmp_path: Path
) -> Iterator[Callable[[], Hass]]:
    """Make Home Assistants that know a user and our integration; not started yet."""
    template, token = onboarded
    made: list[Hass] = []

    def make() -> Hass:
        directory = tmp_path / f"hass{len(made)}"
        shutil.copytree(template, directory, ignore=shutil.ignore_patterns("*.log*"))
        hass = Hass(directory, [wheel])
        hass.token = token
        made.append(hass)
        return hass

    yield make
    for hass in made:
        hass.kill()


@pytest.fixture
def hass(new_hass: Callable[[], Hass]) -> Hass:
    """Start a Home Assistant."""
    made = new_hass()
    made.start()
    return made


@pytest.fixture
def meter() -> Iterator[Meter]:
    """Start a simulated MULTICAL 403."""
    with Meter() as meter:
        yield meter
