"""Who holds what: each column of the table with exactly what such a person has, as bytes, times and connections."""

from __future__ import annotations

import functools
import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from doubles.leaks import Secrets
from who.house import Memory
from who.story import Disk, Stat, Story
from who.wire import DOOR, Passed

from sottovoce.desk.vault import Vault
from sottovoce.pool.edition import HEADER
from sottovoce.protocol.sizes import ENVELOPE, TAG


@dataclass(frozen=True)
class Sealed:
    """An envelope as somebody has it: its tag and bytes, and the edition that they know it to be of, else None."""

    tag: bytes
    envelope: bytes = field(repr=False)
    edition: int | None


@dataclass(frozen=True)
class Holder:
    """One column. `things` is all that can be searched; `disks` are folders; `shown` is what was served to everybody.

    `words` are the sources whose twelve words they have; `slot` is a member's own; `passed` and `polls` are what they
    saw happen, with the moment.
    """

    name: str
    things: Memory = field(default_factory=list)
    envelopes: tuple[Sealed, ...] = ()  # of editions, as they lie there
    pending: tuple[Sealed, ...] = ()
    shown: dict[str, list[bytes]] = field(default_factory=dict)
    disks: tuple[Disk, ...] = ()
    passed: tuple[Passed, ...] = ()
    polls: tuple[tuple[float, set[bytes]], ...] = ()
    words: tuple[str, ...] = ()
    slot: int | None = None

    @property
    def stats(self) -> list[Stat]:
        """The times of all files."""
        return [each for disk in self.disks for each in disk.stats]

    def given(self, *things: tuple[str, bytes]) -> Holder:
        """The same with something that they should not have."""
        return replace(self, things=[*self.things, *things])


def parsed(number: int, raw: bytes) -> list[Sealed]:
    """The envelopes of an edition, as they lie in it."""
    count = (len(raw) - HEADER) // (TAG + ENVELOPE)
    tags, envelopes = io.BytesIO(raw[HEADER:]), io.BytesIO(raw[HEADER + count * TAG :])
    return [Sealed(tags.read(TAG), envelopes.read(ENVELOPE), number) for _ in range(count)]


def _pending_in(disk: Disk) -> list[Sealed]:
    """What lies in the databases of a server's folder, read as whoever stole it reads them."""
    return [each for path in sorted(disk.folder.glob("pool/pending/*.sqlite3")) for each in _rows(path)]


def _rows(path: Path) -> Iterator[Sealed]:
    with closing(sqlite3.connect(path)) as base:
        for tag, envelope in base.execute("SELECT tag, sealed FROM envelope"):
            yield Sealed(tag, envelope, int(path.stem))


_PUT = re.compile(rb"POST /v1/envelopes .*?\r\n\r\n(.{8212})", re.DOTALL)


def puts_in(passed: Passed) -> list[Sealed]:
    """The envelopes that came by the API on one connection."""
    found = _PUT.findall(bytes(passed.sent)) if passed.onion == DOOR else []
    return [Sealed(each[4:20], each[20:], None) for each in found]


