"""A source in a world of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from doubles.organisation import Organisation
from doubles.world import World, make_world, organisation

from sottovoce.protocol.sizes import QUARTERS, edition_of


@pytest.fixture
def org() -> Organisation:
    """An organisation on duty."""
    return organisation()


@pytest.fixture
def world(org: Organisation, tmp_path: Path) -> Iterator[World]:
    """A world of its own."""
    made = make_world(org, tmp_path / "pool")
    assert edition_of(made.now) % QUARTERS == 1, "two more editions close on this day"
    with closing(made.pool):
        yield made
