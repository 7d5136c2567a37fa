"""What went where: published.toml in the call's folder, which the communications person keeps with the rest."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import field

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.form import Form, read

from .places import account_of, is_within, place_of, without_marks

_NAME = "published.toml"
_ONION = re.compile(r"[a-z2-7.…]{8,}\.?onion", re.IGNORECASE)
_HEAD = "# Where the films of this call are, and what is known not to be ours. Written by `sottovoce call published`.\n"


class Published(Form):
    """A film that is published: its web address, the card's account that it is on, which film in which language."""

    address: str
    account: str
    on: datetime.date
    video: str = ""
    language: str = ""


class Publications(Form):
    """published.toml. `not_ours`: addresses of films or accounts that pretend to be the organisation's."""

    ours: list[Published] = field(default_factory=list)
    not_ours: list[str] = field(default_factory=list)


def read_publications(folder: Path) -> Publications:
    """What was recorded in a call's folder; nothing where there is no file. CallError where it doesn't fit."""
    path = folder / _NAME
    return read(path, Publications) if path.exists() else Publications()


def checked_publications(folder: Path, accounts: Sequence[str]) -> Publications:
    """What was recorded, every entry looked at as when it was recorded: somebody may have written into the file."""
    held = read_publications(folder)
    for each in held.ours:
        try:
            account_of(each.address, accounts, each.account)
        except CallError as error:
            raise CallError(f"An entry of {_NAME} doesn't fit any more, take it out or mend it: {error}") from None
    for text in held.not_ours:
        check_no_onion(text)
    return held


def record(folder: Path, accounts: Sequence[str], new: Sequence[Published]) -> Publications:
    """Adds what was published, each address once; CallError, and nothing is written, where one is on no own account.

    The `account` of each is "" or the chosen one; it is found by the address where that names it.
    """
    held = read_publications(folder)
    checked = [_checked(each, accounts) for each in new]
    fresh = {each.address: each for each in [*held.ours, *checked]}
    if fakes := [address for address in fresh if address in held.not_ours]:
        raise CallError(f"{fakes[0]} is recorded as not yours: take it out of {folder / _NAME} first.")
    return _write(folder, Publications(ours=list(fresh.values()), not_ours=held.not_ours))


def _checked(each: Published, accounts: Sequence[str]) -> Published:
    account = account_of(each.address, accounts, each.account)
    return Published(
        address=without_marks(each.address), account=account, on=each.on, video=each.video, language=each.language
    )  # fmt: skip


def record_not_ours(folder: Path, accounts: Sequence[str], addresses: Sequence[str]) -> Publications:
    """Adds what is known not to be the organisation's; CallError where it is."""
    held = read_publications(folder)
    ours = {each.address for each in held.ours} | set(accounts)
    for address in addresses:
        check_no_onion(address)
        place = place_of(address)
        if without_marks(address) in ours or any(is_within(place, place_of(account)) for account in accounts):
            raise CallError(f"{address} is on an account of your own card: it can't be recorded as not yours.")
    kept = list(dict.fromkeys([*held.not_ours, *map(without_marks, addresses)]))
    return _write(folder, Publications(ours=held.ours, not_ours=kept))


def check_no_onion(text: str) -> None:
    """CallError where a false onion address would be printed: somebody might type it."""
    if _ONION.search(re.sub(r"\s", "", text)):
        raise CallError(
            f"“{text[:60]}” can't be named as not yours: name the page or account that shows a false onion address,"
            " never the address itself, which somebody might type."
        )


def _write(folder: Path, publications: Publications) -> Publications:
    fresh = folder / f"{_NAME}.new"
    fresh.write_text(_HEAD + "\n".join(_lines(publications)) + "\n", "utf-8")
    fresh.replace(folder / _NAME)
    return publications


def _lines(publications: Publications) -> Iterator[str]:
    """TOML; a string of JSON in ASCII is one of TOML."""
    yield f"not_ours = {json.dumps(publications.not_ours)}"
    for each in publications.ours:
        fields = {"address": each.address, "account": each.account, "video": each.video, "language": each.language}
        yield "\n[[ours]]"
        yield from (f"{name} = {json.dumps(value)}" for name, value in fields.items() if value)
        yield f"on = {each.on.isoformat()}"
