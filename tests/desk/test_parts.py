"""Messages of several parts at the desk: loss, disorder, hostile parts, floods, and the order in which they show."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest

from sottovoce.desk.letters import Entry
from sottovoce.desk.order import Item, in_order
from sottovoce.desk.parts import Origin, Parts, beginning
from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import TO_DESK, Header, LaterPart
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.message import UntrustedMessage, UntrustedPart, read_at_desk
from sottovoce.protocol.reassembly import CANDIDATES, ORPHANS
from sottovoce.protocol.sealing import binding, seal, unseal

from .conftest import Source, World

LONG = "The ledger of the harbour. " * 700  # 18,900 bytes: three parts


def part(world: World, message_id: bytes, number: int, body: bytes, parts: int = 3) -> tuple[bytes, bytes]:
    """A later part that somebody else seals, who knows a message's id."""
    tag, today, key = secrets.token_bytes(16), world.clock.today, world.source().audience().duty
    plaintext = LaterPart(Header(TO_DESK, message_id, number, parts), body).encode()
    return tag, seal(plaintext, key, binding(world.office.org, TO_DESK, today, tag))


def entry(world: World, source: Source) -> Entry:
    (found,) = world.desk.read(source.keys.id.hex())
    return found


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_7_5_three_parts_in_any_order_and_in_different_editions(open_world: World, order: tuple[int, ...]) -> None:
    source = open_world.source()
    sealed = source.seal(LONG)
    assert len(sealed) == 3
    for step, place in enumerate(order):
        open_world.road.arrive(*sealed[place])
        report = open_world.sync()
        assert report.messages == (step == 2)
        open_world.clock.forward(editions=1)
    assert open_world.texts(source) == [LONG]
    open_world.sync()
    assert open_world.vault.rows("SELECT * FROM later") == []
    plain = open_world.vault.rows("SELECT tag, part FROM plain ORDER BY part")
    assert plain == [(tag, number) for number, (tag, _) in enumerate(sealed)], "a colleague may ask for them"


def test_two_of_three_parts_are_shown_with_the_beginning(open_world: World) -> None:
    source = open_world.source()
    first, _, third = source.seal(LONG)
    for each in (first, third):
        open_world.road.arrive(*each)
    assert open_world.sync().messages == 0
    shown = entry(open_world, source)
    assert (shown.have, shown.parts, shown.lost) == (2, 3, False)
    assert LONG.startswith(shown.text)
    assert len(shown.text) > 5_000
    assert open_world.desk.conversations()[0].messages == 1
    open_world.clock.forward(editions=6)
    open_world.sync()
    assert entry(open_world, source).lost, "every edition was read in which the second could have come"


def test_what_became_whole_is_new_again(open_world: World) -> None:
    source = open_world.source()
    first, *later = source.seal(LONG)
    open_world.road.arrive(*first)
    open_world.sync()
    assert [entry(open_world, source).state for _ in range(2)] == ["new", "read"]
    for each in later:
        open_world.road.arrive(*each)
    open_world.sync()
    assert open_world.desk.conversations()[0].unread == 1


def test_an_incomplete_message_is_not_counted_to_its_source_as_arrived(open_world: World) -> None:
    source = open_world.source()
    source.write("whole")
    open_world.road.arrive(*source.seal(LONG)[0])
    open_world.sync()
    open_world.desk.answer(source.keys.id.hex(), "thanks")
    open_world.sync()
    assert source.answers()[0].received == 1


def test_hostile_later_parts_do_not_keep_the_true_ones_out(open_world: World) -> None:
    """Spec 7.5: a member knows the id, and seals three further candidates for each part, some of them before."""
    source, message_id = open_world.source(), secrets.token_bytes(16)
    first, *later = source.seal(LONG, id=message_id)
    for number in (1, 2):
        open_world.road.arrive(*part(open_world, message_id, number, b"forged"))
    open_world.sync()
    for sealed in (first, *later):
        open_world.road.arrive(*sealed)
    for number in (1, 2):
        for forged in (b"also", b"and this"):
            open_world.road.arrive(*part(open_world, message_id, number, forged))
    assert open_world.sync().messages == 1
    assert open_world.texts(source) == [LONG]


def test_candidates_are_bounded_and_the_earliest_stay(open_world: World) -> None:
    message_id, parts = secrets.token_bytes(16), Parts(open_world.vault)

    def found(body: bytes) -> UntrustedPart:
        made = LaterPart(Header(TO_DESK, message_id, 1, 2), body)
        return UntrustedPart(made, made.encode())

    for edition in range(10, 20):
        parts.keep_later(found(b"%d" % edition), Origin(secrets.token_bytes(16), 1, edition))
    assert parts.candidates(message_id, 2) == [[b"10", b"11", b"12", b"13"]]
    assert parts.keep_later(found(b"true"), Origin(secrets.token_bytes(16), 1, 5))
    assert parts.candidates(message_id, 2) == [[b"true", b"10", b"11", b"12"]]
    assert not parts.keep_later(found(b"true"), Origin(secrets.token_bytes(16), 1, 4)), "the same again"
    assert len(parts.candidates(message_id, 2)[0]) == CANDIDATES


