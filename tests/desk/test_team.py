"""Three desks around one server: mailbox, transport keys, catching up, removal (spec 10.1, 10.3, 10.5)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.team import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three devices that joined and synced twice."""
    made = World(tmp_path)
    for slot, name in enumerate(("ana", "ben", "eva")):
        made.admit(name, 2 * slot)
    made.round()
    made.round()
    yield made
    made.close()


def test_one_makes_the_keys_and_all_have_them(world: World) -> None:
    assert all(desk.opens_all() for desk in world.desks.values())
    envelope = world.server.write()
    assert envelope is not None
    world.round()
    assert all(desk.reads(envelope) for desk in world.desks.values())