def in_vault(vault: Vault) -> Memory:
    """All values of all tables of an open vault."""
    tables = [name for (name,) in vault.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [(f"vault: {table}", b"\0".join(_values(vault, table))) for table in tables]


def _values(vault: Vault, table: str) -> Iterator[bytes]:
    for row in vault.rows(f"SELECT * FROM {table}"):  # noqa: S608  # its own names
        for value in row:
            yield value if isinstance(value, bytes) else str(value).encode()


def _passing(passed: Passed) -> Memory:
    return [("what came", bytes(passed.sent)), ("what went", bytes(passed.received))]


class Holders:
    """All columns, made of one story."""

    def __init__(self, story: Story) -> None:
        self._story = story
        house = story.house
        self._ever = tuple(each for number, raw in sorted(house.editions.items()) for each in parsed(number, raw))
        self._public = [(f"edition {number}", raw) for number, raw in sorted(house.editions.items())]
        self._public += [
            (f"{kind} {place}", raw) for kind, raws in house.shown.items() for place, raw in enumerate(raws)
        ]

    @functools.cached_property
    def anyone(self) -> Holder:
        """Who kept all that was ever served to everybody."""
        return Holder("anyone", self._public, self._ever, shown=self._story.house.shown)

    @functools.cached_property
    def at_rest(self) -> Holder:
        """Who seized the server's disk, once with what is pending and once after the close; and is anyone besides."""
        disks = tuple(self._story.disks[when] for when in ("with what is pending", "after the close"))
        things = [thing for disk in disks for thing in disk.things]
        pending = tuple(each for disk in disks for each in _pending_in(disk))
        return replace(self.anyone, name="at rest", things=self._public + things, disks=disks, pending=pending)

    @functools.cached_property
    def closed(self) -> Holder:
        """Who seized the disk only after the close."""
        disk = self._story.disks["after the close"]
        pending = tuple(_pending_in(disk))
        return replace(self.anyone, name="closed", things=self._public + disk.things, disks=(disk,), pending=pending)

    @functools.cached_property
    def live(self) -> Holder:
        """Who controls the server from the evening on: all that passes, and its memory during a visit."""
        passed = tuple(self._story.house.wire.passed[self._story.turned :])
        things = [thing for each in passed for thing in _passing(each)]
        things += self._story.memory["during a visit"] + self._story.disks["after the close"].things
        return replace(self.anyone, name="live", things=self._public + things, passed=passed)

    @functools.cached_property
    def replaced(self) -> Holder:
        """Who takes the memory of the server's processes only after the workers were replaced."""
        things = self._story.memory["after the workers were replaced"]
        return replace(self.anyone, name="memory after the workers were replaced", things=self._public + things)

    @functools.cached_property
    def member(self) -> Holder:
        """A member with an open vault, as it was last."""
        return self._member("anna", 0)

    @functools.cached_property
    def former(self) -> Holder:
        """Who was removed, with the vault of that day, and all that was served to anybody since."""
        return self._member("chen", 2)

    def _member(self, name: str, slot: int) -> Holder:
        with self._story.vault(name) as vault:
            things = in_vault(vault)
        polls = tuple(self._story.polls[name])
        return replace(self.anyone, name=name, things=self._public + things, polls=polls, slot=slot)

    @functools.cached_property
    def words(self) -> Holder:
        """Who has both sources' words, and the editions that are alive."""
        return self._words(kept=False)

    @functools.cached_property
    def words_and_editions(self) -> Holder:
        """The same, who kept all editions that ever were."""
        return self._words(kept=True)

    def _words(self, *, kept: bool) -> Holder:
        alive = self._story.alive
        envelopes = tuple(each for each in self._ever if kept or each.edition in alive)
        things = [(name, raw) for name, raw in self._public if kept or not name.startswith("edition")]
        words = [(f"words of {name}", phrase.secret) for name, phrase in self._story.phrases.items()]
        named = tuple(self._story.phrases)
        return Holder("words", things + words, envelopes, shown=self._story.house.shown, words=named)

    @functools.cached_property
    def laptop(self) -> Holder:
        """Who stole a member's machine, locked: the desk's folder, and nothing else."""
        disk = self._story.disks["anna"]
        return Holder("laptop", disk.things, disks=(disk,))

    @functools.cached_property
    def opened_laptop(self) -> Holder:
        """The same with the passphrase: what a locked one must not give."""
        with self._story.vault("anna") as vault:
            return replace(self.laptop, things=[*self.laptop.things, *in_vault(vault)], slot=0)


def secrets_of(story: Story) -> Secrets:
    """All texts, words and keys of a story, in every form in which they could lie somewhere."""
    made = Secrets()
    for letter in story.letters:
        made.text(letter.name, letter.text)
    for name, phrase in story.phrases.items():
        made.words(f"words of {name}", list(phrase.words()))
    for name, raw in story.secrets.items():
        made.key(name, raw)
    return made
