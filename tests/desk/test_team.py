"""Three desks around one server: mailbox, transport keys, catching up, removal (spec 10.1, 10.3, 10.5)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from doubles.desks import Crash, Desk, Envelope, World

from sottovoce.desk import catchup
from sottovoce.desk.box import Box
from sottovoce.desk.duty import seeds_item
from sottovoce.desk.road import SyncReport
from sottovoce.protocol import cbor
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.mailbox import seal_item
from sottovoce.protocol.sizes import KEY, PLAINTEXT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three devices that joined, in slots 0, 2 and 4, and nothing waits."""
    made = World(tmp_path)
    for slot, name in enumerate(("ana", "ben", "eva")):
        made.admit(name, 2 * slot)
    made.settle()
    yield made
    made.close()


def written(world: World) -> Envelope:
    envelope = world.server.write()
    assert envelope is not None, "the door is closed"
    return envelope


def box_of(desk: Desk) -> Box:
    """A desk's mailbox as in a sync."""
    slot = desk.slot
    assert slot is not None
    return Box(desk.vault, desk.trusted, slot, desk.world.clock.today, secrets.token_bytes, SyncReport())


def plant(world: World, slot: int, item: bytes) -> None:
    """A hostile server puts an item into a box."""
    world.server.box[secrets.token_bytes(32)] = (slot, world.clock.today, item)


def days_pass(world: World, days: int, *present: str) -> list[Envelope]:
    """A message a day, and those who are present sync."""
    envelopes = []
    for _ in range(days):
        envelopes.append(written(world))
        world.round(*present)
        world.clock.forward(days=1)
    return envelopes


def test_one_makes_the_keys_and_all_have_them(world: World) -> None:
    assert all(desk.opens_all() for desk in world.desks.values())
    envelope = written(world)
    world.round()
    assert all(desk.reads(envelope) for desk in world.desks.values())
    assert not world.server.box


def test_10_5_a_desk_that_was_away_for_twenty_days_catches_up(world: World) -> None:
    envelopes = days_pass(world, 20, "ana", "ben")
    eva = world.desks["eva"]
    world.round("eva", "ana", "ben", "eva")
    late = written(world)
    world.round("ana", "ben", "eva")
    assert [eva.reads(envelope) for envelope in [*envelopes, late]] == [True] * 21
    days_pass(world, 3, "ana", "ben", "eva")
    assert eva.team._catchup.lacks() == []


def test_10_5_an_answer_goes_on_at_the_next_sync(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catchup, "FORWARD_MOST", 3)
    envelopes = days_pass(world, 12, "ana")
    eva, counts = world.desks["eva"], []
    for _ in range(8):
        world.round("eva", "ana")
        counts.append(sum(eva.reads(envelope) for envelope in envelopes))
    assert counts[-1] == 12
    assert all(after - before <= 3 for before, after in pairwise(counts))


def test_10_5_a_new_device_gets_live_keys_and_nothing_from_before_it_joined(world: World) -> None:
    before = days_pass(world, 5, "ana", "ben", "eva")
    new = world.admit("new", 7)
    after = [written(world)] if world.server.duty else []
    world.round("new", "ana", "ben", "eva", "new")
    after.append(written(world))
    world.round()
    assert not any(new.reads(envelope) for envelope in before[:-1])
    assert all(new.reads(envelope) for envelope in after)
    assert min(new.duty_epochs()) >= world.clock.today - 1


def test_10_5_keys_of_days_that_are_over_are_never_sent(world: World) -> None:
    days_pass(world, 3, "ana", "ben", "eva")
    ana, today = world.desks["ana"], world.clock.today
    ana.vault.rows("UPDATE edition SET hash = x'00'")  # so that nothing is destroyed
    days_pass(world, 3, "ana", "eva")
    assert min(ana.duty_epochs()) <= today - 2
    ana.vault.rows("INSERT INTO request VALUES (4, ?, ?, 0, 0, -1, x'')", world.desks["eva"].public[1], cbor.encode([]))
    sent: list[bytes] = []
    ana.team._box = box_of(ana)
    ana.team._box.post = lambda road, slot, content: not sent.append(content)  # type: ignore[func-returns-value,method-assign]
    ana.team._live = 0
    ana.team.destroy(ana.road, SyncReport(), world.server.editions())
    ana.team.serve(ana.road, SyncReport())
    kind, seeds = cbor.decode(sent[0], "body", 20_000)
    assert kind == 0
    assert min(seeds) == world.clock.today - 1


def test_10_5_what_a_colleague_forwards_unasked_is_not_taken(world: World) -> None:
    ana, eva = world.desks["ana"], world.desks["eva"]
    content = cbor.encode([2, world.clock.today, bytes(16), 0, bytes(PLAINTEXT)])
    assert box_of(ana).post(ana.road, 4, content)
    world.round("eva")
    assert eva.vault.rows("SELECT * FROM plain") == []


