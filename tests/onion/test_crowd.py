"""The crowd's bounds: who goes when there are too many, and that it is never who asks and reads."""

from __future__ import annotations

import contextlib
import re
import resource
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from sottovoce.onion.circuit import CircuitProtocol
from sottovoce.onion.crowd import Crowd

Serve = Callable[..., AbstractContextManager[Path]]
GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


class Guest:
    """Somebody who notes that he was thrown out."""

    here = True

    def cut(self) -> None:
        self.here = False


def guests(crowd: Crowd, count: int) -> list[Guest]:
    made = [Guest() for _ in range(count)]
    for each in made:
        crowd.enter(each)
    return made


def test_who_was_longest_without_a_step_goes() -> None:
    crowd = Crowd(most=3)
    first, second, third = guests(crowd, 3)
    crowd.step(first)
    (fourth,) = guests(crowd, 1)
    assert [each.here for each in (first, second, third, fourth)] == [True, False, True, True]
    assert len(crowd) == 3


def test_a_circuit_loses_only_its_own_oldest() -> None:
    crowd = Crowd(circuit_most=2)
    other, *same = guests(crowd, 4)
    crowd.name(other, "b")
    for each in same:
        crowd.name(each, "a")
    assert [each.here for each in same] == [False, True, True]
    assert other.here


def test_who_holds_most_goes_and_gives_its_bytes_back() -> None:
    crowd = Crowd(bytes_most=100)
    small, large, later = guests(crowd, 3)
    crowd.hold(small, 10)
    crowd.hold(large, 60)
    crowd.hold(later, 40)
    assert (small.here, large.here, later.here) == (True, False, True)
    crowd.hold(small, 60)
    assert small.here
    crowd.hold(large, 10**6)  # bytes of one that is gone count no more
    (last,) = guests(crowd, 1)
    crowd.hold(last, 0)
    assert [each.here for each in (small, later, last)] == [True, True, True]


def test_who_left_is_forgotten() -> None:
    crowd = Crowd(most=2, circuit_most=1, bytes_most=10)
    gone, stays = guests(crowd, 2)
    crowd.name(gone, "a")
    crowd.hold(gone, 10)
    crowd.leave(gone)
    crowd.name(stays, "a")
    crowd.hold(stays, 10)
    guests(crowd, 1)
    assert [each.here for each in (gone, stays)] == [True, True]


def test_few_files_make_a_small_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(256, 4_096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    crowd = Crowd()
    crowd.take_files()
    assert limits[-1] == (4_096, 4_096)
    assert crowd.most == 512


# -- the same over a real socket ------------------------------------------------------------


def small(**bounds: int) -> type[CircuitProtocol]:
    class Small(CircuitProtocol):
        HEADER_SECONDS = BODY_SECONDS = SEND_SECONDS = 0.5
        crowd = Crowd(**bounds)

    return Small


def dial(path: Path, circuit: int) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(5)
    stream.connect(str(path))
    stream.sendall(b"PROXY TCP6 fc00:dead:beef:4dad::0:%x ::1 65535 42\r\n" % circuit)
    return stream


def answered(stream: socket.socket, request: bytes = GET) -> bool:
    """Whether a request is answered; what came is read."""
    with contextlib.suppress(ConnectionError):
        stream.sendall(request)
        return bool(re.match(rb"HTTP/1.1 200", stream.recv(65_536)))
    return False


def closed(stream: socket.socket) -> bool:
    """Whether the server closes it in time."""
    with contextlib.suppress(ConnectionError):
        while stream.recv(1 << 20):
            pass
    return True


def test_ten_times_as_many_idle_circuits_as_fit_keep_nobody_out(serve: Serve, tmp_path: Path) -> None:
    with serve(tmp_path / "door", small(most=20)) as path, contextlib.ExitStack() as streams:
        honest = streams.enter_context(dial(path, 1))
        idle = []
        for number in range(200):
            idle.append(streams.enter_context(dial(path, 2 + number)))
            assert answered(idle[-1])
            assert number % 10 or answered(honest)
        assert closed(idle[0])
        assert answered(idle[-1])


def test_one_circuit_with_many_connections_crowds_out_itself(serve: Serve, tmp_path: Path) -> None:
    with serve(tmp_path / "door", small(circuit_most=4)) as path, contextlib.ExitStack() as streams:
        honest = streams.enter_context(dial(path, 1))
        assert answered(honest)
        same = [streams.enter_context(dial(path, 2)) for _ in range(40)]
        assert answered(same[-1])
        assert closed(same[0])
        assert answered(honest)


def test_a_body_that_nobody_reads_and_that_never_ends_is_cut(serve: Serve, tmp_path: Path) -> None:
    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    with serve(tmp_path / "door", small(), deaf) as path, dial(path, 1) as stream:
        assert answered(stream, POST % 10**9 + b"x")
        began = time.monotonic()
        assert closed(stream)
        assert time.monotonic() - began < 3


def test_large_bodies_under_way_are_cut_and_small_ones_pass(serve: Serve, tmp_path: Path) -> None:
    class Patient(CircuitProtocol):
        crowd = Crowd(bytes_most=500_000)

    with serve(tmp_path / "door", Patient) as path, contextlib.ExitStack() as streams:
        large = [streams.enter_context(dial(path, number)) for number in range(10)]
        for stream in large:
            with contextlib.suppress(ConnectionError):
                stream.sendall(POST % 100_000 + b"x" * 90_000)
        assert answered(streams.enter_context(dial(path, 99)), POST % 10_000 + b"x" * 10_000)
        finished = [answered(stream, b"x" * 10_000) for stream in large]
        assert 4 <= sum(finished) <= 5


def test_who_reads_nothing_is_cut_also_when_the_answer_was_the_last(serve: Serve, tmp_path: Path) -> None:
    async def large(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"3000000"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(3_000_000)})

    protocol = small()
    with serve(tmp_path / "door", protocol, large) as path, dial(path, 1) as stalled:
        stalled.sendall(GET)
        until = time.monotonic() + 5
        while len(protocol.crowd) != 1:
            assert time.monotonic() < until
        while len(protocol.crowd):
            assert time.monotonic() < until, "it is still held"
            time.sleep(0.02)


def test_requests_piled_up_before_their_turn_are_cut(serve: Serve, tmp_path: Path) -> None:
    started = 0

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal started
        started += 1
        await receive()
        await receive()  # until the connection is gone

    with serve(tmp_path / "door", small(), slow) as path, dial(path, 1) as stream:
        stream.sendall(GET * 1_000)
        assert closed(stream)
    assert started == 1
