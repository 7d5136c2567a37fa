"""Answers: one an edition, sealed once, posted until the pool has them."""

from __future__ import annotations

import secrets

import pytest

from sottovoce.desk.errors import DeskError
from sottovoce.desk.outbox import ROOM, edition_in
from sottovoce.desk.sync import Desk
from sottovoce.pool.errors import PutResult, Reply
from sottovoce.protocol.envelope import seen_bit, seen_bitmap
from sottovoce.protocol.sizes import EPOCH_SECONDS

from .conftest import SLOT, Source, World

LONG = "The ledger of the harbour. " * 700  # three parts


@pytest.fixture
def source(open_world: World) -> Source:
    """A source whose message lies in the vault."""
    source = open_world.source()
    source.write("first")
    open_world.desk.sync(open_world.road)
    return source


def test_texts_queued_together_travel_together(open_world: World, source: Source) -> None:
    name = source.keys.id.hex()
    assert open_world.desk.answer(name, "one") is None
    assert open_world.desk.answer(name, "two") is None
    report = open_world.desk.sync(open_world.road)
    assert (report.sent, report.waiting) == (1, 0)
    (answer,) = source.answers()
    assert answer.body.text == "one\n\ntwo"
    assert (answer.received, answer.newest) == (1, open_world.clock.today)


def test_the_next_answer_waits_for_the_next_edition(open_world: World, source: Source) -> None:
    name = source.keys.id.hex()
    open_world.desk.answer(name, "one")
    open_world.desk.sync(open_world.road)
    assert open_world.desk.answer(name, "two") == 18
    report = open_world.desk.sync(open_world.road)
    assert (report.sent, report.waiting) == (0, 1)
    assert [(each.conversation, each.hour) for each in report.waits] == [(source.keys.id, 18)]
    open_world.clock.forward(editions=1)
    assert open_world.desk.sync(open_world.road).sent == 1
    assert [answer.body.text for answer in source.answers()] == ["one", "two"]


