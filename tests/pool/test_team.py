"""The mailbox: what is acknowledged stays, what is deleted is gone, and the disk says nothing finer than the day."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from sottovoce.pool import team
from sottovoce.pool.errors import RoadError
from sottovoce.pool.team import AT_ONCE, ITEM, Mailbox, PostResult
from sottovoce.protocol.sizes import EDITION_SECONDS, EPOCH_SECONDS

NOON = 20_780 * EPOCH_SECONDS + EPOCH_SECONDS / 2 + 77.5
T = TypeVar("T")


@dataclass
class Clock:
    """A clock that a test turns."""

    time: float = NOON

    def __call__(self) -> float:
        return self.time


def done(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def item() -> tuple[bytes, bytes, bytes]:
    """A receipt, its hash, and a sealed item."""
    receipt = secrets.token_bytes(16)
    return receipt, hashlib.sha256(receipt).digest(), secrets.token_bytes(ITEM)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pool" / "team.sqlite3"


@pytest.fixture
def mailbox(path: Path, clock: Clock) -> Iterator[Mailbox]:
    made = Mailbox(path, clock)
    yield made
    made.close()


def everything(path: Path) -> bytes:
    """All bytes of the mailbox's files."""
    return b"".join(each.read_bytes() for each in path.parent.iterdir())


def test_9_19_an_item_is_stored_once_and_for_its_slot(mailbox: Mailbox) -> None:
    _, key, sealed = item()
    assert done(mailbox.post(3, key, sealed)) is PostResult.STORED
    assert done(mailbox.post(3, key, sealed)) is PostResult.KNOWN
    assert done(mailbox.known(3, key, sealed))
    for other in (done(mailbox.post(3, key, bytes(ITEM))), done(mailbox.post(4, key, sealed))):
        assert other is PostResult.STALE, "nobody's item takes the place of another"
    assert done(mailbox.items(3)) == [sealed]
    assert done(mailbox.items(4)) == []


def test_9_21_an_acknowledged_item_is_gone_and_a_strangers_receipt_deletes_nothing(
    mailbox: Mailbox, path: Path
) -> None:
    (receipt, key, sealed), (_, other_key, other) = item(), item()
    for each, content in ((key, sealed), (other_key, other)):
        done(mailbox.post(0, each, content))
    done(mailbox.acknowledge([secrets.token_bytes(16), other_key[:16], other_key, key]))
    assert sorted(done(mailbox.items(0))) == sorted([sealed, other])
    done(mailbox.acknowledge([secrets.token_bytes(16), receipt]))
    assert done(mailbox.items(0)) == [other]
    assert sealed[:64] not in everything(path), "it is overwritten, in the log too"
    assert sealed[6_000:6_064] not in everything(path)


@pytest.mark.parametrize(("slot", "key", "sealed"), [(16, 32, ITEM), (-1, 32, ITEM), (0, 31, ITEM), (0, 32, ITEM - 1)])
def test_other_sizes_are_no_post(mailbox: Mailbox, slot: int, key: int, sealed: int) -> None:
    with pytest.raises(ValueError, match="exact sizes"):
        done(mailbox.post(slot, bytes(key), bytes(sealed)))


def test_9_20_at_most_64_items_of_the_newest_days_in_order_of_their_keys(mailbox: Mailbox, clock: Clock) -> None:
    old = item()
    done(mailbox.post(0, old[1], old[2]))
    clock.time += EPOCH_SECONDS
    new = [item() for _ in range(AT_ONCE + 6)]
    for _, key, sealed in new:
        done(mailbox.post(0, key, sealed))
    seen: set[bytes] = set()
    for _ in range(40):
        answer = done(mailbox.items(0))
        assert len(answer) == AT_ONCE
        assert old[2] not in answer
        by_key = {sealed: key for _, key, sealed in new}
        assert [by_key[each] for each in answer] == sorted(by_key[each] for each in answer)
        seen |= set(answer)
    assert len(seen) == AT_ONCE + 6, "64 unreadable ones hide the others not for ever"
    done(mailbox.acknowledge([receipt for receipt, _, _ in new]))
    assert done(mailbox.items(0)) == [old[2]]


def test_a_full_box_takes_nothing_more_and_the_others_do(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "ITEMS_MOST", 3)
    held = [item() for _ in range(3)]
    for _, key, sealed in held:
        assert done(mailbox.post(0, key, sealed)) is PostResult.STORED
    _, key, sealed = item()
    assert done(mailbox.post(0, key, sealed)) is PostResult.FULL
    assert done(mailbox.post(0, held[0][1], held[0][2])) is PostResult.KNOWN, "a retry is told the truth"
    assert done(mailbox.post(1, key, sealed)) is PostResult.STORED
    assert len(done(mailbox.items(0))) == 3


def test_9_20_an_item_dies_after_30_epochs_and_not_before(mailbox: Mailbox, clock: Clock, path: Path) -> None:
    _, key, sealed = item()
    done(mailbox.post(0, key, sealed))
    clock.time += 30 * EPOCH_SECONDS
    done(mailbox.turn())
    assert done(mailbox.items(0)) == [sealed]
    clock.time += EPOCH_SECONDS
    done(mailbox.turn())
    assert done(mailbox.items(0)) == []
    assert sealed[:64] not in everything(path)


def test_a_clock_that_goes_back_a_day_kills_nothing(mailbox: Mailbox, clock: Clock) -> None:
    _, key, sealed = item()
    done(mailbox.post(0, key, sealed))
    for days in (-2, 1, -1):
        clock.time += days * EPOCH_SECONDS
        done(mailbox.turn())
    assert done(mailbox.items(0)) == [sealed]


