"""What the project promises of its protocol, each in the words of the promise (spec 5.4, 5.6, 7.2, 7.4).

tests/house/test_mutation.py takes the defences away one by one, and these tests must then fail.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
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
    PLACE,
    TAG,
    answered,
    first_at_desk,
    layer,
    layer_of,
    opened,
    plaintext_to_desk,
    read,
    written,
)

from sottovoce.protocol.answer import answer_tags, open_at_source
from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import TO_DESK, TO_SOURCE, Header, SourcePart, body_hash
from sottovoce.protocol.keys import KemKey, PairKey, SourceKeys, answer_epochs, member_pair
from sottovoce.protocol.sealing import binding, seal
from sottovoce.protocol.words import Passphrase

COLLEAGUE, INSIDER = PLACE.slot, 6
BOUND = {"duty": DUTY, "org": ORG, "epoch": EPOCH, "tag": TAG}
ELSEWHERE = [{"epoch": EPOCH + 1}, {"tag": b"u" * 16}, {"duty": OTHER_DUTY}, {"org": OTHER}]
THREAT = Body("Drop it.").encode()


def insiders_macs(plaintext_digest: bytes) -> bytes:
    """All that a member with a message's keys can make: MACs with the pairwise key of its own slot."""
    own = member_pair(DEVICES[INSIDER], KEYS.dh, KEYS.c, ORG, INSIDER)
    return own.mac(INFO, plaintext_digest) * 16


def test_7_2_5_a_member_cannot_alter_a_sources_message_for_a_colleague() -> None:
    part = plaintext_to_desk()
    altered = replace(part, body=THREAT, body_hash=hashlib.sha256(THREAT).digest())
    for forged in (altered, replace(altered, macs=insiders_macs(altered.digest()))):
        assert layer(seal(forged.encode(), DUTY.public, INFO)) == "authentication"


@pytest.mark.parametrize(("epoch", "tag"), [(EPOCH + 1, TAG), (EPOCH, b"u" * 16)], ids=["another day", "another tag"])
def test_5_6_a_member_cannot_reseal_a_sources_message_for_a_colleague(epoch: int, tag: bytes) -> None:
    resealed = seal(plaintext_to_desk().encode(), OTHER_DUTY.public, binding(ORG, TO_DESK, epoch, tag))
    assert layer_of(partial(opened, resealed, OTHER_DUTY, ORG, epoch, tag)) == "authentication"


def test_7_2_7_a_message_sealed_once_more_in_its_own_place_is_the_same_message() -> None:
    """So a desk knows it by its id, and refuses it as a replay."""
    again = opened(seal(plaintext_to_desk().encode(), DUTY.public, INFO))
    first = opened(written())
    assert (again.first.conversation, again.first.message_id) == (first.first.conversation, first.first.message_id)


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=["day", "tag", "key", "organisation"])
def test_5_6_an_envelope_that_was_moved_elsewhere_does_not_open(elsewhere: dict[str, object]) -> None:
    assert layer_of(partial(opened, written(), **{**BOUND, **elsewhere})) == "seal"  # type: ignore[arg-type]


def put_in_place_of_a_colleague(part: SourcePart, pair: PairKey) -> bytes:
    """An answer with the MAC of `pair`, sealed under the colleague's tag, which who sees the pool has seen."""
    tag = answer_tags(KEYS.pair(COLLEAGUE, MEMBERS[COLLEAGUE]), PLACE, 1)[0]
    info = binding(ORG, TO_SOURCE, EPOCH, tag)
    return seal(replace(part, mac=pair.mac(info, part.digest())).encode(), KEYS.kem.public, info)


def an_answer(slot: int) -> SourcePart:
    """The first and only part of an answer that says it is of `slot`."""
    header = Header(TO_SOURCE, ID, slot=slot, n=PLACE.n)
    return SourcePart(header, THREAT, body_hash(THREAT), received=1, newest=EPOCH)


def test_7_4_4_a_member_cannot_answer_in_a_colleagues_slot() -> None:
    own = member_pair(DEVICES[INSIDER], KEYS.dh, KEYS.c, ORG, INSIDER)
    assert layer_of(partial(read, put_in_place_of_a_colleague(an_answer(COLLEAGUE), own))) == "authentication"