def test_10_1_a_key_that_brought_something_is_replaced_and_destroyed(world: World) -> None:
    ana, eva = world.desks["ana"], world.desks["eva"]
    (old,) = box_of(eva).keys()
    assert box_of(ana).post(ana.road, 4, seeds_item({}))
    world.round("eva")
    (new,) = box_of(eva).keys()
    assert new.serial == old.serial + 1
    assert new.seed != old.seed


def test_10_1_a_key_is_replaced_before_its_week_ends(world: World) -> None:
    world.clock.forward(days=2)
    eva = world.desks["eva"]
    world.round("eva")
    (key,) = box_of(eva).keys()
    assert key.transport.claim.expires == world.clock.today + 7  # destruction replaces it too
    eva.vault.rows("UPDATE edition SET hash = x'00'")
    world.clock.forward(days=4)
    world.round("eva")
    assert box_of(eva).keys()[0].serial == key.serial + 1


def test_10_1_an_item_sealed_to_the_key_before_is_sealed_again(world: World) -> None:
    ana, eva = world.desks["ana"], world.desks["eva"]
    box = box_of(ana)
    box.colleagues(ana.road)  # asked before Eva's key is replaced
    (old,) = box_of(eva).keys()
    assert box_of(ana).post(ana.road, 4, seeds_item({}))
    world.round("eva")
    assert box.post(ana.road, 4, seeds_item({})), "sealed to the new one at the second try"
    assert old.serial < box_of(eva).keys()[0].serial
    world.settle("eva")


def test_10_1_what_comes_between_the_two_keys_is_not_lost(world: World) -> None:
    """An item that arrives just before the new key is published is fetched before the old one is destroyed."""
    ana, eva = world.desks["ana"], world.desks["eva"]
    assert box_of(ana).post(ana.road, 4, seeds_item({}))
    seed, today = secrets.token_bytes(KEY), world.clock.today
    late = iter([seeds_item({today: [seed]})])

    def step(name: str) -> None:
        if name == "before put_transport" and (content := next(late, None)):
            assert box_of(ana).post(ana.road, 4, content)

    eva.road._step = step
    world.round("eva")
    assert eva.team.seeds.seed(today, KemKey(seed).public) == seed
    assert not world.server.box


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["put_transport", "post_item", "acknowledge", "put_draft"])
def test_a_lost_answer_loses_nothing(world: World, call: str, when: str) -> None:
    world.clock.forward(days=4)
    for desk in world.desks.values():
        desk.road.losses = {call: [when]}
    world.round()
    envelope = written(world)
    world.round()
    world.round()
    assert all(desk.opens_all() and desk.reads(envelope) for desk in world.desks.values())
    assert not world.server.box
    assert all(len(box_of(desk).keys()) == 1 for desk in world.desks.values())


@pytest.mark.parametrize("call", ["signed", "draft", "transports", "items"])
def test_a_road_that_breaks_at_a_question_loses_nothing(world: World, call: str) -> None:
    days_pass(world, 4, "ana")
    for desk in world.desks.values():
        desk.road.losses = {call: ["before"]}
    world.round()
    envelope = written(world)
    world.round()
    world.round()
    assert all(desk.opens_all() and desk.reads(envelope) for desk in world.desks.values())


def crashes(world: World, name: str, check: Callable[[], None]) -> int:
    """One desk's machine goes off before some step of a sync, and is on again; how many steps a sync has."""
    back, step = world.snapshot(), 0
    while True:
        back()
        desk = world.desks[name]
        desk.crash_before(step)
        try:
            desk.sync()
        except Crash:
            desk.restart()
        else:
            return len(desk.steps)
        world.round(name, *(other for other in world.desks if other != name), name)
        check()
        assert all(each.opens_all() for each in world.desks.values())
        assert all(len(box_of(each).keys()) == 1 for each in world.desks.values())
        step += 1 if step < 3 else 5  # all of them, in the long run below


def test_a_crash_at_any_step_of_a_renewal_loses_nothing(world: World) -> None:
    days_pass(world, 4, "ana", "ben", "eva")

    def check() -> None:
        envelope = written(world)
        world.round("ana", "eva")
        assert all(world.desks[name].reads(envelope) for name in ("ana", "eva"))

    assert crashes(world, "ana", check) > 50


def test_a_crash_at_any_step_of_an_answer_loses_nothing(world: World) -> None:
    envelopes = days_pass(world, 9, "ana", "ben")
    world.round("eva")  # asks

    def check() -> None:
        world.round("eva")
        assert all(world.desks["eva"].reads(envelope) for envelope in envelopes)

    assert crashes(world, "ana", check) > 50