def test_what_does_not_fit_waits(open_world: World, source: Source) -> None:
    name = source.keys.id.hex()
    for letter in "abc":
        open_world.desk.answer(name, letter * (ROOM // 2 - 1))
    report = open_world.desk.sync(open_world.road)
    assert (report.sent, report.waiting) == (1, 1)
    assert {len(answer.body.text) for answer in source.answers()} == {2 * (ROOM // 2 - 1) + 2}


def test_6_4_the_longest_text_goes_and_one_byte_more_is_refused(open_world: World, source: Source) -> None:
    name = source.keys.id.hex()
    assert ROOM == 112_423
    with pytest.raises(DeskError, match="1 bytes too long"):
        open_world.desk.answer(name, "é" + "x" * (ROOM - 1))
    with pytest.raises(DeskError, match="empty"):
        open_world.desk.answer(name, " \n")
    with pytest.raises(DeskError, match="not proper text"):
        open_world.desk.answer(name, "\udc80")
    open_world.desk.answer(name, "x" * ROOM)
    assert open_world.desk.sync(open_world.road).sent == 1


@pytest.mark.parametrize("loss", ["before", "after"])
def test_a_lost_put_is_retried_with_the_same_bytes_after_a_restart(
    open_world: World, source: Source, loss: str
) -> None:
    open_world.desk.answer(source.keys.id.hex(), "one")
    open_world.road.losses = {"put": [loss]}  # type: ignore[list-item]  # parametrize knows no literals
    report = open_world.desk.sync(open_world.road)
    assert (report.sent, report.waiting, report.complete) == (0, 1, False)
    open_world.restart()
    open_world.clock.forward(editions=1)
    assert open_world.desk.sync(open_world.road).sent == 1
    # Where only the reply was lost, the edition shows that it arrived.
    assert [put[1:] for put in open_world.road.puts] == [open_world.road.puts[0][1:]] * (2 if loss == "before" else 1)
    assert [answer.body.text for answer in source.answers()] == ["one"]


def test_a_crash_between_seal_and_put_loses_and_doubles_nothing(
    open_world: World, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    open_world.desk.answer(source.keys.id.hex(), "one")
    monkeypatch.setattr(open_world.road, "put", die)
    with pytest.raises(KeyboardInterrupt):
        open_world.desk.sync(open_world.road)
    monkeypatch.undo()
    open_world.restart()
    kept = open_world.vault.rows("SELECT epoch, tag, envelope FROM sealed")
    assert open_world.desk.sync(open_world.road).sent == 1
    assert open_world.road.puts == kept
    assert [entry.state for entry in open_world.desk.read(source.keys.id.hex())] == ["new", "sent"]
    assert open_world.vault.rows("SELECT * FROM sealed") == []


def test_a_full_pool_keeps_answers_here(open_world: World, source: Source) -> None:
    open_world.desk.answer(source.keys.id.hex(), "one")
    open_world.road.full = True
    report = open_world.desk.sync(open_world.road)
    assert (report.sent, report.waiting) == (0, 1)
    assert "The pool is full" in report.warnings[0]
    open_world.road.full = False
    assert open_world.desk.sync(open_world.road).sent == 1
    assert open_world.road.puts[0] == open_world.road.puts[1]


def test_another_envelope_in_our_place_is_an_alarm_and_the_text_goes_later(open_world: World, source: Source) -> None:
    road, name = open_world.road, source.keys.id.hex()
    open_world.desk.answer(name, "one")
    road.losses = {"put": ["before"]}
    open_world.desk.sync(road)
    road.arrive(road.puts[0][1], secrets.token_bytes(8_192))
    report = open_world.desk.sync(road)
    assert "Something else lies in the place" in report.alarms[0]
    open_world.desk.answer(name, "two")
    assert open_world.desk.sync(road).sent == 0
    open_world.clock.forward(editions=1)
    del road.pool[road.puts[0][1]]
    assert open_world.desk.sync(road).sent == 1
    assert [answer.body.text for answer in source.answers()] == ["one\n\ntwo"]


def test_a_clock_a_day_ahead_seals_again_once_for_the_servers_day(open_world: World, source: Source) -> None:
    ahead = Desk(open_world.vault, lambda: open_world.clock.time + EPOCH_SECONDS, secrets.token_bytes)
    ahead.answer(source.keys.id.hex(), "one")
    assert ahead.sync(open_world.road).sent == 1
    today = open_world.clock.today
    assert [epoch for epoch, _, _ in open_world.road.puts] == [today + 1, today]
    assert [(answer.place.epoch, answer.body.text) for answer in source.answers()] == [(today, "one")]


def test_a_clock_far_off_is_told_and_the_answer_stays(open_world: World, source: Source) -> None:
    ahead = Desk(open_world.vault, lambda: open_world.clock.time + 3 * EPOCH_SECONDS, secrets.token_bytes)
    ahead.answer(source.keys.id.hex(), "one")
    report = ahead.sync(open_world.road)
    assert (report.sent, report.waiting, len(open_world.road.puts)) == (0, 1, 1)
    assert any("differ by more than a day" in warning for warning in report.warnings)
    assert open_world.desk.sync(open_world.road).sent == 1


def test_an_answer_that_was_offline_for_days_is_sealed_for_today(open_world: World, source: Source) -> None:
    open_world.desk.answer(source.keys.id.hex(), "one")
    open_world.road.losses = {"put": ["before"]}
    open_world.desk.sync(open_world.road)
    open_world.clock.forward(days=3)
    assert open_world.desk.sync(open_world.road).sent == 1
    assert [answer.place.epoch for answer in source.answers()] == [open_world.clock.today]


def test_7_3_a_long_answer_is_sealed_whole_before_its_first_post_and_its_first_part_goes_last(
    open_world: World, source: Source
) -> None:
    open_world.desk.answer(source.keys.id.hex(), LONG)
    open_world.road.losses = {"put": ["after"]}
    assert open_world.desk.sync(open_world.road).sent == 0
    kept = open_world.vault.rows("SELECT tag, envelope FROM sealed ORDER BY part DESC")
    assert len(kept) == 3
    open_world.restart()
    assert open_world.sync().sent == 1
    assert [put[1:] for put in open_world.road.puts] == [kept[0], *kept]
    assert source.answers()[0].body.text == LONG


def test_9_1_a_wrong_epoch_seals_all_parts_again_once(open_world: World, source: Source) -> None:
    ahead = Desk(open_world.vault, lambda: open_world.clock.time + EPOCH_SECONDS, secrets.token_bytes)
    ahead.answer(source.keys.id.hex(), LONG)
    assert ahead.sync(open_world.road).sent == 1
    today = open_world.clock.today
    assert [epoch for epoch, _, _ in open_world.road.puts] == [today + 1, today, today, today]
    assert len({tag for _, tag, _ in open_world.road.puts}) == 4, "one that was refused, and three of one answer"
    assert [(answer.place.epoch, answer.body.text) for answer in source.answers()] == [(today, LONG)]


def test_a_later_part_whose_place_is_taken_sends_the_whole_answer_later(open_world: World, source: Source) -> None:
    open_world.desk.answer(source.keys.id.hex(), LONG)
    open_world.road.losses = {"put": ["before"]}
    open_world.desk.sync(open_world.road)
    open_world.road.arrive(open_world.road.puts[0][1], secrets.token_bytes(8_192))
    report = open_world.desk.sync(open_world.road)
    assert "Something else lies in the place" in report.alarms[0]
    assert open_world.vault.rows("SELECT * FROM sealed") == []
    open_world.clock.forward(editions=1)
    assert open_world.sync().sent == 1
    assert [answer.body.text for answer in source.answers()] == [LONG]


def test_an_answer_unseen_for_25_days_is_offered_and_sent_anew_when_a_member_says_so(
    open_world: World, source: Source
) -> None:
    name = source.keys.id.hex()
    open_world.road.off = set(range(open_world.clock.edition, open_world.clock.edition + 200))
    for text in ("unseen", "seen"):
        open_world.desk.answer(name, text)
        open_world.sync()
        open_world.clock.forward(editions=1)
    place = source.answers()[1].place
    source.write("more", seen=seen_bitmap({seen_bit(open_world.clock.today, place.epoch, SLOT, place.n)}))
    open_world.sync()
    with pytest.raises(DeskError, match="nothing to send again"):
        open_world.desk.again(name)
    open_world.clock.forward(days=25)
    open_world.road.may_ask_again = True
    (conversation,) = open_world.desk.conversations()
    assert conversation.offered == 1
    assert any("`desk again` sends them anew" in warning for warning in open_world.desk.status().warnings)
    assert open_world.desk.again(name) == (1, None)
    assert open_world.desk.conversations()[0].offered == 0
    assert open_world.desk.sync(open_world.road).sent == 1
    assert [answer.body.text for answer in source.answers()] == ["unseen", "seen", "unseen"]


def test_the_hour_of_a_full_pool_is_told(open_world: World, source: Source) -> None:
    open_world.desk.answer(source.keys.id.hex(), "one")
    open_world.road.full = True
    assert "it takes more from 18:00 UTC on" in open_world.desk.sync(open_world.road).warnings[0]
    assert edition_in(Reply(PutResult.STORED, 10, 18)) == 42
    assert edition_in(Reply(PutResult.STORED, 10, 0)) == 43
