"""The pace of one circuit: who asks for more than its budget waits for each answer; nobody is refused by it."""

from __future__ import annotations

import asyncio

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from sottovoce.onion.budget import PAGES as RATE
from sottovoce.onion.budget import Budgets

PAGES = "pages"  # the budget's name
_PAGE_BYTES = 10_000  # what a request sends costs as much as one page for so many
_BYTES_MOST = 1 << 20  # whoever announces more is refused at once


class Paced:
    """An app whose requests wait until their circuit's budget has what they cost."""

    def __init__(self, app: ASGIApp, budgets: Budgets) -> None:
        self._app, self._budgets = app, budgets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Waits when it has to, then does as the app."""
        request = HTTPConnection(scope)
        size = request.headers.get("content-length", "")
        large = min(int(size), _BYTES_MOST) if size.isascii() and size.isdigit() and len(size) < 20 else 0
        left = self._budgets.spend(circuit_of(request), PAGES, 1 + large / _PAGE_BYTES)
        if left < 0:
            await asyncio.sleep(-left / RATE.per_second)
        await self._app(scope, receive, send)


def circuit_of(request: HTTPConnection) -> str:
    """The circuit's name, as the listener wrote it; empty where there are none."""
    return request.client.host if request.client else ""
