"""What the door shows, held against what the desk holds: a difference is an alarm that says what to do (spec 9.12)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from sottovoce.desk.compare import SAMPLE, sample
from sottovoce.pool.edition import Listed, edition_bytes

from .conftest import Office, World


def filled(world: World, editions: int = 3) -> list[int]:
    """So many editions, read."""
    begin = world.clock.edition
    world.clock.forward(editions=editions)
    world.sync()
    world.road.may_ask_again = True
    return list(range(begin, begin + editions))


def test_a_door_that_shows_what_members_see_is_as_it_should_be(open_world: World) -> None:
    filled(open_world, 8)
    report = open_world.desk.compare(open_world.road)
    assert (report.things, report.editions, report.alarms, report.warnings) == (4, 1 + SAMPLE, [], [])
    assert open_world.desk.compare(open_world.road, full=True).editions == 8


def older_roster(world: World) -> tuple[str, bytes]:
    old = world.road.things["roster"]
    world.road.things["roster"] = world.office.roster(2, world.request)
    world.sync()
    return "roster", old


def older_duty(world: World) -> tuple[str, bytes]:
    old = world.road.things["duty"]
    world.clock.forward(days=4)
    world.sync()
    return "duty", old


ATTACKS: dict[str, tuple[Callable[[World], tuple[str, bytes]], str]] = {
    "an older roster": (older_roster, "an older roster than this desk holds"),
    "an older duty list": (older_duty, "an older duty list than this desk holds"),
    "another roster of the same number": (
        lambda world: ("roster", world.office.roster(1, world.request)),
        "another roster with the number",
    ),
    "another card of the same number": (
        lambda world: ("card", world.office.sign("card", 1, ["Other", ["evil.onion"], ["en"], [], 1, 1])),
        "another card with the number",
    ),
    "a card of nobody": (lambda world: ("card", Office(world.clock).card()), "a card that is refused"),
    "another organisation's root": (lambda world: ("root", Office(world.clock).root), "a root that is refused"),
    "a damaged roster": (lambda world: ("roster", b"damaged"), "a roster that is refused"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_9_12_the_door_shows_sources(open_world: World, attack: str) -> None:
    make, said = ATTACKS[attack]
    kind, raw = make(open_world)
    open_world.road.at_door[kind], open_world.road.may_ask_again = raw, True
    for report in (open_world.desk.compare(open_world.road), open_world.desk.sync(open_world.road)):
        (alarm,) = report.alarms
        assert said in alarm
        assert "Tell the office, and take the address out of use" in alarm
    assert open_world.desk.status().alarms[0][0] == alarm


def test_a_door_without_a_valid_duty_list_is_a_warning(open_world: World) -> None:
    open_world.road.at_door = {"duty": None}
    assert "The door shows no duty list" in open_world.desk.compare(open_world.road).warnings[0]
    open_world.road.at_door = {"duty": b"x"}
    report = open_world.desk.compare(open_world.road)
    assert (report.things, report.alarms) == (3, [])
    assert "No source can write" in report.warnings[0]


def test_an_edition_whose_bytes_changed_behind_the_list_is_found(open_world: World) -> None:
    numbers = filled(open_world, 10)
    raw = open_world.road.closed[numbers[2]]
    open_world.road.altered[numbers[2]] = raw[:-1] + bytes([raw[-1] ^ 1])
    report = open_world.desk.compare(open_world.road, full=True)
    assert report.editions == 9
    assert ["has other bytes than the door lists" in alarm for alarm in report.alarms] == [True]


def test_an_edition_listed_with_another_hash_or_not_at_all_is_found(open_world: World) -> None:
    first, second, _ = filled(open_world)
    held = {secrets.token_bytes(16): secrets.token_bytes(8_192) for _ in range(32)}
    open_world.road.closed[first] = edition_bytes(first, held)
    open_world.road.hidden = {second}
    report = open_world.desk.compare(open_world.road)
    assert {alarm.partition("UTC ")[2].partition(".")[0] for alarm in report.alarms} == {
        "is not the one that was listed before",
        "is not listed any more",
    }


def test_9_12_an_edition_that_lacks_what_members_see_pending_is_found(open_world: World) -> None:
    """The server tells members of an envelope, and gives everybody an edition without it."""
    open_world.source().write("held back")
    (tag,) = open_world.road.pool
    pending = open_world.road.pending()
    open_world.road.withheld = {tag}
    open_world.clock.forward(editions=1)
    open_world.road.pending = lambda: pending  # type: ignore[method-assign]
    (alarm,) = open_world.desk.compare(open_world.road).alarms
    assert "lacks 1 envelopes that members were shown as pending" in alarm


def test_what_closes_while_it_compares_is_no_alarm(open_world: World) -> None:
    open_world.source().write("just in time")
    pending = open_world.road.pending()
    open_world.clock.forward(editions=1)
    open_world.road.pending = lambda: pending  # type: ignore[method-assign]
    report = open_world.desk.compare(open_world.road)
    assert (report.editions, report.alarms) == (1, [])


def test_a_broken_circuit_stops_only_what_it_carried(open_world: World) -> None:
    filled(open_world)
    open_world.road.losses = {"shown": ["before"]}
    report = open_world.desk.compare(open_world.road)
    assert (report.things, report.editions, report.complete, report.alarms) == (3, 3, False, [])


def test_a_comparison_changes_nothing_that_was_read(open_world: World) -> None:
    filled(open_world)
    tables = ("edition", "taken", "posted", "message", "plain")
    before = [open_world.vault.rows(f"SELECT * FROM {table}") for table in tables]  # noqa: S608  # ours
    open_world.desk.compare(open_world.road, full=True)
    assert [open_world.vault.rows(f"SELECT * FROM {table}") for table in tables] == before  # noqa: S608  # ours


def test_the_sample_has_the_newest_and_what_was_just_pending() -> None:
    listed = [Listed(number, 32, bytes(32)) for number in range(100)]
    chosen = sample(listed, [(7, b""), (200, b"")], secrets.token_bytes)
    assert {7, 99} < {each.number for each in chosen}
    assert len(set(chosen)) == len(chosen) == 2 + SAMPLE
    assert sample([], [], secrets.token_bytes) == []
    assert len({each.number for _ in range(50) for each in sample(listed, [], secrets.token_bytes)}) > 50