def test_a_crash_at_any_step_of_taking_in_loses_nothing(world: World) -> None:
    envelopes = days_pass(world, 9, "ana", "ben")
    world.round("eva", "ana")  # asks, and is answered

    def check() -> None:
        assert all(world.desks["eva"].reads(envelope) for envelope in envelopes)

    assert crashes(world, "eva", check) > 50


def test_a_removed_device_gets_no_new_key_and_all_coming_keys_are_new(world: World) -> None:
    duty = world.server.duty
    assert duty is not None
    eva = world.remove("eva")
    before = world.server.write()
    world.round()
    world.round()
    after = world.server.duty
    assert after is not None
    assert not set(after.keys.values()) & set(duty.keys.values())
    assert min(after.keys) == world.clock.today
    eva.sync()
    assert not set(eva.team.seeds.lacking(after.keys)) ^ set(after.keys)
    assert eva.vault.rows("SELECT * FROM transport") == []
    envelope = written(world)
    world.round()
    assert all(desk.reads(envelope) for desk in world.desks.values())
    eva.sync()
    assert not eva.reads(envelope)
    assert before is None, "nothing is sealed to a list of the roster before"
    eva.vault.close()


def test_10_5_a_list_that_came_and_went_between_two_syncs_leaves_nothing_unread(world: World) -> None:
    """Two removals on one day, while ben's machine was off: it saw neither the list between them nor its keys."""
    world.admit("new", 6)
    world.settle()
    gone = [world.desks["eva"], world.desks["new"]]
    world.remove("eva")
    world.round("ana")
    between = written(world)
    world.round("ana")
    world.remove("new")
    for _ in range(4):
        world.round("ana", "ben")
    assert world.desks["ben"].reads(between)
    for each in gone:
        each.vault.close()


def test_a_removed_device_is_not_heard(world: World) -> None:
    ana, eva = world.desks["ana"], world.desks["eva"]
    box, seed, today = box_of(eva), secrets.token_bytes(KEY), world.clock.today
    assert box.post(eva.road, 0, seeds_item({today: [seed]}))
    world.remove("eva")
    (report,) = world.round("ana")
    assert report.items_refused == 1
    assert ana.team.seeds.seed(today, KemKey(seed).public) is None
    eva.vault.close()


def test_a_removed_devices_request_is_not_answered(world: World) -> None:
    ana, eva = world.desks["ana"], world.desks["eva"]
    assert box_of(eva).post(eva.road, 0, cbor.encode([1, 0, [world.clock.today]]))
    ana.team.receive(ana.road, SyncReport())
    assert ana.vault.rows("SELECT slot FROM request") == [(4,)]
    world.remove("eva")
    new = world.admit("new", 4)
    world.round()
    assert ana.vault.rows("SELECT device FROM request WHERE device = ?", eva.public[1]) == []
    eva.vault.close()
    assert new.slot == 4


def forged(world: World, content: bytes, signer: Ed25519PrivateKey, sender: int = 0) -> bytes:
    """An item for Eva that says it comes from Ana's slot."""
    (key,) = box_of(world.desks["eva"]).keys()
    names = {"org": world.office.org, "device": signer, "transport": KemKey(key.seed).public}
    return seal_item(content, secrets.token_bytes(16), sender=sender, receiver=4, **names)  # type: ignore[arg-type]


def test_a_server_can_not_send_duty_keys_of_its_own(world: World) -> None:
    seed, today = secrets.token_bytes(KEY), world.clock.today
    plant(world, 4, forged(world, seeds_item({today: [seed]}), Ed25519PrivateKey.generate()))
    (report,) = world.round("eva")
    assert report.items_refused == 1
    assert world.desks["eva"].team.seeds.seed(today, KemKey(seed).public) is None


def test_a_colleague_can_not_send_in_anothers_name(world: World) -> None:
    ben = Ed25519PrivateKey.from_private_bytes(world.desks["ben"].vault.device_key("signing"))
    plant(world, 4, forged(world, seeds_item({}), ben, sender=0))
    assert world.round("eva")[0].items_refused == 1


def test_what_this_device_can_not_open_is_counted_once(world: World) -> None:
    for _ in range(3):
        plant(world, 4, secrets.token_bytes(12_288))
    assert [world.round("eva")[0].items_refused for _ in range(2)] == [3, 0]