def test_a_whole_message_of_the_same_id_does_not_end_anothers_wait(open_world: World) -> None:
    source, other, message_id = open_world.source(), open_world.source(), secrets.token_bytes(16)
    first, *later = source.seal(LONG, id=message_id)
    for each in later:
        open_world.road.arrive(*each)
    other.write("mine", id=message_id)
    open_world.sync()
    other.write(LONG.upper(), id=message_id)
    open_world.sync()
    open_world.road.arrive(*first)
    open_world.sync()
    assert open_world.texts(source) == [LONG]


def test_a_flood_of_orphans_stays_bounded(open_world: World) -> None:
    """Later parts whose first one never comes: the oldest editions' go first, and a waiting message's stay."""
    source, parts = open_world.source(), Parts(open_world.vault)
    first, second, third = source.seal(LONG)
    open_world.road.arrive(*first)
    open_world.road.arrive(*second)
    open_world.sync()
    edition = open_world.clock.edition
    with open_world.vault.transaction():
        for number in range(ORPHANS + 50):
            made = LaterPart(Header(TO_DESK, number.to_bytes(16, "big"), 1, 2), b"x")
            origin = Origin(number.to_bytes(16, "little"), 1, edition - (number < 60))
            parts.keep_later(UntrustedPart(made, b"plaintext"), origin)
    open_world.sync()
    rows = dict(open_world.vault.rows("SELECT edition, count(*) FROM later GROUP BY edition"))
    assert rows == {edition: ORPHANS - 10 + 1, edition - 1: 10}
    open_world.road.arrive(*third)
    open_world.sync()
    assert open_world.texts(source) == [LONG]


