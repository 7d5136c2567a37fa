"""What truly happened, and what a holder can find out by keys: every one they have is tried on every envelope."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from who.holders import Holder, Holders, Sealed, puts_in, secrets_of
from who.story import Letter, Story

from sottovoce.protocol.envelope import TO_DESK, TO_SOURCE, DeskPart, LaterPart, SourcePart, decode
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.sealing import binding, unseal
from sottovoce.protocol.sizes import QUARTERS
from sottovoce.trust.roster import Roster, UntrustedRoot, UntrustedRoster

Part = DeskPart | SourcePart | LaterPart


@dataclass(frozen=True)
class Opened:
    """An envelope that a key opened."""

    sealed: Sealed
    part: Part = field(repr=False)
    source: str | None  # whose KEM key it was; None for what went to the desk

    @property
    def message(self) -> bytes:
        """The message's id."""
        return self.part.header.message_id


@functools.cache
def _open(sealed: Sealed, seed: bytes, org: bytes, direction: int, epoch: int) -> Part | None:
    with suppress(Refused):
        return decode(unseal(sealed.envelope, KemKey(seed), binding(org, direction, epoch, sealed.tag)), direction)
    return None


def joined(opened: Iterable[Opened]) -> dict[bytes, bytes]:
    """The bodies of the parts that are there, joined, by message."""
    parts: dict[bytes, dict[int, bytes]] = defaultdict(dict)
    for each in opened:
        parts[each.message][each.part.header.part] = each.part.body
    return {message: b"".join(of[part] for part in sorted(of)) for message, of in parts.items()}


class Case:
    """One story with its holders; `everything` opens with all keys that ever were, so it is the truth."""

    def __init__(self, story: Story) -> None:
        self.story, self.org, self.holders = story, story.house.org, Holders(story)
        self._secrets = secrets_of(story)
        self._found: dict[int, tuple[tuple[str, bytes], set[str]]] = {}
        ever = self.holders.anyone.envelopes
        self.everything = self.opened(ever, story.secrets)
        self.letter = {each.tag: letter for letter, its in self._letters() for each in its}
        self.conversation = {tag: letter.way for tag, letter in self.letter.items()}
        self.message = {tag: opened.message for tag, opened in self.everything.items()}
        self.to_desk = {tag: opened.source is None for tag, opened in self.everything.items()}
        self.arrived = {put.tag: passed.at for passed in story.house.wire.passed for put in puts_in(passed)}

    def _letters(self) -> Iterator[tuple[Letter, list[Sealed]]]:
        """Each letter with its envelopes."""
        for message, body in joined(self.everything.values()).items():
            names = {name for name, _ in self._secrets.found([("opened", body)])}
            (letter,) = (letter for letter in self.story.letters if letter.name in names)
            yield letter, [each.sealed for each in self.everything.values() if each.message == message]

    # -- what is in a holder's hands -----------------------------------------------------

    def found(self, holder: Holder) -> set[str]:
        """The names of all secrets that lie in what they hold, in any form."""
        return {name for thing in holder.things for name in self._in(thing)}

    def _in(self, thing: tuple[str, bytes]) -> set[str]:
        """What lies in one thing; many holders have the same, and it is looked through once."""
        if id(thing) not in self._found:  # the thing is kept, so its id stays its own
            self._found[id(thing)] = (thing, {name for name, _ in self._secrets.found([thing])})
        return self._found[id(thing)][1]

    def open(self, holder: Holder) -> dict[bytes, Opened]:
        """What they can open, by tag: of their envelopes and those that passed, with the keys that they have."""
        envelopes = [*holder.envelopes, *(put for passed in holder.passed for put in puts_in(passed))]
        return self.opened(envelopes, self.found(holder))

    def opened(self, envelopes: Iterable[Sealed], names: Iterable[str]) -> dict[bytes, Opened]:
        """What the keys of these names open, by tag."""
        names = set(names)
        duty = [seed for seed in self.story.duty if f"duty key {seed.hex()[:8]}" in names]
        kems = {name: self.story.keys(name).kem.seed for name in self.story.phrases}
        mine = {name: seed for name, seed in kems.items() if names & {f"words of {name}", f"KEM key of {name}"}}
        both = ((sealed, self._try(sealed, duty, mine)) for sealed in envelopes)
        return {sealed.tag: opened for sealed, opened in both if opened is not None}

    def _try(self, sealed: Sealed, duty: Iterable[bytes], kems: dict[str, bytes]) -> Opened | None:
        day = None if sealed.edition is None else sealed.edition // QUARTERS
        for seed in duty:
            epoch = self.story.duty[seed]
            if day in (None, epoch, epoch + 1) and (part := _open(sealed, seed, self.org, TO_DESK, epoch)):
                return Opened(sealed, part, None)
        days = {letter.edition // QUARTERS for letter in self.story.letters} if day is None else (day - 1, day, day + 1)
        for name, seed in kems.items():
            for epoch in days:
                if part := _open(sealed, seed, self.org, TO_SOURCE, epoch):
                    return Opened(sealed, part, name)
        return None

    def read(self, holder: Holder) -> list[Letter]:
        """The letters whose text they have, or can open."""
        bodies = joined(self.open(holder).values()).values()
        names = {name for name, _ in self._secrets.found(("opened", body) for body in bodies)} | self.found(holder)
        return [letter for letter in self.story.letters if letter.name in names]

    # -- what everybody knows --------------------------------------------------------------

    def rosters(self) -> list[Roster]:
        """All rosters that were ever shown, the oldest first."""
        shown = self.story.house.shown
        read = UntrustedRoot.of(shown["root"][0])
        root = read.verify(None, read.claim.issued)
        return [UntrustedRoster.of(raw).verify_kept(root) for raw in shown["roster"]]
