"""Whether a file found somewhere carries the organisation's address, another one, or none; with the reasons.

A QR code decides, since it is read whole or not at all. What a machine reads from pictures is only ever nearly right.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from sottovoce.outreach.errors import CallError
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.card_file import CardFile

from . import c2pa
from .c2pa import Credential
from .evidence import Evidence, gather, hash_of
from .onions import LETTERS, MISREAD_MOST, exact, host_of, misread, others

Kind = Literal["ours", "fake", "none"]
_SENTENCES: dict[Kind, str] = {
    "ours": "This carries our address.",
    "fake": "This carries ANOTHER address: a fake. Do not pass it on.",
    "none": "This carries no address that can be read.",
}
_WORTH: dict[Kind, int] = {"none": 0, "ours": 1, "fake": 2}


@dataclass(frozen=True)
class Verdict:
    """What a file carries, and why that is said, a sentence each."""

    kind: Kind
    reasons: Sequence[str]

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return _SENTENCES[self.kind]


@dataclass(frozen=True)
class _Case:
    """One file before the court: what it carries, and what is ours."""

    found: Evidence
    ours: Sequence[str]
    listed: str = ""  # what a signed list says of it
    credential: Credential = field(default_factory=lambda: Credential("none"))

    @cached_property
    def own_codes(self) -> list[str]:
        codes = self.found.codes.difference(self.other_codes)
        return sorted(code for code in codes if host_of(code) in self.ours)

    @cached_property
    def other_codes(self) -> list[str]:
        """Codes that lead to another onion, or hold its address anywhere."""
        hosts = {code: {host_of(code)} if host_of(code).endswith(".onion") else set() for code in self.found.codes}
        return sorted(code for code, host in hosts.items() if (host | exact(code)).difference(self.ours))

    @cached_property
    def strange_codes(self) -> list[str]:
        return sorted(self.found.codes.difference(self.own_codes, self.other_codes))

    @cached_property
    def other_texts(self) -> set[str]:
        read = [others(self.found.read, address) for address in self.ours]
        return self.found.addresses.difference(self.ours) | set.intersection(*read).difference(self.ours)

    @cached_property
    def own_text(self) -> bool:
        return bool(self.found.addresses.intersection(self.ours))

    @cached_property
    def misread(self) -> int:
        """By how many letters the best reading of a picture differs from our address."""
        return min((misread(each, read) for each in self.ours for read in self.found.read), default=LETTERS)

    @property
    def kind(self) -> Kind:
        near = self.own_text or self.misread <= MISREAD_MOST
        if self.listed:
            return "ours"
        if self.other_codes or self.other_texts or (self.strange_codes and (self.own_codes or near)):
            return "fake"
        sure = self.own_codes or self.own_text or self.misread == 0 or self.credential.state == "ours"
        return "ours" if sure else "none"


def verify(path: Path, card: CardFile) -> Verdict:
    """What a film, picture, PDF, page or ZIP carries; CallError where it can't be looked at."""
    ours = card.card.addresses
    if not ours:
        raise CallError("This card has no onion address, so nothing can be compared with it: take a newer one.")
    listed = _listed(card, hash_of(path))
    anchors = [anchor for one in card.lists.values() for anchor in one.anchors]
    credential = c2pa.read(path, anchors) if c2pa.can_hold(path) else Credential("none")
    found = Evidence() if listed else gather(path)
    verdicts = [_judged(_Case(found, ours, listed, credential))]
    verdicts += [
        _named(name, _judged(_Case(part, ours, _listed(card, part.digest)))) for name, part in found.parts.items()
    ]
    kind = max((each.kind for each in verdicts), key=_WORTH.__getitem__)
    return Verdict(kind, [reason for each in verdicts for reason in each.reasons])


def _listed(card: CardFile, digest: bytes) -> str:
    """What a signed list says of a file, by its hash; "" where none has it."""
    for one in card.lists.values():
        if (each := one.find(digest)) is not None:
            until = datetime.datetime.fromtimestamp(one.until * EPOCH_SECONDS, datetime.UTC).date()
            return f"“{each.path}” of a list that the organisation signed; it is meant until {until}"
    return ""


def _named(name: str, verdict: Verdict) -> Verdict:
    return Verdict(verdict.kind, [f"{name}: {reason}" for reason in verdict.reasons])


def _judged(case: _Case) -> Verdict:
    reasons = [*_about_codes(case), *_about_text(case), *_about_file(case)]
    return Verdict(case.kind, reasons)


def _about_codes(case: _Case) -> Iterator[str]:
    yield from (f"A QR code holds another address: {_shown(code)}." for code in case.other_codes)
    if case.own_codes:
        yield "A QR code holds our address."
    if any(code.lower() not in case.ours for code in case.own_codes):
        yield "It holds it as a link, which a phone opens outside Tor: ours are never links."
    for code in case.strange_codes:
        yield f"A QR code leads elsewhere: {_shown(code)}. Ours never do."


def _about_text(case: _Case) -> Iterator[str]:
    yield from (
        f"Its text shows another address, as far as it can be read: {each}." for each in sorted(case.other_texts)
    )
    if case.own_text:
        yield "Our address stands there as text."
    elif case.misread == 0:
        yield "Our address can be read in the picture, letter by letter."
    elif case.misread <= MISREAD_MOST:
        yield f"In the picture is almost our address ({case.misread} of 56 letters read otherwise): compare it by eye."


def _about_file(case: _Case) -> Iterator[str]:
    if case.listed:
        yield f"It is exactly the file {case.listed}."
    said = {
        "ours": "Its C2PA manifest is whole, and signed under our own authority.",
        "strange": f"Its C2PA manifest is signed by somebody unknown, who says to be “{case.credential.signer}”.",
        "broken": "Its C2PA manifest does not fit: the file was changed after it was signed.",
        "none": "",
    }[case.credential.state]
    if said:
        yield said
    yield from (f"“{_shown(name)}” can't be looked at: it may show anything." for name in case.found.unread)
    if case.kind == "ours" and not case.listed and case.credential.state != "ours":
        yield "It is no file of a signed list: a copy, or something else with our address. Compare what it says."


def _shown(code: str) -> str:
    return "".join(letter for letter in code if letter.isprintable())[:120]
