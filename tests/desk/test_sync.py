"""What one sync takes in, and what it refuses."""

from __future__ import annotations

import secrets

import pytest

from sottovoce.desk.errors import DeskError
from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import Vault
from sottovoce.protocol.envelope import seen_bit, seen_bitmap
from sottovoce.protocol.keys import KemKey, kem_public
from sottovoce.protocol.sealing import SUITE

from .conftest import SLOT, World


def test_a_message_arrives_and_is_read(open_world: World) -> None:
    source = open_world.source()
    source.write("سلام, the ledger is false")
    report = open_world.desk.sync(open_world.road)
    assert (report.messages, report.complete, report.alarms) == (1, True, [])
    (conversation,) = open_world.desk.conversations()
    assert (conversation.id, conversation.sign, conversation.unread) == (source.keys.id, source.keys.sign, 1)
    (entry,) = open_world.desk.read(" ".join(source.keys.sign))
    assert (entry.incoming, entry.text, entry.state) == (True, "سلام, the ledger is false", "new")
    assert open_world.desk.read(conversation.id.hex()[:8])[0].state == "read"
    assert open_world.desk.status().unread == 0


def test_the_desk_learns_in_which_language_a_source_reads(open_world: World) -> None:
    source = open_world.source()
    source.write("the ledger is false", language="zh-Hant")
    source.write("so long that it takes two parts" * 200, language="fa")
    source.write("by an older program")
    open_world.desk.sync(open_world.road)
    found = {entry.text[:7]: entry.language for entry in open_world.desk.read(" ".join(source.keys.sign))}
    assert found == {"the led": "zh-Hant", "so long": "fa", "by an o": None}


def test_all_is_fetched_once_own_answers_too(open_world: World) -> None:
    source = open_world.source()
    source.write("one")
    open_world.desk.sync(open_world.road)
    open_world.desk.answer(source.keys.id.hex(), "two")
    assert open_world.desk.sync(open_world.road).sent == 1
    report = open_world.desk.sync(open_world.road)  # the road fails a second fetch
    assert (report.fetched, report.others) == (1, 1)
    assert open_world.desk.sync(open_world.road).fetched == 0


def test_a_batch_has_at_most_128_tags(open_world: World) -> None:
    for _ in range(130):
        open_world.road.arrive(secrets.token_bytes(16), bytes(8_192))
    assert open_world.desk.sync(open_world.road).others == 130


def test_a_replay_in_a_new_envelope_is_not_shown_again(open_world: World) -> None:
    source, message_id = open_world.source(), secrets.token_bytes(16)
    source.write("once", id=message_id)
    open_world.desk.sync(open_world.road)
    source.write("once", id=message_id)
    source.write("and changed", id=message_id)
    report = open_world.desk.sync(open_world.road)
    assert (report.messages, report.replayed) == (0, 2)
    assert [entry.text for entry in open_world.desk.read(source.keys.id.hex())] == ["once"]


def test_an_envelope_moved_to_another_tag_is_refused(open_world: World) -> None:
    ((_, envelope),) = open_world.source().seal("mine")
    open_world.road.arrive(secrets.token_bytes(16), envelope)
    report = open_world.desk.sync(open_world.road)
    assert (report.messages, report.others) == (0, 1)


def test_hostile_envelopes_never_stop_a_sync(open_world: World) -> None:
    """Garbage, a wrong size, sealed nonsense, and a message whose MACs are another device's: the good one arrives."""
    road, source = open_world.road, open_world.source()
    road.arrive(secrets.token_bytes(16), secrets.token_bytes(8_192))
    road.arrive(secrets.token_bytes(16), b"short")
    tag = secrets.token_bytes(16)
    road.arrive(tag, _sealed_nonsense(open_world, tag))
    forger = open_world.source()
    forger.keys.pair = lambda slot, member: source.keys.pair(slot + 1 & 15, member)  # type: ignore[method-assign]
    forger.write("forged")
    source.write("good")
    report = open_world.desk.sync(road)
    assert (report.messages, report.others) == (1, 1)
    assert report.refused == {"size": 1, "header": 1, "authentication": 1}


