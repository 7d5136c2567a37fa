"""Editions at the desk: each is read once, whole, and held against what was known of it (spec 9.6 to 9.9)."""

from __future__ import annotations

import secrets

import pytest

from sottovoce.desk.road import SyncReport
from sottovoce.pool.edition import edition_bytes
from sottovoce.protocol.sizes import QUARTERS

from .conftest import World

TELL = "tell the office, keep this vault, and take the address out of use"


def alarms(world: World) -> list[str]:
    """What a sync alarms of; it also stands in the status afterwards, with the day."""
    report: SyncReport = world.desk.sync(world.road)
    kept = dict(world.desk.status().alarms)
    assert all(kept[alarm] == world.clock.today for alarm in report.alarms)
    assert all(TELL in alarm or "of use" in alarm for alarm in report.alarms)
    return report.alarms


def written(world: World, text: str = "words") -> int:
    """A message in the edition that is open now; the edition is closed afterwards."""
    world.source().write(text)
    number = world.clock.edition
    world.clock.forward(editions=1)
    return number


def replaced(raw: bytes, count: int = 1) -> bytes:
    """An edition of the same number whose last envelopes are others."""
    return raw[: -8_192 * count] + secrets.token_bytes(8_192 * count)


def test_9_6_an_edition_is_read_to_its_end_once(open_world: World) -> None:
    number = written(open_world)
    report = open_world.sync()
    assert (report.editions, report.messages, report.fetched) == (1, 1, 32)
    assert (open_world.sync().editions, open_world.road.downloads) == (0, [number])
    assert open_world.vault.rows("SELECT count(*) FROM taken") == [(0,)], "nothing is remembered of what is whole"


def test_one_message_in_pending_and_in_its_edition_is_kept_once(open_world: World) -> None:
    source = open_world.source()
    source.write("once")
    assert open_world.sync().messages == 1
    open_world.clock.forward(editions=1)
    report = open_world.sync()
    assert (report.editions, report.messages, report.replayed, report.fetched) == (1, 0, 0, 31)
    assert open_world.texts(source) == ["once"]


def test_a_replay_across_editions_is_not_shown_again(open_world: World) -> None:
    """Spec 7.2.7: sealed anew with the same message id, in a later edition."""
    source, message_id = open_world.source(), secrets.token_bytes(16)
    for text in ("once", "once", "and changed"):
        source.write(text, id=message_id)
        open_world.clock.forward(editions=1)
    report = open_world.sync()
    assert (report.messages, report.replayed) == (1, 2)
    assert open_world.texts(source) == ["once"]


def test_an_edition_with_one_pending_envelope_missing_is_an_alarm(open_world: World) -> None:
    source = open_world.source()
    source.write("held back from others")
    assert open_world.sync().messages == 1
    open_world.road.withheld = set(open_world.road.pool)
    open_world.clock.forward(editions=1)
    (alarm,) = alarms(open_world)
    assert alarm.startswith("1 envelopes that were pending are in no edition.")
    assert alarms(open_world) == [], "told once; the status keeps it"


def test_a_pending_envelope_that_was_listed_only_is_missed_too(open_world: World) -> None:
    open_world.source().write("never fetched")
    open_world.road.losses = {"fetch": ["before"]}
    assert not open_world.desk.sync(open_world.road).complete
    open_world.road.withheld = set(open_world.road.pool)
    open_world.clock.forward(editions=1)
    assert len(alarms(open_world)) == 1


def test_a_pending_envelope_exchanged_in_its_edition_is_an_alarm(open_world: World) -> None:
    source = open_world.source()
    ((tag, envelope),) = source.seal("mine")
    open_world.road.arrive(tag, envelope)
    open_world.sync()
    open_world.road.pool[tag] = (open_world.clock.edition, secrets.token_bytes(8_192))
    open_world.clock.forward(editions=1)
    assert len(alarms(open_world)) == 1


