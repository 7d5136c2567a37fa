"""Tor's circuit line and the deadlines, over a real UNIX socket and a real server."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from sottovoce.onion.circuit import CircuitProtocol, LoopbackProtocol

Serve = Callable[..., AbstractContextManager[Path]]
LINE = b"PROXY TCP6 fc00:dead:beef:4dad::0:15 ::1 65535 42\r\n"
CIRCUIT = b"fc00:dead:beef:4dad::0:15"
GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
DEADLINE = 0.4  # seconds


class Quick(CircuitProtocol):
    HEADER_SECONDS = DEADLINE


class QuickLoopback(LoopbackProtocol):
    HEADER_SECONDS = DEADLINE


@pytest.fixture(scope="module")
def door(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serve(tmp_path_factory.mktemp("s") / "door", Quick) as path:
        yield path


def dial(path: Path) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(5)
    stream.connect(str(path))
    return stream


def ask(stream: socket.socket, request: bytes) -> bytes:
    """Send, and read one whole response's body."""
    stream.sendall(request)
    return answer(stream)


def answer(stream: socket.socket) -> bytes:
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        if end and found and len(body) >= int(found[1]):
            return body
        piece = stream.recv(1)  # not a byte of the next response
        if not piece:
            raise EOFError(data)
        data += piece