def test_a_box_full_of_rubbish_keeps_the_old_key_until_its_week_ends(world: World) -> None:
    eva = world.desks["eva"]
    for _ in range(64):
        plant(world, 4, secrets.token_bytes(12_288))
    world.clock.forward(days=4)
    (report,) = world.round("eva")
    assert any("full of what this device can't open" in each for each in report.warnings)
    assert len(box_of(eva).keys()) > 1
    before = eva.duty_epochs()
    assert min(before) <= world.clock.today - 4, "nothing is destroyed while an old transport key is here"
    world.clock.forward(days=4)
    world.round("eva")
    world.clock.forward(days=4)
    for _ in range(64):
        plant(world, 4, secrets.token_bytes(12_288))
    world.round("eva")
    assert all(key.transport.claim.expires >= world.clock.today for key in box_of(eva).keys())  # noqa: SIM118  # no dict


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        cbor.encode([9]),
        cbor.encode([0]),
        cbor.encode([0, {1: bytes(32)}]),
        cbor.encode([0, {20_500: [bytes(31)]}]),
        cbor.encode([0, {"x": [bytes(32)]}]),
        cbor.encode([1, 0, [3, 2]]),
        cbor.encode([1, 0, [1 << 40]]),
        cbor.encode([1, 0, list(range(20_000, 20_401))]),
        cbor.encode([1, True, []]),
        cbor.encode([2, 20_500, bytes(15), 0, b""]),
        cbor.encode([2, -1, bytes(16), 0, b""]),
        cbor.encode([3, [], 1]),
        cbor.encode([3, [1]]),
        cbor.encode({0: 1}),
    ],
)
def test_10_3_an_item_of_no_proper_form_is_refused_and_acknowledged(world: World, content: bytes) -> None:
    ana = world.desks["ana"]
    assert box_of(ana).post(ana.road, 4, content)
    (report,) = world.round("eva")
    assert report.items_refused == 1
    assert not world.server.box


def test_10_4_a_seed_that_no_list_names_waits_and_is_never_used(world: World) -> None:
    ana, eva = world.desks["ana"], world.desks["eva"]
    seed, today = secrets.token_bytes(KEY), world.clock.today
    assert box_of(ana).post(ana.road, 4, seeds_item({today: [seed]}))
    world.round("eva")
    name = sha256(KemKey(seed).public).digest()
    assert eva.vault.rows("SELECT 1 FROM duty WHERE public = ?", name) == []
    assert eva.vault.rows("SELECT own FROM waiting_seed WHERE public = ?", name) == [(0,)]


def test_10_4_seeds_that_wait_are_bounded_and_own_ones_stay(world: World) -> None:
    ana, eva, today = world.desks["ana"], world.desks["eva"], world.clock.today
    own = secrets.token_bytes(KEY)
    eva.team.seeds.keep(today, own, own=True)
    for _ in range(3):
        seeds = {today + day: [secrets.token_bytes(KEY) for _ in range(10)] for day in range(10)}
        assert box_of(ana).post(ana.road, 4, seeds_item(seeds))
    world.round("eva")
    assert eva.vault.rows("SELECT count(*) FROM waiting_seed WHERE NOT own") == [(256,)]
    assert eva.team.seeds.seed(today, KemKey(own).public) == own


def test_10_6_a_destroyed_key_is_not_taken_again(world: World) -> None:
    """An old item that the server kept back, or a colleague who sends it anew."""
    ana, eva = world.desks["ana"], world.desks["eva"]
    epoch = world.clock.today
    seeds = ana.team.seeds.since(epoch)
    days_pass(world, 3, "ana", "ben", "eva")
    assert epoch not in eva.duty_epochs()
    assert box_of(ana).post(ana.road, 4, seeds_item({epoch: seeds[epoch]}))
    world.round("eva")
    assert epoch not in eva.duty_epochs()
    assert eva.vault.rows("SELECT * FROM waiting_seed WHERE epoch = ?", epoch) == []


def test_10_5_what_nobody_has_is_not_asked_for_for_ever(world: World) -> None:
    """All are away longer than the list lasts: for the days without a key there is nothing to wait for."""
    world.round()
    world.clock.forward(days=12)
    for _ in range(3):
        world.round()
    assert all(desk.team.warnings(world.clock.today) for desk in world.desks.values())
    for _ in range(12):
        world.clock.forward(days=3)
        world.round()
    world.round()
    assert [list(desk.team.warnings(world.clock.today)) for desk in world.desks.values()] == [[]] * len(world.desks)


def test_an_older_transport_key_of_a_colleague_is_not_used(world: World) -> None:
    ana = world.desks["ana"]
    path = world.server.signed.path("transport-04")
    old = path.read_bytes()
    assert box_of(ana).post(ana.road, 4, seeds_item({}))
    world.round("eva", "ana")
    path.write_bytes(old)
    box = box_of(ana)
    assert 4 not in box.colleagues(ana.road)
    assert box._report.warnings == ["The server shows an older transport key of a colleague: ask who runs it."]


def test_members_says_who_was_there_and_no_more(world: World) -> None:
    found = world.desks["ana"].team.members()
    seen = {each.slot: each.seen for each in found if each.seen is not None}
    assert seen == dict.fromkeys((0, 2, 4), world.clock.today)
    assert [each.slot for each in found if each.own] == [0]
    assert len(found) == 16
