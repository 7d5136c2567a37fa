"""The duty list among several desks: renewal, drafts, parallel renewals, destruction (spec 10.4, 10.6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.desks import Desk, World

from sottovoce.desk.errors import DeskError
from sottovoce.pool.edition import Listed
from sottovoce.protocol.sizes import QUARTERS
from sottovoce.trust.duty import DutyList


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two devices that joined, and nothing waits."""
    made = World(tmp_path)
    made.admit("ana", 1)
    made.admit("ben", 5)
    made.settle()
    yield made
    made.close()


def shown(world: World) -> DutyList:
    duty = world.server.duty
    assert duty is not None, "the door is closed"
    return duty


def test_10_4_a_first_list_has_seven_days(world: World) -> None:
    today = world.clock.today
    assert sorted(shown(world).keys) == list(range(today, today + 7))
    assert all(desk.team.duty_days() == 7 for desk in world.desks.values())


def test_10_4_a_list_is_renewed_below_four_days_and_keeps_its_keys(world: World) -> None:
    before = shown(world)
    world.clock.forward(days=3)
    assert not any(report.duty_published for report in world.round())
    world.clock.forward(days=1)
    assert [report.duty_published for report in world.round()] == [True, False]
    after = shown(world)
    assert after.claim.serial == before.claim.serial + 1
    assert len(after.keys) == 7
    assert all(after.keys[epoch] == key for epoch, key in before.keys.items() if epoch in after.keys)
    world.round()
    assert all(desk.opens_all() for desk in world.desks.values())


def test_10_4_a_holiday_list_has_more_days(world: World) -> None:
    world.desks["ana"].team.duty.days = 28
    world.clock.forward(days=4)
    world.round("ana")
    assert len(shown(world).keys) == 28
    with pytest.raises(DeskError, match="7 to 28 days"):
        world.desks["ana"].team.duty.days = 29


def test_10_4_a_roster_with_the_same_devices_keeps_the_keys(world: World) -> None:
    before = shown(world)
    world.publish()
    assert world.server.duty is None, "the list names the roster before"
    world.round("ben")
    assert shown(world).keys == before.keys


def test_10_4_a_new_device_means_new_keys(world: World) -> None:
    """A slot that was given away can't be told from a device that was replaced."""
    before = shown(world)
    world.admit("eva", 9)
    world.round("ana")
    assert not set(shown(world).keys.values()) & set(before.keys.values())


def test_10_4_of_two_renewals_made_at_once_one_wins_and_both_can_open_it(world: World) -> None:
    world.clock.forward(days=4)
    ana, ben = world.desks["ana"], world.desks["ben"]

    def meanwhile(name: str) -> None:
        if name == "before put_draft":
            ana.road._step = lambda _: None
            assert ben.sync().duty_published

    ana.road._step = meanwhile
    report = ana.sync()
    assert not report.duty_published
    assert not report.warnings
    assert ana.opens_all()
    assert ben.opens_all()


def test_10_4_two_renewals_for_a_removal_made_at_once(world: World) -> None:
    world.admit("eva", 9)
    world.settle()
    eva = world.remove("eva")
    ana, ben = world.desks["ana"], world.desks["ben"]

    def meanwhile(name: str) -> None:
        if name == "before put_draft":
            ana.road._step = lambda _: None
            ben.sync()

    ana.road._step = meanwhile
    ana.sync()
    world.settle()
    assert ana.opens_all()
    assert ben.opens_all()
    eva.vault.close()


def test_10_4_private_halves_are_sent_before_the_list_is_handed_in(world: World) -> None:
    world.clock.forward(days=4)
    world.round("ana")
    calls = [call for call in world.desks["ana"].road.calls if call in ("post_item", "put_draft")]
    assert calls[-2:] == ["post_item", "put_draft"]


