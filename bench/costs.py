"""What single steps cost: sealing, dummies, a visit's look beside up to a million envelopes."""

from __future__ import annotations

import asyncio
import os
import secrets
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doubles.organisation import Organisation

from sottovoce.pool.edition import HEAD, MULTIPLE, size_of
from sottovoce.pool.editions import Editions, edition_path, hash_path
from sottovoce.pool.errors import Reply
from sottovoce.pool.store import LocalPool
from sottovoce.protocol.answer import Place, seal_to_source
from sottovoce.protocol.body import Body
from sottovoce.protocol.dummy import make_dummy
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.message import seal_to_desk
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, EPOCH_SECONDS, QUARTERS, TAG
from sottovoce.protocol.words import Passphrase
from sottovoce.source.conversation import Source
from sottovoce.trust.published import SignedFolder

from .ceilings import per_second

ALIVE = (1_000, 10_000, 100_000, 1_000_000)  # envelopes
_EDITIONS = 30 * QUARTERS
_PHRASE = Passphrase(bytes(range(16)))
_VISITS = 60


def _dummy(org: bytes, epoch: int) -> tuple[bytes, bytes]:
    return make_dummy(secrets.token_bytes, org, epoch)


def seals(org: Organisation, seconds: float) -> float:
    """Messages of one part that a source seals in a second, 16 MACs each."""
    audience = SignedFolder(org.server / "signed").published(org.today).audience(org.today)
    assert audience
    keys, seen = SourceKeys(org.org, _PHRASE), bytes(256)

    def work() -> None:
        tag, message_id = secrets.token_bytes(TAG), secrets.token_bytes(16)
        seal_to_desk(keys, audience, Body("x" * 1_000), tags=[tag], message_id=message_id, seen=seen)

    return per_second(work, seconds)


def dummies(org: Organisation, seconds: float) -> float:
    """Dummies made in a second."""
    return per_second(lambda: _dummy(org.org, org.today), seconds)


def written_seconds(path: Path, count: int) -> float:
    """The ceiling of a close: as many bytes written and synced."""
    begin, block = time.perf_counter(), secrets.token_bytes(1 << 20)
    with path.open("wb") as file:
        for _ in range(-(-size_of(count) // len(block))):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    return time.perf_counter() - begin


@dataclass(frozen=True)
class Looks:
    """CPU milliseconds of a visit's look for answers: with none, and with three; medians."""

    empty: float
    answered: float


def inbox_cpu_ms(org: Organisation, folder: Path, alive: int) -> Looks:
    """Looks of new sources and of one that has three answers, beside `alive` envelopes in 120 editions."""
    now = org.today * EPOCH_SECONDS + EDITION_SECONDS
    with _standing(org, folder, alive) as editions:
        signed = SignedFolder(org.server / "signed").published(org.today)
        source = Source(LocalPool(_Nowhere(), editions), lambda: signed, lambda: float(now), secrets.token_bytes)
        asyncio.run(source.inbox(_PHRASE))  # the index is made once an edition
        none = [_cpu_ms(source, Passphrase(secrets.token_bytes(16))) for _ in range(_VISITS)]
        three = [_cpu_ms(source, _PHRASE) for _ in range(_VISITS)]
        assert len(asyncio.run(source.inbox(_PHRASE)).answers) == 3
    return Looks(statistics.median(none), statistics.median(three))


class _Nowhere:
    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        raise AssertionError("a look puts nothing")


def _cpu_ms(source: Source, phrase: Passphrase) -> float:
    begin = time.process_time()
    asyncio.run(source.inbox(phrase))
    return (time.process_time() - begin) * 1_000


@contextmanager
def _standing(org: Organisation, folder: Path, alive: int) -> Iterator[Editions]:
    """120 editions with tags, whose envelopes are holes in the file but for three answers."""
    folder.mkdir()
    each = max(MULTIPLE, alive // _EDITIONS // MULTIPLE * MULTIPLE)
    newest = org.today * QUARTERS
    answers = dict(_answers(org))
    for number in range(newest - _EDITIONS + 1, newest + 1):
        write_hollow(folder, number, each, answers if number == newest else {})
    try:
        yield Editions(folder)
    finally:
        for path in folder.iterdir():
            path.unlink()


def _answers(org: Organisation) -> Iterator[tuple[bytes, bytes]]:
    keys = SourceKeys(org.org, _PHRASE)
    pair = keys.pair(org.slot, org.dh.public_key().public_bytes_raw())
    for n in range(3):
        place = Place(org.today - 1, org.slot, n)
        yield from seal_to_source(
            pair, keys.kem.public, org.org, place, Body(f"answer {n}"), message_id=bytes([n] * 16), received=1, newest=0
        )


def write_hollow(folder: Path, number: int, count: int, real: dict[bytes, bytes]) -> None:
    """An edition's file: all its tags, and of its envelopes only the real ones."""
    tags = sorted([*real, *(secrets.token_bytes(TAG) for _ in range(count - len(real)))])
    with edition_path(folder, number).open("wb") as file:
        file.write(HEAD + number.to_bytes(4, "big") + count.to_bytes(4, "big") + b"".join(tags))
        start = file.tell()
        file.truncate(size_of(count))
        for tag, envelope in real.items():
            file.seek(start + tags.index(tag) * ENVELOPE)
            file.write(envelope)
    hash_path(folder, number).write_bytes(bytes(32))
