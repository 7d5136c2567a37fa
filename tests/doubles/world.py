"""A world for tests of a source: a real pool and organisation, one clock; the desk's side is made by the protocol."""

from __future__ import annotations

import asyncio
import atexit
import secrets
import tempfile
from collections import defaultdict
from collections.abc import Collection, Coroutine
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from doubles.organisation import Organisation

from sottovoce.pool.edition import EditionFile
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import PutResult
from sottovoce.pool.store import LocalPool, SqlitePool
from sottovoce.protocol.answer import Place, seal_to_source
from sottovoce.protocol.body import Body
from sottovoce.protocol.dummy import make_dummy
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import PairKey, member_pair
from sottovoce.protocol.message import FirstPart, Message, UntrustedMessage, UntrustedPart, open_at_desk
from sottovoce.protocol.reassembly import join_candidates
from sottovoce.protocol.sizes import EDITION_SECONDS, QUARTERS, epoch_of
from sottovoce.protocol.words import Passphrase
from sottovoce.source.conversation import Source, Written
from sottovoce.source.inbox import Inbox
from sottovoce.trust.published import SignedFolder

NOW = 1_800_000_123.75
TODAY = epoch_of(NOW)
PHRASE = Passphrase(bytes(range(16)))
T = TypeVar("T")
_FOLDERS = ExitStack()
atexit.register(_FOLDERS.close)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What an async call returns."""
    return asyncio.run(work)


@dataclass
class World:
    """A source, the pool, the organisation, and one clock for all."""

    org: Organisation
    folder: Path
    pool: SqlitePool
    source: Source
    now: float = NOW

    @property
    def today(self) -> int:
        """The epoch."""
        return epoch_of(self.now)

    def close(self, seconds: float = EDITION_SECONDS) -> None:
        """Time passes, by default so much that an edition closes."""
        self.now += seconds
        self.pool.turn().result(30)

    def write(
        self,
        text: str,
        *,
        first: bool = True,
        seed: bytes | None = None,
        after: bytes | None = None,
        language: str | None = None,
    ) -> Written:
        """The source writes, by default on a form of its own."""
        seed = secrets.token_bytes(32) if seed is None else seed
        return run(self.source.write(PHRASE, text, first=first, seed=seed, after=after, language=language))

    def inbox(self, skip: int = 0) -> Inbox:
        """What the source finds."""
        return run(self.source.inbox(PHRASE, skip=skip))

    def texts(self) -> list[str]:
        """The texts that the source finds, newest first."""
        return [answer.body.text for answer in self.inbox().answers]

    # -- the desk ----------------------------------------------------------------

    def envelopes(self) -> dict[bytes, tuple[int, bytes]]:
        """Edition and envelope of all that is anywhere in the pool, by tag."""
        pending = run(self.pool.pending())
        held = run(self.pool.fetch([tag for _, tag in pending]))
        found = {tag: (edition, held[tag]) for edition, tag in pending}
        for each in map(EditionFile, (self.folder / "editions").glob("*.edition")):
            found |= {each.tag(at): (each.number, each.envelope(at)) for at in range(each.count)}
        return found

    def read(self) -> list[Message]:
        """All whole messages that the member's duty keys open, each once, in no order."""
        firsts: dict[bytes, FirstPart] = {}
        later: dict[bytes, dict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
        for tag, (edition, raw) in self.envelopes().items():
            match self._open(tag, edition // QUARTERS, raw):
                case UntrustedMessage() as message:
                    first = message.verify(self.org.dh, self.org.slot)
                    firsts.setdefault(first.message_id, first)
                case UntrustedPart(part=part, message_id=message_id):
                    later[message_id][part.header.part].append(part.body)
        joined = (_joined(first, later[message_id]) for message_id, first in firsts.items())
        return [message for message in joined if message]

    def _open(self, tag: bytes, epoch: int, raw: bytes) -> UntrustedMessage | UntrustedPart | None:
        for day in (epoch, epoch - 1):
            with suppress(Refused, KeyError):
                return open_at_desk(raw, self.org.duty_keys[day], self.org.org, day, tag)
        return None

    @property
    def pair(self) -> PairKey:
        """What the source and the member share."""
        keys = self.source.keys(PHRASE)
        return member_pair(self.org.dh, keys.dh, keys.c, self.org.org, self.org.slot)

    def seal(self, text: str, place: Place, received: int = 1, newest: int = TODAY) -> list[tuple[bytes, bytes]]:
        """Tag and envelope of each part of a member's answer."""
        keys = self.source.keys(PHRASE)
        return seal_to_source(
            self.pair, keys.kem.public, self.org.org, place, Body(text),
            message_id=secrets.token_bytes(16), received=received, newest=newest,
        )  # fmt: skip

    def put(self, tag: bytes, envelope: bytes) -> None:
        """Anybody puts an envelope."""
        assert run(self.pool.put(self.today, tag, envelope)).result is PutResult.STORED

    def answer(
        self,
        text: str,
        epoch: int = TODAY,
        n: int = 0,
        *,
        received: int = 1,
        newest: int = TODAY,
        without: Collection[int] = (),
    ) -> list[tuple[bytes, bytes]]:
        """A member's answer goes into the pool, but for some parts; its tags and envelopes."""
        parts = self.seal(text, Place(epoch, self.org.slot, n), received, newest)
        for number, (tag, envelope) in reversed(list(enumerate(parts))):
            if number not in without:
                self.put(tag, envelope)
        return parts


def _joined(first: FirstPart, later: dict[int, list[bytes]]) -> Message | None:
    candidates = [later[part] for part in range(1, first.parts)]
    bodies = join_candidates(first.part.body, first.part.body_hash, candidates)
    return first.join(bodies) if bodies is not None else None


@cache
def organisation(name: str = "ours") -> Organisation:
    """An organisation on duty from TODAY on, one for all tests that change nothing of it; its folder goes with us."""
    folder = _FOLDERS.enter_context(tempfile.TemporaryDirectory())
    made = Organisation(Path(folder) / name, TODAY)
    made.go_on_duty()
    return made


def make_world(org: Organisation, folder: Path) -> World:
    """A world whose pool lies in a folder; its pool is to be closed."""
    signed = SignedFolder(org.server / "signed")
    clock: list[World] = []

    def now() -> float:
        return clock[0].now if clock else NOW

    def dummy(epoch: int) -> tuple[bytes, bytes]:
        return make_dummy(secrets.token_bytes, org.org, epoch)

    pool = SqlitePool(folder, now, dummy)
    local = LocalPool(pool, Editions(folder / "editions"))
    source = Source(local, lambda: signed.published(epoch_of(now())), now, secrets.token_bytes)
    clock.append(World(org, folder, pool, source))
    return clock[0]
