"""The duty list's renewal and its order, and what the server may not get away with."""

from __future__ import annotations

from sottovoce.protocol.keys import KemKey
from sottovoce.trust.duty import DutyList, UntrustedDutyList
from sottovoce.trust.roster import UntrustedRoot, UntrustedRoster

from .conftest import World


def shown_duty(world: World) -> DutyList:
    """The duty list as a source verifies it."""
    today = world.clock.today
    root = UntrustedRoot.of(world.office.root).verify(world.office.org, today)
    roster = UntrustedRoster.of(world.road.things["roster"]).verify(root, today)
    return UntrustedDutyList.of(world.road.things["duty"]).verify(roster, today)


def opens_all(world: World) -> bool:
    """Whether the vault has the private half of every key that is shown."""
    keys = shown_duty(world).keys
    return {epoch: KemKey(seed).public for epoch, seed in world.vault.duty_seeds(keys)} == keys


def test_the_first_sync_publishes_seven_days(world: World) -> None:
    assert world.sync().duty_published
    duty, today = shown_duty(world), world.clock.today
    assert list(duty.keys) == list(range(today, today + 7))
    assert duty.claim.serial == 1
    assert opens_all(world)


def test_a_list_is_renewed_below_four_days_and_keeps_its_keys(open_world: World) -> None:
    before = shown_duty(open_world).keys
    open_world.clock.forward(days=3)
    assert not open_world.sync().duty_published
    open_world.clock.forward(days=1)
    assert open_world.desk.status().warnings[0].startswith("Duty keys are left for 3 days")
    assert open_world.sync().duty_published
    after = shown_duty(open_world)
    assert after.claim.serial == 2
    assert all(after.keys[epoch] == before[epoch] for epoch in after.keys if epoch in before)
    assert open_world.desk.status().duty_days == 7


def test_an_older_roster_stops_the_sync(open_world: World) -> None:
    old = open_world.road.things["roster"]
    open_world.road.things["roster"] = open_world.office.roster(2, open_world.request)
    assert open_world.desk.sync(open_world.road).duty_published  # the list names the new roster
    open_world.source().write("one")
    open_world.road.things["roster"] = old
    report = open_world.desk.sync(open_world.road)
    assert any("older than one that was seen before" in alarm for alarm in report.alarms)
    assert (report.fetched, report.complete) == (0, True)


def test_two_rosters_with_one_number_are_an_alarm(open_world: World) -> None:
    open_world.road.things["roster"] = open_world.office.roster(1, open_world.request)
    report = open_world.desk.sync(open_world.road)
    assert report.alarms == ["Two different versions of the roster have the number 1: ask the office at once."]


def test_a_roster_below_the_cards_least_is_refused(open_world: World) -> None:
    open_world.road.things["card"] = open_world.office.card(2, least_roster=5)
    report = open_world.desk.sync(open_world.road)
    assert any("older than one that was seen before" in alarm for alarm in report.alarms)


def test_a_message_under_the_roster_before_is_still_read(open_world: World) -> None:
    open_world.source().write("under the old one")
    open_world.road.things["roster"] = open_world.office.roster(2, open_world.request)
    assert open_world.desk.sync(open_world.road).messages == 1


def test_a_message_under_a_roster_that_was_never_seen_is_counted_only(open_world: World) -> None:
    road, good = open_world.road, dict(open_world.road.things)
    road.things["roster"] = open_world.office.roster(2, open_world.request)
    twin = open_world.vault.rows("SELECT raw FROM signed WHERE kind = 'roster'")
    open_world.desk.sync(road)
    open_world.source().write("one")
    open_world.vault.rows("DELETE FROM signed WHERE kind = 'roster' AND serial = 2")
    road.things.update(good)
    assert len(twin) == 1
    assert open_world.desk.sync(road).elsewhere == 1


def test_a_removed_device_is_told_and_posts_nothing(open_world: World) -> None:
    source = open_world.source()
    source.write("one")
    open_world.desk.sync(open_world.road)
    open_world.desk.answer(source.keys.id.hex(), "two")
    open_world.road.things["roster"] = open_world.office.roster(2, None)
    report = open_world.desk.sync(open_world.road)
    assert any("no longer, in the roster" in warning for warning in report.warnings)
    assert (report.sent, report.waiting, report.duty_published) == (0, 1, False)
    assert open_world.desk.status().slot is None


def test_two_needed_signatures_are_told(open_world: World) -> None:
    open_world.road.things["roster"] = open_world.office.roster(2, open_world.request, threshold=2)
    report = open_world.desk.sync(open_world.road)
    assert any("has not the signatures it needs" in warning for warning in report.warnings)
    assert not report.duty_published


def test_a_server_without_roster_is_told_and_nothing_is_fetched(world: World) -> None:
    del world.road.things["roster"]
    report = world.desk.sync(world.road)
    assert report.warnings[0] == "The server shows no roster: ask who runs it."


def test_after_an_absence_longer_than_the_list_a_new_one_is_published(open_world: World) -> None:
    open_world.clock.forward(days=8)
    report = open_world.desk.sync(open_world.road)
    assert report.duty_published
    assert opens_all(open_world)
