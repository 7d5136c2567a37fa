"""The pool's API from the other end, over any connection: Tor's, or a UNIX socket."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Callable, Iterator, Sequence

from sottovoce.protocol.sizes import ENVELOPE, HASH, TAG

from .edition import COUNT_MOST, MULTIPLE, Listed, size_of
from .errors import PutResult, Reply, RoadError

Connect = Callable[[], socket.socket]
_RESULTS = {
    201: PutResult.STORED,
    200: PutResult.KNOWN,
    409: PutResult.TAKEN,
    422: PutResult.WRONG_EPOCH,
    503: PutResult.FULL,
}
_LIMIT = 16 << 20  # no honest answer but an edition is larger; a hostile server shall not fill our memory
_RECORD = 4 + 4 + HASH
_CHUNK = 1 << 16
_CLOSE = {"Connection": "close"}


class _Connection(http.client.HTTPConnection):
    """HTTP over whatever `connect` opens, and never over anything else: not when it opens itself again either."""

    def __init__(self, host: str, connect: Connect) -> None:
        super().__init__(host)
        self._connect = connect

    def connect(self) -> None:
        """As http.client wants it."""
        self.sock = self._connect()


class PoolClient:
    """Calls of one onion; each opens its own connection by `connect` and closes it, unless it is to `keep` one.

    A kept connection saves each further call a round trip; one circuit carries them either way. `close` ends it.
    """

    def __init__(self, host: str, connect: Connect, *, keep: bool = False) -> None:
        self._host, self._connect = host, connect
        self._kept = _Connection(host, connect) if keep else None

    def close(self) -> None:
        """Ends what is kept; a further call opens it anew."""
        if self._kept:
            self._kept.close()

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Puts one envelope (spec 9.1); RoadError when it is unknown whether it arrived."""
        with self._call("POST", "/v1/envelopes", epoch.to_bytes(4, "big") + tag + envelope) as reply:
            _read(reply)
            day, hour = _number(reply, "Epoch", 1 << 32), _number(reply, "Hour", 24)
        if reply.status not in _RESULTS or day is None or hour is None:
            raise RoadError(f"The server answered a put with {reply.status}: try again, or ask who runs it.")
        return Reply(_RESULTS[reply.status], day, hour)

    def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is in no edition yet (spec 9.2)."""
        raw = self._get("/v1/pending")
        step = 4 + TAG
        if len(raw) % step:
            raise RoadError("The server's list of what is pending is cut: try again.")
        return [(int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + step]) for at in range(0, len(raw), step)]

    def fetch(self, tags: Sequence[bytes]) -> list[bytes]:
        """The pending envelopes under at most 128 tags, in order (spec 9.3)."""
        status, raw = self._whole("POST", "/v1/pending", b"".join(tags))
        if status != 200 or len(raw) != ENVELOPE * len(tags):
            raise RoadError("The server did not hand out what it lists: try again.")
        return [raw[at : at + ENVELOPE] for at in range(0, len(raw), ENVELOPE)]

    def editions(self) -> list[Listed]:
        """The editions alive, by number, which only ascend and have counts that editions can have (spec 9.7)."""
        raw = self._get("/v1/editions")
        records = [raw[at : at + _RECORD] for at in range(0, len(raw), _RECORD)]
        listed = [
            Listed(int.from_bytes(each[:4], "big"), int.from_bytes(each[4:8], "big"), each[8:]) for each in records
        ]
        numbers = [each.number for each in listed]
        possible = all(MULTIPLE <= each.count <= COUNT_MOST and each.count % MULTIPLE == 0 for each in listed)
        if len(raw) % _RECORD or numbers != sorted(set(numbers)) or not possible:
            raise RoadError("The server's list of editions is broken: try again, or ask who runs it.")
        return listed

    def edition(self, number: int, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """The bytes of an edition from `start` on, in chunks as they come (spec 9.8); read_stream checks them.

        `count` as listed bounds them; without it, what any edition can have does. RoadError when the connection breaks
        or the server sends another size: who counted what came goes on with a greater `start`.
        """
        wanted = {"Range": f"bytes={start}-"} if start else {}
        with self._call("GET", f"/v1/editions/{number}", headers=wanted) as reply:
            if reply.status != (206 if start else 200):
                raise RoadError(f"The server answered with {reply.status}: try again, or ask who runs it.")
            length, most = reply.length or 0, size_of(COUNT_MOST if count is None else count) - start
            span = f"bytes {start}-{start + length - 1}/{start + length}" if start else None
            exact = length == most or (count is None and 0 < length < most)  # no length told: 0
            if not exact or reply.getheader("Content-Range") != span:
                raise RoadError("The server sends another edition than it lists: try again, or ask who runs it.")
            with _broken():
                while chunk := reply.read(_CHUNK):
                    yield chunk
                if reply.length:
                    raise http.client.IncompleteRead(b"", reply.length)

    def signed(self, kind: str) -> bytes | None:
        """The newest signed thing of a kind, None if the server has none (spec 9.4)."""
        status, raw = self._whole("GET", f"/v1/signed/{kind}")
        if status not in (200, 404):
            raise RoadError(f"The server answered with {status}: try again, or ask who runs it.")
        return raw if status == 200 else None

    def _get(self, path: str) -> bytes:
        status, raw = self._whole("GET", path)
        if status != 200:
            raise RoadError(f"The server answered with {status}: try again, or ask who runs it.")
        return raw

    def _whole(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        with self._call(method, path, body) as reply:
            return reply.status, _read(reply)

    @contextlib.contextmanager
    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        connection, close = (self._kept, {}) if self._kept else (_Connection(self._host, self._connect), _CLOSE)
        whole = False
        try:
            with _broken():
                reply = _ask(connection, method, path, body, {**close, **(headers or {})})
            with contextlib.closing(reply):  # it holds the socket when it wasn't read to its end
                yield reply
                whole = reply.isclosed()
        finally:
            if not (self._kept and whole):
                connection.close()


def _ask(
    connection: _Connection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> http.client.HTTPResponse:
    """Over a kept connection that has ended since there comes no answer at all: then once more over a new one.

    If the first came through all the same, the second is known or stale (spec 9), as with a member who tries again.
    """
    if connection.sock is not None:
        with contextlib.suppress(ConnectionError):
            connection.request(method, path, body, headers)
            return connection.getresponse()
        connection.close()
    connection.request(method, path, body, headers)
    return connection.getresponse()


@contextlib.contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise RoadError("The connection to the server broke: try again.") from error


def _read(reply: http.client.HTTPResponse) -> bytes:
    with _broken():
        raw = reply.read(_LIMIT + 1)
        if reply.length and len(raw) <= _LIMIT:  # a bounded read takes a broken answer for a whole one
            raise http.client.IncompleteRead(raw, reply.length)
    if len(raw) > _LIMIT:
        raise RoadError("The server sent more than any honest answer has: ask who runs it.")
    return raw


def _number(reply: http.client.HTTPResponse, name: str, limit: int) -> int | None:
    text = reply.getheader(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 and int(text) < limit else None
