"""A source's own road: a tor in its folder, and the organisation verified anew at each visit."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from sottovoce.onion.errors import OnionError
from sottovoce.onion.socks import connect, fresh_isolation
from sottovoce.onion.tor import Tor
from sottovoce.onion.torrc import client_torrc
from sottovoce.pool.client import PoolClient
from sottovoce.pool.errors import RoadError
from sottovoce.protocol.sizes import epoch_of
from sottovoce.source.conversation import Source
from sottovoce.source.known import Known, day
from sottovoce.source.remote import RemotePool
from sottovoce.trust.published import Published

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


class Visit(NamedTuple):
    """A source at an organisation, its pool, and what the organisation says today."""

    source: Source
    pool: RemotePool
    published: Published


@contextmanager
def visit(folder: Path, torrc_extra: Path | None) -> Iterator[Visit]:
    """A source that trusts what it verified a moment ago; a notice of compromise is told before anything else."""
    known = Known(folder / "public")
    if (onion := known.onion) is None:
        raise UserError(f"{folder} knows no organisation: begin with `sottovoce source begin {folder} ONION`.")
    with over_onion(folder, torrc_extra, onion) as fresh:
        published = known.meet(onion, fresh().signed, epoch_of(now()))
        known.keep(onion, published, epoch_of(now()))
        say_compromise(published)
        with closing(RemotePool(fresh, folder, _Progress())) as pool:
            yield Visit(Source(pool, lambda: published, now, random), pool, published)


def say_compromise(published: Published) -> None:
    """One sentence, where the organisation's members signed a notice of compromise."""
    if (since := published.notices.compromised_since) is not None:
        err.print(
            f"WARNING: The organisation says that messages since {day(since)} may be known to others: write nothing, "
            "and don't do now what such a message would give away.",
            style="bold red",
            markup=False,
        )


def may_write(published: Published) -> None:
    """UserError while a notice of compromise holds."""
    if published.notices.compromised_since is not None:
        raise UserError("Nothing was sent, because of that warning: read answers, and look for news by another way.")


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
