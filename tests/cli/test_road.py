"""The desk's real road and a real server, Tor left out: UNIX sockets stand in for circuits."""

from __future__ import annotations

import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from cli.conftest import PASSPHRASE, House
from starlette.applications import Starlette

from sottovoce.cli import road as road_module
from sottovoce.cli.road import TorRoad
from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import NAME, Vault
from sottovoce.onion.circuit import LoopbackProtocol
from sottovoce.onion.errors import OnionError
from sottovoce.pool import api
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import RoadError
from sottovoce.pool.store import SqlitePool
from sottovoce.pool.team import Mailbox
from sottovoce.pool.team_api import team_routes
from sottovoce.protocol.body import Body
from sottovoce.protocol.dummy import make_dummy
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.message import parts_to_desk, seal_to_desk
from sottovoce.protocol.sizes import EDITION_SECONDS, epoch_of
from sottovoce.protocol.words import Passphrase
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.team import TeamFolder

LONG = "The ledger of the harbour. " * 700


@dataclass
class Server:
    """A real pool, mailbox and signed folder behind two sockets; its clock is turned by the test."""

    folder: Path
    now: float
    isolations: list[tuple[str, str]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)  # after so many bytes a stream of the door breaks
    streams: list[socket.socket] = field(default_factory=list)
    dead = 0  # so many connections end at once

    def connect(self, port: int, host: str, isolation: str | None = None) -> socket.socket:
        assert isolation
        self.isolations.append((host, isolation))
        if port:
            raise OnionError("The onion can't be reached over Tor: it did not answer in time; try again later.")
        path = self.folder / ("members" if host == "members.onion" else "door")
        stream = _Breaking(self.breaks.pop(0)) if self.breaks and path.name == "door" else socket.socket(socket.AF_UNIX)
        stream.settimeout(10)
        stream.connect(str(path))
        self.streams.append(stream)
        if self.dead:
            self.dead -= 1
            stream.shutdown(socket.SHUT_RDWR)
        return stream

    def close_edition(self, pool: SqlitePool) -> None:
        self.now += EDITION_SECONDS
        pool.turn().result(30)


class _Breaking(socket.socket):
    """A stream that breaks after so many bytes came."""

    def __init__(self, left: int) -> None:
        super().__init__(socket.AF_UNIX)
        self.left = left

    def recv_into(self, buffer: object, nbytes: int = 0, flags: int = 0) -> int:
        if self.left <= 0:
            raise ConnectionResetError
        size = super().recv_into(buffer, nbytes, flags)  # type: ignore[arg-type]
        self.left -= size
        return size


