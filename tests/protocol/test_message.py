"""Sealing and opening a message of one part, and attacks by name (spec 3, 4, 5.4, 5.6, 5.7, 7.1, 7.2)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol.scene import (
    AUDIENCE,
    DEVICES,
    DUTY,
    EPOCH,
    ID,
    INFO,
    KEYS,
    MEMBERS,
    ORG,
    OTHER,
    OTHER_DUTY,
    SEEN,
    STRANGER,
    TAG,
    answered,
    days,
    first_at_desk,
    first_at_source,
    fitting,
    layer,
    layer_of,
    opened,
    plaintext_to_desk,
    read,
    slots,
    with_macs,
    written,
)

from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import DESK_ROOM, TO_DESK, TO_SOURCE
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey, SourceKeys, check_kem, kem_public, member_pair
from sottovoce.protocol.message import UntrustedMessage, open_at_desk, read_at_desk
from sottovoce.protocol.sealing import binding, seal, unseal
from sottovoce.protocol.words import Passphrase


@given(text=fitting(DESK_ROOM), epoch=days, slot=slots, tag=st.binary(min_size=16, max_size=16))
@settings(max_examples=40, deadline=None)
def test_7_1_every_member_opens_what_a_source_wrote(text: str, epoch: int, slot: int, tag: bytes) -> None:
    envelope = written(text, audience=replace(AUDIENCE, epoch=epoch), tag=tag)
    assert len(envelope) == 8_192
    first = first_at_desk(envelope, DUTY, ORG, epoch, tag, slot)
    assert (first.conversation, first.sign, first.vouched) == (KEYS.id, KEYS.sign, False)
    assert (first.message_id, first.parts, first.part.seen, first.part.kem) == (ID, 1, SEEN, KEYS.kem.public)
    assert first.join([]).body == Body(text)


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
    assert isinstance(untrusted, UntrustedMessage)
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
    assert message.first.conversation not in (KEYS.id, STRANGER.id)


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


_P = 2**255 - 19
_EIGHT = 325606250916557431795983626356110631294008115727848805560023387167927233504  # a u of order 8
_SMALL = [0, 1, _EIGHT, pow(_EIGHT, -1, _P), _P - 1, _P, _P + 1]  # all of small order, as bytes


@pytest.mark.parametrize("top", [0, 1 << 255])
@pytest.mark.parametrize("u", [*_SMALL, 2, 9, _P - 2, _P + 2])
def test_3_2_and_7_2_6_a_key_is_refused_exactly_where_sealing_to_it_is(u: int, top: int) -> None:
    kem = KEYS.kem.public[:1_184] + (u | top).to_bytes(32, "little")
    for taken in (lambda: check_kem(kem), lambda: seal(b"a", kem, b"")):
        if u in _SMALL:
            assert layer_of(taken) == "body"
        else:
            taken()


@pytest.mark.parametrize(
    "kem", [KEYS.kem.public[:1_184] + bytes(32), b"\xff" * 1_184 + KEYS.kem.public[1_184:]], ids=["zero", "unreduced"]
)
def test_7_2_a_source_to_whom_nobody_can_answer_is_refused_not_a_crash(kem: bytes) -> None:
    part = with_macs(replace(plaintext_to_desk(), kem=kem))
    assert layer(seal(part.encode(), DUTY.public, INFO)) == "body"


def test_7_2_a_body_that_is_not_the_one_committed_to_is_refused() -> None:
    part = with_macs(replace(plaintext_to_desk(), body=Body("hullo").encode()))
    assert layer(seal(part.encode(), DUTY.public, INFO)) == "body"


def test_5_4_the_digest_is_without_the_macs() -> None:
    part = plaintext_to_desk()
    assert part.digest() == replace(part, macs=bytes(256)).digest() == with_macs(part).digest()
    assert part.macs != bytes(256)


def forwarded(plaintext: bytes, epoch: int = EPOCH, tag: bytes = TAG) -> UntrustedMessage:
    """A first part as a colleague forwards it."""
    untrusted = read_at_desk(plaintext, ORG, epoch, tag)
    assert isinstance(untrusted, UntrustedMessage)
    return untrusted


def test_7_2_5_a_forwarded_plaintext_is_believed_by_ones_own_mac() -> None:
    untrusted = open_at_desk(GOOD, DUTY, ORG, EPOCH, TAG)
    assert isinstance(untrusted, UntrustedMessage)
    assert forwarded(untrusted.plaintext).verify(DEVICES[9], 9).join([]).body == Body("hello")
    assert forwarded(untrusted.plaintext).verify(DEVICES[9], 9) == untrusted.verify(DEVICES[9], 9)


def test_7_2_5_a_colleague_cannot_alter_or_move_what_it_forwards() -> None:
    part = plaintext_to_desk()
    altered = replace(part, seen=b"\x01" + bytes(255)).encode()
    moved = [forwarded(altered), forwarded(part.encode(), EPOCH + 1), forwarded(part.encode(), tag=b"u" * 16)]
    for untrusted in moved:
        assert layer_of(partial(untrusted.verify, DEVICES[9], 9)) == "authentication"
    assert layer_of(lambda: read_at_desk(part.encode()[:-1], ORG, EPOCH, TAG)) == "header"


def test_7_2_3_a_message_without_ones_slot_is_marked_as_vouched_for() -> None:
    newcomer = X25519PrivateKey.from_private_bytes(b"n" * 32)
    first = forwarded(plaintext_to_desk().encode()).vouched(newcomer)
    assert (first.vouched, first.conversation, first.join([]).body) == (True, KEYS.id, Body("hello"))


def test_7_2_4_and_7_2_6_also_a_vouched_message_must_have_keys_that_serve() -> None:
    newcomer, part = X25519PrivateKey.from_private_bytes(b"n" * 32), plaintext_to_desk()
    for change, wanted in [(replace(part, dh=bytes(32)), "authentication"), (replace(part, kem=bytes(1_216)), "body")]:
        assert layer_of(partial(forwarded(change.encode()).vouched, newcomer)) == wanted


def test_7_2_nothing_secret_is_shown_by_repr() -> None:
    untrusted = open_at_desk(written("a secret text"), DUTY, ORG, EPOCH, TAG)
    assert isinstance(untrusted, UntrustedMessage)
    first, answer = untrusted.verify(DEVICES[0], 0), first_at_source(answered("a secret text")[1])
    shown = repr((untrusted, first, first.join([]), KEYS.kem, KEYS.pair(0, MEMBERS[0]), answer, answer.join([])))
    assert "a secret text" not in shown
    assert repr(KEYS.c) not in shown
    assert repr(KEYS.kem.seed) not in shown
