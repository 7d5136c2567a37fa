"""The server in real processes: workers that are replaced and killed; what they keep, and what they leave."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from doubles.leaks import family
from doubles.organisation import Organisation
from doubles.visitor import Visitor

from sottovoce.pool.client import PoolClient
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.message import UntrustedMessage, open_at_desk
from sottovoce.protocol.sizes import epoch_of
from sottovoce.protocol.words import parse

SERVING = Path(__file__).with_name("serving.py")
SECONDS = 60
TEXT = "They keep two sets of books. The xylophone is in the cellar."
LONG = TEXT + " Page after page." * 800  # three parts
FOREVER = 10**9


@dataclass
class Server:
    """A starter and its workers."""

    org: Organisation
    workers: int = 2
    requests: int = FOREVER
    silence: int = FOREVER
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        command = [sys.executable, str(SERVING), str(self.org.server), str(self.workers), str(self.requests)]
        command.append(str(self.silence))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self.process.stdout
        assert b"Waiting for your tor" in self.process.stdout.readline()

    def connect(self, name: str = "door") -> socket.socket:
        """A connection as tor makes it, of a circuit of its own."""
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(20)
        stream.connect(str(self.org.server / "run" / f"{name}.sock"))
        circuit = f"{secrets.randbelow(65_536):x}:{secrets.randbelow(65_536):x}"
        stream.sendall(f"PROXY TCP6 fc00:dead:beef:4dad::{circuit} ::1 65535 42\r\n".encode())
        return stream

    @property
    def pids(self) -> set[int]:
        """The workers."""
        return set(family(self.process.pid)[1:])

    def envelopes(self) -> dict[bytes, bytes]:
        """All that is pending, as a member gets it."""
        members = PoolClient("m.onion", lambda: self.connect("members"))
        tags = [tag for _, tag in members.pending()]
        return dict(zip(tags, members.fetch(tags), strict=True)) if tags else {}

    def texts(self, envelopes: dict[bytes, bytes] | None = None) -> list[str]:
        """The messages that a desk reads in them, or in these; at most one of several parts."""
        today = epoch_of(time.time())
        firsts, later = [], {}
        for tag, raw in (envelopes or self.envelopes()).items():
            for epoch in (today, today - 1):
                with contextlib.suppress(Refused, KeyError):
                    opened = open_at_desk(raw, self.org.duty_keys[epoch], self.org.org, epoch, tag)
                    if isinstance(opened, UntrustedMessage):
                        firsts.append(opened.verify(self.org.dh, self.org.slot))
                    else:
                        later[opened.part.header.part] = opened.part.body
        return [first.join([later[part] for part in sorted(later)][: first.parts - 1]).body.text for first in firsts]

    def end(self) -> None:
        """As its operator ends it."""
        self.process.terminate()
        self.process.communicate(timeout=30)


def until(true: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
    except (FileNotFoundError, ProcessLookupError):  # before it was opened, or between that and the reading
        return True


@pytest.fixture
def org(tmp_path: Path) -> Organisation:
    made = Organisation(tmp_path, epoch_of(time.time()))
    made.go_on_duty()
    return made


@pytest.fixture
def serve(org: Organisation) -> Iterator[Callable[..., Server]]:
    with contextlib.ExitStack() as ends:

        def start(**kind: int) -> Server:
            server = Server(org, **kind)
            ends.callback(server.process.communicate)
            ends.callback(server.process.kill)
            return server

        yield start


def replace_all(server: Server) -> None:
    """Visitors come until every worker was replaced."""
    old = server.pids
    until(lambda: Visitor(server).get("/").status == 200 and all(is_gone(pid) for pid in old))


# -- sessions ---------------------------------------------------------------------------


def test_a_visit_outlives_its_worker(serve: Callable[..., Server]) -> None:
    server = serve(workers=1, requests=40)
    visitor = Visitor(server)
    token = visitor.begin_writing().token
    replace_all(server)
    assert visitor.post("write", token=token, text=TEXT).header("location") == "sent"
    replace_all(server)
    assert visitor.post("write", token=token, text=TEXT).header("location") == "sent"
    assert "Sent before" in visitor.post("write", token=token, text="another").text
    assert server.texts() == [TEXT]
    kept = visitor.cookie
    visitor.post("leave")
    replace_all(server)
    visitor.cookie = kept
    assert visitor.get("inbox").header("location") == "bye?ended"  # the new worker was told


def test_who_leaves_at_one_worker_has_left_at_all(serve: Callable[..., Server]) -> None:
    server = serve(workers=3)
    visitor = Visitor(server)
    visitor.begin_writing()
    kept = visitor.cookie
    visitor.post("leave")
    for _ in range(30):
        visitor.cookie = kept
        assert visitor.get("inbox").header("location") == "bye?ended"


def test_nobody_is_refused_while_workers_are_replaced(serve: Callable[..., Server]) -> None:
    server = serve(workers=2, requests=30)
    begun, statuses = server.pids, set[int]()
    end = time.monotonic() + SECONDS

    def visit() -> None:
        while not all(is_gone(pid) for pid in begun) and time.monotonic() < end:
            statuses.add(Visitor(server).get("/").status)

    threads = [threading.Thread(target=visit) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * SECONDS)
    assert statuses == {200}
    assert all(is_gone(pid) for pid in begun)


def test_an_upload_that_is_under_way_ends_in_its_worker(serve: Callable[..., Server]) -> None:
    server = serve(workers=1, requests=40)
    visitor = Visitor(server)
    token = visitor.begin_writing().token
    (old,) = server.pids
    form = f"token={token}&text={TEXT.replace(' ', '+')}".encode()
    with server.connect() as stream:
        head = (
            f"POST /en/write HTTP/1.1\r\nHost: x\r\nCookie: s={visitor.cookie}\r\nContent-Length: {len(form)}\r\n\r\n"
        )
        stream.sendall(head.encode() + form[:20])
        until(lambda: Visitor(server).get("/").status == 200 and server.pids - {old} != set())
        until(lambda: Visitor(server).get("/").status == 200 and len(server.pids) == 2)
        time.sleep(0.5)
        assert not is_gone(old)
        stream.sendall(form[20:])
        assert b"location: sent" in stream.recv(65_536)
    until(lambda: is_gone(old))
    assert server.texts() == [TEXT]


# -- killed -------------------------------------------------------------------------------


def test_a_worker_killed_in_the_middle_of_a_post_and_the_same_form_again_is_one_message(
    serve: Callable[..., Server],
) -> None:
    server = serve(workers=1)
    for puts in range(4):  # before the first, after each of three
        visitor = Visitor(server)
        token = visitor.begin_writing().token
        before = set(server.envelopes())
        (server.org.folder / "die").write_text(str(puts), "utf-8")
        with pytest.raises((ConnectionError, OSError)):
            visitor.post("write", token=token, text=LONG)
        assert len(server.envelopes().keys() - before) in range(puts, 4)
        assert visitor.post("write", token=token, text=LONG).header("location") == "sent"
        new = {tag: raw for tag, raw in server.envelopes().items() if tag not in before}
        assert len(new) == 3
        assert server.texts(new) == [LONG]


def test_a_text_changed_after_a_kill_is_not_taken_for_the_one_before(serve: Callable[..., Server]) -> None:
    server = serve(workers=1)
    visitor = Visitor(server)
    token = visitor.begin_writing().token
    (server.org.folder / "die").write_text("0", "utf-8")
    (old,) = server.pids
    with pytest.raises((ConnectionError, OSError)):
        visitor.post("write", token=token, text="Before.")
    until(lambda: is_gone(old))
    until(lambda: visitor.post("write", token=token, text="After.").header("location") == "sent")
    assert server.texts() == ["After."]


def test_a_killed_worker_has_a_successor(serve: Callable[..., Server]) -> None:
    server = serve(workers=2)
    visitor = Visitor(server)
    visitor.begin()
    killed = server.pids
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert visitor.get("words").status == 200  # it waits in the socket's queue until somebody is there
    until(lambda: len(server.pids - killed) == 2)


def test_a_worker_that_hangs_is_ended_and_has_a_successor(serve: Callable[..., Server]) -> None:
    server = serve(workers=1, silence=2)
    visitor = Visitor(server)
    visitor.begin()
    (hung,) = server.pids
    os.kill(hung, signal.SIGSTOP)
    assert visitor.get("words").status == 200  # it waits until the next one is there
    assert is_gone(hung)
    time.sleep(5)
    (successor,) = server.pids
    assert not is_gone(successor)
    server.end()


def test_no_worker_outlives_its_starter(serve: Callable[..., Server]) -> None:
    server = serve(workers=2)
    pids = server.pids
    assert len(pids) == 2
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(10)
    until(lambda: all(is_gone(pid) for pid in pids), 10)


def test_the_end_of_the_server_is_the_end_of_all(serve: Callable[..., Server]) -> None:
    server = serve(workers=2)
    visitor = Visitor(server)
    visitor.begin_writing()
    pids = server.pids
    server.end()
    assert server.process.returncode == 0
    assert all(is_gone(pid) for pid in pids)
    again = serve()
    assert Visitor(again, visitor.cookie).get("inbox").header("location") == "bye?ended"


# -- what is left -------------------------------------------------------------------------


def memory(pid: int) -> Iterator[bytes]:
    """All that a process can read of its own memory."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", buffering=0) as raw:
        for line in maps:
            span, rights, *rest = line.split()
            if rights.startswith("r") and rest[-1] not in ("[vvar]", "[vsyscall]"):
                start, end = (int(each, 16) for each in span.split("-"))
                with contextlib.suppress(OSError, OverflowError):  # a file that is shorter than its map
                    raw.seek(start)
                    yield raw.read(end - start)


