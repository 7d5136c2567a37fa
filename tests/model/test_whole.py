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

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from model.attacks import Attacker
from model.house import DESKS, SOURCES, Founded, House, found

_FOLDERS = ExitStack()
atexit.register(_FOLDERS.close)
ONE_DESK, ONE_SOURCE = st.integers(0, len(DESKS) - 1), st.integers(0, len(SOURCES) - 1)
LOSSES = st.lists(st.sampled_from(["", "", "before", "after"]), max_size=4)
FAULT = st.none() | st.tuples(st.integers(1, 25), st.sampled_from(["before", "after", "crash"]))


@cache
def founded() -> Founded:
    """A house that examples copy."""
    return found(Path(_FOLDERS.enter_context(tempfile.TemporaryDirectory())))


class Whole(RuleBasedStateMachine):
    """Two sources write, two desks read and answer; roads, machines and clocks fail, strangers and a colleague attack."""

    @initialize(seed=st.integers(0, 1_000))
    def begin(self, seed: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.house = founded().copy(Path(self.folder.name), seed)
        self.attacker = Attacker(self.house)

    @rule(source=ONE_SOURCE, parts=st.integers(1, 3), losses=LOSSES, linked=st.booleans())
    def write(self, source: int, parts: int, losses: list[str], linked: bool) -> None:
        self.house.write(source, parts, losses, linked=linked)

    @rule(source=ONE_SOURCE, times=st.integers(2, 4))
    def visit(self, source: int, times: int) -> None:
        """Several short ones, one after the other."""
        for number in range(times):
            self.house.write(source, 1, [], linked=number > 0)

    @rule(source=ONE_SOURCE, number=st.integers(0, 3), losses=LOSSES, other_after=st.booleans())
    def repeat(self, source: int, number: int, losses: list[str], other_after: bool) -> None:
        """A form is sent again: the last that was not acknowledged, or another one of these days."""
        self.house.repeat(source, number, losses, other_after=other_after)

    @rule(member=ONE_DESK, fault=FAULT)
    def sync(self, member: int, fault: tuple[int, str] | None) -> None:
        self.house.sync(member, fault)

    @rule(member=ONE_DESK)
    def sync_well(self, member: int) -> None:
        self.house.sync(member)

    @rule(member=ONE_DESK, source=ONE_SOURCE, parts=st.integers(1, 2))
    def answer(self, member: int, source: int, parts: int) -> None:
        self.house.answer(member, source, parts)

    @rule(member=ONE_DESK, fault=FAULT)
    def post_one(self, member: int, fault: tuple[int, str] | None) -> None:
        """A desk that runs by itself posts at a time of its own."""
        self.house.post_one(member, fault)

    @rule(source=ONE_SOURCE)
    def look(self, source: int) -> None:
        self.house.check_source(source)

    @rule(editions=st.integers(1, 3))
    def hours_pass(self, editions: int) -> None:
        self.house.time_passes(editions=editions)

    @rule(days=st.sampled_from([1, 1, 2, 3, 6, 9, 29, 33]))
    def days_pass(self, days: int) -> None:
        self.house.time_passes(days=days)

    @rule(killed=st.booleans())
    def restart_server(self, killed: bool) -> None:
        self.house.server.restart(killed=killed)

    @rule(member=ONE_DESK)
    def restart_desk(self, member: int) -> None:
        self.house.members[member].restart()

    @rule(party=st.sampled_from(["server", "sources", *DESKS]), days=st.integers(0, 1))
    def clock_jumps(self, party: str, days: int) -> None:
        """A day forward, or back again."""
        self.house.jump(party, days)

    @rule(kind=st.sampled_from(["junk", "copy", "orphan"]))
    def stranger(self, kind: str) -> None:
        getattr(self.attacker, kind)()

    @rule(member=ONE_DESK, kind=st.sampled_from(["reseal", "forge", "forge_later"]))
    def colleague(self, member: int, kind: str) -> None:
        getattr(self.attacker, kind)(self.house.members[member])

    @rule(member=ONE_DESK)
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


_QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
TestWhole = Whole.TestCase
TestWhole.settings = settings(_QUIET, max_examples=12, stateful_step_count=20, derandomize=True)


@pytest.mark.long
def test_whole_for_minutes() -> None:
    """The same, longer, and every time another run."""
    run_state_machine_as_test(Whole, settings=settings(_QUIET, max_examples=300, stateful_step_count=50))  # type: ignore[no-untyped-call]
