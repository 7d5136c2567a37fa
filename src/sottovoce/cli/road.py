"""The desk's road to the server: its own tor, and the pool's API over it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sottovoce.onion.errors import OnionError
from sottovoce.onion.keys import ClientKey
from sottovoce.onion.socks import connect, fresh_isolation
from sottovoce.onion.tor import Tor
from sottovoce.onion.torrc import client_torrc
from sottovoce.pool.client import Connect, PoolClient
from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.pool.team_client import TeamClient

from .common import random


class TorRoad:
    """What a desk asks of the server: reading on the members' onion, each put on a circuit of its own."""

    def __init__(self, socks_port: int, door: str, members: str) -> None:
        self._socks_port, self._door = socks_port, door
        self._members = TeamClient(members, self._to(members, fresh_isolation(random(16))))

    def _to(self, host: str, isolation: str) -> Connect:
        def connected() -> socket.socket:
            try:
                return connect(self._socks_port, host, isolation=isolation)
            except OnionError as error:
                raise RoadError(str(error)) from error

        return connected

    def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is pending."""
        return self._members.pending()

    def fetch(self, tags: Sequence[bytes]) -> list[bytes]:
        """The envelopes under at most 128 tags."""
        return self._members.fetch(tags)

    def signed(self, kind: str) -> bytes | None:
        """A signed thing as the members' onion serves it."""
        return self._members.signed(kind)

    def put_duty(self, raw: bytes) -> None:
        """Hands in a duty list."""
        self._members.put_duty(raw)

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> PutResult:
        """Puts an envelope by the same anonymous call as sources, on a fresh circuit."""
        door = PoolClient(self._door, self._to(self._door, fresh_isolation(random(16))))
        return door.put(epoch, tag, envelope)


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
        yield TorRoad(tor.socks_port, door, members)
    finally:
        tor.stop()