def found(pid: int, plants: dict[str, bytes]) -> set[str]:
    """Which of the planted secrets lie in a process's memory; one that has just ended holds nothing."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        return {name for part in memory(pid) for name, plant in plants.items() if plant in part}
    return set()


def plants_of(visitor: Visitor, org: Organisation) -> dict[str, bytes]:
    phrase = parse(" ".join(visitor.words))
    keys = SourceKeys(org.org, phrase)
    assert visitor.cookie
    return {
        "text": TEXT[:28].encode(), "form": TEXT[:28].replace(" ", "+").encode(),
        "words": " ".join(visitor.words[:3]).encode(),
        "words in a form": "+".join(visitor.words[4:7]).encode(), "numbers": " ".join(phrase.numbers[:4]).encode(),
        "secret": phrase.secret, "dh": keys.dh, "kem": keys.kem.seed, "id": keys.id, "cookie": visitor.cookie.encode(),
    }  # fmt: skip


def test_what_a_visit_left_is_gone_once_its_worker_was_replaced(serve: Callable[..., Server]) -> None:
    server = serve(workers=1, requests=60)
    visitor = Visitor(server)
    token = visitor.begin_writing().token
    assert visitor.post("write", token=token, text=TEXT).header("location") == "sent"
    visitor.post("enter", words=" ".join(visitor.words))
    assert visitor.get("inbox").status == 200
    plants = plants_of(visitor, server.org)
    (worker,) = server.pids
    assert len(found(worker, plants)) >= 3  # the test of the test: it is there before
    assert found(server.process.pid, plants) == set()
    replace_all(server)
    for pid in server.pids:
        assert found(pid, plants) == set()
    assert found(server.process.pid, plants) == set()


def test_keys_are_handed_over_in_no_place_that_others_can_read(serve: Callable[..., Server]) -> None:
    server = serve(workers=1)
    (worker,) = server.pids
    arguments = Path(f"/proc/{worker}/cmdline").read_bytes().split(b"\0")[:-1]
    assert len(arguments) == 3
    assert arguments[-1].isdigit()
    assert all(len(value) < 400 for value in Path(f"/proc/{worker}/environ").read_bytes().split(b"\0"))
    for pid in (worker, server.process.pid):
        assert "Max core file size        0                    0" in Path(f"/proc/{pid}/limits").read_text()
