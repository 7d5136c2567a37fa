"""The pool's HTTP API, version 1: the public side, and the side on the members' onion (spec 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sottovoce.protocol.sizes import ENVELOPE, TAG, edition_of, epoch_of

from .edition import next_hour
from .edition_api import edition_routes
from .editions import Editions
from .errors import PutResult, Reply, RoadError
from .store import MemberPool, Putter
from .team import NOTICES

PUT_SIZE = 4 + TAG + ENVELOPE
FETCH_MOST = 128  # one mebibyte an answer: a second over Tor
SIGNED_MOST = 65_536
BODY_SECONDS = 60
PUBLIC_KINDS = ("root", "roster", "card", "duty", *NOTICES)
_STATUS = {
    PutResult.STORED: 201,
    PutResult.KNOWN: 200,
    PutResult.TAKEN: 409,
    PutResult.WRONG_EPOCH: 422,
    PutResult.FULL: 503,
}


class Signed(Protocol):
    """The signed things that the server holds."""

    def get(self, kind: str) -> bytes | None:
        """The newest of a kind."""


class BadSize(Exception):
    """A body is not of the size it must have; `status` is what HTTP calls that."""

    def __init__(self, status: int) -> None:
        super().__init__("The body has not the size it must have.")
        self.status = status


async def read_body(request: Request, least: int, most: int) -> bytes:
    """A body of `least` to `most` bytes; its announced size is checked before a byte is read (spec 9.1)."""
    announced = request.headers.get("content-length", "")
    if not announced.isascii() or not announced.isdigit():
        raise BadSize(411)
    if not least <= int(announced) <= most:
        raise BadSize(413 if int(announced) > most else 400)
    async with asyncio.timeout(BODY_SECONDS):
        return b"".join([part async for part in request.stream()])


def public_routes(
    pool: Putter,
    editions: Editions,
    signed: Signed,
    now: Callable[[], float],
    allow: Callable[[Request], bool] = lambda request: True,
) -> list[Route]:
    """What anybody may ask: to put an envelope, to see the editions, and what the organisation signed.

    `allow` is asked before an envelope is put and before an edition is sent; where it says no, as for a circuit that
    used up its budget, the answer is 503.
    """

    async def put(request: Request) -> Response:
        reply = Reply(PutResult.FULL, epoch_of(now()), next_hour(edition_of(now())))
        try:
            body = await read_body(request, PUT_SIZE, PUT_SIZE)  # read in any case: who still sends hears no answer
            if allow(request):
                reply = await pool.put(int.from_bytes(body[:4], "big"), body[4 : 4 + TAG], body[4 + TAG :])
        except (BadSize, TimeoutError) as error:
            return _failure(error)
        except RoadError:  # the disk: what can't be kept is not taken
            pass
        return _plain(_STATUS[reply.result], headers={"Epoch": str(reply.epoch), "Hour": str(reply.hour)})

    return [
        Route("/v1/envelopes", put, methods=["POST"]),
        *edition_routes(editions, allow),
        _signed_route(signed, PUBLIC_KINDS),
    ]


def member_routes(pool: MemberPool, signed: Signed) -> list[Route]:
    """What only members may ask of the pool: what is in no edition yet."""

    async def pending(_: Request) -> Response:
        return _plain(200, b"".join(edition.to_bytes(4, "big") + tag for edition, tag in await pool.pending()))

    async def fetch(request: Request) -> Response:
        try:
            body = await read_body(request, TAG, TAG * FETCH_MOST)
        except (BadSize, TimeoutError) as error:
            return _failure(error)
        tags = [body[start : start + TAG] for start in range(0, len(body), TAG)]
        found = await pool.fetch(tags) if len(tags[-1]) == TAG else {}
        missing = any(tag not in found for tag in tags)
        return _plain(404) if missing else _plain(200, b"".join(found[tag] for tag in tags))

    return [
        Route("/v1/pending", pending, methods=["GET"]),
        Route("/v1/pending", fetch, methods=["POST"]),
        _signed_route(signed, PUBLIC_KINDS),
    ]


def _signed_route(signed: Signed, kinds: tuple[str, ...]) -> Route:
    async def get(request: Request) -> Response:
        kind = request.path_params["kind"]
        raw = signed.get(kind) if kind in kinds else None
        return _plain(404) if raw is None else _plain(200, raw)

    return Route("/v1/signed/{kind}", get, methods=["GET"])


def _failure(error: Exception) -> Response:
    if isinstance(error, BadSize):
        return _plain(error.status)
    return _plain(408 if isinstance(error, TimeoutError) else 503)


def _plain(status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> Response:
    all_headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(content, status, all_headers, media_type="application/octet-stream")