@contextmanager
def serving(site: Starlette, path: Path) -> Iterator[None]:
    config = uvicorn.Config(site, uds=str(path), http=LoopbackProtocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(tmp_path, time.time())
    monkeypatch.setattr(road_module, "connect", made.connect)
    return made


@pytest.fixture
def pool(house: House, server: Server) -> Iterator[SqlitePool]:
    """The pool of a server that runs."""
    folder, now = server.folder, lambda: server.now
    shutil.copytree(house.server / "signed", folder / "signed")
    signed = TeamFolder(SignedFolder(folder / "signed"), now)
    org = SignedFolder(folder / "signed").root(epoch_of(server.now)).org
    with (
        closing(SqlitePool(folder / "pool", now, lambda epoch: make_dummy(secrets.token_bytes, org, epoch))) as pool,
        closing(Mailbox(folder / "pool" / "team.sqlite3", now)) as mailbox,
    ):
        door = Starlette(routes=[*api.public_routes(pool, Editions(folder / "pool" / "editions"), signed, now)])
        members = Starlette(routes=[*team_routes(signed, mailbox), *api.member_routes(pool, signed)])
        with serving(door, folder / "door"), serving(members, folder / "members"):
            yield pool


@pytest.fixture
def desk(house: House, server: Server, tmp_path: Path) -> Iterator[Desk]:
    shutil.copytree(house.desk, tmp_path / "desk")
    with Vault.open(tmp_path / "desk" / NAME, PASSPHRASE) as vault:
        yield Desk(vault, lambda: server.now, secrets.token_bytes)


@pytest.fixture
def road() -> Iterator[TorRoad]:
    with closing(TorRoad(0, "door.onion", "members.onion")) as made:
        yield made


def write(server: Server, road: TorRoad, text: str) -> SourceKeys:
    """A source puts a message at the door."""
    today = epoch_of(server.now)
    audience = SignedFolder(server.folder / "signed").published(today).audience(today)
    assert audience
    keys, body = SourceKeys(audience.org, Passphrase(secrets.token_bytes(16))), Body(text)
    tags = [secrets.token_bytes(16) for _ in range(parts_to_desk(body.encode()))]
    ids = {"message_id": secrets.token_bytes(16), "seen": bytes(256)}
    for tag, envelope in zip(tags, seal_to_desk(keys, audience, body, tags=tags, **ids), strict=True):
        road.put(today, tag, envelope)
    return keys


def test_a_conversation_with_a_real_server(server: Server, pool: SqlitePool, desk: Desk, road: TorRoad) -> None:
    first = desk.sync(road)
    assert (first.duty_published, first.complete, first.alarms) == (True, True, [])
    keys = write(server, road, LONG)
    assert desk.sync(road).messages == 1
    server.close_edition(pool)
    desk.answer(keys.id.hex(), LONG)
    report = desk.sync(road)
    assert (report.editions, report.sent, report.messages, report.replayed) == (1, 1, 0, 0)
    desk.post_one(road)
    server.close_edition(pool)
    report = desk.sync(road)
    assert (report.editions, report.alarms, report.warnings) == (1, [], [])
    found = desk.compare(road, full=True)
    assert (found.things, found.editions, found.alarms, found.complete) == (4, 2, [], True)
    assert [entry.text for entry in desk.read(keys.id.hex())] == [LONG, LONG]


def test_each_call_of_the_door_has_a_circuit_of_its_own_and_all_of_members_one_connection(
    server: Server, pool: SqlitePool, desk: Desk, road: TorRoad
) -> None:
    desk.sync(road)
    with road.fresh() as fresh:
        desk.sync(fresh)
    door = [isolation for host, isolation in server.isolations if host == "door.onion"]
    members = [isolation for host, isolation in server.isolations if host == "members.onion"]
    assert len(door) == len(set(door)) > 8
    assert len(set(members)) == len(members) == 2, "one for each sync"


def test_a_kept_connection_that_ended_is_opened_anew_once(server: Server, pool: SqlitePool, road: TorRoad) -> None:
    for _ in range(3):
        assert road.pending() == []
    assert len(server.isolations) == 1
    server.streams[-1].shutdown(socket.SHUT_RDWR)
    assert road.pending() == []
    assert len(server.isolations) == 2
    server.streams[-1].shutdown(socket.SHUT_RDWR)
    server.dead = 2
    with pytest.raises(RoadError, match="connection to the server broke"):
        road.pending()
    with pytest.raises(RoadError, match="connection to the server broke"):
        road.pending()
    assert road.pending() == []
    assert len(server.isolations) == 5


def test_an_edition_goes_on_over_a_fresh_circuit_where_one_broke(
    server: Server, pool: SqlitePool, desk: Desk, road: TorRoad
) -> None:
    desk.sync(road)
    server.close_edition(pool)
    (listed,) = road.editions()
    server.breaks = [100_000, 70_000]
    before = len(server.isolations)
    assert sum(map(len, road.edition(listed.number))) == 16 + 32 * 8_208
    assert len(server.isolations) == before + 3
    server.breaks = [100_000, 0]
    with pytest.raises(RoadError, match="connection to the server broke"):
        list(road.edition(listed.number))


def test_what_tor_says_is_the_roads_error(server: Server, road: TorRoad) -> None:
    with pytest.raises(RoadError, match="did not answer in time"):
        TorRoad(1, "door.onion", "members.onion").pending()
