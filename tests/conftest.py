"""Fixtures for all rooms."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator

import pytest

from sottovoce.onion.private import PrivateNetwork

_START, _LAST = 150.0, 600.0  # seconds: two attempts of a start; the last file of another process
_ENDS = contextlib.ExitStack()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that need a Tor network come first: side by side, the longest shall not be begun last."""
    slow = {item.path for item in items if "private_network" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in slow)


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
