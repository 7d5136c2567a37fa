"""The pool's API over a real UNIX socket: with the client of ours, and with bytes by hand."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from doubles.organisation import Organisation
from doubles.pool import cheap_dummy
from starlette.applications import Starlette
from starlette.requests import Request

from sottovoce.onion.circuit import LoopbackProtocol
from sottovoce.pool import api
from sottovoce.pool import client as client_module
from sottovoce.pool.client import PoolClient
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.pool.store import Putter, SqlitePool
from sottovoce.protocol.sizes import ENVELOPE, edition_of, epoch_of
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.team import TeamFolder

NOW = 1_800_000_123.75
TODAY = epoch_of(NOW)
SIZE = 4 + 16 + ENVELOPE


@dataclass
class Side:
    """One of the two sides, reached over its socket."""

    path: Path

    def connect(self) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(5)
        stream.connect(str(self.path))
        return stream

    @property
    def client(self) -> PoolClient:
        return PoolClient("o.onion", self.connect)

    def raw(self, sent: bytes, *, ends: bool = False) -> bytes:
        """The answer to bytes by hand; `ends`: we send no more."""
        with self.connect() as stream:
            stream.sendall(sent)
            if ends:
                stream.shutdown(socket.SHUT_WR)
            return stream.recv(65_536)

    def status(self, method: str, path: str, length: int | None = 0, body: bytes = b"") -> int:
        size = f"Content-Length: {length}\r\n" if length is not None else ""
        answer = self.raw(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{size}\r\n".encode() + body)
        return int(answer[9:12])


@contextmanager
def serving(site: Starlette, path: Path) -> Iterator[Side]:
    config = uvicorn.Config(
        site, uds=str(path), http=LoopbackProtocol, ws="none", lifespan="off", log_config=None,
        server_header=False, date_header=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        yield Side(path)
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    made = Organisation(tmp_path_factory.mktemp("o"), TODAY)
    made.go_on_duty()
    return made


@pytest.fixture(scope="module")
def sides(org: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    folder = tmp_path_factory.mktemp("s")
    signed = TeamFolder(SignedFolder(org.server / "signed"), lambda: NOW)
    with closing(SqlitePool(folder / "pool", lambda: NOW, cheap_dummy)) as pool:
        editions = Editions(folder / "pool" / "editions")
        public = Starlette(routes=[*api.public_routes(pool, editions, signed, lambda: NOW)])
        members = Starlette(routes=[*api.member_routes(pool, signed)])
        with serving(public, folder / "public") as one, serving(members, folder / "members") as other:
            yield one, other


@pytest.fixture
def public(sides: tuple[Side, Side]) -> Side:
    return sides[0]


@pytest.fixture
def members(sides: tuple[Side, Side]) -> Side:
    return sides[1]


def new_envelope() -> tuple[bytes, bytes]:
    return secrets.token_bytes(16), secrets.token_bytes(ENVELOPE)


def test_9_2_9_3_an_envelope_goes_in_on_one_side_and_out_on_the_other(public: Side, members: Side) -> None:
    puts = [new_envelope() for _ in range(3)]
    assert [public.client.put(TODAY, *put) for put in puts] == [Reply(PutResult.STORED, TODAY, 12)] * 3
    pending = members.client.pending()
    assert {(edition_of(NOW), tag) for tag, _ in puts} <= set(pending)
    assert pending == sorted(pending, key=lambda item: item[1])
    assert members.client.fetch([tag for tag, _ in puts]) == [sealed for _, sealed in puts]


def test_9_1_every_answer_to_a_put_has_its_status(public: Side) -> None:
    tag, sealed = new_envelope()
    other = bytes(ENVELOPE)
    asked = [(TODAY, tag, sealed), (TODAY, tag, sealed), (TODAY - 9, tag, sealed), (TODAY, tag, other)]
    asked.append((TODAY - 2, bytes(16), other))
    bodies = [epoch.to_bytes(4, "big") + tag + raw for epoch, tag, raw in asked]
    assert [public.status("POST", "/v1/envelopes", SIZE, body) for body in bodies] == [201, 200, 200, 409, 422]
    results = [public.client.put(*each).result for each in asked]
    assert results == [PutResult.KNOWN] * 3 + [PutResult.TAKEN, PutResult.WRONG_EPOCH]


def test_9_1_a_put_tells_the_servers_epoch_the_hour_of_the_next_edition_and_no_time(public: Side) -> None:
    body = (TODAY + 9).to_bytes(4, "big") + b"".join(new_envelope())
    answer = public.raw(b"POST /v1/envelopes HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % SIZE + body).lower()
    assert f"\r\nepoch: {TODAY}\r\n".encode() in answer
    assert b"\r\nhour: 12\r\n" in answer
    assert b"\r\ncache-control: no-store\r\n" in answer
    assert b"\r\ndate:" not in answer
    assert b"\r\nserver:" not in answer


@pytest.mark.parametrize(
    ("method", "path", "length", "status"),
    [
        ("POST", "/v1/envelopes", SIZE + 1, 413),
        ("POST", "/v1/envelopes", 10**15, 413),
        ("POST", "/v1/envelopes", SIZE - 1, 400),
        ("POST", "/v1/envelopes", 0, 400),
        ("POST", "/v1/envelopes", None, 411),
    ],
)
def test_a_wrong_size_is_refused_before_a_byte_of_it_is_sent(
    public: Side, method: str, path: str, length: int | None, status: int
) -> None:
    assert public.status(method, path, length) == status


@pytest.mark.parametrize(
    ("method", "path", "length", "status"),
    [
        ("POST", "/v1/pending", 16 * api.FETCH_MOST + 1, 413),
        ("POST", "/v1/pending", 15, 400),
        ("POST", "/v1/pending", None, 411),
    ],
)
def test_the_members_side_checks_sizes_as_well(
    members: Side, method: str, path: str, length: int | None, status: int
) -> None:
    assert members.status(method, path, length) == status


def test_a_body_without_announced_size_is_refused(public: Side) -> None:
    chunked = b"POST /v1/envelopes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert public.raw(chunked + b"5\r\nhello\r\n0\r\n\r\n")[9:12] == b"411"


def test_a_body_that_breaks_off_stores_nothing(public: Side, members: Side) -> None:
    before = members.client.pending()
    tag, sealed = new_envelope()
    start = b"POST /v1/envelopes HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % SIZE
    public.raw(start + TODAY.to_bytes(4, "big") + tag + sealed[:-1], ends=True)
    assert members.client.pending() == before


def test_a_body_that_does_not_come_is_given_up(public: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BODY_SECONDS", 0.1)
    assert public.status("POST", "/v1/envelopes", SIZE, b"only this") == 408


@pytest.mark.parametrize("length", [17, 31])
def test_9_3_tags_are_asked_for_whole(members: Side, length: int) -> None:
    assert members.status("POST", "/v1/pending", length, bytes(length)) == 404


def test_what_is_not_there_is_not_found(members: Side, public: Side) -> None:
    tag, sealed = new_envelope()
    public.client.put(TODAY, tag, sealed)
    assert members.status("POST", "/v1/pending", 32, tag + bytes(16)) == 404
    with pytest.raises(RoadError, match="try again"):
        members.client.fetch([tag, bytes(16)])


def test_a_full_fetch_comes_in_the_order_asked(members: Side, public: Side) -> None:
    puts = [new_envelope() for _ in range(api.FETCH_MOST)]
    for put in puts:
        public.client.put(TODAY, *put)
    assert members.client.fetch([tag for tag, _ in puts]) == [sealed for _, sealed in puts]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/pending"), ("POST", "/v1/pending")])
def test_the_public_side_has_no_members_routes(public: Side, members: Side, method: str, path: str) -> None:
    assert public.status(method, path) in (404, 405)
    assert members.status(method, path) not in (404, 405)


def test_the_members_side_takes_no_envelopes(members: Side) -> None:
    assert members.status("POST", "/v1/envelopes", SIZE, bytes(SIZE)) == 404


@pytest.mark.parametrize("kind", ["root", "roster", "card", "duty"])
def test_9_4_signed_things_are_served_as_signed(public: Side, members: Side, org: Organisation, kind: str) -> None:
    raw = (org.server / "signed" / f"{kind}.signed").read_bytes()
    assert public.client.signed(kind) == raw
    assert public.client.signed(kind) == members.client.signed(kind)


@pytest.mark.parametrize("kind", ["access", "none", "..%2froot", "root.signed"])
def test_nothing_else_is_served(public: Side, members: Side, org: Organisation, kind: str) -> None:
    assert (org.server / "signed" / "access.signed").is_file()
    assert public.client.signed(kind) is None
    assert members.client.signed(kind) is None


def answering(raw: bytes) -> Callable[[], socket.socket]:
    """A server that answers anything with these bytes."""

    def connect() -> socket.socket:
        ours, theirs = socket.socketpair()

        def answer() -> None:
            with theirs, theirs.makefile("rb") as asked:  # the whole of it: who closes before that resets
                heads = [line.split(b":") for line in iter(asked.readline, b"\r\n")]
                asked.read(sum(int(head[1]) for head in heads if head[0] == b"Content-Length"))
                theirs.sendall(raw)

        threading.Thread(target=answer).start()
        ours.settimeout(5)
        return ours

    return connect


def http(status: int, body: bytes = b"", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d x\r\n%sContent-Length: %d\r\n\r\n" % (status, headers, len(body)) + body


@pytest.mark.parametrize("raw", [b"", b"junk\r\n\r\n", http(200, b"12345")[:-1], http(500), http(302)])
def test_a_server_that_answers_wrongly_is_an_error_in_a_sentence(raw: bytes) -> None:
    client = PoolClient("o.onion", answering(raw))
    for call in (client.pending, lambda: client.put(TODAY, *new_envelope()), lambda: client.signed("root")):
        with pytest.raises(RoadError, match=r"^[^.]*: try again[^.]*\.$"):
            call()


def test_a_cut_list_and_a_full_store_are_told() -> None:
    with pytest.raises(RoadError, match="is cut"):
        PoolClient("o.onion", answering(http(200, bytes(21)))).pending()
    full = http(503, headers=b"Epoch: 7\r\nHour: 18\r\n")
    assert PoolClient("o.onion", answering(full)).put(TODAY, *new_envelope()) == Reply(PutResult.FULL, 7, 18)
    with pytest.raises(RoadError, match="not hand out"):
        PoolClient("o.onion", answering(http(200, bytes(ENVELOPE)))).fetch([bytes(16), bytes(16)])


@pytest.mark.parametrize(
    "headers", [b"", b"Epoch: 7\r\n", b"Hour: 6\r\n", b"Epoch: -1\r\nHour: 6\r\n", b"Epoch: 7\r\nHour: 24\r\n",
                b"Epoch: 7\r\nHour: 99999999999999999999\r\n", b"Epoch: x\r\nHour: 6\r\n"]
)  # fmt: skip
def test_attack_a_put_is_not_stored_by_an_answer_without_day_and_hour(headers: bytes) -> None:
    with pytest.raises(RoadError, match="answered a put with 201"):
        PoolClient("o.onion", answering(http(201, headers=headers))).put(TODAY, *new_envelope())


def test_attack_more_than_any_honest_answer_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_LIMIT", 100)
    client = PoolClient("o.onion", answering(http(200, bytes(101))))
    for call in (client.pending, client.editions, lambda: client.signed("root"), lambda: client.fetch([bytes(16)])):
        with pytest.raises(RoadError, match="more than any honest answer"):
            call()


def test_a_store_that_fails_is_an_answer_without_words(tmp_path: Path, org: Organisation) -> None:
    class Failing:
        async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
            await asyncio.sleep(0)
            raise RoadError("secret words")

    with public_side(tmp_path, org, Failing(), lambda request: True) as side:
        start = b"POST /v1/envelopes HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % SIZE
        answer = side.raw(start + bytes(SIZE))
        assert side.client.put(TODAY, *new_envelope()) == Reply(PutResult.FULL, TODAY, 12)
    assert answer[9:12] == b"503"
    assert b"secret" not in answer


def test_9_11_a_used_up_budget_is_503_with_the_hour(tmp_path: Path, org: Organisation) -> None:
    asked: list[str] = []

    class Untouched:
        async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
            raise AssertionError("put all the same")

    def never(request: Request) -> bool:
        asked.append(request.url.path)
        return False

    with public_side(tmp_path, org, Untouched(), never) as side:
        assert side.client.put(TODAY, *new_envelope()) == Reply(PutResult.FULL, TODAY, 12)
        assert side.status("GET", "/v1/editions/1") == 503
        assert side.client.editions() == []
        assert side.client.signed("root")
    assert asked == ["/v1/envelopes", "/v1/editions/1"]


@contextmanager
def public_side(folder: Path, org: Organisation, pool: Putter, allow: Callable[[Request], bool]) -> Iterator[Side]:
    (folder / "editions").mkdir()
    signed = TeamFolder(SignedFolder(org.server / "signed"), lambda: NOW)
    routes = api.public_routes(pool, Editions(folder / "editions"), signed, lambda: NOW, allow)
    with serving(Starlette(routes=[*routes]), folder / "s") as side:
        yield side
