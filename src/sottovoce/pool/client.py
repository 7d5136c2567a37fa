"""The pool's API from the other end, over any connection: Tor's, or a UNIX socket."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Sequence

from sottovoce.protocol.sizes import ENVELOPE, TAG

from .errors import PutResult, RoadError

Connect = Callable[[], socket.socket]
_RESULTS = {201: PutResult.STORED, 200: PutResult.KNOWN, 409: PutResult.TAKEN, 422: PutResult.WRONG_EPOCH}
_LIMIT = 64 << 20  # no honest answer is larger; a hostile server shall not fill our memory


class PoolClient:
    """Calls of one onion; each opens its own connection by `connect` and closes it."""

    def __init__(self, host: str, connect: Connect) -> None:
        self._host, self._connect = host, connect

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> PutResult:
        """Puts one envelope (spec 9.1); RoadError when it is unknown whether it arrived."""
        status, _ = self._call("POST", "/v1/envelopes", epoch.to_bytes(4, "big") + tag + envelope)
        if status == 503:
            return PutResult.FULL
        if status not in _RESULTS:
            raise RoadError(f"The server answered a put with {status}: try again, or ask who runs it.")
        return _RESULTS[status]

    def pending(self) -> list[tuple[int, bytes]]:
        """Edition and tag of all that is pending (spec 9.2)."""
        raw = self._get("/v1/pending")
        step = 4 + TAG
        if len(raw) % step:
            raise RoadError("The server's list of what is pending is cut: try again.")
        return [(int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + step]) for at in range(0, len(raw), step)]

    def fetch(self, tags: Sequence[bytes]) -> list[bytes]:
        """The envelopes under at most 128 tags, in order (spec 9.3)."""
        status, raw = self._call("POST", "/v1/pending", b"".join(tags))
        if status != 200 or len(raw) != ENVELOPE * len(tags):
            raise RoadError("The server did not hand out what it lists: try again.")
        return [raw[at : at + ENVELOPE] for at in range(0, len(raw), ENVELOPE)]

    def signed(self, kind: str) -> bytes | None:
        """The newest signed thing of a kind, None if the server has none (spec 9.4)."""
        status, raw = self._call("GET", f"/v1/signed/{kind}")
        if status not in (200, 404):
            raise RoadError(f"The server answered with {status}: try again, or ask who runs it.")
        return raw if status == 200 else None

    def _get(self, path: str) -> bytes:
        status, raw = self._call("GET", path)
        if status != 200:
            raise RoadError(f"The server answered with {status}: try again, or ask who runs it.")
        return raw

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._host)
        connection.sock = self._connect()
        try:
            connection.request(method, path, body, {"Connection": "close"})
            reply = connection.getresponse()
            raw = reply.read(_LIMIT + 1)
            if reply.length and len(raw) <= _LIMIT:  # a bounded read takes a broken answer for a whole one
                raise http.client.IncompleteRead(raw, reply.length)
        except (OSError, http.client.HTTPException) as error:
            raise RoadError("The connection to the server broke: try again.") from error
        finally:
            connection.close()
        if len(raw) > _LIMIT:
            raise RoadError("The server sent more than any honest answer has: ask who runs it.")
        return reply.status, raw