@pytest.mark.parametrize("kind", ["answer", "dummy"])
def test_an_own_post_that_is_in_no_edition_is_an_alarm(open_world: World, kind: str) -> None:
    source = open_world.source()
    source.write("first")
    open_world.sync()
    if kind == "answer":
        open_world.desk.answer(source.keys.id.hex(), "two")
        assert open_world.sync().sent == 1
    else:
        open_world.desk.post_one(open_world.road)
    open_world.road.withheld = {open_world.road.puts[0][1]}
    open_world.clock.forward(editions=1)
    assert [alarm[:40] for alarm in alarms(open_world)] == ["1 envelopes that this desk posted are in"]


def test_an_own_post_that_appears_is_forgotten(open_world: World) -> None:
    open_world.desk.post_one(open_world.road)
    assert len(open_world.vault.rows("SELECT * FROM posted")) == 1
    open_world.clock.forward(editions=1)
    open_world.sync()
    assert open_world.vault.rows("SELECT * FROM posted") == []


def test_an_edition_changed_after_it_was_seen_is_an_alarm(open_world: World) -> None:
    number = written(open_world)
    open_world.sync()
    open_world.road.closed[number] = replaced(open_world.road.closed[number])
    (alarm,) = alarms(open_world)
    assert "is not the one that was listed before" in alarm
    assert len(alarms(open_world)) == 1, "as long as it is so"


def test_an_edition_that_vanishes_before_its_time_is_an_alarm(open_world: World) -> None:
    number = written(open_world)
    open_world.sync()
    open_world.road.hidden = {number}
    assert "is not listed any more" in alarms(open_world)[0]


def test_an_edition_that_dies_in_its_time_is_none(open_world: World) -> None:
    open_world.road.off = set(range(open_world.clock.edition + 1, open_world.clock.edition + 200))
    written(open_world)
    open_world.sync()
    open_world.clock.forward(days=31)
    assert open_world.desk.sync(open_world.road).alarms == []
    assert open_world.road.closed == {}


def test_an_edition_that_comes_late_into_a_gap_is_an_alarm_and_is_read(open_world: World) -> None:
    open_world.clock.forward(editions=1)
    open_world.sync()
    number = written(open_world, "hidden at first")
    open_world.road.hidden = {number}
    open_world.clock.forward(editions=1)
    open_world.sync()
    open_world.road.hidden = set()
    report = open_world.desk.sync(open_world.road)
    assert "was listed only after later ones" in report.alarms[0]
    assert report.messages == 1


def test_an_edition_of_the_future_is_an_alarm_and_is_not_read(open_world: World) -> None:
    future = open_world.clock.edition + 2 * QUARTERS
    held = {secrets.token_bytes(16): secrets.token_bytes(8_192) for _ in range(32)}
    open_world.road.closed[future] = edition_bytes(future, held)
    assert "in the future" in alarms(open_world)[0]
    assert open_world.road.downloads == []
    assert not open_world.desk.editions.through(open_world.clock.today), "or keys would be destroyed by it"


def test_bytes_that_differ_from_the_list_are_an_alarm_and_not_stored(open_world: World) -> None:
    source, number = open_world.source(), open_world.clock.edition
    source.write("good")
    open_world.clock.forward(editions=1)
    open_world.road.editions()
    open_world.road.altered[number] = replaced(open_world.road.closed[number], 20)
    report = open_world.desk.sync(open_world.road)
    assert "has other bytes than the door lists" in report.alarms[0]
    assert open_world.vault.rows("SELECT number FROM edition WHERE read") == []
    open_world.road.altered = {}
    assert open_world.desk.sync(open_world.road).alarms == []
    assert open_world.texts(source) == ["good"]
    assert open_world.vault.rows("SELECT number FROM edition WHERE read") == [(number,)]


