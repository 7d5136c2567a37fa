"""Pool, two desks and two sources with faults, as a model that hypothesis plays.

What was acknowledged is read by whom it should, once, in order; by nobody else.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from model.attacks import Attacker
from model.house import Founded, House, found
from model.road import DeskRoad, Fault
from model.town import DESKS, SOURCES

from sottovoce.protocol.message import UntrustedMessage

_FOLDERS = ExitStack()
atexit.register(_FOLDERS.close)
DESK, SOURCE = st.integers(0, len(DESKS) - 1), st.integers(0, len(SOURCES) - 1)
LOSSES = st.lists(st.sampled_from(["", "", "before", "after"]), max_size=4)
CALLS = [name for name in vars(DeskRoad) if not name.startswith("_") and name not in ("begin", "fresh", "gap")]
CALL = st.just("put") | st.just("edition") | st.sampled_from(CALLS)
FAULT = st.none() | st.none() | st.builds(Fault, CALL, st.sampled_from(["before", "after", "after", "crash"]))
DAYS = st.sampled_from([1, 1, 1, 2, 3, 6, 9, 33])
ATTACKS = ("junk", "copy", "orphan", "reseal", "forge", "forge_later")


def event(name: str, **values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A call of Whole's method of that name."""
    return st.tuples(st.just(name), st.fixed_dictionaries(values))


# One rule that does several things, not a rule for each: hypothesis switches rules off in many runs, and here it takes
# most of them together to make anything happen.
EVENT = st.one_of(
    event("write", source=SOURCE, parts=st.integers(1, 3), losses=LOSSES, linked=st.booleans()),
    event("visit", source=SOURCE, times=st.integers(2, 4)),
    event("repeat", source=SOURCE, number=st.integers(0, 3), losses=LOSSES, other_after=st.booleans()),
    *[event("sync", member=DESK, fault=FAULT)] * 4,
    *[event("answer", member=DESK, source=SOURCE, parts=st.integers(1, 2))] * 2,
    event("post_one", member=DESK, fault=FAULT),
    event("look", source=SOURCE),
    *[event("hours_pass", editions=st.integers(1, 2))] * 2,
    event("days_pass", days=DAYS),
    event("restart_server", killed=st.booleans()),
    event("restart_desk", member=DESK),
    event("clock_jumps", party=st.sampled_from(["server", "sources", *DESKS]), days=st.integers(0, 1)),
    *[event("attack", kind=st.sampled_from(ATTACKS), member=DESK)] * 2,
    event("edition_is_replayed", member=DESK),
)


@cache
def founded() -> Founded:
    """A house that examples copy."""
    return found(Path(_FOLDERS.enter_context(tempfile.TemporaryDirectory())))


