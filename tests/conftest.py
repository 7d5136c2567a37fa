"""Fixtures for all rooms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sottovoce.onion.private import PrivateNetwork

_TOR = "tor"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side, a file stays in one process, and all that need a Tor network are in one, which begins with them."""
    groups = {item: _group(item) for item in items}
    items.sort(key=lambda item: groups[item] != _TOR)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item]))


def _group(item: pytest.Item) -> str:
    return _TOR if "private_network" in getattr(item, "fixturenames", ()) else item.path.as_posix()


@pytest.fixture(scope="session")
def private_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNetwork]:
    """A private Tor network on loopback, up for the whole session."""
    folder: Path = tmp_path_factory.mktemp("tor")
    with PrivateNetwork(folder) as network:
        yield network
