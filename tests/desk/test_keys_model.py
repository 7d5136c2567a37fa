"""The life of duty and transport keys as a model that hypothesis plays (spec 10.1, 10.4 to 10.6).

Desks sync, are away, join and are removed; sources write; days pass. All along a thief records every item, every
envelope and every list. At any moment the thief takes one vault: with its secrets and the recording, no envelope of a
day whose key was destroyed in that vault may open. And at the end every desk that is here reads what it should.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from doubles.desks import Crash, Desk, Envelope, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sottovoce.desk.duty import seeds_item
from sottovoce.protocol import cbor
from sottovoce.protocol.envelope import TO_DESK
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.mailbox import CONTENT_MOST
from sottovoce.protocol.sealing import binding, unseal

NAMES = ("ana", "ben", "eva")


FOUNDED: dict[int, tuple[World, Callable[[], None]]] = {}  # by threshold; made once, and brought back each time


def founded(threshold: int) -> tuple[World, Callable[[], None]]:
    """Three devices that joined, and nothing waits; and how to come back to that."""
    if threshold not in FOUNDED:
        world = World(Path(tempfile.mkdtemp()))
        for slot, name in enumerate(NAMES):
            world.admit(name, slot)
        world.publish(threshold)
        world.settle()
        FOUNDED[threshold] = world, world.snapshot()
    return FOUNDED[threshold]


@pytest.fixture(scope="module", autouse=True)
def _cleaned() -> Iterator[None]:
    yield
    for world, _ in FOUNDED.values():
        world.close()
        shutil.rmtree(world.folder)
    FOUNDED.clear()


class Thief:
    """Has one vault, opened, and all that ever went over the wire."""

    def __init__(self, desk: Desk) -> None:
        self._world, rows = desk.world, desk.vault.rows
        transports = [KemKey(seed) for (seed,) in rows("SELECT seed FROM transport")]
        self.seeds = {seed for (seed,) in rows("SELECT seed FROM duty UNION SELECT seed FROM waiting_seed")}
        for slot, item in self._world.server.items:
            for key in transports:
                self._read(slot, item, key)

    def _read(self, slot: int, item: bytes, key: KemKey) -> None:
        """HPKE needs no signature to open: the thief takes any sender's word."""
        try:
            plain = unseal(item, key, b"sottovoce/v1/mailbox" + self._world.office.org + bytes([slot]), len(item))
        except Refused:
            return
        length = int.from_bytes(plain[4:6], "big")
        match cbor.decode(plain[86 : 86 + length], "body", CONTENT_MOST):
            case [0, dict() as seeds]:
                self.seeds.update(seed for each in seeds.values() for seed in each)

    def opens(self, envelope: Envelope) -> bool:
        info = binding(self._world.office.org, TO_DESK, envelope.epoch, envelope.tag)
        for seed in self.seeds:
            try:
                unseal(envelope.sealed, KemKey(seed), info)
            except Refused:
                continue
            return True
        return False


