"""Stands in for home-assistant-frontend: the tests of the API need its folder, not its 117 MB."""

from pathlib import Path


def where() -> Path:
    """Say where the pages are."""
    return Path(__file__).parent
