"""The desk is killed between any two transactions and at every call of the road: nothing is lost, nothing twice."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import Vault

from .conftest import Founded, Source, World

LONG = "The ledger of the harbour. " * 300  # two parts


class Killed(BaseException):
    """kill -9: nobody catches it."""


class Killer:
    """Kills at the step with one number; steps are outermost transactions, and calls of the road."""

    def __init__(self, at: int | None) -> None:
        self.at, self.count, self.depth = at, 0, 0

    def __call__(self, name: str) -> None:
        if self.count == self.at:
            raise Killed(name)
        self.count += 1

    def transactions(self, whole: Callable[[Vault], object]) -> Callable[[Vault], object]:
        @contextmanager
        def transaction(vault: Vault) -> Iterator[None]:
            if not self.depth:
                self("before a transaction")
            self.depth += 1
            try:
                with whole(vault):  # type: ignore[attr-defined]
                    yield
            finally:
                self.depth -= 1

        return transaction


def prepared(opened: Founded, folder: Path) -> tuple[World, list[Source]]:
    """An edition with messages, one of them of two parts; more that is pending; an answer that waits, and one long."""
    world = opened.copy(folder)
    sources = [world.source() for _ in range(3)]
    sources[0].write("first")
    world.sync()
    sources[1].write(LONG)
    world.clock.forward(editions=1)
    sources[2].write("pending")
    sources[0].write("pending too")
    world.desk.answer(sources[0].keys.id.hex(), "x" * 8_000)
    return world, sources


def expected(world: World, sources: list[Source]) -> None:
    """Everything arrived once, and the answer is whole in the pool."""
    texts = [[entry.text for entry in world.desk.read(source.keys.id.hex()) if entry.incoming] for source in sources]
    assert texts == [["first", "pending too"], [LONG], ["pending"]]
    assert [answer.body.text for answer in sources[0].answers()] == ["x" * 8_000]
    assert world.vault.rows("SELECT count(*) FROM sealed") == [(0,)]
    assert world.vault.rows("SELECT count(*), sum(text IS NULL) FROM message") == [(5, 0)]
    parts = world.vault.rows("SELECT count(*) FROM plain")
    assert parts == [(5,)], "each part's plaintext, once"


def clone(world: World, folder: Path, key: bytes) -> World:
    """The same world in another folder, as a copy of the disk."""
    made = Founded(world.path.parent.parent, key, world.office, world.request).copy(folder)
    made.clock.time = world.clock.time
    for name in ("pool", "closed", "puts", "box", "_open", "_listed", "_fetched", "_shown", "_bytes"):
        setattr(made.road, name, copy.deepcopy(getattr(world.road, name)))
    made.road.may_ask_again = True
    return made


def followed(source: Source, world: World) -> Source:
    return Source(world.road, source.org, source.root_raw, source.keys)


def killed_at(world: World, step: int | None, monkeypatch: pytest.MonkeyPatch) -> int | None:
    """Syncs and is killed at a step; the number of steps where it came to its end."""
    killer = Killer(step)
    world.road.steps = killer
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "transaction", killer.transactions(Vault.transaction))
        try:
            world.desk.sync(world.road)
        except Killed:
            return None
        finally:
            world.road.steps = lambda name: None
    return killer.count


def test_killed_between_any_two_steps_of_a_sync_nothing_is_lost(
    opened: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some steps here, chosen anew each time; all of them in the long test."""
    _kill(opened, tmp_path, monkeypatch, 25)


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_killed_at_every_step_of_a_sync_nothing_is_lost(
    opened: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kill(opened, tmp_path, monkeypatch, None)


def _kill(opened: Founded, folder: Path, monkeypatch: pytest.MonkeyPatch, most: int | None) -> None:
    world, sources = prepared(opened, folder / "world")
    world.vault.close()
    counted = clone(world, folder / "counted", opened.key)
    steps = killed_at(counted, None, monkeypatch)
    assert steps is not None
    assert steps > 50
    expected(counted, [followed(source, counted) for source in sources])
    counted.vault.close()
    chosen = range(steps) if most is None else sorted(secrets.SystemRandom().sample(range(steps), most))
    for step in chosen:
        copied = clone(world, folder / f"at-{step}", opened.key)
        assert killed_at(copied, step, monkeypatch) is None, step
        copied.restart()
        report = copied.desk.sync(copied.road)
        assert (report.complete, report.alarms) == (True, []), step
        expected(copied, [followed(source, copied) for source in sources])
        copied.clock.forward(editions=1)
        assert copied.desk.sync(copied.road).alarms == [], f"killed at {step}: what was posted appears"
        copied.vault.close()


def test_killed_while_a_post_of_cover_is_under_way_it_is_posted_again(
    opened: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = prepared(opened, tmp_path / "world")
    world.vault.close()
    for step in range(100):
        copied = clone(world, tmp_path / f"at-{step}", opened.key)
        killer = Killer(step)
        copied.road.steps, ended = killer, True
        with monkeypatch.context() as patch:
            patch.setattr(Vault, "transaction", killer.transactions(Vault.transaction))
            try:
                copied.desk.post_one(copied.road)
            except Killed:
                ended = False
        copied.road.steps = lambda name: None
        copied.restart()
        for _ in range(3):
            copied.desk = Desk(copied.vault, copied.clock, secrets.token_bytes)
            copied.desk.post_one(copied.road)
        tags = {tag for _, tag, _ in copied.road.puts[len(world.road.puts) :]}
        assert len(tags) in (3, 4), step
        assert copied.vault.rows("SELECT count(*) FROM sealed WHERE conversation != x''") == [(0,)]
        copied.vault.close()
        if ended:
            return
    raise AssertionError("a post has no end")