class Whole(RuleBasedStateMachine):
    """Two sources write, two desks answer; roads, machines and clocks fail; strangers and a colleague attack."""

    @initialize(seed=st.integers(0, 1_000))
    def begin(self, seed: int) -> None:
        """Both sources wrote, and one desk knows it."""
        self.folder = tempfile.TemporaryDirectory()
        self.house = founded().copy(Path(self.folder.name), seed)
        self.attacker = Attacker(self.house)
        for source in range(len(SOURCES)):
            self.house.write(source, 1, [], linked=False)
        self.house.sync(0)

    @rule(events=st.lists(EVENT, min_size=3, max_size=8))
    def happens(self, events: list[tuple[str, dict[str, Any]]]) -> None:
        for name, values in events:
            getattr(self, name)(**values)

    def write(self, source: int, parts: int, losses: list[str], linked: bool) -> None:
        self.house.write(source, parts, losses, linked=linked)

    def visit(self, source: int, times: int) -> None:
        """Several short ones, one after the other."""
        for number in range(times):
            self.house.write(source, 1, [], linked=number > 0)

    def repeat(self, source: int, number: int, losses: list[str], other_after: bool) -> None:
        """A form is sent again: the last that was not acknowledged, or another one of these days."""
        self.house.repeat(source, number, losses, other_after=other_after)

    def sync(self, member: int, fault: Fault | None) -> None:
        self.house.sync(member, fault)

    def answer(self, member: int, source: int, parts: int) -> None:
        self.house.answer(member, source, parts)

    def post_one(self, member: int, fault: Fault | None) -> None:
        """A desk that runs by itself posts at a time of its own."""
        self.house.post_one(member, fault)

    def look(self, source: int) -> None:
        self.house.check_source(source)

    def hours_pass(self, editions: int) -> None:
        self.house.time_passes(editions=editions)

    def days_pass(self, days: int) -> None:
        self.house.time_passes(days=days)

    def restart_server(self, killed: bool) -> None:
        self.house.server.restart(killed=killed)

    def restart_desk(self, member: int) -> None:
        self.house.members[member].restart()

    def clock_jumps(self, party: str, days: int) -> None:
        """A day forward, or back again."""
        self.house.jump(party, days)

    def attack(self, kind: str, member: int) -> None:
        """A stranger, or a colleague with what its desk opened."""
        self.attacker.attack(kind, self.house.members[member])

    def edition_is_replayed(self, member: int) -> None:
        """The server lists one again under another number, to one desk."""
        self.house.sync_replayed(member)

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        try:
            self.house.check_all()
        finally:
            self.house.close()
            self.folder.cleanup()


# Each promise can be broken: a fault is planted, and the model says so.


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = founded().copy(tmp_path)
    yield made
    made.close()


def begun(house: House) -> None:
    """Reed wrote, both desks read it."""
    house.write(0, 1, [], linked=False)
    house.sync(0)
    house.sync(1)


def test_nothing_is_found_where_nothing_is_wrong(house: House) -> None:
    begun(house)
    house.write(0, 3, [], linked=True)
    house.answer(0, 0, 2)
    house.answer(1, 0, 1)
    house.check_all()
    assert len(house.writers[0].inbox().answers) == 2
    assert [len(one.must) for one in house.members] == [2, 2]


def test_a_pool_that_loses_what_it_acknowledged(house: House) -> None:
    house.server.dropped = 1
    house.write(0, 2, [], linked=False)
    with pytest.raises(AssertionError, match="misses a message"):
        house.sync(0)


def test_a_pool_that_loses_a_part_between_two_syncs(house: House) -> None:
    house.sync(0)
    house.server.dropped = 1
    house.write(1, 3, [], linked=False)
    with pytest.raises(AssertionError, match="misses a message"):
        house.check_all()


def test_a_message_whose_acknowledgement_was_lost_is_shown_once(house: House) -> None:
    form = house.write(0, 1, ["after"], linked=False)
    assert form.id is None
    house.sync(0)
    house.time_passes(days=1)
    house.repeat(0, 0, [], other_after=False)
    assert form.acknowledged
    house.check_all()
    assert [entry.text for entry in house.members[0].entries(house.writers[0].id)] == [form.text]


def test_a_desk_whose_memory_of_replays_is_off(house: House) -> None:
    letters = house.members[0].desk._letters
    keep = letters.keep_first

    def forgetting(*args: Any) -> bool:
        house.members[0].vault.rows("UPDATE message SET id = randomblob(16)")
        return keep(*args)

    letters.keep_first = forgetting  # type: ignore[method-assign, assignment]
    begun(house)
    house.repeat(0, 0, [], other_after=True)
    with pytest.raises(AssertionError, match="twice"):
        house.sync(0)


def test_a_source_that_forgets_what_it_wrote_before(house: House) -> None:
    house.writers[0].careless = True
    for number in range(6):
        house.write(0, 1, [], linked=number > 0)
    with pytest.raises(AssertionError, match="another order"):
        house.sync(0)


