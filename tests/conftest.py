"""Fixtures for all rooms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sottovoce.onion.private import PrivateNetwork


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that need a Tor network come first: side by side, the longest shall not be begun last."""
    slow = {item.path for item in items if "private_network" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def private_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNetwork]:
    """A private Tor network on loopback, up for the whole session of a process."""
    folder: Path = tmp_path_factory.mktemp("tor")
    with PrivateNetwork(folder) as network:
        yield network
