"""Sealing and opening, and attacks by name (spec 3, 4, 5.4 to 5.7, 7)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.protocol.body import Body, text_room
from sottovoce.protocol.envelope import (
    DESK_ROOM,
    SOURCE_ROOM,
    TO_DESK,
    TO_SOURCE,
    DeskPart,
    LaterPart,
    SourcePart,
    decode,
)
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey, SourceKeys, kem_public, member_pair
from sottovoce.protocol.message import (
    Answer,
    Audience,
    Message,
    Place,
    UntrustedMessage,
    binding,
    open_at_desk,
    open_at_source,
    seal,
    seal_to_desk,
    seal_to_source,
    unseal,
)
from sottovoce.protocol.words import Passphrase

ORG, OTHER = b"o" * 32, b"p" * 32
EPOCH, TAG, ID, SEEN = 20_780, b"t" * 16, b"i" * 16, bytes(256)
DEVICES = [X25519PrivateKey.from_private_bytes(hashlib.sha256(bytes([slot])).digest()) for slot in range(16)]
MEMBERS = [device.public_key().public_bytes_raw() for device in DEVICES]
DUTY, OTHER_DUTY = KemKey(b"d" * 32), KemKey(b"e" * 32)
KEYS = SourceKeys(ORG, Passphrase(b"p" * 16))
STRANGER = SourceKeys(ORG, Passphrase(b"q" * 16))
AUDIENCE = Audience(ORG, b"r" * 32, MEMBERS, DUTY.public, EPOCH)
INFO = binding(ORG, TO_DESK, EPOCH, TAG)
PLACE = Place(EPOCH, 5, 2)

slots, quarters, days = st.integers(0, 15), st.integers(0, 3), st.integers(0, 2**32 - 1)


def fitting(room: int) -> st.SearchStrategy[str]:
    """Texts that fit into a body's room, some of them long."""
    short = st.text(max_size=300)
    return short | st.integers(0, text_room(room) // 3).map("密".__mul__) | st.just("x" * text_room(room))


def written(text: str = "hello", keys: SourceKeys = KEYS, audience: Audience = AUDIENCE, tag: bytes = TAG) -> bytes:
    """An envelope from a source."""
    return seal_to_desk(keys, audience, Body(text), tag=tag, message_id=ID, seen=SEEN)


def opened(envelope: bytes, duty: KemKey = DUTY, org: bytes = ORG, epoch: int = EPOCH, tag: bytes = TAG) -> Message:
    """What the member in slot 5 reads."""
    return open_at_desk(envelope, duty, org, epoch, tag).verify(DEVICES[5], 5)


def answered(
    text: str = "thanks", place: Place = PLACE, device: int | None = None, keys: SourceKeys = KEYS
) -> tuple[bytes, bytes]:
    """Tag and envelope of an answer."""
    slot = place.slot if device is None else device
    pair = member_pair(DEVICES[slot], keys.dh, keys.c, ORG, slot)
    return seal_to_source(pair, keys.kem.public, ORG, place, Body(text), message_id=ID, received=1, newest=EPOCH)


def read(envelope: bytes, place: Place = PLACE, keys: SourceKeys = KEYS) -> Answer:
    """What the source reads in a place."""
    return open_at_source(envelope, keys, keys.pair(place.slot, MEMBERS[place.slot]), place)


def plaintext_to_desk() -> DeskPart:
    """A message as a member sees it after opening."""
    part = decode(unseal(written(), DUTY, INFO), TO_DESK)
    assert isinstance(part, DeskPart)
    return part


def with_macs(part: DeskPart, info: bytes = INFO, keys: SourceKeys = KEYS) -> DeskPart:
    """The part with the MACs of the source that owns `keys`."""
    pairs = (keys.pair(slot, member) for slot, member in enumerate(MEMBERS))
    return replace(part, macs=b"".join(pair.mac(info, part.digest()) for pair in pairs))


def layer(envelope: bytes) -> str:
    """The layer that refuses at the desk."""
    with pytest.raises(Refused) as caught:
        opened(envelope)
    return caught.value.layer


@given(text=fitting(DESK_ROOM), epoch=days, slot=slots, tag=st.binary(min_size=16, max_size=16))
@settings(max_examples=40, deadline=None)
def test_7_1_every_member_opens_what_a_source_wrote(text: str, epoch: int, slot: int, tag: bytes) -> None:
    envelope = written(text, audience=replace(AUDIENCE, epoch=epoch), tag=tag)
    assert len(envelope) == 8_192
    message = open_at_desk(envelope, DUTY, ORG, epoch, tag).verify(DEVICES[slot], slot)
    assert (message.body.text, message.conversation, message.sign) == (text, KEYS.id, KEYS.sign)
    assert (message.part.header.message_id, message.part.seen, message.part.kem) == (ID, SEEN, KEYS.kem.public)
    assert message.pair == KEYS.pair(slot, MEMBERS[slot])


@given(text=fitting(SOURCE_ROOM), epoch=days, slot=slots, n=quarters)
@settings(max_examples=40, deadline=None)
def test_7_3_a_source_opens_what_any_member_answered(text: str, epoch: int, slot: int, n: int) -> None:
    place = Place(epoch, slot, n)
    tag, envelope = answered(text, place)
    assert len(envelope) == 8_192
    assert tag == KEYS.pair(slot, MEMBERS[slot]).answer_tags(epoch)[n]
    assert read(envelope, place) == Answer(place, ID, Body(text), 1, EPOCH)


GOOD = written()
GOOD_TAG, GOOD_ANSWER = answered()


@given(bit=st.integers(0, 8 * 8_192 - 1))
@settings(max_examples=120, deadline=None)
def test_5_7_any_flipped_bit_is_refused_both_ways(bit: int) -> None:
    flip = (1 << bit).to_bytes(8_192, "little")
    for envelope, opener in ((GOOD, opened), (GOOD_ANSWER, read)):
        with pytest.raises(Refused) as caught:
            opener(bytes(a ^ b for a, b in zip(envelope, flip, strict=True)))
        assert caught.value.layer == "seal"


@given(size=st.integers(0, 8_191))
@settings(max_examples=30, deadline=None)
def test_5_7_any_cut_is_refused_both_ways(size: int) -> None:
    for envelope, opener in ((GOOD, opened), (GOOD_ANSWER, read)):
        with pytest.raises(Refused) as caught:
            opener(envelope[:size])
        assert caught.value.layer == "size"
    assert layer(GOOD + b"\0") == "size"


@pytest.mark.parametrize(
    ("duty", "org", "epoch", "tag"),
    [
        (OTHER_DUTY, ORG, EPOCH, TAG),
        (DUTY, OTHER, EPOCH, TAG),
        (DUTY, ORG, EPOCH + 1, TAG),
        (DUTY, ORG, EPOCH, GOOD_TAG),
    ],
    ids=["key", "organisation", "epoch", "tag"],
)
def test_5_6_an_envelope_moved_elsewhere_is_refused(duty: KemKey, org: bytes, epoch: int, tag: bytes) -> None:
    with pytest.raises(Refused) as caught:
        opened(GOOD, duty, org, epoch, tag)
    assert caught.value.layer == "seal"


@pytest.mark.parametrize("place", [Place(EPOCH + 1, 5, 2), Place(EPOCH, 6, 2), Place(EPOCH, 5, 3)])
def test_5_6_an_answer_moved_to_another_place_is_refused(place: Place) -> None:
    with pytest.raises(Refused) as caught:
        read(GOOD_ANSWER, place)
    assert caught.value.layer == "seal"


def test_5_6_an_answer_is_not_taken_as_a_message_of_a_source() -> None:
    answer = unseal(GOOD_ANSWER, KEYS.kem, binding(ORG, TO_SOURCE, EPOCH, GOOD_TAG))
    with pytest.raises(Refused) as caught:
        open_at_desk(seal(answer, DUTY.public, binding(ORG, TO_SOURCE, EPOCH, TAG)), DUTY, ORG, EPOCH, TAG)
    assert caught.value.layer == "seal"
    assert layer(seal(answer, DUTY.public, INFO)) == "header"


def test_7_2_a_member_cannot_alter_a_sources_message_for_a_colleague() -> None:
    part = plaintext_to_desk()
    body = Body("hullo").encode()
    forged = replace(part, body=body, body_hash=hashlib.sha256(body).digest())
    assert layer(seal(forged.encode(), DUTY.public, INFO)) == "authentication"


def test_7_2_a_member_cannot_alter_it_and_make_its_own_mac_for_a_colleague() -> None:
    part = plaintext_to_desk()
    forged = replace(part, header=replace(part.header, message_id=b"j" * 16))
    own = member_pair(DEVICES[4], part.dh, part.c, ORG, 4)
    macs = own.mac(INFO, forged.digest()) * 16
    assert layer(seal(replace(forged, macs=macs).encode(), DUTY.public, INFO)) == "authentication"


@pytest.mark.parametrize("epoch", [EPOCH, EPOCH + 1])
def test_7_2_a_member_cannot_reseal_a_sources_message_for_a_colleague(epoch: int) -> None:
    tag = b"u" * 16
    resealed = seal(plaintext_to_desk().encode(), OTHER_DUTY.public, binding(ORG, TO_DESK, epoch, tag))
    with pytest.raises(Refused) as caught:
        opened(resealed, OTHER_DUTY, epoch=epoch, tag=tag)
    assert caught.value.layer == "authentication"


def test_7_2_the_macs_of_one_slot_do_not_serve_another() -> None:
    untrusted = open_at_desk(GOOD, DUTY, ORG, EPOCH, TAG)
    for slot in (0, 4, 6, 15):
        with pytest.raises(Refused) as caught:
            untrusted.verify(DEVICES[5], slot)
        assert caught.value.layer == "authentication"


def test_7_2_nobody_writes_into_anothers_conversation() -> None:
    stolen = replace(plaintext_to_desk(), kem=KEYS.kem.public, dh=KEYS.dh, c=KEYS.c)
    forged = with_macs(stolen, keys=STRANGER)
    assert layer(seal(forged.encode(), DUTY.public, INFO)) == "authentication"


def test_3_4_a_swapped_key_is_another_conversation() -> None:
    mixed = with_macs(replace(plaintext_to_desk(), kem=STRANGER.kem.public))
    message = opened(seal(mixed.encode(), DUTY.public, INFO))
    assert message.conversation not in (KEYS.id, STRANGER.id)


def test_7_4_a_member_cannot_answer_in_a_colleagues_slot() -> None:
    place, own = PLACE, Place(EPOCH, 6, 2)
    tag, envelope = answered(place=own)
    assert tag not in KEYS.pair(place.slot, MEMBERS[place.slot]).answer_tags(EPOCH)
    info, seen_tag = binding(ORG, TO_SOURCE, EPOCH, GOOD_TAG), tag
    part = decode(unseal(envelope, KEYS.kem, binding(ORG, TO_SOURCE, EPOCH, seen_tag)), TO_SOURCE)
    assert isinstance(part, SourcePart)
    with pytest.raises(Refused) as caught:
        read(seal(part.encode(), KEYS.kem.public, info))
    assert caught.value.layer == "header"
    claims = replace(part, header=replace(part.header, slot=place.slot))
    mac = member_pair(DEVICES[6], KEYS.dh, KEYS.c, ORG, 6).mac(info, claims.digest())
    with pytest.raises(Refused) as caught:
        read(seal(replace(claims, mac=mac).encode(), KEYS.kem.public, info))
    assert caught.value.layer == "authentication"


def test_7_4_nobody_answers_without_a_members_key() -> None:
    info = binding(ORG, TO_SOURCE, EPOCH, GOOD_TAG)
    part = decode(unseal(GOOD_ANSWER, KEYS.kem, info), TO_SOURCE)
    assert isinstance(part, SourcePart)
    for forged in (replace(part, received=9), replace(part, newest=0), replace(part, mac=bytes(16))):
        with pytest.raises(Refused) as caught:
            read(seal(forged.encode(), KEYS.kem.public, info))
        assert caught.value.layer == "authentication"


def test_7_4_another_source_does_not_open_an_answer() -> None:
    with pytest.raises(Refused) as caught:
        read(GOOD_ANSWER, keys=STRANGER)
    assert caught.value.layer == "seal"


@given(mk=st.binary(min_size=16, max_size=16), slot=slots)
@settings(max_examples=20, deadline=None)
def test_3_1_the_same_words_at_two_organisations_share_nothing(mk: bytes, slot: int) -> None:
    here, there = (SourceKeys(org, Passphrase(mk)) for org in (ORG, OTHER))
    first, second = (each.pair(slot, MEMBERS[slot]) for each in (here, there))
    ours = {here.kem.seed, here.kem.public, here.dh, here.c, here.id, first.tags, first.macs, *first.answer_tags(EPOCH)}
    theirs = {there.kem.seed, there.kem.public, there.dh, there.c, there.id, second.tags, second.macs}
    assert len(ours) == 11
    assert ours.isdisjoint(theirs | {*second.answer_tags(EPOCH)})


@given(mk=st.binary(min_size=16, max_size=16), slot=slots)
@settings(max_examples=20, deadline=None)
def test_4_1_both_ends_have_the_same_key_and_no_other_slot_has(mk: bytes, slot: int) -> None:
    keys = SourceKeys(ORG, Passphrase(mk))
    assert member_pair(DEVICES[slot], keys.dh, keys.c, ORG, slot) == keys.pair(slot, MEMBERS[slot])
    assert len({keys.pair(each, MEMBERS[slot]).tags for each in range(16)}) == 16


def test_4_2_all_2048_tags_and_those_of_later_parts_differ() -> None:
    pairs = [KEYS.pair(slot, member) for slot, member in enumerate(MEMBERS)]
    tags = [tag for pair in pairs for epoch in range(EPOCH, EPOCH + 32) for tag in pair.answer_tags(epoch)]
    later = [pairs[0].part_tag(tags[0], part) for part in range(1, 16)]
    assert len({*tags, *later}) == 2_048 + 15
    assert {len(tag) for tag in (*tags, *later)} == {16}


@pytest.mark.parametrize("key", [bytes(32), bytes(31), b""])
def test_4_1_a_key_that_gives_no_secret_is_refused(key: bytes) -> None:
    with pytest.raises(Refused) as caught:
        KEYS.pair(0, key)
    assert caught.value.layer == "authentication"
    if len(key) == 32:
        forged = with_macs(replace(plaintext_to_desk(), dh=key))
        assert layer(seal(forged.encode(), DUTY.public, INFO)) == "authentication"


@pytest.mark.parametrize("kem", [b"", bytes(1_215), KEYS.kem.public + b"a", b"\xff" * 1_184 + KEYS.kem.public[1_184:]])
def test_3_2_what_is_no_x_wing_key_is_refused(kem: bytes) -> None:
    with pytest.raises(Refused) as caught:
        kem_public(kem)
    assert caught.value.layer == "body"


@pytest.mark.parametrize(
    "kem", [KEYS.kem.public[:1_184] + bytes(32), b"\xff" * 1_184 + KEYS.kem.public[1_184:]], ids=["zero", "unreduced"]
)
def test_7_2_a_source_to_whom_nobody_can_answer_is_refused_not_a_crash(kem: bytes) -> None:
    part = with_macs(replace(plaintext_to_desk(), kem=kem))
    assert layer(seal(part.encode(), DUTY.public, INFO)) == "body"


def test_7_2_a_body_that_is_not_the_one_committed_to_is_refused() -> None:
    part = with_macs(replace(plaintext_to_desk(), body=Body("hullo").encode()))
    assert layer(seal(part.encode(), DUTY.public, INFO)) == "body"


def test_7_2_parts_of_longer_messages_are_refused_by_this_version() -> None:
    part = plaintext_to_desk()
    first = with_macs(replace(part, header=replace(part.header, parts=2)))
    later = LaterPart(replace(part.header, part=1, parts=2), b"more")
    assert layer(seal(first.encode(), DUTY.public, INFO)) == "reassembly"
    assert layer(seal(later.encode(), DUTY.public, INFO)) == "reassembly"


def test_5_4_the_digest_is_without_the_macs() -> None:
    part = plaintext_to_desk()
    assert part.digest() == replace(part, macs=bytes(256)).digest() == with_macs(part).digest()
    assert part.macs != bytes(256)


def test_7_2_nothing_secret_is_shown_by_repr() -> None:
    untrusted = open_at_desk(written("a secret text"), DUTY, ORG, EPOCH, TAG)
    assert isinstance(untrusted, UntrustedMessage)
    answer = read(answered("a secret text")[1])
    shown = repr((untrusted, untrusted.verify(DEVICES[0], 0), KEYS.kem, KEYS.pair(0, MEMBERS[0]), answer))
    assert "a secret text" not in shown
    assert repr(KEYS.c) not in shown
    assert repr(KEYS.kem.seed) not in shown
