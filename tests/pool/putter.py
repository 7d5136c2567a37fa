"""A server's pool under load, to be killed: prints each tag once its envelope is acknowledged.

`putter.py FOLDER START [--editions N] [--every SECONDS | --each N] [--die STEP:N] [--stop N] [--fault NAME]`: the clock
stands at START and jumps by N editions each so many seconds of the real clock, beginning with what that clock shows, so
that it goes on over restarts, or after so many acknowledgements; with --die the process kills itself at the N-th time
of a step; with --stop it ends after so many acknowledgements; --fault plants one of FAULTS.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sottovoce.pool import disk, pending
from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.pool.store import SqlitePool
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, epoch_of

AT_ONCE = 16


def _no_sync_of_commits() -> None:
    connect = pending._connect

    def unsynced(path: Path) -> sqlite3.Connection:
        base = connect(path)
        base.execute("PRAGMA synchronous = OFF")
        return base

    pending._connect = unsynced


def _no_sync_of_folders() -> None:
    disk.sync_folder = lambda path: None


def _no_sync_of_files() -> None:
    os.fsync = lambda fd: None  # SQLite has its own


FAULTS: dict[str, Callable[[], None]] = {
    "commits": _no_sync_of_commits, "folders": _no_sync_of_folders, "files": _no_sync_of_files,
}  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("start", type=float)
    parser.add_argument("--editions", type=int, default=0)
    parser.add_argument("--every", type=float, default=0.1)
    parser.add_argument("--each", type=int)
    parser.add_argument("--die", default=":0")
    parser.add_argument("--stop", type=int, default=0)
    parser.add_argument("--fault", choices=list(FAULTS))
    return parser.parse_args()


def keep_links(folder: Path) -> None:
    """A second name for each edition, beside the pool: the witness sees it even when it expires at once."""
    seen = folder.with_name("seen")
    seen.mkdir(exist_ok=True)
    for path in (folder / "editions").glob("*.edition"):
        kept = seen / f"{path.stem}.{path.stat().st_ino}"
        if not kept.exists():
            kept.hardlink_to(path)


class Driver:
    """The pool, its clock, and those who put."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.reached, self.acknowledged = given, Counter[str](), 0
        self.death, _, times = given.die.partition(":")
        self.times = int(times)
        if given.fault:
            FAULTS[given.fault]()
        self.pool = SqlitePool(given.folder, self.now, _dummy, step=self.step)

    def now(self) -> float:
        if self.given.each:
            jumps = self.acknowledged // self.given.each
        else:
            jumps = int((time.time() % 1_000_000) / self.given.every)
        return float(self.given.start + jumps * self.given.editions * EDITION_SECONDS)

    def step(self, name: str) -> None:
        self.reached[name] += 1
        if name == "close.named" and not self.given.each:
            keep_links(self.given.folder)
        if name == self.death and self.reached[name] >= self.times:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(10)  # the signal comes

    async def run(self) -> None:
        await asyncio.gather(self.turn_for_ever(), *(self.put_for_ever() for _ in range(AT_ONCE)))

    async def turn_for_ever(self) -> None:
        while not self.over():
            await asyncio.wrap_future(self.pool.turn())
            await asyncio.sleep(self.given.every / 4)

    async def put_for_ever(self) -> None:
        """An envelope begins with its tag, so that a reader can check it."""
        while not self.over():
            tag = secrets.token_bytes(16)
            reply = await self.pool.put(epoch_of(self.now()), tag, tag.ljust(ENVELOPE, b"."))
            if reply.result is PutResult.STORED:
                os.write(1, tag.hex().encode() + b"\n")  # what the parent reads, at once
                self.acknowledged += 1

    def over(self) -> bool:
        return bool(0 < self.given.stop <= self.acknowledged)


def _dummy(epoch: int) -> tuple[bytes, bytes]:
    return secrets.token_bytes(16), bytes(16) + secrets.token_bytes(ENVELOPE - 16)


if __name__ == "__main__":
    driver = Driver(arguments())
    try:
        asyncio.run(driver.run())
    except (RoadError, sqlite3.Error, OSError) as error:
        raise SystemExit(f"{error}: {error.__cause__}") from error
    driver.pool.turn().result(30)
    driver.pool.close()