@pytest.mark.parametrize("cut", [0, 10, 500, 100_000])
def test_an_edition_that_is_cut_is_an_alarm(open_world: World, cut: int) -> None:
    number = written(open_world)
    open_world.road.editions()
    open_world.road.altered[number] = open_world.road.closed[number][:cut]
    assert "has other bytes" in alarms(open_world)[0]


def test_what_a_lying_stream_showed_counts_for_nothing(open_world: World) -> None:
    """The bytes with our own post come first, under a wrong hash; then the right ones, without it."""
    open_world.desk.post_one(open_world.road)
    number, (_, tag, sealed) = open_world.clock.edition, open_world.road.puts[0]
    open_world.clock.forward(editions=1)
    open_world.road.editions()
    held = {b"\xff" * 8 + secrets.token_bytes(8): secrets.token_bytes(8_192) for _ in range(256)}
    lie = dict(list(held.items())[:255]) | {tag: sealed}  # longer than a batch
    open_world.road.closed[number], open_world.road.altered[number] = (edition_bytes(number, h) for h in (held, lie))
    assert len(open_world.desk.sync(open_world.road).alarms) == 1
    open_world.road.altered = {}
    assert "that this desk posted" in alarms(open_world)[0]


def test_a_road_that_breaks_in_an_edition_loses_nothing_and_is_no_alarm(open_world: World) -> None:
    source = open_world.source()
    for letter in "abc":
        source.write(letter)
    open_world.clock.forward(editions=1)
    open_world.road.losses = {"edition": ["after", "before"]}
    for _ in range(2):
        report = open_world.desk.sync(open_world.road)
        assert (report.complete, report.alarms) == (False, [])
    assert open_world.sync().editions == 1
    assert sorted(open_world.texts(source)) == ["a", "b", "c"]


def test_without_a_key_for_its_days_an_edition_is_not_downloaded(open_world: World) -> None:
    open_world.clock.forward(days=10)
    report = open_world.sync()
    first = open_world.clock.edition - 10 * QUARTERS
    assert max(open_world.road.downloads) < first + 7 * QUARTERS + QUARTERS
    assert report.editions < 34
    assert open_world.vault.rows("SELECT count(*) FROM edition") == [(40,)], "but its hash is remembered"


def test_a_key_that_comes_late_opens_what_was_read_without_it(open_world: World) -> None:
    source, today = open_world.source(), open_world.clock.today
    ((_, seed),) = open_world.vault.duty_seeds([today])
    source.write("in an edition")
    open_world.vault.rows("DELETE FROM duty WHERE epoch = ?", today)
    open_world.clock.forward(editions=1)
    source.write("pending")
    assert open_world.sync().messages == 0
    open_world.vault.keep_duty_seeds([(today, seed)])
    open_world.road.may_ask_again = True
    assert open_world.sync().messages == 2
    assert sorted(open_world.texts(source)) == ["in an edition", "pending"]


def test_what_is_read_anew_for_a_key_is_no_replay(open_world: World) -> None:
    source = open_world.source()
    source.write("once")
    open_world.clock.forward(editions=1)
    assert open_world.sync().messages == 1
    open_world.vault.keep_duty_seeds([(open_world.clock.today, secrets.token_bytes(32))])
    open_world.road.may_ask_again = True
    report = open_world.sync()
    assert (report.editions, report.messages, report.replayed) == (1, 0, 0)


def test_7_5_through_an_epoch_needs_every_edition_of_it_and_of_the_next_day(open_world: World) -> None:
    today, through = open_world.clock.today, open_world.desk.editions.through
    open_world.clock.forward(editions=5)  # noon: until the last edition of tomorrow is open
    open_world.sync()
    assert not through(today)
    open_world.clock.forward(editions=1)
    open_world.road.losses = {"edition": ["before"]}
    open_world.desk.sync(open_world.road)
    assert not through(today), "the last is listed, and not read"
    open_world.sync()
    assert through(today)
    assert not through(today + 1)
