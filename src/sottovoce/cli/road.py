"""The desk's road to the server: its own tor, and the pool's API over it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from sottovoce.onion.errors import OnionError
from sottovoce.onion.keys import ClientKey
from sottovoce.onion.socks import connect, fresh_isolation
from sottovoce.onion.tor import Tor
from sottovoce.onion.torrc import client_torrc
from sottovoce.pool.client import Connect, PoolClient
from sottovoce.pool.edition import Listed
from sottovoce.pool.errors import Reply, RoadError
from sottovoce.pool.team_client import TeamClient

from .common import random


class TorRoad(TeamClient):
    """What a desk asks of the server: of members over one circuit, of the public's door over a fresh one a call."""

    def __init__(self, socks_port: int, door: str, members: str) -> None:
        self._socks_port, self._door_host, self._members_host = socks_port, door, members
        super().__init__(members, self._to(members), keep=True)

    def _to(self, host: str) -> Connect:
        isolation = fresh_isolation(random(16))

        def connected() -> socket.socket:
            try:
                return connect(self._socks_port, host, isolation=isolation)
            except OnionError as error:
                raise RoadError(str(error)) from error

        return connected

    def _door(self) -> PoolClient:
        return PoolClient(self._door_host, self._to(self._door_host))

    def fresh(self) -> AbstractContextManager[TorRoad]:
        """The same road over new circuits: the server can't tell that one desk came again."""
        return closing(TorRoad(self._socks_port, self._door_host, self._members_host))

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Puts an envelope by the same anonymous call as sources."""
        return self._door().put(epoch, tag, envelope)

    def shown(self, kind: str) -> bytes | None:
        """A signed thing as the door shows it to everybody."""
        return self._door().signed(kind)

    def editions(self) -> list[Listed]:
        """The editions as the door lists them to everybody."""
        return self._door().editions()

    def edition(self, number: int, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """An edition from the door; where a circuit breaks a fresh one goes on, as long as each brings something."""
        at, end = start, False
        while not end:
            begun = at
            try:
                for chunk in self._door().edition(number, at, count):
                    at += len(chunk)
                    yield chunk
                end = True
            except RoadError:
                if at == begun:
                    raise


@contextmanager
def over_tor(
    folder: Path, extra: Sequence[str], client: bytes, door: str, members: str, say: Callable[[str], None]
) -> Iterator[TorRoad]:
    """Starts the desk's tor in `folder`, gives it the device's key (in memory only), and ends it afterwards."""
    say("Starting tor …")
    tor = Tor(folder, client_torrc(folder, extra=extra))
    try:
        tor.start(lambda percent: say(f"  {percent} %") if percent % 25 == 0 else None)
        tor.add_client_key(members, ClientKey(client))
        with closing(TorRoad(tor.socks_port, door, members)) as road:
            yield road
    finally:
        tor.stop()
