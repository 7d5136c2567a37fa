"""The pool's store: what it answers to a put, what that costs, what it never writes down."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from doubles.pool import Clock, cheap_dummy, closed, filled, put, run, turn

from sottovoce.pool import disk, pending, shelf, store
from sottovoce.pool.edition import size_of
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.pool.store import LocalPool, SqlitePool
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, EPOCH_SECONDS, edition_of, epoch_of

NOW = 1_800_000_123.75  # the second edition of its day: the next begins at 12
TODAY = epoch_of(NOW)
TAG = bytes(range(16))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def pool(tmp_path: Path, clock: Clock) -> Iterator[SqlitePool]:
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as made:
        yield made


def new_tags(count: int) -> list[bytes]:
    return [secrets.token_bytes(16) for _ in range(count)]


def base_of(pool: SqlitePool) -> sqlite3.Connection:
    base = pool._shelf.open._base
    assert base
    return base


def test_9_2_what_was_put_is_pending_and_fetched(pool: SqlitePool, clock: Clock) -> None:
    other = bytes(16)
    assert put(pool, clock, TAG) == put(pool, clock, other) == [PutResult.STORED]
    assert run(pool.pending()) == [(edition_of(NOW), other), (edition_of(NOW), TAG)]  # by tag, not by arrival
    assert run(pool.fetch([TAG, secrets.token_bytes(16)])) == {TAG: filled(TAG)}
    assert run(pool.fetch([])) == {}


def test_9_1_a_reply_says_the_servers_day_and_the_hour_of_the_next_edition(pool: SqlitePool, clock: Clock) -> None:
    assert run(pool.put(TODAY, TAG, filled(TAG))) == Reply(PutResult.STORED, TODAY, 12)
    clock.now += 2 * EDITION_SECONDS
    assert run(pool.put(TODAY, bytes(16), filled(bytes(16)))) == Reply(PutResult.STORED, TODAY, 0)


def test_9_1_the_same_bytes_are_known_and_others_are_refused_wherever_they_lie(
    pool: SqlitePool, clock: Clock, tmp_path: Path
) -> None:
    """Pending, in an edition, and in an edition of long ago: even for an epoch that is over, a retry does no harm."""
    put(pool, clock, TAG)
    for _ in range(3):
        assert run(pool.put(TODAY, TAG, filled(TAG))).result is PutResult.KNOWN
        assert run(pool.put(epoch_of(clock.now), TAG, bytes(ENVELOPE))).result is PutResult.TAKEN
        clock.now += 10 * EPOCH_SECONDS
        turn(pool)
    assert sum(TAG in edition for edition in closed(tmp_path).values()) == 1
    assert run(pool.pending()) == []
    assert run(pool.fetch([TAG])) == {TAG: filled(TAG)}


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
def test_9_1_a_put_is_of_today_or_yesterday(pool: SqlitePool, off: int, result: PutResult) -> None:
    assert run(pool.put(TODAY + off, TAG, filled(TAG))).result is result
    assert len(run(pool.pending())) == (result is PutResult.STORED)


@pytest.mark.parametrize(
    ("tag", "sealed"), [(TAG[:-1], filled(TAG)), (TAG, filled(TAG)[:-1]), (TAG, filled(TAG) + b"x")]
)
def test_a_put_has_its_exact_sizes(pool: SqlitePool, tag: bytes, sealed: bytes) -> None:
    with pytest.raises(ValueError, match="exact sizes"):
        run(pool.put(TODAY, tag, sealed))


def test_a_tag_put_twice_in_one_commit_is_stored_once(pool: SqlitePool, clock: Clock) -> None:
    results = put(pool, clock, *[TAG] * 5)
    assert sorted(result.name for result in results) == ["KNOWN"] * 4 + ["STORED"]


def test_two_envelopes_under_one_tag_in_one_commit(pool: SqlitePool) -> None:
    async def both() -> list[PutResult]:
        raws = (filled(TAG), bytes(ENVELOPE))
        return [reply.result for reply in await asyncio.gather(*(pool.put(TODAY, TAG, raw) for raw in raws))]

    assert run(both()) == [PutResult.STORED, PutResult.TAKEN]
    assert run(pool.fetch([TAG])) == {TAG: filled(TAG)}


def test_concurrent_puts_share_commits(pool: SqlitePool, clock: Clock) -> None:
    commits: list[str] = []
    base_of(pool).set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
    count = 3 * store.GROUP
    assert set(put(pool, clock, *new_tags(count))) == {PutResult.STORED}
    assert len(run(pool.pending())) == count
    assert 3 <= len(commits) <= 12  # 3 when the writer never was ahead of those who put


def test_a_put_alone_is_committed_alone(pool: SqlitePool, clock: Clock) -> None:
    """The test of the test above: it counts commits as they are."""
    commits: list[str] = []
    base_of(pool).set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
    for _ in range(5):
        put(pool, clock, secrets.token_bytes(16))
    assert len(commits) == 5


def test_every_commit_is_synced(pool: SqlitePool) -> None:
    assert base_of(pool).execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert base_of(pool).execute("PRAGMA secure_delete").fetchone() == (1,)
    assert base_of(pool).execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_who_leaves_while_waiting_disturbs_nobody(pool: SqlitePool) -> None:
    async def leave() -> Reply:
        left = asyncio.ensure_future(pool.put(TODAY, bytes(16), filled(bytes(16))))
        await asyncio.sleep(0)
        left.cancel()
        return await pool.put(TODAY, TAG, filled(TAG))

    assert run(leave()).result is PutResult.STORED


def test_a_store_that_cannot_be_written_says_so_and_recovers(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    base_of(pool).execute("PRAGMA busy_timeout = 50")
    path = tmp_path / "pending" / f"{edition_of(NOW)}.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RoadError, match="disk's room and rights"):
            put(pool, clock, TAG)
        other.execute("ROLLBACK")
    assert run(pool.pending()) == []
    assert put(pool, clock, TAG) == [PutResult.STORED]


def test_what_waits_is_written_before_the_end(tmp_path: Path, clock: Clock) -> None:
    async def put_and_close() -> set[PutResult]:
        pool = SqlitePool(tmp_path, clock, cheap_dummy)
        tags = [bytes([n]) * 16 for n in range(20)]
        waiting = [asyncio.ensure_future(pool.put(TODAY, tag, filled(tag))) for tag in tags]
        await asyncio.sleep(0)
        await asyncio.to_thread(pool.close)
        return {reply.result for reply in await asyncio.gather(*waiting)}

    assert run(put_and_close()) == {PutResult.STORED}
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as again:
        assert len(run(again.pending())) == 20


def test_9_11_a_full_edition_takes_nothing_more_and_drops_nothing(tmp_path: Path, clock: Clock) -> None:
    with closing(SqlitePool(tmp_path, clock, cheap_dummy, most=40)) as pool:
        first, later = new_tags(40), new_tags(3)
        assert set(put(pool, clock, *first[:39])) == {PutResult.STORED}
        assert sorted(result.name for result in put(pool, clock, first[39], *later)) == ["FULL"] * 3 + ["STORED"]
        assert run(pool.put(TODAY, later[0], filled(later[0]))) == Reply(PutResult.FULL, TODAY, 12)
        assert put(pool, clock, *first) == [PutResult.KNOWN] * 40  # a retry is answered all the same
        clock.now += EDITION_SECONDS
        assert put(pool, clock, *later) == [PutResult.STORED] * 3
        turn(pool)
        (edition,) = closed(tmp_path).values()
        assert len(edition) == 64
        assert set(first) <= edition.keys()


def test_9_11_nobody_can_take_more_than_an_edition_may_have(tmp_path: Path, clock: Clock) -> None:
    with closing(SqlitePool(tmp_path, clock, cheap_dummy, most=10**9)) as pool:
        assert pool._shelf.room() == 100_000


def test_9_11_a_disk_that_fills_up_takes_nothing_more_but_can_close(
    pool: SqlitePool, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = new_tags(10)
    put(pool, clock, *tags)
    free = shelf.RESERVE + 12 * size_of(1)  # ten are needed to close what is pending, and three for one more
    monkeypatch.setattr(disk, "free_bytes", lambda path: free)
    assert put(pool, clock, TAG) == [PutResult.FULL]
    free += size_of(1)
    assert put(pool, clock, TAG) == [PutResult.STORED]
    free = 0
    assert put(pool, clock, bytes(16), *tags) == [PutResult.FULL, *[PutResult.KNOWN] * 10]
    clock.now += EDITION_SECONDS
    turn(pool)
    (edition,) = closed(tmp_path).values()
    assert {TAG, *tags} <= edition.keys()


def test_no_time_is_finer_than_the_edition(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    put(pool, clock, *new_tags(9))
    (path,) = (tmp_path / "pending").glob("*.sqlite3")
    with closing(sqlite3.connect(path)) as base:
        columns = [row[1:3] for row in base.execute("PRAGMA table_info(envelope)")]
        tables = {row[0] for row in base.execute("SELECT name FROM sqlite_schema")}
        with pytest.raises(sqlite3.OperationalError):  # a row number would be the order of arrival
            base.execute("SELECT rowid FROM envelope")
    assert columns == [("tag", "BLOB"), ("sealed", "BLOB")]
    assert tables == {"envelope"}


def times(folder: Path) -> set[float]:
    """The times of change and access of all files and folders of a pool."""
    folders = [folder / "pending", folder / "editions"]
    found = [(each / name).stat() for each in folders for name in [*disk.names_in(each), "."]]  # to list is an access
    return {time for each in found for time in (each.st_mtime, each.st_atime)}


def test_the_files_times_say_the_edition_only(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    for _ in range(3):
        put(pool, clock, secrets.token_bytes(16))
    run(asyncio.sleep(0.05))  # the acknowledgement may come before the times are set
    assert times(tmp_path) == {edition_of(NOW) * EDITION_SECONDS}
    assert {path.name.partition(".")[2] for path in (tmp_path / "pending").iterdir()} == {
        "sqlite3", "sqlite3-wal", "sqlite3-shm",
    }  # fmt: skip
    assert NOW % EDITION_SECONDS


def test_the_files_times_stay_coarse_after_reading_closing_and_an_edition(tmp_path: Path, clock: Clock) -> None:
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        put(pool, clock, TAG)
        run(pool.fetch([TAG]))
        run(pool.pending())
        clock.now += EDITION_SECONDS
        turn(pool)
        run(Editions(tmp_path / "editions").find([TAG]))
        begin = edition_of(NOW) * EDITION_SECONDS
        assert times(tmp_path) == {begin, begin + EDITION_SECONDS}
    assert times(tmp_path) == {begin, begin + EDITION_SECONDS}
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)):
        assert times(tmp_path) == {begin, begin + EDITION_SECONDS}


def test_only_the_owner_reads_the_files(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    put(pool, clock, TAG)
    clock.now += EDITION_SECONDS
    turn(pool)
    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {True: 0o700, False: 0o600}
    assert len(list(tmp_path.rglob("*"))) == 7


def test_a_newer_store_is_refused_in_one_sentence(tmp_path: Path, clock: Clock) -> None:
    SqlitePool(tmp_path, clock, cheap_dummy).close()
    with closing(sqlite3.connect(tmp_path / "pending" / f"{edition_of(NOW)}.sqlite3")) as base:
        base.execute(f"PRAGMA user_version = {pending.SCHEMA + 1}")
    with pytest.raises(RoadError, match=r"^[^.\n]*newer version: install [^.\n]*\.$"):
        SqlitePool(tmp_path, clock, cheap_dummy)


def test_a_source_finds_only_what_has_closed(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    local = LocalPool(pool, Editions(tmp_path / "editions"))
    assert run(local.put(TODAY, TAG, filled(TAG))).result is PutResult.STORED
    assert run(local.find([TAG])) == {}
    clock.now += EDITION_SECONDS
    turn(pool)
    assert run(local.find([TAG, bytes(16)])) == {TAG: filled(TAG)}


def test_a_day_has_four_editions() -> None:
    assert [edition_of(n * EPOCH_SECONDS / 4) for n in range(5)] == [0, 1, 2, 3, 4]
