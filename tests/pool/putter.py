"""Puts envelopes into a pool for ever and prints each tag once it is acknowledged: `putter.py PATH NOW`."""

from __future__ import annotations

import asyncio
import secrets
import sys
from pathlib import Path

from sottovoce.pool.errors import PutResult
from sottovoce.pool.store import SqlitePool
from sottovoce.protocol.sizes import ENVELOPE, epoch_of


async def put_for_ever(pool: SqlitePool, now: float) -> None:
    """Sixteen at a time; an envelope begins with its tag, so that a reader can check it."""

    async def one_after_the_other() -> None:
        while True:
            tag = secrets.token_bytes(16)
            if await pool.put(epoch_of(now), tag, tag.ljust(ENVELOPE, b".")) is PutResult.STORED:
                print(tag.hex(), flush=True)  # noqa: T201 what the parent reads

    await asyncio.gather(*(one_after_the_other() for _ in range(16)))


if __name__ == "__main__":
    clock = float(sys.argv[2])
    asyncio.run(put_for_ever(SqlitePool(Path(sys.argv[1]), lambda: clock), clock))
