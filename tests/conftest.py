"""Fixtures for all rooms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sottovoce.onion.private import PrivateNetwork


@pytest.fixture(scope="session")
def private_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNetwork]:
    """A private Tor network on loopback, up for the whole session."""
    folder: Path = tmp_path_factory.mktemp("tor")
    with PrivateNetwork(folder) as network:
        yield network
