"""Web addresses of films and the accounts that they are on: whole ones, on accounts of the card, never lookalikes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from sottovoce.outreach.errors import CallError

from .near import edits

_SAME = {"youtu.be": "youtube.com", "fb.watch": "facebook.com", "fb.com": "facebook.com", "telegram.me": "t.me",
         "twitter.com": "x.com"}  # fmt: skip
_PREFIXES = ("www.", "m.", "mobile.")
_KEPT = ("v", "id", "story_fbid", "fbid")  # of a query: what names a film or page; all else tells who passed it on
_NEAR = 2  # letters by which a lookalike differs
# Where an address names a film and not the account: its first part, and what the film's name must be to be whole.
_FILMS = {
    "youtube": (("watch", "shorts", "live"), re.compile(r"[A-Za-z0-9_-]{11}")),
    "instagram": (("reel", "reels", "p", "tv"), re.compile(r"[A-Za-z0-9_-]{10,}")),
    "facebook": (("reel", "watch"), re.compile(r"[0-9]{12,}")),
    "x": (("i",), re.compile(r"[0-9]{12,}")),
}


class Place(NamedTuple):
    """A web address taken apart: the platform's host without www and the like, the path's parts, `v` of the query."""

    host: str
    path: tuple[str, ...]
    video: str

    @property
    def platform(self) -> str:
        """The known platform that the host is, or ""."""
        return next((name for name in _FILMS if name in self.host.split(".")[:-1]), "")


def place_of(address: str) -> Place:
    """The address taken apart; CallError for what is no whole plain https address."""
    try:
        parts = urlsplit(address)
        plain = parts.scheme == "https" and parts.port is None and not parts.username
    except ValueError:
        plain = False
    if not plain or not address.isascii() or not address.isprintable() or " " in address or "xn--" in address.lower():
        raise CallError(f"“{address[:80]}” is no whole plain address: copy it from a browser, https:// and all.")
    host = (parts.hostname or "").lower().rstrip(".")
    path = tuple(part for part in parts.path.split("/") if part)
    short = {"youtu.be": ("shorts",), "fb.watch": ("watch",)}.get(host, ())  # a film's name follows at once
    for prefix in _PREFIXES:
        host = host.removeprefix(prefix)
    if "." not in host:
        raise CallError(f"“{address[:80]}” names no platform: copy it from a browser, https:// and all.")
    return Place(_SAME.get(host, host), short + path, parse_qs(parts.query).get("v", [""])[0])


def without_marks(address: str) -> str:
    """The address without what a platform adds to know who passed it on; CallError for what is no whole plain one."""
    place_of(address)
    parts = urlsplit(address)
    kept = [(name, values[0]) for name, values in parse_qs(parts.query).items() if name in _KEPT]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))


def is_within(place: Place, account: Place) -> bool:
    """Whether a place is the account's page or one below it."""
    own = [part.lower() for part in account.path]
    return place.host == account.host and [part.lower() for part in place.path[: len(own)]] == own


def account_of(address: str, accounts: Sequence[str], chosen: str = "") -> str:
    """The account of the card on which a film with this address is; `chosen` where the address names none.

    CallError for an account's own page, another account, a truncated or lookalike address.
    """
    place = place_of(address)
    ours = {account: place_of(account) for account in accounts}
    here = {account: own for account, own in ours.items() if own.host == place.host}
    if not here:
        raise CallError(_strange_host(place.host, [own.host for own in ours.values()]))
    for account, own in here.items():
        if is_within(place, own):
            if len(place.path) == len(own.path):
                raise CallError(f"{address} is the account itself: name the film's own address on it.")
            return account
    if not _names_a_film(address, place):
        raise CallError(_strange_account(address, place, here))
    if chosen in here or (not chosen and len(here) == 1):
        return chosen or next(iter(here))
    raise CallError(f"{address} does not say on which account it is: give --account and one of {', '.join(here)}.")


def _names_a_film(address: str, place: Place) -> bool:
    if not place.platform or not place.path:
        return False
    first, whole = _FILMS[place.platform]
    if place.path[0].lower() not in first:
        return False
    if not whole.fullmatch(place.video or place.path[-1]):
        raise CallError(f"{address} seems truncated: copy the film's whole address from a browser.")
    return True


def _strange_host(host: str, ours: Sequence[str]) -> str:
    near = next((own for own in ours if edits(host, own, _NEAR) <= _NEAR or host.startswith(own + ".")), None)
    if near is not None:
        return f"{host} is not {near}, it only looks like it: copy the address from a browser."
    return f"No account on {host} is on the card: put it there first (sottovoce org accounts), or leave this one out."


def _strange_account(address: str, place: Place, ours: dict[str, Place]) -> str:
    first = "/".join(place.path[: max(len(own.path) for own in ours.values())]).lower()
    for account, own in ours.items():
        name = "/".join(own.path).lower()
        if first and (name.startswith(first) or first.startswith(name) or edits(first, name, _NEAR) <= _NEAR):
            return f"{address} is not on {account}, its account only looks like it: compare letter by letter."
    return f"{address} is on no account of the card, which has {', '.join(ours)}."