def _sealed_nonsense(world: World, tag: bytes) -> bytes:
    today = world.clock.today
    ((_, seed),) = world.vault.duty_seeds([today])
    info = b"sottovoce/v1/envelope" + world.office.org + b"\0" + today.to_bytes(4, "big") + tag
    return SUITE.encrypt(b"\xff" * 7_056, kem_public(KemKey(seed).public), info)


def test_a_message_of_yesterday_is_opened_with_yesterdays_key(open_world: World) -> None:
    (sealed,) = open_world.source().seal("just before midnight")
    open_world.clock.forward(editions=2)
    open_world.road.arrive(*sealed)
    assert open_world.desk.sync(open_world.road).messages == 1


def test_seen_marks_the_answers_that_the_source_saw(open_world: World) -> None:
    source, name = open_world.source(), ""
    source.write("one")
    open_world.desk.sync(open_world.road)
    name = source.keys.id.hex()
    open_world.desk.answer(name, "two")
    open_world.desk.sync(open_world.road)
    assert [entry.state for entry in open_world.desk.read(name)] == ["new", "sent"]
    place = source.answers()[0].place
    open_world.clock.forward(days=2)
    open_world.desk.sync(open_world.road)
    other = {seen_bit(open_world.clock.today, place.epoch, SLOT, (place.n + 1) % 4)}
    source.write("three", seen=seen_bitmap(other))
    open_world.desk.sync(open_world.road)
    assert open_world.desk.read(name)[1].state == "sent"
    source.write("four", seen=seen_bitmap({seen_bit(open_world.clock.today, place.epoch, SLOT, place.n)}))
    open_world.desk.sync(open_world.road)
    assert open_world.desk.read(name)[1].state == "seen"


def test_a_broken_road_is_reported_and_loses_nothing(open_world: World) -> None:
    open_world.source().write("one")
    open_world.road.losses = {"fetch": ["before"]}
    report = open_world.desk.sync(open_world.road)
    assert (report.complete, report.messages) == (False, 0)
    assert report.warnings == ["The connection to the server broke: try again."]
    assert open_world.desk.sync(open_world.road).messages == 1


def test_a_crash_while_a_message_is_kept_leaves_neither_tag_nor_message(
    open_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_world.source()
    source.write("one")
    rows = Vault.rows

    def fail(self: Vault, sql: str, *values: object) -> list[tuple[object, ...]]:
        if "INTO message" in sql:
            raise KeyboardInterrupt
        return rows(self, sql, *values)

    monkeypatch.setattr(Vault, "rows", fail)
    desk = Desk(open_world.vault, open_world.clock, secrets.token_bytes)
    with pytest.raises(KeyboardInterrupt):
        desk.sync(open_world.road)
    monkeypatch.undo()
    open_world.restart()
    assert open_world.desk.conversations() == []
    assert open_world.vault.rows("SELECT * FROM taken WHERE opened") == []
    assert open_world.sync().messages == 1


def test_a_name_must_fit_one_conversation(open_world: World) -> None:
    sources = [open_world.source() for _ in range(17)]  # so two ids begin alike
    for source in sources:
        source.write("x")
    open_world.desk.sync(open_world.road)
    firsts = [source.keys.id.hex()[0] for source in sources]
    double = next(first for first in firsts if firsts.count(first) > 1)
    with pytest.raises(DeskError, match="Several conversations"):
        open_world.desk.read(double)
    for name in ("", "zebra zebra", "zz", "one two three"):
        with pytest.raises(DeskError, match="no conversation"):
            open_world.desk.find(name)
    sign = sources[0].keys.sign
    assert open_world.desk.find(f"{sign[0].upper()}-{sign[1]}") == sources[0].keys.id
