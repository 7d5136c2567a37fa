"""Whoever kills the server, at any point: what was acknowledged is there afterwards, in one place, and once.

The clock runs so fast that editions close and expire all the while.
"""

from __future__ import annotations

import random
import runpy
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from doubles.pool import Clock, cheap_dummy, closed, filled, run, turn

from sottovoce.pool.edition import EditionFile
from sottovoce.pool.editions import numbers_in
from sottovoce.pool.steps import STEPS
from sottovoce.pool.store import SqlitePool
from sottovoce.protocol.sizes import ANSWER_EPOCHS, QUARTERS

START = 1_800_000_000.0
LONG = [pytest.mark.long, pytest.mark.timeout(1_000)]
PUTTER = Path(__file__).with_name("putter.py")
keep_links = runpy.run_path(str(PUTTER))["keep_links"]


def tags_of(file: EditionFile) -> list[bytes]:
    return [file.tag(place) for place in range(file.count)]


class Witness:
    """Looks at the pool's folder after each kill, and remembers all that it ever saw."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acknowledged: set[bytes] = set()
        self.editions: dict[int, tuple[bytes, set[bytes]]] = {}
        self.expired: set[int] = set()
        self.looked: set[Path] = set()

    def drive(self, *words: str, seconds: float | None) -> int:
        """Runs a putter, and kills it after so many seconds unless it dies by itself; what it returned."""
        command = [sys.executable, str(PUTTER), str(self.folder), str(START), *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            if seconds is not None:
                first = [child.stdout.readline() for _ in range(17)]
                time.sleep(seconds)
                child.kill()
            else:
                first = []
            lines = [*first, *child.stdout.read().splitlines(keepends=True)]
        self.acknowledged |= {bytes.fromhex(line) for line in lines if line.endswith("\n")}
        self.look()
        return child.returncode

    def look(self) -> None:
        """An edition that was seen once never changes, and goes only when its time is over."""
        there = numbers_in(self.folder / "editions", ".edition")
        assert not self.expired.intersection(there)
        kept = set(self.folder.with_name("seen").glob("*")) - self.looked  # other names of the same files: once each
        self.looked |= kept
        for path in (*kept, *(self.folder / "editions").glob("*.edition")):
            file = EditionFile(path)
            hashed, _ = self.editions.setdefault(file.number, (file.hash(), set(tags_of(file))))
            assert hashed == file.hash(), f"edition {file.number} changed"
        self.expired = self.editions.keys() - set(there)
        newest = max([0, *there, *numbers_in(self.folder / "pending", ".sqlite3")])
        assert all(newest // QUARTERS > number // QUARTERS + ANSWER_EPOCHS for number in self.expired)

    def keep_links(self, step: str) -> None:
        if step == "close.named":
            keep_links(self.folder)

    def judge(self) -> None:
        """Every acknowledged envelope is pending or in one edition, alive or expired, and there once."""
        clock = Clock(0)  # what is open stays open; what was left from long ago closes, and may expire at once
        with closing(SqlitePool(self.folder, clock, cheap_dummy, step=self.keep_links)) as pool:
            turn(pool)
            self.look()
            waiting = [tag for _, tag in run(pool.pending())]
            lying = [tag for _, tags in self.editions.values() for tag in tags] + waiting
            assert len(lying) == len(set(lying)), "something is there twice"
            assert self.acknowledged - set(lying) == set(), "an acknowledged envelope is lost"
            found = run(pool.fetch(sorted(self.acknowledged.intersection(waiting))))
        for edition in closed(self.folder).values():
            found |= {tag: edition[tag] for tag in self.acknowledged & edition.keys()}
        assert all(sealed == filled(tag) for tag, sealed in found.items())


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=LONG)])
def test_nothing_acknowledged_is_lost_or_doubled_at_any_kill(
    tmp_path: Path, kills: int, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = Witness(tmp_path / "pool")
    dice = random.Random(9)  # noqa: S311  # moments, no secrets
    for number in range(kills):
        assert witness.drive("--editions=7", "--every=0.1", seconds=dice.uniform(0.0, 0.25)) == -9
        if number % 10 == 9:  # once in a while it closes all that so many killed ones left
            assert witness.drive("--editions=7", "--every=0.1", "--stop=16", seconds=None) == 0
    witness.judge()
    assert len(witness.acknowledged) > kills * 16
    assert len(witness.editions) > kills
    assert witness.expired
    with capsys.disabled():
        print(  # noqa: T201  # the number that the issue asks for
            f"\n{kills} kills: {len(witness.acknowledged)} acknowledged, 0 lost, 0 twice; "
            f"{len(witness.editions)} editions seen, {len(witness.expired)} of them expired"
        )


MOMENTS = [(2, step) for step in STEPS] + [pytest.param(n, step, marks=LONG) for step in STEPS for n in (1, 3, 6, 9)]


@pytest.mark.parametrize(("times", "step"), MOMENTS)
def test_nothing_acknowledged_is_lost_or_doubled_at_a_kill_in_each_step(tmp_path: Path, times: int, step: str) -> None:
    witness = Witness(tmp_path / "pool")
    words = ("--editions=41", "--every=0.08")  # ten days at a time: the fourth edition sees the first expire
    assert witness.drive(*words, f"--die={step}:{times}", seconds=None) == -9
    assert witness.drive(*words, "--stop=100", seconds=None) == 0
    witness.judge()
    assert len(witness.acknowledged) >= 100


def test_the_witness_notices_what_is_lost_twice_or_changed(tmp_path: Path) -> None:
    """The test of the tests above."""
    witness = Witness(tmp_path / "pool")
    witness.drive("--editions=1", "--every=0.1", "--stop=300", seconds=None)
    witness.judge()
    some = next(iter(witness.acknowledged))
    witness.acknowledged.add(bytes(16))
    with pytest.raises(AssertionError, match="is lost"):
        witness.judge()
    witness.acknowledged.remove(bytes(16))
    witness.editions[1] = bytes(32), {some}
    with pytest.raises(AssertionError):
        witness.judge()
    del witness.editions[1]
    number = max(witness.editions)
    witness.editions[number] = bytes(32), witness.editions[number][1]
    with pytest.raises(AssertionError, match="changed"):
        witness.judge()
