"""The organisation's card as files: for a person, for a program, and as a QR code. No page loads them."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.call_list import CallList, digest_of
from sottovoce.trust.card_file import CardFile

from .door import Page, fixed_headers

_CSP = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_MODULE, _QUIET = 12, 4  # pixels of a module, and modules around the code


def card_routes(card: CardFile, signed: bytes) -> list[Route]:
    """`/card.txt`, `/card.json` and `/card.png`; `signed` is the second of them."""
    return [
        _route("/card.txt", "text/plain; charset=utf-8", card_text(card).encode()),
        _route("/card.json", "application/json", signed),
        _route("/card.png", "image/png", qr_png(card.card.addresses[0])),
    ]


def _route(path: str, kind: str, content: bytes) -> Route:
    async def answer(_: Request) -> Response:
        return Page(content, 200, fixed_headers(kind, _CSP))

    return Route(path, answer, methods=["GET"])


def qr_png(address: str) -> bytes:
    """The QR code of the bare address in capitals: a link would be opened outside Tor."""
    drawn = io.BytesIO()
    segno.make_qr(address.upper(), error="l", boost_error=True).save(drawn, kind="png", scale=_MODULE, border=_QUIET)
    return drawn.getvalue()


def card_text(card: CardFile) -> str:
    """The card and every call's list; lines of files are as `sha256sum --check` takes them."""
    own = card.card
    head = [
        own.name,
        "",
        f"Onion address         {own.addresses[0]}",
        f"Check words           {' '.join(own.check_words)}",
        *(f"Own account           {account}" for account in own.accounts),
        f"This card holds until {_day(own.claim.expires)}",
        "",
        "What shows another address is not ours. Compare address and check words in two places that don't depend on",
        "each other. Every file below is ours: compare its SHA-256. Platforms change films: compare the address there.",
    ]
    return "\n".join([*head, *(line for listed in card.lists.values() for line in _call(listed))]) + "\n"


def _call(listed: CallList) -> Iterator[str]:
    yield f"\nCall {listed.name}, until {_day(listed.until)}; SHA-256 of its signed list:"
    yield digest_of(listed.encode()).hex()
    yield from (f"Published  {address}" for address, _ in listed.published)
    yield from (f"NOT OURS   {each}" for each in listed.not_ours)
    yield from (f"{each.digest.hex()}  {each.path}" for each in listed.files)


def _day(epoch: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(epoch * EPOCH_SECONDS, datetime.UTC).date()
