"""A source's own road: a tor in its folder, and the organisation verified anew at each visit."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sottovoce.onion.errors import OnionError
from sottovoce.onion.socks import connect, fresh_isolation
from sottovoce.onion.tor import Tor
from sottovoce.onion.torrc import client_torrc
from sottovoce.pool.client import PoolClient
from sottovoce.pool.errors import RoadError
from sottovoce.protocol.sizes import epoch_of
from sottovoce.source.conversation import Source
from sottovoce.source.known import Known
from sottovoce.source.remote import RemotePool

from .common import UserError, err, now, random

Fresh = Callable[[], PoolClient]  # makes a client on a circuit of its own


@contextmanager
def over_onion(folder: Path, torrc_extra: Path | None, onion: str) -> Iterator[Fresh]:
    """Starts a tor of this folder's own, and ends it afterwards."""
    extra = torrc_extra.read_text().splitlines() if torrc_extra else []
    say("Starting tor …")
    place = folder.absolute() / "tor"
    tor = Tor(place, client_torrc(place, extra=extra))
    try:
        tor.start(lambda percent: say(f"  {percent} %") if percent % 25 == 0 else None)
        port = tor.socks_port  # asked here: tor's control takes one question at a time, and parts go out side by side
        yield lambda: _client(port, onion)
    finally:
        tor.stop()


def _client(socks_port: int, onion: str) -> PoolClient:
    isolation = fresh_isolation(random(16))

    def connected() -> socket.socket:
        try:
            return connect(socks_port, onion, isolation=isolation)
        except OnionError as error:
            raise RoadError(str(error)) from error

    return PoolClient(onion, connected)


@contextmanager
def visit(folder: Path, torrc_extra: Path | None) -> Iterator[tuple[Source, RemotePool]]:
    """A source that trusts what it verified a moment ago, and its pool."""
    known = Known(folder / "public")
    if (onion := known.onion) is None:
        raise UserError(f"{folder} knows no organisation: begin with `sottovoce source begin {folder} ONION`.")
    with over_onion(folder, torrc_extra, onion) as fresh:
        published = known.meet(onion, fresh().signed, epoch_of(now()))
        known.keep(onion, published, epoch_of(now()))
        with closing(RemotePool(fresh, folder, _Progress())) as pool:
            yield Source(pool, lambda: published, now, random), pool


class _Progress:
    """Says each tenth of a download once."""

    def __init__(self) -> None:
        self._said = 0

    def __call__(self, done: int, total: int) -> None:
        if not done:
            say(f"Downloading all that everybody may download, {total / 1e6:.0f} MB: so nobody learns what is yours.")
        elif (tenth := 10 * done // total) > self._said:
            self._said = tenth
            say(f"  {10 * tenth} %")


def say(text: str) -> None:
    """What a person may read while they wait."""
    err.print(text, markup=False)
