"""What closing an edition costs, and what puts cost: `python -m bench.editions [ENVELOPES]`."""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from sottovoce.pool.closing import Folders
from sottovoce.pool.edition import COUNT_MOST, padded
from sottovoce.pool.editions import Editions
from sottovoce.pool.pending import Pending
from sottovoce.pool.store import SqlitePool
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, edition_of, epoch_of

NOW = 1_800_000_000.0


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


if __name__ == "__main__":
    envelopes = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT_MOST
    with tempfile.TemporaryDirectory() as folder:
        print(f"puts: {puts_per_second(Path(folder), 4_000):.0f} a second")
    with tempfile.TemporaryDirectory() as folder:
        print(f"close of {envelopes}: {close_seconds(Path(folder), envelopes):.1f} s")
