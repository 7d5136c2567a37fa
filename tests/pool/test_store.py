"""The pool's store: what it answers, what it costs, what survives, and what it never writes down."""

from __future__ import annotations

import asyncio
import random
import secrets
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sottovoce.pool import store
from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.pool.store import SqlitePool
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, EPOCH_SECONDS, edition_of, epoch_of

NOW = 1_800_000_123.75
TODAY = epoch_of(NOW)
TAG = bytes(range(16))
KILLS = 10
T = TypeVar("T")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pool" / "pool.sqlite3"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(path: Path, clock: Clock) -> Iterator[SqlitePool]:
    with closing(SqlitePool(path, clock)) as made:
        yield made


def envelope(letter: bytes = b"a") -> bytes:
    return letter * ENVELOPE


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def many(pool: SqlitePool, tags: list[bytes]) -> list[PutResult]:
    return await asyncio.gather(*(pool.put(TODAY, tag, envelope()) for tag in tags))


def test_what_was_put_is_pending_and_found(pool: SqlitePool) -> None:
    other = bytes(16)
    assert run(pool.put(TODAY, TAG, envelope())) is PutResult.STORED
    assert run(pool.put(TODAY, other, envelope(b"b"))) is PutResult.STORED
    assert run(pool.pending()) == [(edition_of(NOW), other), (edition_of(NOW), TAG)]  # by tag, not by arrival
    assert run(pool.look_up([TAG, secrets.token_bytes(16)])) == {TAG: envelope()}
    assert run(pool.look_up([])) == {}


def test_the_same_bytes_are_known_and_others_are_refused(pool: SqlitePool, clock: Clock) -> None:
    run(pool.put(TODAY, TAG, envelope()))
    clock.now += EDITION_SECONDS
    assert run(pool.put(epoch_of(clock.now), TAG, envelope())) is PutResult.KNOWN
    assert run(pool.put(epoch_of(clock.now), TAG, envelope(b"b"))) is PutResult.TAKEN
    assert run(pool.look_up([TAG])) == {TAG: envelope()}
    assert run(pool.pending()) == [(edition_of(NOW), TAG)]


@pytest.mark.parametrize(
    ("off", "result"),
    [
        (-2, PutResult.WRONG_EPOCH),
        (-1, PutResult.STORED),
        (0, PutResult.STORED),
        (1, PutResult.WRONG_EPOCH),
        (2**31, PutResult.WRONG_EPOCH),
    ],
)
def test_a_put_is_of_today_or_yesterday(pool: SqlitePool, off: int, result: PutResult) -> None:
    assert run(pool.put(TODAY + off, TAG, envelope())) is result
    assert len(run(pool.pending())) == (result is PutResult.STORED)


@pytest.mark.parametrize(("tag", "sealed"), [(TAG[:-1], envelope()), (TAG, envelope()[:-1]), (TAG, envelope() + b"x")])
def test_a_put_has_its_exact_sizes(pool: SqlitePool, tag: bytes, sealed: bytes) -> None:
    with pytest.raises(ValueError, match="exact sizes"):
        run(pool.put(TODAY, tag, sealed))


def test_a_tag_put_twice_in_one_commit_is_stored_once(pool: SqlitePool) -> None:
    results = run(many(pool, [TAG] * 5))
    assert sorted(result.name for result in results) == ["KNOWN"] * 4 + ["STORED"]


def test_concurrent_puts_share_commits(pool: SqlitePool) -> None:
    commits: list[str] = []
    pool._write_connection.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
    count = 3 * store.GROUP
    assert set(run(many(pool, [secrets.token_bytes(16) for _ in range(count)]))) == {PutResult.STORED}
    assert len(run(pool.pending())) == count
    assert 3 <= len(commits) <= 12  # 3 when the writer never was ahead of those who put


def test_a_put_alone_is_committed_alone(pool: SqlitePool) -> None:
    """The test of the test above: it counts commits as they are."""
    commits: list[str] = []
    pool._write_connection.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
    for _ in range(5):
        run(pool.put(TODAY, secrets.token_bytes(16), envelope()))
    assert len(commits) == 5


def test_every_commit_is_synced(pool: SqlitePool) -> None:
    for connection in (pool._write_connection, pool._read_connection):
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_who_leaves_while_waiting_disturbs_nobody(pool: SqlitePool) -> None:
    async def leave() -> PutResult:
        left = asyncio.ensure_future(pool.put(TODAY, bytes(16), envelope()))
        await asyncio.sleep(0)
        left.cancel()
        return await pool.put(TODAY, TAG, envelope())

    assert run(leave()) is PutResult.STORED


def test_a_store_that_cannot_be_written_says_so_and_recovers(pool: SqlitePool, path: Path) -> None:
    pool._write_connection.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RoadError, match="disk's room and rights"):
            run(pool.put(TODAY, TAG, envelope()))
        other.execute("ROLLBACK")
    assert run(pool.put(TODAY, TAG, envelope())) is PutResult.STORED