class KeysLife(RuleBasedStateMachine):
    """Three devices to begin with, one of which may be removed, and one that may join."""

    @initialize(threshold=st.sampled_from([1, 1, 2]))
    def begin(self, threshold: int) -> None:
        self.world, back = founded(threshold)
        back()
        self.away: dict[str, int] = {}
        self.gone: list[Desk] = []
        self.since = dict.fromkeys(NAMES, self.world.clock.today)
        self.steps = 0

    def present(self) -> list[str]:
        return [name for name in self.world.desks if name not in self.away]

    @rule(times=st.integers(1, 2))
    def write(self, times: int) -> None:
        """Acknowledged or the door is closed."""
        for _ in range(times):
            self.world.server.write()

    @rule(order=st.randoms(use_true_random=False))
    def sync(self, order: Random) -> None:
        names = self.present()
        order.shuffle(names)
        self.world.round(*names)

    @rule(name=st.sampled_from(NAMES))
    def sync_one(self, name: str) -> None:
        if name in self.present():
            self.world.round(name)

    @rule(editions=st.integers(1, 3))
    def hours_pass(self, editions: int) -> None:
        self.world.clock.forward(editions=editions)

    @rule(days=st.sampled_from([1, 1, 1, 2, 4, 9]))
    def days_pass(self, days: int) -> None:
        """Who is here syncs every day."""
        for _ in range(days):
            self.world.clock.forward(days=1)
            self.world.server.write()
            self.world.round(*self.present())

    @precondition(lambda self: len(self.present()) > 2)
    @rule(name=st.sampled_from(NAMES))
    def leave(self, name: str) -> None:
        if name in self.present():
            self.away[name] = self.world.clock.today

    @precondition(lambda self: self.away)
    @rule()
    def come_back(self) -> None:
        self.away.popitem()

    @precondition(lambda self: len(self.present()) > 2 and not self.gone)
    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        """The office removes a device; whoever has it still tries to sync."""
        if name in self.present():
            self.gone.append(self.world.remove(name))

    @precondition(lambda self: "new" not in self.world.desks)
    @rule()
    def join(self) -> None:
        self.world.admit("new", 9)
        self.since["new"] = self.world.clock.today

    @precondition(lambda self: self.gone)
    @rule()
    def gone_syncs(self) -> None:
        self.gone[0].sync()

    @rule(
        name=st.sampled_from([*NAMES, "new"]),
        call=st.sampled_from(["put_transport", "post_item", "acknowledge"]),
        when=st.sampled_from(["before", "after"]),
    )
    def answer_is_lost(self, name: str, call: str, when: str) -> None:
        if name in self.present():
            self.world.desks[name].road.losses = {call: [when]}
            self.world.desks[name].sync()

    @rule(name=st.sampled_from(NAMES), call=st.integers(2, 7), crash=st.booleans(), days=st.sampled_from([0, 4]))
    def breaks_while_keys_come(self, name: str, call: int, crash: bool, days: int) -> None:
        """Colleagues renewed the list or answered; the road breaks, or the machine goes off, while that is taken in."""
        if name not in self.present():
            return
        self.world.clock.forward(days=days)
        others = [other for other in self.present() if other != name]
        self.world.round(*others)
        self.world.server.write()
        desk, sender = self.world.desks[name], self.world.desks[others[0]]
        if sender.team._box is not None and desk.slot is not None:
            keys = sender.team.seeds.since(self.world.clock.today)
            sender.team._box.post(sender.road, desk.slot, seeds_item(keys))
        breaks(desk, call, crash=crash)

    @invariant()
    def thief(self) -> None:
        """One vault is stolen after each step."""
        if not hasattr(self, "world"):
            return
        desks = [*self.world.desks.values(), *self.gone]
        desk = desks[self.steps % len(desks)]
        self.steps += 1
        floor = desk.team.seeds.floor
        thief = Thief(desk)
        for envelope in self.world.server.envelopes:
            if envelope.epoch <= floor:
                assert not thief.opens(envelope), "a destroyed key came back"

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.all_is_read()
        finally:
            self.world.close()
            for desk in self.gone:
                desk.vault.close()

    def all_is_read(self) -> None:
        """Everybody who is here syncs twice, and once more for each absent colleague that may have been asked first."""
        names, today = self.present(), self.world.clock.today
        for _ in range(2 + len(self.away)):
            self.world.round(*names)
        for envelope in self.world.server.envelopes:
            if envelope.epoch >= today - 1:
                for name in names:
                    if envelope.epoch >= self.since[name]:
                        assert self.world.desks[name].reads(envelope), f"{name} misses a message of a live day"


def breaks(desk: Desk, call: int, *, crash: bool) -> None:
    """A sync in which the road breaks at a call, or the machine goes off at a step."""
    if crash:
        desk.crash_before(10 * call)
        with contextlib.suppress(Crash):
            desk.sync()
        desk.restart()
    else:
        desk.road.calls, desk.road.break_at = [], call
        desk.sync()
        desk.road.break_at = None


@pytest.mark.parametrize("crash", [False, True], ids=["road", "crash"])
def test_a_thief_gains_nothing_where_keys_came_and_the_sync_broke(crash: bool) -> None:
    """The item was taken in, the transport key not replaced yet; nothing came since, and days were destroyed."""
    world, back = founded(1)
    for call in range(2, 10):
        back()
        world.clock.forward(days=4)
        world.settle()  # all keys are fresh
        envelope, (ana, eva) = world.server.write(), (world.desks["ana"], world.desks["eva"])
        assert envelope is not None
        assert ana.team._box is not None
        assert ana.team._box.post(ana.road, 2, seeds_item(ana.team.seeds.since(envelope.epoch)))
        breaks(eva, call, crash=crash)
        world.clock.forward(days=2)
        world.round("eva")
        assert eva.team.seeds.floor >= envelope.epoch
        assert not Thief(eva).opens(envelope)
    world.close()


def test_10_5_who_comes_back_on_the_day_of_a_removal_reads_what_came_that_day() -> None:
    """Found by the long run: that day's first list is none any more, and its keys never reached who was away."""
    life = KeysLife()
    life.begin(threshold=1)
    life.days_pass(days=2)
    life.leave(name="ben")
    life.breaks_while_keys_come(name="ana", call=7, crash=True, days=4)
    for others in (["eva"], ["ana", "eva"], ["ana"], ["ana", "eva"]):
        life.days_pass(days=1)
        life.world.round(*others)
    life.come_back()
    life.remove(name="eva")
    life.world.round("ben")
    life.world.round("ana")
    life.gone_syncs()
    life.teardown()


class KeysLifeForLong(KeysLife):
    """The same, longer and each time another way."""


HEALTH = list(HealthCheck)
pytestmark = pytest.mark.timeout(1_200)  # 15 s of work for the short one; but the machine may have other work too
TestKeysLife = KeysLife.TestCase
TestKeysLife.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=HEALTH,
)
TestKeysLifeForLong = pytest.mark.long(KeysLifeForLong.TestCase)
TestKeysLifeForLong.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, database=None, suppress_health_check=HEALTH
)
