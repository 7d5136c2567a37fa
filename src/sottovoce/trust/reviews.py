"""The office's side of languages and advice: it keeps who reviewed what, locked, and signs what is public of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused

from .languages import ADVICE_DAYS, ADVICE_LETTERS, LANGUAGES_MOST, SOURCE_LANGUAGE, is_plain, is_tag
from .locked import lock, unlock
from .office import CARD_DAYS, Office
from .office_secrets import Random
from .published import write_durably

_FILE = "reviews.locked"
_MOST = 1 << 20
_ADVICE_BYTES = 60_000  # a signed thing has at most 65,536
NAME_MOST = 100  # characters


class Review(NamedTuple):
    """Who read a language's texts for the organisation, and when; the hash is SHA-256 of exactly these texts."""

    language: str
    epoch: int
    hash: bytes
    reviewer: str


def reviews(office: Path, passphrase: str) -> list[Review]:
    """The office's record of reviews, the oldest first; WrongPassphrase or Refused.

    It is never published, and locked with the office's passphrase: a reviewer may be at risk for having helped.
    """
    try:
        raw = (office / _FILE).read_bytes()
    except FileNotFoundError:
        return []
    match cbor.decode(unlock(raw, passphrase), "roster", _MOST):
        case [*items] if all(isinstance(item, list) and len(item) == len(Review._fields) for item in items):
            return [Review(*item) for item in items]
    raise Refused("roster", "The office's record of reviews is damaged: restore a backup of the office.")


def approve(office: Office, passphrase: str, texts: bytes, review: Review, random: Random) -> None:
    """Signs off a language's `texts` (a text pack), and signs the card anew with it.

    Interrupted at any point, it can be done again. Refused for the language that all are translated from.
    """
    if review.language == SOURCE_LANGUAGE or not is_tag(review.language):
        raise Refused("roster", f"{review.language} is no language that is signed off: name another one.")
    if review.hash != hashlib.sha256(texts).digest():
        raise Refused("roster", "The texts are not those that were reviewed: have them reviewed anew.")
    check_reviewer(review.reviewer)
    record(office, passphrase, review, random)
    write_durably(office.signed.pack_path(review.language), texts)
    _sign(office, {**signed_off(office), review.language: [review.hash, review.epoch]}, review.epoch)


def check_reviewer(name: str) -> None:
    """Refused for what is no name."""
    if not 0 < len(name.strip()) <= NAME_MOST:
        raise Refused("roster", f"A reviewer's name has 1 to {NAME_MOST} characters: give another one.")


def record(office: Office, passphrase: str, review: Review, random: Random) -> None:
    """Keeps a review in the office's record, once."""
    held = reviews(office.folder, passphrase)
    if review not in held:
        raw = cbor.encode([list(each) for each in [*held, review]])
        write_durably(office.folder / _FILE, lock(raw, passphrase, random))


def withdraw(office: Office, language: str, today: int) -> None:
    """Takes a language back: it is offered no more. The record of its reviews stays."""
    left = signed_off(office)
    if language not in left:
        raise Refused("roster", f"{language} is not signed off: look at `sottovoce language list`.")
    del left[language]
    _sign(office, left, today)
    office.signed.pack_path(language).unlink(missing_ok=True)


def signed_off(office: Office) -> dict[str, list[object]]:
    """What the office signed last: by language tag, hash and epoch."""
    claim = office.claim("languages")
    return dict(claim.body) if claim is not None else {}


def _sign(office: Office, body: Mapping[str, list[object]], today: int) -> None:
    if len(body) > LANGUAGES_MOST:
        raise Refused(
            "roster", f"{LANGUAGES_MOST} languages are signed off, the most there can be: withdraw one first."
        )
    root, card = office.root(today), office.claim("card")
    if card is not None:
        offered = [SOURCE_LANGUAGE, *sorted(body)]
        office.sign("card", root.org, today, today + CARD_DAYS, [*card.body[:2], offered, *card.body[3:]])
    # The list comes last: as long as it is the old one, what was interrupted can be done again.
    office.sign("languages", root.org, today, root.claim.expires, dict(body))


def sign_advice(office: Office, verified: int, texts: Mapping[str, str], today: int) -> None:
    """Signs the advice on getting Tor Browser, last verified on this epoch; Refused when it is not of the form."""
    _check_texts(texts)
    if not today - ADVICE_DAYS <= verified <= today:
        raise Refused("roster", f"Advice must have been verified in the last {ADVICE_DAYS} days: try it again first.")
    office.sign("advice", office.root(today).org, today, verified + ADVICE_DAYS, [verified, dict(texts)])


def _check_texts(texts: Mapping[str, str]) -> None:
    for tag, text in texts.items():
        if not is_tag(tag):
            raise Refused("roster", f"{tag} is no language's tag: write one as fa or zh-Hans.")
        if not is_plain(text):
            raise Refused(
                "roster", f"The text in {tag} must have 1 to {ADVICE_LETTERS} characters, and no control characters."
            )
    if len(texts) > LANGUAGES_MOST or sum(len(text.encode()) for text in texts.values()) > _ADVICE_BYTES:
        raise Refused("roster", f"Advice has at most {LANGUAGES_MOST} languages and {_ADVICE_BYTES} bytes: shorten it.")
