"""Editions close once, whole, whatever the clock does and whoever interrupts; old ones go (spec 9.6, 9.9, 9.10)."""

from __future__ import annotations

import asyncio
import errno
import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from doubles.pool import Clock, cheap_dummy, closed, filled, put, run, times_in, turn

from sottovoce.pool import closing as module
from sottovoce.pool import disk
from sottovoce.pool.editions import numbers_in
from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.pool.steps import STEPS
from sottovoce.pool.store import SqlitePool
from sottovoce.protocol.sizes import ANSWER_EPOCHS, EDITION_SECONDS, EPOCH_SECONDS, QUARTERS, edition_of, epoch_of

NOW = 1_800_000_123.75
FIRST = edition_of(NOW)
DAY = EPOCH_SECONDS


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def pool(tmp_path: Path, clock: Clock) -> Iterator[SqlitePool]:
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as made:
        yield made


def new_tags(count: int) -> list[bytes]:
    return [secrets.token_bytes(16) for _ in range(count)]


def test_9_6_an_edition_holds_what_was_put_and_dummies(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    tags = new_tags(33)
    put(pool, clock, *tags)
    turn(pool)
    assert closed(tmp_path) == {}  # its time has not come
    clock.now += EDITION_SECONDS
    turn(pool)
    assert list(closed(tmp_path)) == [FIRST]
    assert len(closed(tmp_path)[FIRST]) == 64
    assert times_in(tags, pool, tmp_path) == dict.fromkeys(tags, 1)
    assert run(pool.pending()) == []


def test_9_6_order_of_arrival_says_nothing(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    tags = new_tags(64)
    for tag in tags:
        put(pool, clock, tag)
    clock.now += EDITION_SECONDS
    turn(pool)
    assert list(closed(tmp_path)[FIRST]) == sorted(tags)


def test_9_6_an_edition_without_envelopes_is_32_dummies(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    clock.now += EDITION_SECONDS
    turn(pool)
    assert [len(edition) for edition in closed(tmp_path).values()] == [32]


def test_dummies_are_made_for_the_editions_epoch(tmp_path: Path, clock: Clock) -> None:
    epochs = []

    def make(epoch: int) -> tuple[bytes, bytes]:
        epochs.append(epoch)
        return cheap_dummy(epoch)

    with closing(SqlitePool(tmp_path, clock, make)) as pool:
        clock.now += 5 * DAY
        turn(pool)
    assert epochs == [FIRST // QUARTERS] * 32


def test_9_9_a_put_notices_that_an_edition_is_over(pool: SqlitePool, clock: Clock) -> None:
    """Nobody called turn: the new envelope must not travel in the old edition."""
    old, new = new_tags(2)
    put(pool, clock, old)
    clock.now += EDITION_SECONDS
    put(pool, clock, new)
    assert (FIRST + 1, new) in run(pool.pending())
    pool._closer.submit(lambda: None).result(10)
    assert run(pool.pending()) == [(FIRST + 1, new)]


def test_9_3_what_closed_since_it_was_listed_is_still_handed_out(pool: SqlitePool, clock: Clock) -> None:
    tags = new_tags(3)
    put(pool, clock, *tags)
    clock.now += EDITION_SECONDS
    turn(pool)
    assert run(pool.fetch(tags)) == {tag: filled(tag) for tag in tags}


def test_a_file_once_written_never_changes(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    seen: dict[int, bytes] = {}
    for _ in range(6):
        put(pool, clock, *new_tags(5))
        clock.now += EDITION_SECONDS
        turn(pool)
        now = {number: (tmp_path / "editions" / f"{number}.edition").read_bytes() for number in closed(tmp_path)}
        assert {number: now[number] for number in seen} == seen
        seen = now
    assert len(seen) == 6


def test_nothing_stays_of_what_was_pending(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    put(pool, clock, *new_tags(50))
    (path,) = (tmp_path / "pending").glob("*.sqlite3")
    linked = [tmp_path / f"linked{suffix}" for suffix in ("", "-wal")]
    for suffix, link in zip(("", "-wal"), linked, strict=True):
        link.hardlink_to(f"{path}{suffix}")  # the blocks on the disk, when the names are gone
    assert any(any(link.read_bytes()) for link in linked)
    clock.now += EDITION_SECONDS
    turn(pool)
    assert [link.stat().st_size > 4_096 for link in linked] == [True, True]
    assert not any(any(link.read_bytes()) for link in linked)
    assert {name.name.partition(".")[0] for name in (tmp_path / "pending").iterdir()} == {str(FIRST + 1)}


def test_the_log_is_wiped_when_the_server_ends(tmp_path: Path, clock: Clock) -> None:
    pool = SqlitePool(tmp_path, clock, cheap_dummy)
    tags = new_tags(20)
    put(pool, clock, *tags)
    (log,) = (tmp_path / "pending").glob("*-wal")
    (tmp_path / "linked").hardlink_to(log)
    pool.close()
    assert not log.exists()
    assert not any((tmp_path / "linked").read_bytes())
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as again:
        assert times_in(tags, again, tmp_path) == dict.fromkeys(tags, 1)


# ---- the clock


@pytest.mark.parametrize("restart", [False, True])
def test_9_9_attack_the_clock_jumps_by_a_day_both_ways(tmp_path: Path, clock: Clock, *, restart: bool) -> None:
    """Once a day ahead, back, and on: no number twice, nothing lost, and a source with the true clock is heard."""
    pool = SqlitePool(tmp_path, clock, cheap_dummy)
    tags = new_tags(5)
    numbers = []
    for tag, jump in zip(tags, (0, DAY, -DAY, EDITION_SECONDS, DAY), strict=True):
        clock.now += jump
        if restart:
            pool.close()
            pool = SqlitePool(tmp_path, clock, cheap_dummy)
        assert put(pool, clock, tag) == [PutResult.STORED]
        turn(pool)
        numbers.append(list(closed(tmp_path)))
    assert times_in(tags, pool, tmp_path) == dict.fromkeys(tags, 1)
    held = closed(tmp_path)
    pool.close()
    assert numbers == [[], [FIRST], [FIRST], [FIRST], [FIRST, FIRST + 4]]
    assert set(tags[1:4]) <= held[FIRST + 4].keys()


def test_9_9_the_servers_day_is_that_of_the_open_edition(pool: SqlitePool, clock: Clock) -> None:
    """Desks try the keys of an edition's day and of the day before: nothing else may come in, at any time."""
    clock.now += DAY
    turn(pool)
    clock.now -= DAY
    today = epoch_of(NOW)
    results = {epoch: run(pool.put(epoch, *_new())) for epoch in range(today - 1, today + 3)}
    assert {epoch: reply.result.name for epoch, reply in results.items()} == {
        today - 1: "WRONG_EPOCH", today: "STORED", today + 1: "STORED", today + 2: "WRONG_EPOCH",
    }  # fmt: skip
    assert {reply.epoch for reply in results.values()} == {today + 1}


def _new() -> tuple[bytes, bytes]:
    tag = secrets.token_bytes(16)
    return tag, filled(tag)


def test_9_9_a_clock_gone_back_over_a_restart_never_opens_a_closed_edition(tmp_path: Path, clock: Clock) -> None:
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        clock.now += 3 * EDITION_SECONDS
        turn(pool)
    shutil.rmtree(tmp_path / "pending")  # the open edition had nothing, and its database is gone
    clock.now -= 2 * DAY
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        tag = secrets.token_bytes(16)
        assert run(pool.put(FIRST // QUARTERS, tag, filled(tag))).result is PutResult.STORED
        assert run(pool.pending()) == [(FIRST + 1, tag)]


def test_9_9_a_server_that_was_down_closes_what_it_left_and_invents_nothing(tmp_path: Path, clock: Clock) -> None:
    tags = new_tags(3)
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        put(pool, clock, *tags)
    clock.now += 3 * DAY
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        turn(pool)
        assert list(closed(tmp_path)) == [FIRST]
        assert times_in(tags, pool, tmp_path) == dict.fromkeys(tags, 1)
        clock.now += EDITION_SECONDS
        turn(pool)
    assert list(closed(tmp_path)) == [FIRST, FIRST + 12]


def test_9_9_after_a_jump_far_ahead_the_open_edition_is_renamed(tmp_path: Path, clock: Clock) -> None:
    """The remedy that docs/decisions/bounded-expiry.md tells."""
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        clock.now += 20 * DAY
        turn(pool)
        far = edition_of(clock.now)
        clock.now = NOW + EDITION_SECONDS
        assert put(pool, clock, bytes(16)) == [PutResult.WRONG_EPOCH]
    path = tmp_path / "pending"
    (path / f"{far}.sqlite3").rename(path / f"{FIRST + 1}.sqlite3")
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        assert put(pool, clock, bytes(16)) == [PutResult.STORED]
        clock.now += EDITION_SECONDS
        turn(pool)
        assert list(closed(tmp_path)) == [FIRST, FIRST + 1]


# ---- interruptions


class Interrupted:
    """Keeps a copy of the pool's folder as it was at each step: what kill -9 would leave."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self.folder, self.copies, self.steps = folder, copies, list[tuple[str, Path]]()

    def __call__(self, name: str) -> None:
        copy = self.copies / f"{len(self.steps)}"
        for _ in range(5):
            with suppress(shutil.Error, FileNotFoundError):  # the other thread took a file away meanwhile
                shutil.copytree(self.folder, copy, dirs_exist_ok=True)
                break
        self.steps.append((name, copy))


def test_9_6_a_close_interrupted_at_any_step_writes_the_same_once(tmp_path: Path, clock: Clock) -> None:
    step = Interrupted(tmp_path / "pool", tmp_path / "copies")
    tags, later = new_tags(20), new_tags(2)
    with closing(SqlitePool(tmp_path / "pool", clock, cheap_dummy, step=step)) as pool:
        put(pool, clock, *tags)
        step.steps.clear()
        clock.now += EDITION_SECONDS
        turn(pool)
        result = (tmp_path / "pool" / "editions" / f"{FIRST}.edition").read_bytes()
        put(pool, clock, later[0])
    names = [name for name, _ in step.steps]
    assert {name for name in STEPS if not name.startswith("expire")} == set(names)
    for name, copy in step.steps:
        after_padding = names.index("close.padded") <= names.index(name)
        with closing(SqlitePool(copy, clock, cheap_dummy)) as again:
            put(again, clock, later[1])
            turn(again)
            assert times_in([*tags, later[1]], again, copy) == dict.fromkeys([*tags, later[1]], 1), name
            assert list(closed(copy)) == [FIRST]
        if after_padding:
            assert (copy / "editions" / f"{FIRST}.edition").read_bytes() == result, name
        assert not list(copy.rglob("*.new"))
        assert len(list((copy / "pending").iterdir())) == 1, name


def test_9_10_an_expiry_interrupted_at_any_step_goes_on(tmp_path: Path, clock: Clock) -> None:
    step = Interrupted(tmp_path / "pool", tmp_path / "copies")
    with closing(SqlitePool(tmp_path / "pool", clock, cheap_dummy, step=step)) as pool:
        for jump in (EDITION_SECONDS, EDITION_SECONDS, 31 * DAY, EDITION_SECONDS):
            clock.now += jump
            step.steps.clear()
            turn(pool)
    expiring = [(name, copy) for name, copy in step.steps if name.startswith("expire")]
    assert {name for name in STEPS if name.startswith("expire")} == {name for name, _ in expiring}
    for name, copy in expiring:
        with closing(SqlitePool(copy, clock, cheap_dummy)) as again:
            put(again, clock, *new_tags(1))
            clock.now += EDITION_SECONDS
            turn(again)
            assert FIRST not in closed(copy), name
            assert min(live_epochs(copy)) >= epoch_of(NOW) + 31
            clock.now -= EDITION_SECONDS
        assert {path.stem for path in (copy / "editions").glob("*.sha256")} == {
            path.stem for path in (copy / "editions").glob("*.edition")
        }


@pytest.mark.parametrize("name", [name for name in STEPS if name.startswith(("close", "wipe", "expire"))])
def test_a_disk_that_fails_in_a_close_loses_nothing_and_it_is_tried_again(
    tmp_path: Path, clock: Clock, name: str
) -> None:
    failing = False

    def step(reached: str) -> None:
        if failing and reached == name:
            raise OSError(errno.ENOSPC, "no room")

    tags = new_tags(5)
    with closing(SqlitePool(tmp_path, clock, cheap_dummy, step=step)) as pool:
        put(pool, clock, *tags)
        clock.now += (ANSWER_EPOCHS + 2) * DAY
        turn(pool)
        put(pool, clock, *(later := new_tags(3)))
        clock.now += EDITION_SECONDS
        failing = True
        again = name.startswith("close") or name in ("wipe.zeroed", "expire.begun")  # fails as often as it is tried
        with pytest.raises(RoadError, match="can't be closed: look at the disk") if again else suppress(RoadError):
            turn(pool)
        latest = new_tags(1)
        assert put(pool, clock, *latest) == [PutResult.STORED]
        if again and name != "expire.begun":
            assert times_in([*tags, *later, *latest], pool, tmp_path) == dict.fromkeys([*tags, *later, *latest], 1)
        failing = False
        turn(pool)
        assert not list(tmp_path.rglob("*.new"))
        expected = dict.fromkeys([*later, *latest], 1) | dict.fromkeys(tags, 0)
        assert times_in([*tags, *later, *latest], pool, tmp_path) == expected
        assert numbers_in(tmp_path / "pending", ".sqlite3") == [edition_of(clock.now)]


def test_an_edition_that_cannot_be_opened_takes_nothing(
    pool: SqlitePool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path) -> None:
        raise OSError(errno.ENOSPC, "no room")

    clock.now += EDITION_SECONDS
    with monkeypatch.context() as patch:
        patch.setattr(disk, "sync_folder", fails)
        with pytest.raises(RoadError, match="disk's room"):
            put(pool, clock, secrets.token_bytes(16))
        with pytest.raises(RoadError, match="can't be closed"):
            turn(pool)
    tag = secrets.token_bytes(16)
    assert put(pool, clock, tag) == [PutResult.STORED]
    assert run(pool.pending())[-1:] == [(FIRST + 1, tag)] or (FIRST + 1, tag) in run(pool.pending())


def test_puts_go_on_while_an_edition_closes(tmp_path: Path, clock: Clock) -> None:
    """A put under way when an edition is being written is stored in the next one, and what closes can be fetched."""
    pools: list[SqlitePool] = []
    results: Counter[PutResult] = Counter()
    old, new = new_tags(2)

    def step(name: str) -> None:
        if name in ("close.written", "close.durable") and not results[PutResult.STORED]:
            results.update(put(pools[0], clock, new, old))
            assert run(pools[0].fetch([old])) == {old: filled(old)}

    with closing(SqlitePool(tmp_path, clock, cheap_dummy, step=step)) as pool:
        pools.append(pool)
        put(pool, clock, old)
        clock.now += EDITION_SECONDS
        turn(pool)
        assert results == {PutResult.STORED: 1, PutResult.KNOWN: 1}
        assert times_in([old, new], pool, tmp_path) == {old: 1, new: 1}


def test_attack_a_tag_is_taken_in_every_moment_of_a_close(tmp_path: Path, clock: Clock) -> None:
    pools: list[SqlitePool] = []
    (tag,) = new_tags(1)
    answers: list[PutResult] = []

    def step(name: str) -> None:
        if pools and name.startswith(("close", "wipe", "expire")):
            answers.append(run(pools[0].put(epoch_of(clock.now), tag, bytes(8_192))).result)
            answers.append(run(pools[0].put(epoch_of(clock.now), tag, filled(tag))).result)

    with closing(SqlitePool(tmp_path, clock, cheap_dummy, step=step)) as pool:
        put(pool, clock, tag)
        pools.append(pool)
        clock.now += EDITION_SECONDS
        turn(pool)
    assert len(answers) >= 18
    assert answers == [PutResult.TAKEN, PutResult.KNOWN] * (len(answers) // 2)


# ---- expiry


def live_epochs(folder: Path) -> list[int]:
    return sorted({number // QUARTERS for number in closed(folder)})


def test_9_10_an_epoch_lives_30_days_and_goes_whole(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    tag = secrets.token_bytes(16)
    put(pool, clock, tag)
    for _ in range(4):
        clock.now += EDITION_SECONDS
        turn(pool)
    first = epoch_of(NOW)
    clock.now = (first + ANSWER_EPOCHS) * DAY
    for _ in range(4):  # the whole last day, up to the close of its last edition
        clock.now += EDITION_SECONDS
        turn(pool)
        assert [number for number in closed(tmp_path) if number // QUARTERS == first] == [FIRST, FIRST + 1, FIRST + 2]
        assert run(pool.fetch([tag])) == {tag: filled(tag)}
    clock.now += EDITION_SECONDS
    turn(pool)
    assert first not in live_epochs(tmp_path)
    assert not [name for name in (tmp_path / "editions").iterdir() if name.name.startswith(str(FIRST))]
    assert run(pool.fetch([tag])) == {}
    assert put(pool, clock, tag) == [PutResult.STORED]  # the tag is free again


def test_9_10_attack_a_clock_that_jumps_a_year_deletes_nothing_at_once(
    pool: SqlitePool, clock: Clock, tmp_path: Path
) -> None:
    """Neither what has closed, nor what was pending and no desk has fetched; afterwards two days with each close."""
    for _ in range(5):
        clock.now += DAY
        turn(pool)
    tag = secrets.token_bytes(16)
    put(pool, clock, tag)
    old = [*live_epochs(tmp_path), epoch_of(clock.now)]
    assert len(old) == 6
    for left in (6, 4, 2, 0):
        clock.now += 365 * DAY
        turn(pool)
        assert sum(epoch in old for epoch in live_epochs(tmp_path)) == left
        assert len(run(pool.fetch([tag]))) == (left > 0)


def test_9_10_a_hash_without_its_edition_goes_too(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    stray = tmp_path / "editions" / f"{FIRST - 200}.sha256"
    stray.write_bytes(bytes(32))
    clock.now += EDITION_SECONDS
    turn(pool)
    assert not stray.exists()


def test_leftovers_without_a_meaning_are_cleared_at_the_start(tmp_path: Path, clock: Clock) -> None:
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        clock.now += EDITION_SECONDS
        turn(pool)
    (tmp_path / "editions" / f"{FIRST + 9}.edition.new").write_bytes(b"half")
    (tmp_path / "pending" / f"{FIRST}.sqlite3-wal").write_bytes(b"a log without its database")
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)):
        assert numbers_in(tmp_path / "editions", ".edition") == [FIRST]
        assert not list(tmp_path.rglob("*.new"))
        assert not (tmp_path / "pending" / f"{FIRST}.sqlite3-wal").exists()


def test_a_wiped_database_whose_name_is_still_there_is_no_edition(tmp_path: Path, clock: Clock) -> None:
    """Killed between the zeros and the unlinking: what is left is no database, and needs to be none."""
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        clock.now += EDITION_SECONDS
        turn(pool)
    (tmp_path / "pending" / f"{FIRST}.sqlite3").write_bytes(bytes(8_192))
    with closing(SqlitePool(tmp_path, clock, cheap_dummy)) as pool:
        turn(pool)
    assert numbers_in(tmp_path / "pending", ".sqlite3") == [FIRST + 1]


def test_a_pending_file_that_is_no_database_is_told(tmp_path: Path, clock: Clock) -> None:
    SqlitePool(tmp_path, clock, cheap_dummy).close()
    (tmp_path / "pending" / f"{FIRST}.sqlite3").write_bytes(b"junk" * 4_096)
    with pytest.raises(sqlite3.DatabaseError):
        SqlitePool(tmp_path, clock, cheap_dummy)


def test_expire_names_its_bound() -> None:
    assert module.EXPIRE_MOST == 2


def test_many_editions_close_one_after_the_other(pool: SqlitePool, clock: Clock, tmp_path: Path) -> None:
    """The clock runs so fast that editions wait for one another, as in a demo."""
    tags = new_tags(24)

    async def quickly() -> None:
        for tag in tags:
            clock.now += EDITION_SECONDS
            await pool.put(epoch_of(clock.now), tag, filled(tag))
        await asyncio.wrap_future(pool.turn())

    run(quickly())
    assert list(closed(tmp_path)) == list(range(FIRST, FIRST + 24))
    assert times_in(tags, pool, tmp_path) == dict.fromkeys(tags, 1)
