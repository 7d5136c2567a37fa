"""Editions over HTTP (spec 9.7, 9.8): the list, whole files, one range, caches, and servers that lie."""

from __future__ import annotations

import asyncio
import http.client
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from doubles.pool import filled
from starlette.applications import Starlette

from sottovoce.onion.circuit import LoopbackProtocol
from sottovoce.pool import client as client_module
from sottovoce.pool import edition_api
from sottovoce.pool.client import PoolClient
from sottovoce.pool.disk import open_quietly
from sottovoce.pool.edition import Listed, edition_bytes, read_stream, size_of
from sottovoce.pool.editions import Editions, edition_path
from sottovoce.pool.errors import RoadError

NUMBER = 83_333
HELD = {tag: filled(tag) for tag in (secrets.token_bytes(16) for _ in range(64))}
RAW = edition_bytes(NUMBER, HELD)
SIZE = len(RAW)


@dataclass
class Side:
    """The public side, reached over its socket."""

    folder: Path
    path: Path

    def connect(self) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(5)
        stream.connect(str(self.path))
        return stream

    @property
    def client(self) -> PoolClient:
        return PoolClient("o.onion", self.connect)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("o.onion")
        connection.sock = self.connect()
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers={"Connection": "close", **names})
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    folder = tmp_path_factory.mktemp("e")
    (folder / "editions").mkdir()
    edition_path(folder / "editions", NUMBER).write_bytes(RAW)
    site = Starlette(routes=[*edition_api.edition_routes(Editions(folder / "editions"), lambda request: True)])
    config = uvicorn.Config(
        site, uds=str(folder / "s"), http=LoopbackProtocol, ws="none", lifespan="off", log_config=None,
        server_header=False, date_header=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    yield Side(folder / "editions", folder / "s")
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def listed(side: Side) -> Listed:
    (one,) = side.client.editions()
    return one


def test_9_7_the_list_names_number_count_and_hash(side: Side, listed: Listed) -> None:
    status, headers, body = side.ask("/v1/editions")
    assert (status, body) == (200, NUMBER.to_bytes(4, "big") + (64).to_bytes(4, "big") + listed.hash)
    assert headers["cache-control"] == "no-store"
    assert "date" not in headers


def test_9_7_what_came_and_went_changes_the_list(side: Side, listed: Listed) -> None:
    other = edition_path(side.folder, NUMBER + 9)
    other.write_bytes(edition_bytes(NUMBER + 9, dict(list(HELD.items())[:32])))
    assert [(each.number, each.count) for each in side.client.editions()] == [(NUMBER, 64), (NUMBER + 9, 32)]
    assert side.ask(f"/v1/editions/{NUMBER + 9}")[0] == 200
    other.unlink()
    assert side.ask(f"/v1/editions/{NUMBER + 9}")[0] == 404
    assert side.client.editions() == [listed]


def test_9_8_an_edition_comes_whole_and_may_be_kept_for_ever(side: Side, listed: Listed) -> None:
    status, headers, body = side.ask(f"/v1/editions/{NUMBER}")
    assert (status, body) == (200, RAW)
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["etag"] == f'"{listed.hash.hex()}"'
    assert headers["accept-ranges"] == "bytes"
    assert not {"date", "last-modified", "content-range"} & headers.keys()


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=16-31", 16, 32),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=1-", 1, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-8192", SIZE - 8192, SIZE),
        (f"bytes=5-{10**14}", 5, SIZE),
        (" bytes=3-4 ", 3, 5),
    ],
)
def test_9_8_one_range_is_given(side: Side, wanted: str, start: int, stop: int) -> None:
    status, headers, body = side.ask(f"/v1/editions/{NUMBER}", Range=wanted)
    assert (status, body) == (206, RAW[start:stop])
    assert headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert headers["content-length"] == str(stop - start)
    assert "immutable" in headers["cache-control"]


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-", f"bytes=-{SIZE}", f"bytes=-{10**14}", f"bytes=0-{SIZE - 1}", "bytes=0-1,5-6", "bytes=5-4",
        "bytes=-", "bytes=", "bytes=a-b", "lines=1-2", "bytes=1-2x", "bytes=--5", "bytes=+1-2", "bytes=1-2-3", "",
        "bytes=\xb9-", f"bytes={'9' * 400}-",
    ],
)  # fmt: skip
def test_9_8_all_of_it_or_no_range_that_we_know_is_the_whole(side: Side, wanted: str) -> None:
    status, headers, body = side.ask(f"/v1/editions/{NUMBER}", Range=wanted)
    assert (status, body) == (200, RAW)
    assert "content-range" not in headers


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE}", "bytes=-0", f"bytes={10**14}-"])
def test_9_8_a_range_beyond_the_end_is_416(side: Side, wanted: str) -> None:
    status, headers, body = side.ask(f"/v1/editions/{NUMBER}", Range=wanted)
    assert (status, body) == (416, b"")
    assert headers["content-range"] == f"bytes */{SIZE}"