def test_what_waits_is_written_before_the_end(path: Path, clock: Clock) -> None:
    async def put_and_close() -> list[PutResult]:
        pool = SqlitePool(path, clock)
        waiting = [asyncio.ensure_future(pool.put(TODAY, bytes([n]) * 16, envelope())) for n in range(20)]
        await asyncio.sleep(0)
        await asyncio.to_thread(pool.close)
        return await asyncio.gather(*waiting)

    assert run(put_and_close()) == [PutResult.STORED] * 20
    with closing(SqlitePool(path, clock)) as again:
        assert len(run(again.pending())) == 20


@pytest.mark.parametrize("kills", [KILLS, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
def test_an_acknowledged_envelope_survives_kill_9(path: Path, clock: Clock, kills: int) -> None:
    acknowledged: set[bytes] = set()
    dice = random.Random(9)  # noqa: S311  # moments, no secrets
    for _ in range(kills):
        acknowledged |= _put_until_killed(path, dice.uniform(0.0, 0.15))
    assert len(acknowledged) > kills * 16
    with closing(SqlitePool(path, clock)) as pool:
        found = look_up_all(pool, sorted(acknowledged))
        assert run(pool.pending())
    assert found == {tag: tag.ljust(ENVELOPE, b".") for tag in acknowledged}
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def look_up_all(pool: SqlitePool, tags: list[bytes]) -> dict[bytes, bytes]:
    """What lies under many tags, a source's number at a time."""
    slices = (tags[start : start + 2_048] for start in range(0, len(tags), 2_048))
    return {tag: sealed for some in slices for tag, sealed in run(pool.look_up(some)).items()}


def _put_until_killed(path: Path, seconds: float) -> set[bytes]:
    """Kills a child so many seconds after its first sixteen acknowledgements; returns all that it was told."""
    words = [sys.executable, str(Path(__file__).with_name("putter.py")), str(path), str(NOW)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        first = [child.stdout.readline() for _ in range(17)]
        time.sleep(seconds)
        child.kill()
        lines = [*first, *child.stdout.read().splitlines(keepends=True)]
    assert child.returncode == -9
    return {bytes.fromhex(line) for line in lines if line.endswith("\n")}


def test_no_time_is_finer_than_the_edition(pool: SqlitePool, path: Path, clock: Clock) -> None:
    run(many(pool, [secrets.token_bytes(16) for _ in range(9)]))
    clock.now += EDITION_SECONDS
    run(pool.put(epoch_of(clock.now), TAG, envelope()))
    with closing(sqlite3.connect(path)) as base:
        columns = [row[1:3] for row in base.execute("PRAGMA table_info(envelope)")]
        numbers = {row[0] for row in base.execute("SELECT edition FROM envelope")}
        tables = {row[0] for row in base.execute("SELECT name FROM sqlite_schema")}
        with pytest.raises(sqlite3.OperationalError):  # a row number would be the order of arrival
            base.execute("SELECT rowid FROM envelope")
    assert columns == [("tag", "BLOB"), ("edition", "INTEGER"), ("sealed", "BLOB")]
    assert tables == {"envelope", "live"}
    assert numbers == {edition_of(NOW), edition_of(NOW) + 1}


def test_the_files_times_say_the_edition_only(pool: SqlitePool, path: Path, clock: Clock) -> None:
    for _ in range(3):
        run(pool.put(TODAY, secrets.token_bytes(16), envelope()))
    run(asyncio.sleep(0.05))  # the acknowledgement comes after the times are set
    files = [file for file in path.parent.iterdir() if file.is_file()]
    assert {file.name for file in files} == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert {file.stat().st_mtime for file in files} == {edition_of(NOW) * EDITION_SECONDS}
    assert NOW % EDITION_SECONDS


def test_the_files_times_stay_coarse_after_reading_and_closing(path: Path, clock: Clock) -> None:
    with closing(SqlitePool(path, clock)) as pool:
        run(pool.put(TODAY, TAG, envelope()))
        run(pool.look_up([TAG]))
    assert {file.stat().st_mtime % EDITION_SECONDS for file in path.parent.iterdir()} == {0}


def test_only_the_owner_reads_the_files(pool: SqlitePool, path: Path) -> None:
    run(pool.put(TODAY, TAG, envelope()))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_a_newer_store_is_refused_in_one_sentence(path: Path, clock: Clock) -> None:
    SqlitePool(path, clock).close()
    with closing(sqlite3.connect(path)) as base:
        base.execute(f"PRAGMA user_version = {store.SCHEMA + 1}")
    with pytest.raises(RoadError, match=r"^[^.\n]*newer version: install [^.\n]*\.$"):
        SqlitePool(path, clock)


def test_a_day_has_four_editions() -> None:
    assert [edition_of(n * EPOCH_SECONDS / 4) for n in range(5)] == [0, 1, 2, 3, 4]