def test_7_4_3_an_answer_that_names_another_slot_than_its_place_is_refused() -> None:
    colleague = KEYS.pair(COLLEAGUE, MEMBERS[COLLEAGUE])
    assert layer_of(partial(read, put_in_place_of_a_colleague(an_answer(INSIDER), colleague))) == "header"
    assert read(put_in_place_of_a_colleague(an_answer(COLLEAGUE), colleague)).body == Body("Drop it.")


def test_4_1_a_pairwise_key_is_of_one_slot_only() -> None:
    """A device that is given another slot can't be heard in the old one."""
    assert KEYS.pair(COLLEAGUE, MEMBERS[INSIDER]) != KEYS.pair(INSIDER, MEMBERS[INSIDER])


def test_7_4_4_removed_members_are_not_heard_by_a_source() -> None:
    """The slot has a new device: the old one's tags are looked for no more, and its MAC serves under no other tag."""
    successor = X25519PrivateKey.from_private_bytes(b"s" * 32).public_key().public_bytes_raw()
    now = KEYS.pair(COLLEAGUE, successor)
    looked_for = {tag for epoch in answer_epochs(EPOCH) for tag in now.answer_tags(epoch)}
    removed = member_pair(DEVICES[COLLEAGUE], KEYS.dh, KEYS.c, ORG, COLLEAGUE)
    assert looked_for.isdisjoint(tag for epoch in answer_epochs(EPOCH) for tag in removed.answer_tags(epoch))
    tag = now.answer_tags(EPOCH)[PLACE.n]
    info, part = binding(ORG, TO_SOURCE, EPOCH, tag), an_answer(COLLEAGUE)
    envelope = seal(replace(part, mac=removed.mac(info, part.digest())).encode(), KEYS.kem.public, info)
    assert layer_of(partial(open_at_source, envelope, KEYS, now, PLACE)) == "authentication"


def test_7_2_5_removed_members_check_no_message_that_was_written_since() -> None:
    successor = X25519PrivateKey.from_private_bytes(b"s" * 32).public_key().public_bytes_raw()
    members = [*MEMBERS[:COLLEAGUE], successor, *MEMBERS[COLLEAGUE + 1 :]]
    envelope = written(audience=replace(AUDIENCE, members=members))
    assert layer_of(partial(first_at_desk, envelope, slot=COLLEAGUE)) == "authentication"
    assert first_at_desk(envelope, slot=INSIDER).join([]).body == Body("hello")


def secrets_of(keys: SourceKeys) -> set[bytes]:
    """All that a source and its sixteen members at one organisation know, name or look for."""
    pairs = [keys.pair(slot, member) for slot, member in enumerate(MEMBERS)]
    tags = {tag for pair in pairs for epoch in answer_epochs(EPOCH) for tag in pair.answer_tags(epoch)}
    halves = {half for pair in pairs for half in (pair.tags, pair.macs)}
    return {keys.kem.seed, keys.kem.public, keys.dh, keys.c, keys.id} | halves | tags


def test_3_1_the_same_words_at_two_organisations_share_nothing() -> None:
    here, there = (SourceKeys(org, Passphrase(b"w" * 16)) for org in (ORG, OTHER))
    assert secrets_of(here).isdisjoint(secrets_of(there))
    assert here.sign != there.sign


def test_4_1_not_even_the_same_keys_at_two_organisations_share_a_pairwise_key() -> None:
    """Were the derivation of a source's keys broken, the pairwise keys and ids would still differ."""
    device = DEVICES[COLLEAGUE]
    pairs = [member_pair(device, KEYS.dh, KEYS.c, org, COLLEAGUE) for org in (ORG, OTHER)]
    assert pairs[0] != pairs[1]


def test_5_6_what_one_organisation_was_sent_does_not_open_at_another_with_the_same_duty_key() -> None:
    assert layer_of(partial(opened, written(), org=OTHER)) == "seal"
    tag, envelope = answered()
    stolen = SourceKeys(OTHER, Passphrase(b"p" * 16))
    stolen.kem = KemKey(KEYS.kem.seed)
    pair = KEYS.pair(COLLEAGUE, MEMBERS[COLLEAGUE])
    assert tag == pair.answer_tags(EPOCH)[PLACE.n]
    assert layer_of(partial(open_at_source, envelope, stolen, pair, PLACE)) == "seal"
