"""What a server sees of the world: connections as tor hands them over, with all that passes on them.

Visitors, devices and desks speak through it to the real server; `passed` is what a hostile one could write down.
"""

from __future__ import annotations

import http.client
import itertools
import re
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from sottovoce.cli.road import TorRoad
from sottovoce.pool.client import Connect, PoolClient

DOOR, MEMBERS = "door", "members"
CIRCUITS = "fc00:dead:beef:4dad:"  # how tor's names of circuits begin
_WORDS = re.compile(r'<b class="big">(\w+)</b> <i>')
_PLACES = re.compile(r'<label for="[ab]">Word (\d+)<')
_TOKEN = re.compile(r'name="token" value="([\w-]+)"')


@dataclass
class Passed:
    """One connection: on which onion and circuit, its bytes both ways, and when some were sent (real Unix seconds)."""

    onion: str
    circuit: int
    times: list[float] = field(default_factory=list)
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)

    @property
    def at(self) -> float:
        """When it began."""
        return self.times[0]


class _Tapped(socket.socket):
    passed: Passed

    def sendall(self, data: bytes, *rest: int) -> None:  # type: ignore[override]  # bytes are all that comes
        self.passed.times.append(time.time())
        self.passed.sent += bytes(data)
        super().sendall(data, *rest)

    def recv_into(self, buffer: memoryview, *rest: int) -> int:  # type: ignore[override]  # as above
        size = super().recv_into(buffer, *rest)
        self.passed.received += buffer[:size]
        return size


class Wire:
    """Circuits to the two onions of one server, whose sockets lie in the folder `run`."""

    def __init__(self, run: Path) -> None:
        self._run, self._circuits = run, itertools.count(1)
        self.passed: list[Passed] = []

    def circuit(self, onion: str) -> Connect:
        """A fresh circuit; each call of what it gives is a connection on it."""
        number = next(self._circuits)

        def connect() -> socket.socket:
            stream = _Tapped(socket.AF_UNIX)
            stream.passed = Passed(onion, number)
            stream.settimeout(20)
            stream.connect(str(self._run / f"{onion}.sock"))
            stream.sendall(f"PROXY TCP6 {CIRCUITS}:0:{number:x} ::1 65535 42\r\n".encode())
            self.passed.append(stream.passed)
            return stream

        return connect

    def client(self) -> PoolClient:
        """A device's or anybody's call of the door, on a circuit of its own."""
        return PoolClient("o.onion", self.circuit(DOOR))


class WireRoad(TorRoad):
    """A desk's road as it is over Tor: members' calls on one circuit, the door's each on a fresh one.

    `polls` has when the desk asked what is pending, and the tags that it was shown.
    """

    def __init__(self, wire: Wire, polls: list[tuple[float, set[bytes]]]) -> None:
        self._wire, self._polls = wire, polls
        super().__init__(0, DOOR, MEMBERS)

    def _to(self, host: str) -> Connect:
        return self._wire.circuit(host)

    def fresh(self) -> AbstractContextManager[WireRoad]:
        return closing(WireRoad(self._wire, self._polls))

    def pending(self) -> list[tuple[int, bytes]]:
        found = super().pending()
        self._polls.append((time.time(), {tag for _, tag in found}))
        return found


class _Http(http.client.HTTPConnection):
    def __init__(self, connect: Connect) -> None:
        super().__init__("o.onion")
        self._again: Callable[[], socket.socket] = connect

    def connect(self) -> None:
        self.sock = self._again()


class Visitor:
    """A person at the door, without scripts, on one circuit."""

    def __init__(self, wire: Wire) -> None:
        self._http, self._cookie = _Http(wire.circuit(DOOR)), ""

    def ask(self, status: int, path: str, **form: str) -> str:
        """A page; a form is posted."""
        body = urlencode(form) if form else None
        headers = {"Cookie": self._cookie} if self._cookie else {}
        self._http.request("POST" if form else "GET", path, body, headers)
        reply = self._http.getresponse()
        self._cookie = (reply.getheader("Set-Cookie") or self._cookie).partition(";")[0]
        page = reply.read().decode()
        assert reply.status == status, (path, reply.status, page)
        return page

    def begin(self) -> list[str]:
        """Takes twelve words, and gives two of them back."""
        self.ask(303, "/en/begin", nothing="")
        words = _WORDS.findall(self.ask(200, "/en/words"))
        page = self.ask(200, "/en/check")
        a, b = (words[int(place) - 1] for place in _PLACES.findall(page))
        self.ask(303, "/en/check", token=_token(page), a=a, b=b)
        return words

    def come_back(self, words: list[str]) -> str:
        """Enters the words; the page of answers."""
        self.ask(303, "/en/enter", words=" ".join(words))
        return self.ask(200, "/en/inbox")

    def count(self, text: str) -> None:
        """Asks how much room is left beside a text, before it is sent."""
        self.ask(200, "/en/write", token=_token(self.ask(200, "/en/write")), text=text, count="")

    def write(self, text: str) -> None:
        """Writes a message."""
        self.ask(303, "/en/write", token=_token(self.ask(200, "/en/write")), text=text)
        self.ask(200, "/en/sent")

    def leave(self) -> None:
        """Ends the visit."""
        self.ask(303, "/en/leave", nothing="")
        self.close()

    def close(self) -> None:
        """Goes away without a word."""
        self._http.close()


def _token(page: str) -> str:
    found = _TOKEN.search(page)
    assert found
    return found[1]
