"""Fixtures for all rooms."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sottovoce.onion.private import PrivateNetwork

_START, _LAST = 150.0, 600.0  # seconds: two attempts of a start; the last file of another process
_ENDS = contextlib.ExitStack()
_FIRST = (  # one that computes, one that waits for Tor, and so on, as long as there are long ones
    "journeys/test_call.py",
    "journeys/test_team.py",
    "who/test_who.py",
    "journeys/test_languages.py",
    "house/test_mutation.py",
    "access/test_axe.py",
    "journeys/test_first_contact.py",
    "outreach/proof/test_verify.py",
    "deploy/test_operators.py",
    "journeys/test_source_device.py",
    "outreach/film/test_renditions.py",
    "desk/test_team.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first: side by side, none shall be begun last, nor all that wait for Tor at once."""
    tests = Path(__file__).parent
    rank = {tests / name: place for place, name in enumerate(_FIRST)}
    assert all(path.exists() for path in rank), "tests/conftest.py: a file of _FIRST has another name now"
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(scope="session")
def private_network(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[list[str]]:
    """The torrc lines of a private Tor network on loopback: one of the processes starts it, all use it."""
    own = tmp_path_factory.getbasetemp()
    shared = (own if worker_id == "master" else own.parent) / "tor"
    lines, mine = shared / "lines", shared / f"used by {worker_id}"
    try:
        shared.mkdir()
    except FileExistsError:
        mine.touch()
        _wait(lines.exists, _START)
        yield json.loads(lines.read_text("utf-8"))
        mine.unlink()
        return
    network = _ENDS.enter_context(PrivateNetwork(own / "tors"))
    _ENDS.callback(_wait, lambda: not list(shared.glob("used by *")), _LAST)
    new = shared / "new"
    new.write_text(json.dumps(network.client_lines()), "utf-8")
    new.rename(lines)
    yield network.client_lines()


def pytest_sessionfinish() -> None:
    """Ends the network once no other process uses it; here, since a test's teardown has its own, shorter time."""
    _ENDS.close()


def _wait(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "the private Tor network of another test process"
        time.sleep(0.1)
