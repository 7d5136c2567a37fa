"""The power is cut at any moment: what was acknowledged is there afterwards, on a disk that kept only what was synced.

The writes are those of a real run, recorded by strace; the states are as harsh as doubles/power.py says.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from doubles.pool import Clock, cheap_dummy, closed, times_in, turn
from doubles.power import Disk, Op, lay_out, record

from sottovoce.pool import pending
from sottovoce.pool.edition import edition_bytes
from sottovoce.pool.errors import RoadError
from sottovoce.pool.store import SqlitePool

START = 1_800_000_000.0
PUTTER = Path(__file__).with_name("putter.py")
CHANCES = (
    (1.0, 1.0),
    (0.0, 0.0),
    (0.0, 1.0),
    (1.0, 0.0),
    (0.5, 0.5),
    (0.9, 0.9),
    (0.2, 0.8),
    (0.8, 0.2),
)  # data, names
STATES = 160


def recorded(folder: Path, *words: str) -> list[Op]:
    """What a run of 150 acknowledgements over three editions did."""
    root = folder / "pool"
    command = [sys.executable, str(PUTTER), str(root), str(START), "--editions=1", "--each=50", "--stop=150", *words]
    return record(command, folder / "trace", root)


def editions_named(ops: list[Op]) -> dict[int, bytes]:
    """The bytes that an edition had when it got its name: what others may have seen and kept."""
    disk, named = Disk(), {}
    for op in ops:
        disk.do(op)
        if op.kind == "rename" and op.names[1].endswith(".edition"):
            _, contents = disk.left(random.Random(0), data=1, moves=1)  # noqa: S311  # no secrets
            named[int(Path(op.names[1]).stem)] = bytes(contents[op.file])
    return named


def cuts(ops: list[Op], count: int, dice: random.Random) -> Iterator[int]:
    """Moments, the half of them around changes of names, where editions open and close."""
    moves = [place for place, op in enumerate(ops) if op.kind in ("create", "rename", "remove", "syncfolder")]
    for number in range(count):
        if number % 2:
            yield dice.randrange(len(ops))
        else:
            yield min(len(ops), max(0, dice.choice(moves) + dice.randint(-3, 4)))


def faults(ops: list[Op], folder: Path, count: int) -> Iterator[str]:
    """Tries so many states, and says what is wrong with each that is."""
    dice = random.Random(4)  # noqa: S311  # states, no secrets
    root = os.path.commonpath([op.names[0] for op in ops if op.kind == "folder"])
    moments = sorted(cuts(ops, count, dice))
    disk, done = Disk(), 0
    for number, cut in enumerate(moments):
        for op in ops[done:cut]:
            disk.do(op)
        done = cut
        data, moves = CHANCES[number % len(CHANCES)]
        target = folder / f"state{number}"
        target.mkdir()
        lay_out(disk.left(dice, data=data, moves=moves), root, target)
        fault = what_is_wrong(target, disk.told, editions_named(ops[:cut]))
        if fault:
            yield f"cut at {cut}, data {data}, names {moves}: {fault}"


def what_is_wrong(folder: Path, told: list[bytes], named: dict[int, bytes]) -> str:
    """Opens the pool on such a disk; nothing when all that was acknowledged is there once, and no edition changed."""
    tags = [bytes.fromhex(line.decode()) for line in b"".join(told).split()]
    try:
        with closing(SqlitePool(folder, Clock(START), cheap_dummy)) as pool:
            turn(pool)
            times = times_in(tags, pool, folder)
            held = closed(folder)
    except (sqlite3.Error, RoadError, OSError, AssertionError) as error:
        return f"{type(error).__name__}: {error}"
    if set(times.values()) - {1}:
        return f"{list(times.values()).count(0)} of {len(tags)} lost, {sum(n > 1 for n in times.values())} twice"
    changed = [number for number, raw in named.items() if edition_bytes(number, held.get(number, {})) != raw]
    return f"editions {changed} were seen and are others now" if changed else ""


@pytest.fixture(autouse=True)
def no_need_to_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """The power stays on for who looks at the states."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(pending, "_PRAGMAS", (*pending._PRAGMAS, "synchronous = OFF"))


@pytest.mark.parametrize("states", [STATES, pytest.param(3_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_what_was_acknowledged_survives_a_power_cut_at_any_moment(tmp_path: Path, states: int) -> None:
    ops = recorded(tmp_path)
    assert len(editions_named(ops)) == 3
    assert sum(op.kind == "told" for op in ops) >= 150
    assert list(faults(ops, tmp_path, states)) == []


@pytest.mark.parametrize("fault", ["commits", "folders", "files"])
def test_a_sync_left_out_is_found(tmp_path: Path, fault: str) -> None:
    """The test of the test: the same look at a pool that doesn't sync its commits, its folders, or its editions."""
    found = next(faults(recorded(tmp_path, f"--fault={fault}"), tmp_path, STATES), "")
    assert "lost" in found or "Error" in found, "nothing was found"
