"""The organisation's card as one file to pass on: what is signed of it and its calls, in JSON, beside what it says.

Whoever has the check words by another way verifies all of it with nothing but this file (spec 8.4, 8.7, 8.19).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import EPOCH_SECONDS

from .call_list import CallList, digest_of
from .calls import read_calls
from .card import Card, UntrustedCard
from .published import SignedFolder
from .roster import Root, UntrustedRoot

FILE_MOST = 32 << 20  # bytes: twenty lists at their largest


@dataclass(frozen=True)
class CardFile:
    """A verified card with the lists of the calls that were signed."""

    root: Root
    card: Card
    lists: Mapping[str, CallList]

    @classmethod
    def of(cls, signed: SignedFolder, today: int) -> CardFile:
        """What a folder of signed files holds; Refused without a valid root and card."""
        root = signed.root(today)
        card = UntrustedCard.of(signed.get("card") or b"").verify(root, today)
        lists = {name: listed for name in signed.calls() if (listed := signed.call_list(name)) is not None}
        return cls(root, card, lists)

    @classmethod
    def read(cls, raw: bytes, today: int) -> CardFile:
        """A file that came from somewhere, verified by its own root: its check words are to be compared. Refused."""
        signed = _signed(raw)
        root = UntrustedRoot.of(_bytes(signed.get("root"))).verify(None, today)
        card = UntrustedCard.of(_bytes(signed.get("card"))).verify(root, today)
        calls = read_calls(_bytes(signed["calls"]), root, today) if "calls" in signed else {}
        given, lists = signed.get("lists"), {}
        for name, call in calls.items():
            held = _bytes(given.get(name)) if isinstance(given, dict) and name in given else b""
            if digest_of(held) == call.hash and (listed := CallList.read(held)).name == name:
                lists[name] = listed
        return cls(root, card, lists)

    def write(self, signed: SignedFolder) -> bytes:
        """The file's bytes: what a person reads comes first, and `signed` has what a program verifies."""
        kinds = {kind: raw for kind in ("root", "card", "calls") if (raw := signed.get(kind)) is not None}
        lists = {name: _text(listed.encode()) for name, listed in self.lists.items()}
        said = {**self._said(), "signed": {**{kind: _text(raw) for kind, raw in kinds.items()}, "lists": lists}}
        return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"

    def _said(self) -> dict[str, object]:
        card = self.card
        return {
            "organisation": card.name, "address": card.addresses[0] if card.addresses else "",
            "check_words": list(card.check_words), "accounts": list(card.accounts),
            "valid_until": _day(card.claim.expires).isoformat(),
            "calls": [_call(listed) for listed in self.lists.values()],
        }  # fmt: skip


def _call(listed: CallList) -> dict[str, object]:
    files = [
        {"path": each.path, "sha256": each.digest.hex(), "bytes": each.size, "language": each.language,
         "platform": each.platform, "title": each.title}
        for each in listed.files
    ]  # fmt: skip
    return {
        "name": listed.name, "until": _day(listed.until).isoformat(),
        "titles": {tag: text.title for tag, text in listed.texts.items()},
        "published": [address for address, _ in listed.published], "not_ours": list(listed.not_ours), "files": files,
    }  # fmt: skip


def _signed(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw) if len(raw) <= FILE_MOST else None
    except (ValueError, RecursionError):
        value = None
    signed = value.get("signed") if isinstance(value, dict) else None
    if not isinstance(signed, dict):
        raise Refused("roster", "This is no card of an organisation: take card.json from its onion site.")
    return signed


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except binascii.Error:
        return b""


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _day(epoch: int) -> date:
    return datetime.fromtimestamp(epoch * EPOCH_SECONDS, UTC).date()
