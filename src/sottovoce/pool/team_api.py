"""The members' onion beside the pool: lists, notices, transport keys, the mailbox (spec 9.5, 9.13, 9.15 to 9.21)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import HASH, SLOTS

from .api import SIGNED_MOST, BadSize, _failure, _plain, read_body
from .errors import RoadError
from .team import AT_ONCE, ITEM, NOTICES, RECEIPT, Mailbox, Notice, PostResult

POST_SIZE = 1 + HASH + HASH + ITEM
_STATUS = {PostResult.STORED: 201, PostResult.KNOWN: 200, PostResult.STALE: 409, PostResult.FULL: 503}


class Team(Protocol):
    """What the members handed in, and who verifies it; every `put_…` raises Refused."""

    def put_duty(self, raw: bytes) -> None:
        """Takes a new duty list."""

    def put_notice(self, kind: Notice, raw: bytes) -> None:
        """Takes a newer notice of absence or compromise."""

    def draft(self) -> bytes | None:
        """The draft of the next duty list."""

    def put_draft(self, raw: bytes) -> bool:
        """Takes a draft or one more signature; True when it is the published duty list now."""

    def transports(self) -> bytes:
        """All valid transport keys, as one answer."""

    def put_transport(self, raw: bytes) -> None:
        """Takes a device's newer transport key."""

    def transport(self, slot: int) -> bytes | None:
        """The hash of a slot's newest transport key."""


Handler = Callable[[Request], Awaitable[Response]]


def team_routes(team: Team, mailbox: Mailbox) -> list[Route]:
    """What only members may ask, beside the pool's `member_routes`."""
    return [*_signed_routes(team), *_transport_routes(team, mailbox), *_box_routes(mailbox)]


def _signed_routes(team: Team) -> list[Route]:
    async def put_duty(request: Request) -> Response:
        team.put_duty(await read_body(request, 1, SIGNED_MOST))
        return _plain(201)

    def put_notice(kind: Notice) -> Handler:
        async def put(request: Request) -> Response:
            team.put_notice(kind, await read_body(request, 1, SIGNED_MOST))
            return _plain(201)

        return put

    async def draft(_: Request) -> Response:
        raw = team.draft()
        return _plain(404) if raw is None else _plain(200, raw)

    async def put_draft(request: Request) -> Response:
        return _plain(201 if team.put_draft(await read_body(request, 1, SIGNED_MOST)) else 202)

    return [
        _route("PUT", "/v1/signed/duty", put_duty),
        *(_route("PUT", f"/v1/signed/{kind}", put_notice(kind)) for kind in NOTICES),
        _route("GET", "/v1/drafts/duty", draft),
        _route("PUT", "/v1/drafts/duty", put_draft),
    ]


def _transport_routes(team: Team, mailbox: Mailbox) -> list[Route]:
    # An item that is stored after its receiver's key was replaced could never be opened: one after the other.
    one = asyncio.Lock()

    async def transports(_: Request) -> Response:
        return _plain(200, team.transports())

    async def put_transport(request: Request) -> Response:
        raw = await read_body(request, 1, SIGNED_MOST)
        async with one:
            team.put_transport(raw)
        return _plain(201)

    async def post(request: Request) -> Response:
        body = await read_body(request, POST_SIZE, POST_SIZE)
        slot, key, receipt, item = body[0], body[1:33], body[33:65], body[65:]
        if slot >= SLOTS:
            raise BadSize(400)
        async with one:
            if await mailbox.known(slot, receipt, item):
                return _plain(200)
            newest = team.transport(slot) == key
            return _plain(_STATUS[await mailbox.post(slot, receipt, item) if newest else PostResult.STALE])

    return [
        _route("GET", "/v1/transport", transports),
        _route("PUT", "/v1/transport", put_transport),
        _route("POST", "/v1/mailbox", post),
    ]


def _box_routes(mailbox: Mailbox) -> list[Route]:
    async def items(request: Request) -> Response:
        slot: int = request.path_params["slot"]
        return _plain(200, b"".join(await mailbox.items(slot))) if slot < SLOTS else _plain(404)

    async def acknowledge(request: Request) -> Response:
        body = await read_body(request, RECEIPT, RECEIPT * AT_ONCE)
        if len(body) % RECEIPT:
            raise BadSize(400)
        await mailbox.acknowledge([body[at : at + RECEIPT] for at in range(0, len(body), RECEIPT)])
        return _plain(200)

    return [
        _route("GET", "/v1/mailbox/{slot:int}", items),
        _route("DELETE", "/v1/mailbox", acknowledge),
    ]


def _route(method: str, path: str, handler: Handler) -> Route:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as error:
            return _plain(409, str(error).encode())
        except (BadSize, TimeoutError, RoadError) as error:
            return _failure(error)

    return Route(path, answer, methods=[method])
