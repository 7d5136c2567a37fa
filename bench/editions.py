"""What closing and searching editions costs: `python -m bench.editions [ENVELOPES] [ALIVE]`."""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sottovoce.pool.closing import Folders
from sottovoce.pool.edition import COUNT_MOST, padded, write_edition
from sottovoce.pool.editions import Editions, edition_path
from sottovoce.pool.pending import Pending
from sottovoce.pool.store import SqlitePool
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, edition_of, epoch_of

NOW = 1_800_000_000.0
_EDITIONS = 120


def puts_per_second(folder: Path, count: int) -> float:
    """Envelopes put, acknowledged and synced in a second, 256 at a time."""
    with closing(SqlitePool(folder, lambda: NOW, _dummy)) as pool:
        start = time.perf_counter()
        asyncio.run(_put(pool, count))
        return count / (time.perf_counter() - start)


def close_seconds(folder: Path, count: int) -> float:
    """Seconds to close an edition of so many envelopes, from the first step to the wiped database."""
    _fill(folder, count)
    now = [NOW]
    with closing(SqlitePool(folder, lambda: now[0], _dummy)) as pool:
        now[0] += EDITION_SECONDS
        start = time.perf_counter()
        pool.turn().result()
        seconds = time.perf_counter() - start
        (listed,) = Editions(folder / "editions").listed()
        assert listed.count == padded(count)  # else this measured nothing
        return seconds


def find_ms(folder: Path, alive: int) -> tuple[float, float]:
    """Milliseconds to take in so many envelopes alive in 120 editions, and to look for 2,048 tags among them."""
    each = alive // _EDITIONS // 32 * 32
    for number in range(_EDITIONS):
        _sparse_edition(edition_path(folder, number), number, each)
    editions, tags = Editions(folder), [secrets.token_bytes(16) for _ in range(2_048)]
    start = time.perf_counter()
    editions.refresh()
    taken_in = time.perf_counter() - start

    async def find() -> float:
        start = time.perf_counter()
        await editions.find(tags)
        return time.perf_counter() - start

    return taken_in * 1_000, min(asyncio.run(find()) for _ in range(20)) * 1_000


async def _put(pool: SqlitePool, count: int) -> None:
    left = iter(range(count))

    async def one_after_the_other() -> None:
        for _ in left:
            await pool.put(epoch_of(NOW), secrets.token_bytes(16), secrets.token_bytes(ENVELOPE))

    await asyncio.gather(*(one_after_the_other() for _ in range(256)))


def _fill(folder: Path, count: int) -> None:
    """What so many puts would have left; in few commits, since they are not what is measured."""
    pending = Pending(Folders(folder).pending, edition_of(NOW))
    for start in range(0, count, 5_000):
        pending.insert(dict(_dummy(0) for _ in range(min(5_000, count - start))), lambda name: None)
    pending.close()


def _dummy(_: int) -> tuple[bytes, bytes]:
    return secrets.token_bytes(16), secrets.token_bytes(ENVELOPE)


def _sparse_edition(path: Path, number: int, count: int) -> None:
    """Envelopes of zeros, of which the disk keeps nothing."""

    def nothing() -> Iterator[bytes]:
        return iter([b""] * count)

    with path.open("wb") as file:
        write_edition(file, number, sorted(secrets.token_bytes(16) for _ in range(count)), nothing())
        file.truncate(file.tell() + count * ENVELOPE)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    envelopes, alive = given + [COUNT_MOST, 1_000_000][len(given) :]
    with tempfile.TemporaryDirectory() as folder:
        print(f"puts: {puts_per_second(Path(folder), 4_000):.0f} a second")
    with tempfile.TemporaryDirectory() as folder:
        print(f"close of {envelopes}: {close_seconds(Path(folder), envelopes):.1f} s")
    with tempfile.TemporaryDirectory() as folder:
        taken_in, found = find_ms(Path(folder), alive)
        print(f"2,048 tags among {alive} alive: {found:.2f} ms; to take the editions in: {taken_in:.0f} ms")