def test_10_4_a_list_that_nobody_here_can_open_is_replaced(world: World) -> None:
    """The only device with a transport key lost its seeds: there is nobody to ask."""
    ana = world.desks["ana"]
    world.clock.forward(days=8)  # Ben's transport key is over
    world.round("ana")
    ana.vault.rows("DELETE FROM duty")
    assert ana.team.duty_days() == 0
    assert world.round("ana")[0].duty_published
    assert ana.opens_all()


def test_10_4_what_a_colleague_can_give_is_asked_for_first(world: World) -> None:
    ana = world.desks["ana"]
    ana.vault.rows("DELETE FROM duty WHERE epoch > ?", world.clock.today)
    before = shown(world)
    world.round("ana", "ben", "ana")
    assert shown(world).hash == before.hash
    assert ana.opens_all()


def test_two_signatures_a_draft_waits_and_is_signed_by_who_can_open_it(world: World) -> None:
    world.publish(threshold=2)
    (report,) = world.round("ana")
    assert not report.duty_published
    assert world.server.duty is None
    assert any("second member's signature" in each for each in world.desks["ana"].team.warnings(world.clock.today))
    assert world.desks["ana"].team.duty.view().missing_signatures == 1
    (report,) = world.round("ben")
    assert report.duty_published
    assert all(desk.opens_all() for desk in world.desks.values())
    world.round("ana")
    assert world.desks["ana"].team.duty.view().missing_signatures == 0


def test_two_signatures_nobody_signs_what_it_can_not_open(world: World) -> None:
    world.publish(threshold=2)
    ana, ben = world.desks["ana"], world.desks["ben"]
    world.round("ana")
    world.server.box.clear()  # the server loses the seeds
    ben.vault.rows("DELETE FROM duty")
    (report,) = world.round("ben")
    assert not report.duty_published
    world.round("ana", "ben")  # asks, is answered, signs
    world.round("ana", "ben")
    assert shown(world).days_left(world.clock.today) == 7
    assert ana.opens_all()
    assert ben.opens_all()


def test_two_signatures_one_device_alone_signs_once_only(world: World) -> None:
    world.publish(threshold=2)
    world.round("ana")
    before = world.server.team.draft()
    world.round("ana")
    assert world.server.team.draft() == before
    world.clock.forward(days=4)
    world.round("ana")
    assert world.server.team.draft() != before, "a draft with few days left counts as none"
    world.round("ben", "ana")
    assert shown(world).days_left(world.clock.today) == 7


def test_two_signatures_drafts_made_at_once(world: World) -> None:
    world.publish(threshold=2)
    ana, ben = world.desks["ana"], world.desks["ben"]

    def meanwhile(name: str) -> None:
        if name == "before put_draft":
            ana.road._step = lambda _: None
            ben.sync()

    ana.road._step = meanwhile
    assert ana.sync().duty_published, "Ana signs Ben's draft at the second try"
    assert ana.opens_all()
    assert ben.opens_all()


def test_an_older_duty_list_is_an_alarm_and_is_replaced(world: World) -> None:
    path = world.server.signed.path("duty")
    old = path.read_bytes()
    world.clock.forward(days=4)
    world.round()
    path.write_bytes(old)
    reports = world.round()
    assert any("older duty list" in alarm for alarm in reports[0].alarms)
    assert shown(world).days_left(world.clock.today) == 7


def test_two_duty_lists_with_one_number_are_an_alarm(world: World) -> None:
    path = world.server.signed.path("duty")
    held = path.read_bytes()
    path.unlink()
    ana = world.desks["ana"]
    ana.vault.rows("DELETE FROM duty")
    ana.vault.rows("DELETE FROM signed WHERE kind = 'duty'")
    serial = shown_serial(ana)
    world.round("ana")
    assert shown(world).claim.serial <= serial + 1
    path.write_bytes(held)
    (report,) = world.round("ana")
    assert any("Two different versions of the duty list" in alarm or "older" in alarm for alarm in report.alarms)


def shown_serial(desk: Desk) -> int:
    held = desk.team.duty.held(desk.trusted.roster.hash)
    return held.claim.serial if held is not None else 0