def test_the_disk_tells_no_order_no_sender_and_no_time_finer_than_the_edition(
    mailbox: Mailbox, clock: Clock, path: Path
) -> None:
    sent = [item() for _ in range(40)]
    for _, key, sealed in sent:
        done(mailbox.post(secrets.randbelow(3), key, sealed))
        clock.time += 61
    for each in path.parent.iterdir():
        assert each.stat().st_mtime % EDITION_SECONDS == 0, each
        assert each.stat().st_mode & 0o077 == 0, each
    assert path.with_name(path.name + "-wal").stat().st_size == 0, "the log is cut"
    clock.time += EPOCH_SECONDS
    done(mailbox.turn())
    raw = path.read_bytes()
    places = [raw.index(sealed[4_200:4_232]) for _, _, sealed in sent]
    by_key = [place for _, place in sorted(zip((key for _, key, _ in sent), places, strict=True))]
    assert places != sorted(places), "not in the order of arrival"
    assert by_key == sorted(by_key), "but in that of keys, once a day"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(item)")]
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("SELECT rowid FROM item")
    connection.close()
    assert columns == ["receipt", "slot", "epoch", "sealed"]


def test_it_comes_back_as_it_was_and_a_newer_version_is_told(mailbox: Mailbox, path: Path, clock: Clock) -> None:
    _, key, sealed = item()
    done(mailbox.post(5, key, sealed))
    again = Mailbox(path, clock)
    assert done(again.items(5)) == [sealed]
    again.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RoadError, match="newer version"):
        Mailbox(path, clock)


def test_a_damaged_file_is_told_in_a_sentence(path: Path, clock: Clock) -> None:
    made = Mailbox(path, clock)
    _, key, sealed = item()
    done(made.post(0, key, sealed))
    made._db.execute("DROP TABLE item")
    with pytest.raises(RoadError, match=r"room and rights\.$"):
        done(made.items(0))
    made.close()


POSTER = """
import asyncio, hashlib, sys
from pathlib import Path
from sottovoce.pool.team import ITEM, Mailbox

async def post():
    mailbox = Mailbox(Path(sys.argv[1]), lambda: 1_800_000_000.0)
    for number in range(10_000):
        key = hashlib.sha256(number.to_bytes(4, "big")).digest()
        await mailbox.post(number % 16, key, key * (ITEM // 32))
        print(number, flush=True)

asyncio.run(post())
"""


@pytest.mark.parametrize("after", [1, 7, 20])
def test_a_post_that_was_acknowledged_survives_kill_9(path: Path, after: int) -> None:
    command = [sys.executable, "-c", POSTER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as poster:
        assert poster.stdout is not None
        last = [int(poster.stdout.readline()) for _ in range(after)][-1]
        os.kill(poster.pid, signal.SIGKILL)
        last = max([last, *map(int, poster.stdout.read().split())])
    mailbox = Mailbox(path, lambda: 1_800_000_000.0)
    for number in range(last + 1):
        key = hashlib.sha256(number.to_bytes(4, "big")).digest()
        assert done(mailbox.known(number % 16, key, key * (ITEM // 32)))
    mailbox.close()


class Boxes(RuleBasedStateMachine):
    """Posts, retries, acknowledgements, days and restarts in any order, beside a model that is a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.held = Clock(), dict[bytes, tuple[int, int, bytes]]()
        self.loop = asyncio.new_event_loop()
        self.path = Path(_FOLDERS[0]) / secrets.token_hex(8) / "team.sqlite3"
        self.mailbox = Mailbox(self.path, self.clock)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @rule(slot=st.integers(0, 3), number=st.integers(0, 12), content=st.integers(0, 1))
    def post(self, slot: int, number: int, content: int) -> None:
        receipt, sealed = number.to_bytes(16, "big"), bytes([content]) * ITEM
        result = self.run(self.mailbox.post(slot, hashlib.sha256(receipt).digest(), sealed))
        there = self.held.get(receipt)
        if there is None:
            assert result is PostResult.STORED
            self.held[receipt] = (slot, int(self.clock.time // EPOCH_SECONDS), sealed)
        else:
            same = (there[0], there[2]) == (slot, sealed)
            assert result is (PostResult.KNOWN if same else PostResult.STALE)

    @rule(numbers=st.lists(st.integers(0, 20), max_size=4))
    def acknowledge(self, numbers: list[int]) -> None:
        receipts = [number.to_bytes(16, "big") for number in numbers]
        self.run(self.mailbox.acknowledge(receipts))
        for receipt in receipts:
            self.held.pop(receipt, None)

    @rule(days=st.integers(1, 12))
    def days_pass(self, days: int) -> None:
        self.clock.time += days * EPOCH_SECONDS
        self.run(self.mailbox.turn())
        today = int(self.clock.time // EPOCH_SECONDS)
        self.held = {receipt: each for receipt, each in self.held.items() if each[1] >= today - 30}

    @rule()
    def restart(self) -> None:
        self.mailbox.close()
        self.mailbox = Mailbox(self.path, self.clock)

    @invariant()
    def every_box_is_as_it_should_be(self) -> None:
        for slot in range(4):
            wanted = sorted(sealed for box, _, sealed in self.held.values() if box == slot)
            assert sorted(self.run(self.mailbox.items(slot))) == wanted

    def teardown(self) -> None:
        self.mailbox.close()
        self.loop.close()


_FOLDERS: list[Path] = []


def test_any_order_of_posts_acknowledgements_days_and_restarts(tmp_path: Path) -> None:
    _FOLDERS[:] = [tmp_path]
    run_state_machine_as_test(Boxes, settings=settings(max_examples=10, stateful_step_count=20, deadline=None))
