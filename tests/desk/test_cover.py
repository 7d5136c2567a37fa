"""Cover: posts come at times that say nothing about what waits; and what a running desk does between them."""

from __future__ import annotations

import math
import random
import secrets
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from sottovoce.desk.cover import GAP, LATE, SYNC, Cover, exponential, jittered
from sottovoce.desk.outbox import ROOM
from sottovoce.desk.road import Report, Road, SyncReport
from sottovoce.pool.errors import RoadError
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.sealing import binding, unseal
from sottovoce.protocol.sizes import EPOCH_SECONDS

from .conftest import SLOT, Founded, Source, World


@dataclass
class Idle:
    """A desk that only notes when it is asked to do something."""

    world: World
    posts: list[float] = field(default_factory=list)
    syncs: list[float] = field(default_factory=list)

    def sync(self, road: Road, *, post: bool) -> SyncReport:
        assert not post, "a running desk posts at its own times only"
        self.syncs.append(self.world.clock.time)
        return SyncReport()

    def post_one(self, road: Road) -> SyncReport:
        self.posts.append(self.world.clock.time)
        return SyncReport()


def sleeping(world: World, *, late: float = 0.0) -> object:
    def sleep(seconds: float) -> None:
        world.clock.time += seconds + late

    return sleep


def gaps(times: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def test_gaps_are_exponential_with_the_mean_of_the_team(open_world: World) -> None:
    """Kolmogorov and Smirnov: with 4,000 gaps of a fixed seed the greatest distance stays below 1.63/√n (1 %)."""
    rng = random.Random(5)  # noqa: S311  # a fixed seed
    drawn = sorted(exponential(rng.randbytes, 16 * GAP) for _ in range(4_000))
    expected = [1 - math.exp(-gap / (16 * GAP)) for gap in drawn]
    distance = max(max(abs(e - n / 4_000), abs(e - (n + 1) / 4_000)) for n, e in enumerate(expected))
    assert distance < 1.63 / math.sqrt(4_000)
    uniform = sorted(jittered(rng.randbytes, 16 * GAP) for _ in range(4_000))
    expected = [1 - math.exp(-gap / (16 * GAP)) for gap in uniform]
    distance = max(max(abs(e - n / 4_000), abs(e - (n + 1) / 4_000)) for n, e in enumerate(expected))
    assert distance > 0.1, "the test can fail"


@pytest.mark.parametrize("devices", [1, 3, 16])
def test_a_team_posts_alike_however_many_it_has(open_world: World, devices: int) -> None:
    idle, rng = Idle(open_world), random.Random(7)  # noqa: S311  # a fixed seed
    cover = Cover(devices, open_world.clock, rng.randbytes)
    cover.run(idle, open_world.road, sleeping(open_world), lambda report: None, 3_000)  # type: ignore[arg-type]
    mean = sum(gaps(idle.posts)) / len(gaps(idle.posts))
    assert abs(mean / (devices * GAP) - 1) < 0.15
    assert all(2 * SYNC / 3 <= gap <= 4 * SYNC / 3 for gap in gaps(idle.syncs))


def posted_at(world: World, texts: int) -> list[tuple[float, int]]:
    """When a desk posted, and how many bytes, with so many long answers waiting; its rng has a fixed seed."""
    source, rng = world.source(), random.Random(11)  # noqa: S311  # a fixed seed
    source.write("first")
    world.desk.sync(world.road)
    for _ in range(texts):
        world.desk.answer(source.keys.id.hex(), "x" * 30_000)
    at: list[tuple[float, int]] = []
    cover, put = Cover(1, world.clock, rng.randbytes), world.road.put

    def noting(epoch: int, tag: bytes, envelope: bytes) -> object:
        at.append((world.clock.time, len(envelope)))
        return put(epoch, tag, envelope)

    world.road.put = noting  # type: ignore[method-assign, assignment]
    cover.run(world.desk, world.road, sleeping(world), lambda report: None, 40)  # type: ignore[arg-type]
    return at


def test_the_times_of_posts_are_the_same_with_and_without_answers(opened: Founded, tmp_path: Path) -> None:
    busy, idle = opened.copy(tmp_path / "busy"), opened.copy(tmp_path / "idle")
    with busy.vault, idle.vault:
        full, empty = posted_at(busy, 8), posted_at(idle, 0)
        sent = busy.vault.rows("SELECT sum(sent) FROM message WHERE direction = 1")
    assert sent > [(0,)], "answers were among them"
    assert len(full) > 10
    assert full == empty


def test_a_dummy_is_bound_like_a_message_and_nobody_opens_it(open_world: World) -> None:
    open_world.desk.post_one(open_world.road)
    ((epoch, tag, envelope),) = open_world.road.puts
    ((_, seed),) = open_world.vault.duty_seeds([epoch])
    with pytest.raises(Exception, match="does not open"):
        unseal(envelope, KemKey(seed), binding(open_world.office.org, 0, epoch, tag))
    open_world.clock.forward(editions=1)
    report = open_world.sync()
    assert (report.others, report.sent, report.waiting) == (32, 0, 0)


@pytest.fixture
def source(open_world: World) -> Source:
    """A source whose message lies in the vault."""
    source = open_world.source()
    source.write("first")
    open_world.sync()
    return source


def test_a_long_answer_goes_out_one_part_a_post_the_first_part_last(open_world: World, source: Source) -> None:
    open_world.desk.answer(source.keys.id.hex(), "x" * 15_000)
    pair = source.keys.pair(SLOT, source.roster().slots[SLOT].dh)
    firsts = {tag for n in range(4) for tag in [pair.answer_tags(open_world.clock.today)[n]]}
    sent = [open_world.desk.post_one(open_world.road).sent for _ in range(4)]
    tags = [tag for _, tag, _ in open_world.road.puts]
    assert sent == [0, 0, 1, 0]
    assert [tag in firsts for tag in tags] == [False, False, True, False], "then a dummy"
    assert [answer.body.text for answer in source.answers()] == ["x" * 15_000]


def test_the_longest_answer_of_a_slow_team_goes_out_over_days_without_sealing_again(
    open_world: World, source: Source
) -> None:
    open_world.desk.answer(source.keys.id.hex(), "x" * ROOM)
    for _ in range(16):
        open_world.desk.post_one(open_world.road)
        open_world.clock.forward(editions=1)
    assert len({tag for _, tag, _ in open_world.road.puts}) == 16
    assert open_world.desk.post_one(open_world.road).complete
    assert [len(answer.body.text) for answer in source.answers()] == [ROOM]


@pytest.mark.parametrize("what", ["answer", "dummy"])
@pytest.mark.parametrize("loss", ["before", "after"])
def test_what_was_lost_is_posted_again_first_dummies_too(
    open_world: World, source: Source, what: str, loss: str
) -> None:
    if what == "answer":
        open_world.desk.answer(source.keys.id.hex(), "two")
    open_world.road.losses = {"put": [loss]}  # type: ignore[list-item]  # parametrize knows no literals
    assert not open_world.desk.post_one(open_world.road).complete
    open_world.desk.answer(source.keys.id.hex(), "three")
    open_world.restart()
    open_world.desk.post_one(open_world.road)
    first, second = open_world.road.puts
    assert first == second


def test_a_clock_a_day_ahead_seals_a_dummy_again_like_an_answer(open_world: World) -> None:
    open_world.clock.forward(days=1)
    open_world.road.now = lambda: open_world.clock.time - EPOCH_SECONDS
    open_world.desk.post_one(open_world.road)
    today = open_world.clock.today
    assert [epoch for epoch, _, _ in open_world.road.puts] == [today, today - 1]
    assert open_world.vault.rows("SELECT * FROM sealed") == []


def test_a_far_clock_does_not_post_for_ever(open_world: World, source: Source) -> None:
    open_world.desk.post_one(open_world.road)
    open_world.road.losses = {"put": ["before"]}
    open_world.desk.post_one(open_world.road)
    open_world.clock.forward(days=3)
    open_world.road.now = lambda: open_world.clock.time - 3 * EPOCH_SECONDS
    report = open_world.desk.sync(open_world.road)
    assert any("differ by more than a day" in warning for warning in report.warnings)
    assert len(open_world.road.puts) == 3


def test_an_answer_without_a_place_holds_up_no_cover(open_world: World, source: Source) -> None:
    """Its day is over, and every quarter of today is used: something else is posted at its time."""
    open_world.desk.answer(source.keys.id.hex(), "stuck")
    open_world.road.losses = {"put": ["before"]}
    open_world.desk.post_one(open_world.road)
    open_world.clock.forward(days=3)
    today = open_world.clock.today
    open_world.vault.many("INSERT INTO used VALUES (?, ?)", [(source.keys.id, 4 * today + n) for n in range(4)])
    report = open_world.desk.post_one(open_world.road)
    assert any("no room for an answer" in warning for warning in report.warnings)
    assert len(open_world.road.puts) == 2
    assert open_world.vault.rows("SELECT count(*) FROM sealed") == [(1,)]


def test_a_full_pool_says_the_hour_and_keeps_the_dummy_too(open_world: World) -> None:
    open_world.road.full = True
    report = open_world.desk.post_one(open_world.road)
    assert report.warnings == ["The pool is full: what waits is kept here; it takes more from 18:00 UTC on."]
    assert len(open_world.vault.rows("SELECT * FROM sealed")) == 1


def test_a_laptop_that_slept_makes_up_for_little(open_world: World) -> None:
    idle, rng = Idle(open_world), random.Random(3)  # noqa: S311  # a fixed seed
    cover = Cover(1, open_world.clock, rng.randbytes)
    open_world.clock.time += 8 * 3_600
    start = open_world.clock.time
    cover.run(idle, open_world.road, sleeping(open_world), lambda report: None, 30)  # type: ignore[arg-type]
    assert sum(time == start for time in idle.posts) <= 1 + 2 * LATE / GAP + 2


def test_a_removed_device_posts_no_cover(open_world: World) -> None:
    open_world.road.things["roster"] = open_world.office.roster(2, None)
    open_world.desk.sync(open_world.road)
    open_world.desk.post_one(open_world.road)
    assert open_world.road.puts == []


def test_each_step_of_a_run_has_circuits_of_its_own_and_a_broken_road_ends_nothing(open_world: World) -> None:
    told: list[Report] = []

    def broken(*_: object) -> object:
        raise RoadError("The onion can't be reached.")

    open_world.road.put = broken  # type: ignore[method-assign, assignment]
    cover = Cover(1, open_world.clock, secrets.token_bytes)
    cover.run(open_world.desk, open_world.road, sleeping(open_world), told.append, 12)  # type: ignore[arg-type]
    assert open_world.road.circuits == 12
    assert len(told) == 12
    assert any("can't be reached" in warning for report in told for warning in report.warnings)