def test_9_8_caches_may_ask_again(side: Side, listed: Listed) -> None:
    etag = f'"{listed.hash.hex()}"'
    path = f"/v1/editions/{NUMBER}"
    assert side.ask(path, If_None_Match=etag)[::2] == (304, b"")
    assert side.ask(path, If_None_Match='"other"')[0] == 200
    assert side.ask(path, Range="bytes=0-0", If_Range=etag)[0] == 206
    assert side.ask(path, Range="bytes=0-0", If_Range='"other"')[::2] == (200, RAW)


def test_9_8_a_head_has_the_size_and_no_body(side: Side) -> None:
    status, headers, body = side.ask(f"/v1/editions/{NUMBER}", "HEAD")
    assert (status, headers["content-length"], body) == (200, str(SIZE), b"")
    assert side.ask(f"/v1/editions/{NUMBER}", "HEAD", Range="bytes=0-9")[1]["content-length"] == "10"


@pytest.mark.parametrize("name", ["1", str(2**64), "0", "-1", "x", "..%2fpending%2f1", f"{NUMBER}.edition", ""])
def test_9_8_nothing_else_is_served(side: Side, name: str) -> None:
    assert side.ask(f"/v1/editions/{name}")[0] in (404, 307)


def test_what_was_read_in_part_is_closed(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who goes away in the middle leaves no open file; nor is the rest read for nobody."""
    opened = []

    def counting(path: Path) -> object:
        opened.append(open_quietly(path))
        return opened[-1]

    monkeypatch.setattr("sottovoce.pool.editions.open_quietly", counting)
    monkeypatch.setattr(edition_api, "CHUNK", 1_024)
    with side.connect() as stream:
        stream.sendall(b"GET /v1/editions/%d HTTP/1.1\r\nHost: x\r\n\r\n" % NUMBER)
        assert stream.recv(100)
    assert side.ask(f"/v1/editions/{NUMBER}", "HEAD")[0] == 200
    deadline = time.monotonic() + 5
    while not all(file.closed for file in opened) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(opened) >= 2
    assert all(file.closed for file in opened)


def test_attack_who_asks_and_reads_nothing_is_left(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    big = NUMBER + 1
    edition_path(side.folder, big).write_bytes(
        edition_bytes(big, {tag: filled(tag) for tag in (secrets.token_bytes(16) for _ in range(1_024))})
    )
    monkeypatch.setattr(edition_api, "SEND_SECONDS", 0.2)
    try:
        with side.connect() as stream:
            stream.sendall(b"GET /v1/editions/%d HTTP/1.1\r\nHost: x\r\n\r\n" % big)
            time.sleep(1.0)
            got = 0
            while part := stream.recv(1 << 20):
                got += len(part)
        assert 0 < got < size_of(1_024)
    finally:
        edition_path(side.folder, big).unlink()


# ---- the client


def test_9_8_the_client_reads_what_it_lists(side: Side, listed: Listed) -> None:
    assert dict(read_stream(side.client.edition(NUMBER, count=64), listed)) == HELD
    assert b"".join(side.client.edition(NUMBER)) == RAW


@pytest.mark.parametrize("start", [1, 17, SIZE - 1])
def test_the_client_goes_on_where_it_was_cut_off(side: Side, start: int) -> None:
    assert RAW[:start] + b"".join(side.client.edition(NUMBER, start)) == RAW
    assert b"".join(side.client.edition(NUMBER, start, 64)) == RAW[start:]


def test_the_client_never_holds_an_edition(side: Side) -> None:
    assert max(len(chunk) for chunk in side.client.edition(NUMBER)) <= 65_536


def test_an_edition_that_is_gone_is_told(side: Side) -> None:
    with pytest.raises(RoadError, match="answered with 404"):
        next(side.client.edition(NUMBER + 7))


def answering(raw: bytes) -> Callable[[], socket.socket]:
    """A server that answers anything with these bytes."""

    def connect() -> socket.socket:
        ours, theirs = socket.socketpair()

        def answer() -> None:
            with theirs:
                theirs.recv(65_536)
                theirs.sendall(raw)

        threading.Thread(target=answer).start()
        ours.settimeout(5)
        return ours

    return connect


def reply(status: int, length: int, *headers: str, body: bytes = b"") -> PoolClient:
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {length}", *headers, "", ""]
    return PoolClient("o.onion", answering("\r\n".join(lines).encode() + body))


def test_attack_an_edition_of_another_size_is_not_read() -> None:
    for wrong in (
        reply(200, size_of(96)).edition(1, count=64),
        reply(200, size_of(32)).edition(1, count=64),
        reply(200, size_of(100_032)).edition(1),
        reply(206, size_of(64) - 5, f"Content-Range: bytes 4-{SIZE - 1}/{SIZE}").edition(1, 5),
        reply(206, size_of(64) - 5, f"Content-Range: bytes 5-{SIZE - 1}/{SIZE + 1}").edition(1, 5),
        reply(206, size_of(64) - 5).edition(1, 5),
        reply(200, size_of(64), "Content-Range: bytes 0-1/2").edition(1),
    ):
        with pytest.raises(RoadError, match="another edition than it lists"):
            next(wrong)


def test_attack_a_range_that_is_answered_with_the_whole_is_not_read() -> None:
    with pytest.raises(RoadError, match="answered with 200"):
        next(reply(200, SIZE).edition(1, 5))


@pytest.mark.parametrize("count", [64, None])
@pytest.mark.parametrize("head", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_attack_an_edition_without_a_size_is_not_read(count: int | None, head: bytes) -> None:
    endless = PoolClient("o.onion", answering(b"HTTP/1.1 200 x\r\n" + head + b"\r\n" + b"9\r\n" * 100))
    with pytest.raises(RoadError, match="another edition"):
        next(endless.edition(1, count=count))


def test_attack_an_edition_that_breaks_off() -> None:
    with pytest.raises(RoadError, match="broke: try again"):
        list(reply(200, SIZE, body=RAW[:-1]).edition(NUMBER, count=64))


RECORD = NUMBER.to_bytes(4, "big") + (64).to_bytes(4, "big") + bytes(32)
OTHER = (NUMBER + 1).to_bytes(4, "big") + RECORD[4:]


@pytest.mark.parametrize(
    "body",
    [RECORD[:-1], RECORD + b"x", RECORD + RECORD, OTHER + RECORD, RECORD[:4] + bytes(36),
     RECORD[:4] + (33).to_bytes(4, "big") + bytes(32), RECORD[:4] + (100_032).to_bytes(4, "big") + bytes(32)],
)  # fmt: skip
def test_9_7_attack_a_list_that_no_honest_server_has(body: bytes) -> None:
    with pytest.raises(RoadError, match="list of editions is broken"):
        reply(200, len(body), body=body).editions()


def test_a_long_list_is_read() -> None:
    body = b"".join((NUMBER + n).to_bytes(4, "big") + RECORD[4:] for n in range(128))
    assert [each.number for each in reply(200, len(body), body=body).editions()] == list(range(NUMBER, NUMBER + 128))
    assert len(body) < client_module._LIMIT


def test_the_list_does_not_hold_up_the_loop(side: Side) -> None:
    """Asked many times at once, as by many visitors."""

    async def many() -> list[list[Listed]]:
        return await asyncio.gather(*(asyncio.to_thread(side.client.editions) for _ in range(30)))

    assert len({tuple(each) for each in asyncio.run(many())}) == 1