def everything(stream: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := stream.recv(65536):
            data += piece
    return data


def test_circuit_of_the_line_is_the_client(door: Path) -> None:
    with dial(door) as stream:
        assert ask(stream, LINE + GET) == CIRCUIT + b" /a 0"


def test_keep_alive_keeps_the_circuit(door: Path) -> None:
    with dial(door) as stream:
        answers = [ask(stream, LINE + GET)] + [ask(stream, GET) for _ in range(3)]
    assert answers == [CIRCUIT + b" /a 0"] * 4


def test_line_in_single_bytes_is_read(door: Path) -> None:
    with dial(door) as stream:
        for byte in LINE + GET:
            stream.sendall(bytes([byte]))
        assert answer(stream) == CIRCUIT + b" /a 0"


def test_pipelined_requests_keep_order_and_circuit(door: Path) -> None:
    with dial(door) as stream:
        stream.sendall(LINE + GET + GET.replace(b"/a", b"/b") + GET.replace(b"/a", b"/c"))
        assert [answer(stream) for _ in range(3)] == [CIRCUIT + path for path in (b" /a 0", b" /b 0", b" /c 0")]


def test_second_line_does_not_change_the_circuit(door: Path) -> None:
    with dial(door) as stream:
        ask(stream, LINE + GET)
        stream.sendall(LINE.replace(b"0:15", b"0:16") + GET)
        assert b"4dad::0:16" not in everything(stream)


@pytest.mark.parametrize(
    "first",
    [
        GET,
        b"\r\n" + LINE + GET,
        b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + GET,
        LINE.replace(b"beef", b"cafe") + GET,
        LINE.replace(b"\r\n", b"\n") + GET,
        LINE.replace(b"::1 ", b"::2 ") + GET,
        LINE[:-2] + b" more\r\n" + GET,
        b"\x16\x03\x01\x02\r\n",
        b"\xff" * 5000,
        b"P" * 108,
    ],
)
def test_connection_that_begins_otherwise_is_closed_unanswered(door: Path, first: bytes) -> None:
    began = time.monotonic()
    with dial(door) as stream:
        stream.sendall(first)
        assert everything(stream) == b""
    assert time.monotonic() - began < DEADLINE


@pytest.mark.parametrize("first", [b"", LINE[:20], LINE, LINE + b"GET / HT", LINE + GET[:-2]])
def test_unfinished_headers_are_closed_at_the_deadline(door: Path, first: bytes) -> None:
    began = time.monotonic()
    with dial(door) as stream:
        stream.sendall(first)
        assert everything(stream) == b""
    assert DEADLINE * 0.9 < time.monotonic() - began < DEADLINE + 1


def test_trickling_headers_do_not_move_the_deadline(door: Path) -> None:
    began = time.monotonic()
    with dial(door) as stream, contextlib.suppress(ConnectionError):
        stream.sendall(LINE + b"GET / HTTP/1.1\r\n")
        for number in range(100):
            stream.sendall(b"x-%d: y\r\n" % number)
            time.sleep(0.05)
    assert time.monotonic() - began < DEADLINE + 1


@pytest.mark.parametrize("second", [GET[:-2], b"G", b"\r\n"])
def test_next_request_has_the_same_deadline(door: Path, second: bytes) -> None:
    with dial(door) as stream:
        ask(stream, LINE + GET)
        time.sleep(2 * DEADLINE)  # idle is uvicorn's own affair, 5 s
        began = time.monotonic()
        stream.sendall(second)
        assert everything(stream) == b""
    assert time.monotonic() - began < DEADLINE + 1


def test_slow_body_is_not_ours_to_close(door: Path) -> None:
    with dial(door) as stream:
        stream.sendall(LINE + b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc")
        time.sleep(2 * DEADLINE)
        assert ask(stream, b"def") == CIRCUIT + b" /p 6"


def test_slow_answer_is_not_cut_off_by_a_pipelined_request(serve: Serve, tmp_path: Path) -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(3 * DEADLINE)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    with serve(tmp_path / "door", Quick, slow) as path, dial(path) as stream:
        began = time.monotonic()
        assert ask(stream, LINE + GET + GET[:-2]) == b"ok"
        assert everything(stream) == b""
        assert time.monotonic() - began < 5 * DEADLINE + 1


@pytest.mark.parametrize("pieces", [1, 40])
def test_headers_over_the_bound_start_nothing(door: Path, pieces: int) -> None:
    request = LINE + b"GET /a HTTP/1.1\r\n" + b"x: " + b"y" * 16_384 + b"\r\n\r\n"
    size = -(-len(request) // pieces)
    with dial(door) as stream:
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(request), size):
                stream.sendall(request[start : start + size])
                time.sleep(0.001)
        assert CIRCUIT not in everything(stream)


def test_endless_header_is_closed_long_before_the_deadline(serve: Serve, tmp_path: Path) -> None:
    with serve(tmp_path / "door", CircuitProtocol) as path, dial(path) as stream:
        began = time.monotonic()
        stream.sendall(LINE + b"GET / HTTP/1.1\r\nx: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(2000):
                stream.sendall(b"y" * 1000)
            assert everything(stream) == b""
        assert time.monotonic() - began < CircuitProtocol.HEADER_SECONDS / 2


def test_headers_just_under_the_bound_and_a_large_body_pass(door: Path) -> None:
    head = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\nx: " + b"y" * 16_000 + b"\r\n\r\n"
    with dial(door) as stream:
        assert ask(stream, LINE + head + b"z" * 300_000) == CIRCUIT + b" /p 300000"
        assert ask(stream, head + b"z" * 300_000) == CIRCUIT + b" /p 300000"


def test_without_tor_no_line_is_wanted_but_the_deadline_holds(serve: Serve, tmp_path: Path) -> None:
    with serve(tmp_path / "plain", QuickLoopback) as path:
        with dial(path) as stream:
            assert ask(stream, GET) == b"none /a 0"
        with dial(path) as stream:
            stream.sendall(GET[:-2])
            assert everything(stream) == b""


def test_nothing_is_logged_about_a_circuit(door: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    with dial(door) as stream:
        ask(stream, LINE + GET)
    with dial(door) as stream:
        stream.sendall(LINE + b"garbage\r\n\r\n")
        everything(stream)
    assert "beef" not in caplog.text


def to_the_end(stream: socket.socket) -> bytes:
    return b"".join(iter(lambda: stream.recv(65_536), b""))


class Patient(CircuitProtocol):
    HEADER_SECONDS = 5.0


def test_a_server_that_ends_answers_who_has_just_connected_and_closes_who_is_idle(serve: Serve, tmp_path: Path) -> None:
    running = serve(tmp_path / "door", Patient)
    path = running.__enter__()
    with dial(path) as fresh, dial(path) as halfway, dial(path) as idle:
        assert ask(idle, LINE + GET)
        halfway.sendall(LINE + GET[:10])
        time.sleep(0.2)
        ending = threading.Thread(target=running.__exit__, args=(None, None, None))
        ending.start()
        assert idle.recv(1) == b""
        for stream, request in ((fresh, LINE + GET), (halfway, GET[10:])):
            stream.sendall(request)
            reply = to_the_end(stream)
            assert b"\r\nconnection: close\r\n" in reply
            assert reply.endswith(CIRCUIT + b" /a 0")
    ending.join(15)
    assert not ending.is_alive()