def test_warnings_from_three_days_on(world: World) -> None:
    team, today = world.desks["ana"].team, world.clock.today
    assert team.warnings(today + 3) == ()
    assert team.warnings(today + 4)[0].startswith("Duty keys are left for 3 days")


# Destruction.


def test_10_6_a_key_is_destroyed_once_the_editions_of_the_day_after_are_stored(world: World) -> None:
    ana, today = world.desks["ana"], world.clock.today
    world.clock.forward(days=1)
    world.round()
    assert today in ana.duty_epochs()
    world.clock.forward(editions=2)  # the last edition of the day after has closed
    reports = world.round()
    assert [report.keys_destroyed for report in reports] == [1, 1]
    assert today not in ana.duty_epochs()
    assert today + 1 in ana.duty_epochs()
    assert ana.team.duty.view().destroyed == today


def test_10_6_a_switched_off_laptop_destroys_nothing(world: World) -> None:
    before = world.desks["ana"].duty_epochs()
    world.clock.forward(days=5)
    world.desks["ana"].restart()
    assert world.desks["ana"].duty_epochs() == before


def destroyed(world: World, listed: list[Listed]) -> list[int]:
    """What Ana destroys when the door lists this."""
    ana = world.desks["ana"]
    before = ana.duty_epochs()
    ana.world.server.editions = lambda: listed  # type: ignore[method-assign]
    ana.sync()
    return sorted(set(before) - set(ana.duty_epochs()))


def test_10_6_never_by_its_clock_alone(world: World) -> None:
    world.clock.forward(days=3)
    assert destroyed(world, []) == []


def test_10_6_never_by_the_list_alone(world: World) -> None:
    """A server that lists editions of the future does not make a desk forget what is still to come."""
    ahead = QUARTERS * (world.clock.today + 1) + 3
    listed = [Listed(number, 32, world.server.hash(number)) for number in range(ahead - 8, ahead + 1)]
    assert destroyed(world, listed) == []


@pytest.mark.parametrize("what", ["not read", "another hash"])
def test_10_6_not_while_an_edition_is_not_stored(world: World, what: str) -> None:
    ana, today = world.desks["ana"], world.clock.today
    world.clock.forward(days=3)
    collect, number = ana._collect, QUARTERS * today + 3

    def spoil(listed: list[Listed]) -> None:
        collect(listed)
        change = "read = 0" if what == "not read" else "hash = x'00'"
        ana.vault.rows(f"UPDATE edition SET {change} WHERE number = ?", number)  # noqa: S608  # one of two above

    ana._collect = spoil  # type: ignore[assignment,method-assign]
    ana.sync()
    assert today in ana.duty_epochs()
    ana._collect = collect  # type: ignore[method-assign]
    ana.vault.rows("DELETE FROM edition WHERE number = ?", number)
    ana.sync()
    assert today not in ana.duty_epochs()


def test_10_6_what_is_long_expired_is_destroyed_without_a_list(world: World) -> None:
    today = world.clock.today
    world.clock.forward(days=32)
    assert destroyed(world, [])[0] == today


def test_10_6_nothing_is_destroyed_before_the_transport_key_is_replaced(world: World) -> None:
    ana, today = world.desks["ana"], world.clock.today
    world.clock.forward(days=3)
    ana.road.losses = {"put_transport": ["before"]}
    ana.sync()
    assert today in ana.duty_epochs()
    ana.sync()
    assert today not in ana.duty_epochs()


def test_10_6_the_vault_itself_refuses_a_key_of_a_destroyed_epoch(world: World) -> None:
    seeds, today = world.desks["ana"].team.seeds, world.clock.today
    seeds.destroy([today])
    assert [seeds.keep(epoch, bytes(32), own=own) for epoch in (today - 1, today) for own in (True, False)] == [
        None
    ] * 4
    assert seeds.keep(today + 1, bytes(32), own=False) is not None
    assert world.desks["ana"].vault.rows("SELECT DISTINCT epoch FROM waiting_seed") == [(today + 1,)]