def test_a_desk_that_forgets_the_edition(house: House) -> None:
    for _ in range(3):
        house.write(0, 1, [], linked=False)
        house.sync(0)
        house.time_passes(editions=1)
    house.members[0].vault.rows("UPDATE message SET edition = -edition")
    with pytest.raises(AssertionError, match="order of editions"):
        house.sync(0)


def test_a_desk_that_cuts_a_message(house: House) -> None:
    begun(house)
    house.members[1].vault.rows("UPDATE message SET text = substr(text, 1, 9)")
    with pytest.raises(AssertionError, match="no source wrote"):
        house.sync(1)


def test_a_desk_that_shows_a_conversation_of_nobody(house: House) -> None:
    begun(house)
    house.members[0].vault.rows("INSERT INTO conversation VALUES (randomblob(32), x'', x'', x'')")
    with pytest.raises(AssertionError, match="of nobody"):
        house.sync(0)


def test_a_desk_that_checks_no_mac(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(house)
    monkeypatch.setattr(UntrustedMessage, "verify", lambda self, device, slot: self.vouched(device))
    for _ in range(8):
        Attacker(house).attack("forge", house.members[1])
    with pytest.raises(AssertionError, match="no source wrote"):
        house.sync(0)


def test_an_alarm_without_a_lie(house: House) -> None:
    begun(house)
    for _ in range(2):
        house.time_passes(editions=1)
        house.sync(0)
    next((house.server.path / "editions").glob("*.edition")).unlink()
    with pytest.raises(AssertionError, match="nobody lied"):
        house.sync(0)


def answered(house: House) -> None:
    """An answer to Reed lies in an edition."""
    begun(house)
    house.answer(0, 0, 2)
    house.sync(0)
    house.time_passes(editions=1)


def test_a_source_that_finds_nothing(house: House) -> None:
    answered(house)
    house.writers[0].pool.blind = True
    with pytest.raises(AssertionError, match="misses an answer"):
        house.check_source(0)


def test_a_source_that_finds_what_is_for_another(house: House) -> None:
    answered(house)
    house.writers[1].phrase = house.writers[0].phrase
    with pytest.raises(AssertionError, match="another source's"):
        house.check_source(1)


def test_a_desk_that_answers_twice(house: House) -> None:
    answered(house)
    member = house.members[0]
    member.desk.answer(house.writers[0].id.hex(), member.answers[0].text)
    house.sync(0)
    house.time_passes(editions=1)
    with pytest.raises(AssertionError, match="2 times"):
        house.check_source(0)


def test_7_4_8_an_answer_that_was_sealed_anew_after_a_lost_reply_is_found_once(house: House) -> None:
    """Its desk missed that the pool has it, and posts it days later, before it read an edition again."""
    begun(house)
    house.answer(0, 0, 1)
    house.sync(0, Fault("put", "after"))
    house.time_passes(days=3)
    house.post_one(0, None)
    house.time_passes(editions=1)
    house.check_source(0)
    assert len(house.writers[0].inbox().answers) == 1


@pytest.mark.parametrize("days", [29, 30, 31, 33])
def test_9_10_a_desk_that_was_away_while_editions_died_of_age_raises_no_alarm(house: House, days: int) -> None:
    """It had seen what was pending then, and posted something itself."""
    begun(house)
    house.answer(0, 0, 1)
    house.sync(0)
    house.time_passes(days=days)
    house.sync(1)
    house.write(0, 1, [], linked=False)
    house.time_passes(editions=1)
    house.sync(0)
    assert house.honest
    assert house.members[0].vault.alarms() == []


_QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
TestWhole = pytest.mark.timeout(300)(Whole.TestCase)
TestWhole.settings = settings(_QUIET, max_examples=16, stateful_step_count=6, derandomize=True)


@pytest.mark.long
def test_whole_for_minutes() -> None:
    """The same, longer, and every time another run."""
    run_state_machine_as_test(Whole, settings=settings(_QUIET, max_examples=100, stateful_step_count=12))