def test_a_flood_within_a_sync_is_bounded_too(open_world: World) -> None:
    with open_world.vault.transaction():
        for number in range(4 * ORPHANS + 10):
            values = (b"", 1, number, number.to_bytes(16, "big"), 1, 2, b"", b"")
            open_world.vault.rows("INSERT INTO later VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)
        Parts(open_world.vault).prune()
    assert open_world.vault.rows("SELECT count(*), min(edition) FROM later") == [(4 * ORPHANS, 10)]


def test_7_2_9_parts_that_join_to_no_body_leave_nothing(open_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_world.source()
    monkeypatch.setattr(Body, "encode", lambda self: b"\xff" * 9_000)
    sealed = source.seal("x")
    monkeypatch.undo()
    assert len(sealed) == 2
    for each in sealed:
        open_world.road.arrive(*each)
    report = open_world.sync()
    assert (report.messages, dict(report.refused)) == (0, {"body": 1})
    assert open_world.desk.conversations() == []


@pytest.mark.parametrize("text", ["", "a", "x" * 23, "x" * 24, "x" * 300, "é" * 4_000, LONG])
def test_the_beginning_is_the_text_as_far_as_it_goes(text: str) -> None:
    for after in (None, bytes(16)):
        body = Body(text, after).encode()
        assert beginning(body) == text
        assert text.startswith(begun := beginning(body[: len(body) // 2]))
        assert len(begun.encode()) > len(text.encode()) // 2 - 30


@pytest.mark.parametrize("body", [b"", b"\xa1", b"\xa1\x00", b"\xa1\x01\x61a", b"\xff\x00\x61a", b"\xa1\x00\x41a"])
def test_what_is_no_text_has_no_beginning(body: bytes) -> None:
    assert beginning(body) == ""


def item(id: bytes, after: bytes | None = None, edition: int = 1, incoming: bool = True) -> Item:
    return Item(edition, incoming, id, after)


def test_6_5_messages_of_one_visit_are_in_order(open_world: World) -> None:
    source, ids = open_world.source(), sorted((secrets.token_bytes(16) for _ in range(3)), reverse=True)
    for text, message_id, after in zip("abc", ids, [None, ids[0], ids[1]], strict=True):
        source.write(text, id=message_id, **({"after": after} if after else {}))
    open_world.sync()
    entries = open_world.desk.read(source.keys.id.hex())
    assert [(each.text, each.unordered) for each in entries] == [("a", False), ("b", False), ("c", False)]


def test_6_5_two_visits_in_one_edition_claim_no_order(open_world: World) -> None:
    source = open_world.source()
    for text in "ab":
        source.write(text)
    open_world.sync()
    assert [each.unordered for each in open_world.desk.read(source.keys.id.hex())] == [True, True]


def test_6_5_order_by_edition_then_after_then_id() -> None:
    items = [item(b"d", edition=2), item(b"b"), item(b"a", after=b"c"), item(b"c"), item(b"z", incoming=False)]
    assert in_order(items) == [
        (item(b"b"), True),
        (item(b"c"), True),
        (item(b"a", after=b"c"), True),
        (item(b"z", incoming=False), False),
        (item(b"d", edition=2), False),
    ]


def test_6_5_a_ring_or_a_long_chain_stops_nothing() -> None:
    ring = [item(b"a", after=b"b"), item(b"b", after=b"c"), item(b"c", after=b"a"), item(b"d", after=b"d")]
    assert [found.id for found, _ in in_order(ring)] == [b"a", b"c", b"b", b"d"]
    chain = [item(b"%5d" % n, after=b"%5d" % (n + 1)) for n in range(20_000)]
    assert [found for found, _ in in_order(chain)] == chain[::-1]


def forwarded(world: World, source: Source, text: str, **more: Any) -> list[tuple[bytes, bytes]]:
    """Tag and exact plaintext of a message's parts, as a colleague has them."""
    today, org = world.clock.today, world.office.org
    ((_, seed),) = world.vault.duty_seeds([today])
    sealed = source.seal(text, **more)
    return [(tag, unseal(envelope, KemKey(seed), binding(org, TO_DESK, today, tag))) for tag, envelope in sealed]


def test_10_5_what_a_colleague_forwards_is_checked_with_the_own_mac(open_world: World) -> None:
    source, today = open_world.source(), open_world.clock.today
    for tag, plaintext in forwarded(open_world, source, LONG):
        assert open_world.desk.receive_forwarded(plaintext, today, tag, 4 * today, 7)
        assert not open_world.desk.receive_forwarded(plaintext, today, tag, 4 * today, 7)
    shown = entry(open_world, source)
    assert (shown.text, shown.vouched) == (LONG, None)


def test_10_5_a_colleague_cannot_alter_what_it_forwards(open_world: World) -> None:
    source, today = open_world.source(), open_world.clock.today
    ((tag, plaintext),) = forwarded(open_world, source, "true words")
    found = read_at_desk(plaintext, open_world.office.org, today, tag)
    assert isinstance(found, UntrustedMessage)
    altered = replace(found.part, body=found.part.body.replace(b"true", b"fake"), body_hash=bytes(32)).encode()
    for forged, other in ((altered, tag), (plaintext, bytes(16)), (plaintext[:-1], tag), (bytes(7_056), tag)):
        assert not open_world.desk.receive_forwarded(forged, today, other, 4 * today, 7)
    assert not open_world.desk.receive_forwarded(plaintext, today + 1, tag, 4 * today, 7)
    assert open_world.desk.conversations() == []


def test_7_2_3_a_device_outside_the_roster_shows_it_as_vouched_for(open_world: World) -> None:
    source, today = open_world.source(), open_world.clock.today
    ((tag, plaintext),) = forwarded(open_world, source, "before my time")
    roster = open_world.vault.rows("SELECT hash, raw FROM signed WHERE kind = 'roster'")
    open_world.road.things["roster"] = open_world.office.roster(2, open_world.request)
    open_world.sync()
    open_world.vault.rows("DELETE FROM signed WHERE kind = 'roster' AND serial = 1")
    assert open_world.desk.receive_forwarded(plaintext, today, tag, 4 * today, 7)
    assert entry(open_world, source).vouched == 7
    open_world.vault.keep_signed("roster", roster[0][0], 1, roster[0][1])
    assert open_world.desk.receive_forwarded(plaintext + b"", today, tag, 4 * today, 7) is False, "it is kept already"


def test_what_was_only_vouched_for_gives_way_to_what_was_checked(open_world: World) -> None:
    source, today, message_id = open_world.source(), open_world.clock.today, secrets.token_bytes(16)
    (true,) = source.seal("true", id=message_id)
    ((tag, forged),) = forwarded(open_world, source, "forged", id=message_id)
    ((other_tag, other),) = forwarded(open_world, source, "forged by another", id=message_id)
    name, raw = open_world.vault.rows("SELECT hash, raw FROM signed WHERE kind = 'roster'")[0]
    open_world.road.things["roster"] = open_world.office.roster(2, open_world.request)
    open_world.sync()
    open_world.vault.rows("DELETE FROM signed WHERE serial = 1 AND kind = 'roster'")
    assert open_world.desk.receive_forwarded(forged, today, tag, 4 * today, 7)
    assert (entry(open_world, source).text, entry(open_world, source).vouched) == ("forged", 7)
    assert not open_world.desk.receive_forwarded(other, today, other_tag, 4 * today, 8), "another colleague's word"
    assert (entry(open_world, source).text, entry(open_world, source).vouched) == ("forged", 7)
    open_world.vault.keep_signed("roster", name, 1, raw)
    open_world.road.arrive(*true)
    open_world.sync()
    assert (entry(open_world, source).text, entry(open_world, source).vouched) == ("true", None)
    assert not open_world.desk.receive_forwarded(forged, today, tag, 4 * today, 7), "and not the other way"
