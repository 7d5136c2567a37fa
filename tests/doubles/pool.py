"""A pool's surroundings in tests: a clock to be set, dummies that cost nothing, envelopes that tell their tag."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from sottovoce.pool.edition import EditionFile
from sottovoce.pool.editions import Editions, numbers_in
from sottovoce.pool.errors import PutResult
from sottovoce.pool.store import SqlitePool
from sottovoce.protocol.sizes import ENVELOPE, TAG, epoch_of

T = TypeVar("T")


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def run(work: Coroutine[Any, Any, T]) -> T:
    """Waits for it in a loop of its own."""
    return asyncio.run(work)


def cheap_dummy(epoch: int) -> tuple[bytes, bytes]:
    """What fills an edition here; a real one is sealed."""
    assert epoch > 0
    return secrets.token_bytes(TAG), secrets.token_bytes(ENVELOPE)


def filled(tag: bytes) -> bytes:
    """The one envelope that belongs to a tag, so that a reader can check it."""
    return tag.ljust(ENVELOPE, b".")


def put(pool: SqlitePool, clock: Clock, *tags: bytes) -> list[PutResult]:
    """Puts the envelopes of these tags at once, for today."""

    async def all_of_them() -> list[PutResult]:
        replies = await asyncio.gather(*(pool.put(epoch_of(clock.now), tag, filled(tag)) for tag in tags))
        return [reply.result for reply in replies]

    return run(all_of_them())


def turn(pool: SqlitePool) -> None:
    """Closes and expires what is due, and waits for it."""
    pool.turn().result(30)


def closed(folder: Path) -> dict[int, dict[bytes, bytes]]:
    """Every edition of a pool's folder, by number; each is whole, and its listed hash is that of its bytes."""
    hashes = {each.number: each.hash for each in Editions(folder / "editions").listed()}
    held = {}
    for number in numbers_in(folder / "editions", ".edition"):
        file = EditionFile(folder / "editions" / f"{number}.edition")
        assert (file.number, file.hash()) == (number, hashes[number])
        held[number] = {file.tag(place): file.envelope(place) for place in range(file.count)}
        assert len(held[number]) == file.count
    return held


def times_in(tags: Iterable[bytes], pool: SqlitePool, folder: Path) -> dict[bytes, int]:
    """How often each of these tags is there, in an edition or pending; under none lie other bytes than its own."""
    tags = set(tags)
    held = closed(folder)
    times = dict.fromkeys(tags, 0)
    for edition in held.values():
        for tag in tags & edition.keys():
            assert edition[tag] == filled(tag)
            times[tag] += 1
    waiting = [tag for edition, tag in run(pool.pending()) if edition not in held]
    for tag in tags.intersection(waiting):
        times[tag] += waiting.count(tag)
    found = run(pool.fetch(list(tags.intersection(waiting))))
    assert all(sealed == filled(tag) for tag, sealed in found.items())
    return times
