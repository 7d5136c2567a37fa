"""Signed things: each check of 8.3, refused when it is broken, and the shapes of 8.4 to 8.8."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.words import word_list
from sottovoce.trust.card import Access, Card, UntrustedAccess, UntrustedCard
from sottovoce.trust.duty import DutyList, UntrustedDutyList, duty_claim
from sottovoce.trust.roster import (
    FIRST_ORG,
    Root,
    Roster,
    Slot,
    UntrustedRoot,
    UntrustedRoster,
    check_words,
    join_roots,
)
from sottovoce.trust.signed import LIMIT, Claim, Verified

TODAY = 20_780


def signer(label: str) -> Ed25519PrivateKey:
    """An Ed25519 key that is the same every time."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label.encode()).digest())


def public(key: Ed25519PrivateKey) -> bytes:
    """The raw public half."""
    return key.public_key().public_bytes_raw()


ROOT_KEY, STRANGER = signer("root"), signer("stranger")
MEMBERS = [signer(f"member {slot}") for slot in range(16)]
ROOT_CLAIM = Claim("root", FIRST_ORG, 1, TODAY, TODAY + 3_650, public(ROOT_KEY))
ORG = hashlib.sha256(ROOT_CLAIM.payload()).digest()
ROOT = UntrustedRoot.of(join_roots([ROOT_CLAIM.sign([ROOT_KEY])])).verify(ORG, TODAY)
SLOTS = [[bytes([slot]) * 32, public(key), f"device {slot}"] for slot, key in enumerate(MEMBERS)]
ROSTER_CLAIM = Claim("roster", ORG, 3, TODAY, TODAY + 180, [2, SLOTS])
ROSTER = UntrustedRoster.of(ROSTER_CLAIM.sign([ROOT_KEY])).verify(ROOT, TODAY)
KEM = KemKey(bytes(32)).public
KEYS = {TODAY + day: KEM for day in range(7)}
DUTY_CLAIM = duty_claim(ROSTER, 5, TODAY, KEYS)
CARD_CLAIM = Claim("card", ORG, 1, TODAY, TODAY + 365, ["Office", ["a.onion"], ["en", "fa"], ["@office"], 1, 3])
ACCESS_CLAIM = Claim("access", ORG, 1, TODAY, TODAY + 180, ["m.onion", {0: bytes(32), 15: bytes(32)}])


def roster(
    claim: Claim, signers: Sequence[Ed25519PrivateKey] = (ROOT_KEY,), today: int = TODAY, least: int = 0
) -> Roster:
    """The roster that a claim becomes."""
    return UntrustedRoster.of(claim.sign(signers)).verify(ROOT, today, least)


def duty(
    claim: Claim, signers: Sequence[Ed25519PrivateKey] = MEMBERS[:2], today: int = TODAY, of: Roster = ROSTER
) -> DutyList:
    """The duty list that a claim becomes."""
    return UntrustedDutyList.of(claim.sign(signers)).verify(of, today)


def refused(caught: pytest.ExceptionInfo[Refused], layer: str = "roster") -> None:
    """It was this layer that refused, with a sentence."""
    assert caught.value.layer == layer
    assert str(caught.value).endswith(".")


def test_8_2_all_kinds_are_trusted_when_in_order() -> None:
    assert (ROOT.org, ROOT.key) == (ORG, public(ROOT_KEY))
    assert (ROSTER.threshold, len(ROSTER.slots)) == (2, 16)
    assert ROSTER.slots[3] == Slot(b"\3" * 32, public(MEMBERS[3]), "device 3")
    assert (ROSTER.slot_of(b"\3" * 32), ROSTER.slot_of(bytes(31))) == (3, None)
    made = duty(DUTY_CLAIM)
    assert (made.keys, made.roster_hash) == (KEYS, ROSTER.hash)
    assert [made.days_left(today) for today in (TODAY, TODAY + 6, TODAY + 7)] == [7, 1, 0]
    card = UntrustedCard.of(CARD_CLAIM.sign([ROOT_KEY])).verify(ROOT, TODAY)
    assert [card.name, card.addresses, card.languages, card.accounts] == CARD_CLAIM.body[:4]
    assert [card.least_root, card.least_roster] == CARD_CLAIM.body[4:]
    access = UntrustedAccess.of(ACCESS_CLAIM.sign([ROOT_KEY])).verify(ROOT, TODAY)
    assert (access.address, access.clients) == ("m.onion", {0: bytes(32), 15: bytes(32)})


def test_8_1_the_hash_is_of_the_payload_without_signatures() -> None:
    assert roster(ROSTER_CLAIM, [ROOT_KEY, STRANGER]).hash == hashlib.sha256(ROSTER_CLAIM.payload()).digest()
    assert roster(ROSTER_CLAIM, [ROOT_KEY, STRANGER]).raw != ROSTER.raw


@pytest.mark.parametrize("trusted", [Root, Roster, DutyList, Card, Access])
def test_nothing_else_makes_a_trusted_one(trusted: type[Verified]) -> None:
    for token in (None, object(), True):
        with pytest.raises(TypeError, match=f"Untrusted{trusted.__name__}.verify only"):
            trusted(token, ROSTER_CLAIM, b"")


# 8.3: the checks


@given(bit=st.integers(0, 8 * len(ROSTER.raw) - 1))
@settings(max_examples=200, deadline=None)
def test_8_3_any_flipped_bit_is_refused(bit: int) -> None:
    raw = bytearray(ROSTER.raw)
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused) as caught:
        UntrustedRoster.of(bytes(raw)).verify(ROOT, TODAY)
    refused(caught)


@given(size=st.integers(0, len(ROSTER.raw) - 1))
@settings(max_examples=30, deadline=None)
def test_8_3_any_cut_is_refused(size: int) -> None:
    with pytest.raises(Refused) as caught:
        UntrustedRoster.of(ROSTER.raw[:size])
    refused(caught)


def signed_by_hand(payload: bytes) -> bytes:
    """The root's signature over any bytes."""
    pair = [public(ROOT_KEY), ROOT_KEY.sign(b"sottovoce/v1/signed" + payload)]
    return cbor2.dumps([payload, [pair]], canonical=True)


PAYLOAD = ROSTER_CLAIM.payload()
FIELDS = dict(enumerate(["roster", ORG, 3, TODAY, TODAY + 180, [2, SLOTS]]))
NO_SIGNED_THING = {
    "a byte after it": ROSTER.raw + b"\0",
    "no array": cbor2.dumps({0: PAYLOAD}),
    "no signatures": cbor2.dumps([PAYLOAD]),
    "a third item": cbor2.dumps([PAYLOAD, [], 0]),
    "text for a payload": cbor2.dumps(["roster", []]),
    "a signature that is no pair": cbor2.dumps([PAYLOAD, [[b"", b"", b""]]]),
    "17 signatures": ROSTER_CLAIM.sign([ROOT_KEY] * 17),
    "too long": cbor2.dumps([bytes(LIMIT), []]),
    "bytes after the payload": signed_by_hand(PAYLOAD + b"\0"),
    "a payload in another order": signed_by_hand(cbor2.dumps(dict(reversed(FIELDS.items())))),
    "a payload with long heads": signed_by_hand(PAYLOAD.replace(b"\x02\x03", b"\x02\x18\x03", 1)),
    "a field less": signed_by_hand(cbor2.dumps(dict(list(FIELDS.items())[:5]))),
    "a field more": signed_by_hand(cbor2.dumps({**FIELDS, 6: 0})),
    "a list of fields": signed_by_hand(cbor2.dumps(list(FIELDS.values()))),
    "a kind that is no text": signed_by_hand(cbor2.dumps({**FIELDS, 0: b"roster"})),
    "an organisation of 31 bytes": signed_by_hand(cbor2.dumps({**FIELDS, 1: ORG[:31]})),
    "a serial of true": signed_by_hand(cbor2.dumps({**FIELDS, 2: True})),
    "a date that is text": signed_by_hand(cbor2.dumps({**FIELDS, 3: "today"})),
    "an end that never comes": signed_by_hand(cbor2.dumps({**FIELDS, 4: None})),
    "another kind": CARD_CLAIM.sign([ROOT_KEY]),
}


def test_8_1_the_payload_by_hand_is_the_same() -> None:
    assert signed_by_hand(cbor2.dumps(FIELDS)) == ROSTER.raw


@pytest.mark.parametrize("raw", NO_SIGNED_THING.values(), ids=NO_SIGNED_THING)
def test_8_3_what_is_no_signed_thing_of_this_kind_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as caught:
        UntrustedRoster.of(raw)
    refused(caught)


def test_8_3_a_duty_list_is_refused_by_its_own_layer() -> None:
    with pytest.raises(Refused) as caught:
        UntrustedDutyList.of(b"")
    refused(caught, "duty list")
    with pytest.raises(Refused, match="where a duty was expected") as caught:
        UntrustedDutyList.of(ROSTER.raw)
    refused(caught, "duty list")


def test_8_3_another_organisations_is_refused() -> None:
    with pytest.raises(Refused, match="another organisation's") as caught:
        roster(replace(ROSTER_CLAIM, org=bytes(32)))
    refused(caught)


@pytest.mark.parametrize("signers", [[], [STRANGER], MEMBERS[:2]], ids=["nobody", "a stranger", "members"])
def test_8_3_a_wrong_signer_is_refused(signers: list[Ed25519PrivateKey]) -> None:
    with pytest.raises(Refused, match="signatures") as caught:
        roster(ROSTER_CLAIM, signers)
    refused(caught)


def test_8_3_a_signature_of_another_payload_is_refused() -> None:
    _, pairs = cbor2.loads(replace(ROSTER_CLAIM, serial=2).sign([ROOT_KEY]))
    with pytest.raises(Refused, match="signatures"):
        UntrustedRoster.of(cbor2.dumps([PAYLOAD, pairs])).verify(ROOT, TODAY)


def test_8_2_a_signature_without_the_label_is_refused() -> None:
    raw = cbor2.dumps([PAYLOAD, [[public(ROOT_KEY), ROOT_KEY.sign(PAYLOAD)]]])
    with pytest.raises(Refused, match="signatures"):
        UntrustedRoster.of(raw).verify(ROOT, TODAY)


def test_8_3_wrong_pairs_beside_a_right_one_do_no_harm() -> None:
    _, pairs = cbor2.loads(ROSTER.raw)
    raw = cbor2.dumps([PAYLOAD, [[b"", b""], [public(ROOT_KEY), bytes(64)], [public(STRANGER), bytes(3)], *pairs]])
    assert UntrustedRoster.of(raw).verify(ROOT, TODAY).hash == ROSTER.hash


def test_8_3_an_older_serial_is_refused() -> None:
    assert roster(ROSTER_CLAIM, least=3).claim.serial == 3
    with pytest.raises(Refused, match="older") as caught:
        roster(ROSTER_CLAIM, least=4)
    refused(caught)


@pytest.mark.parametrize("today", [TODAY - 1, TODAY, TODAY + 180])
def test_8_3_it_holds_from_the_day_before_to_the_last(today: int) -> None:
    assert roster(ROSTER_CLAIM, today=today).hash == ROSTER.hash


@pytest.mark.parametrize("today", [0, TODAY - 2, TODAY + 181], ids=["long before", "not yet", "expired"])
def test_8_3_out_of_its_time_it_is_refused(today: int) -> None:
    with pytest.raises(Refused, match="not valid today") as caught:
        roster(ROSTER_CLAIM, today=today)
    refused(caught)


# 8.4: the root


def test_8_4_the_anchor_is_the_hash_of_the_first_root_document() -> None:
    raw = join_roots([ROOT_CLAIM.sign([ROOT_KEY])])
    assert UntrustedRoot.of(raw).verify(None, TODAY).org == ORG
    with pytest.raises(Refused, match="another organisation's") as caught:
        UntrustedRoot.of(raw).verify(bytes(32), TODAY)
    refused(caught)


@pytest.mark.parametrize(
    "claim",
    [
        replace(ROOT_CLAIM, body=b"short"),
        replace(ROOT_CLAIM, body="text"),
        replace(ROOT_CLAIM, org=ORG),
        replace(ROOT_CLAIM, body=public(STRANGER)),
        replace(ROOT_CLAIM, expires=TODAY - 1),
    ],
    ids=["short key", "text", "names an organisation", "another's key", "expired"],
)
def test_8_4_a_root_that_is_none_is_refused(claim: Claim) -> None:
    with pytest.raises(Refused) as caught:
        UntrustedRoot.of(join_roots([claim.sign([ROOT_KEY])])).verify(None, TODAY)
    refused(caught)


# 8.5: the roster


BODIES = {
    "threshold 0": [0, SLOTS],
    "threshold 3": [3, SLOTS],
    "threshold true": [True, SLOTS],
    "15 slots": [1, SLOTS[:15]],
    "17 slots": [1, [*SLOTS, [b"x" * 32, bytes(32), ""]]],
    "a device twice": [1, [*SLOTS[:15], SLOTS[0]]],
    "a slot without a label": [1, [*SLOTS[:15], [b"x" * 32, bytes(32)]]],
    "a short X25519 key": [1, [*SLOTS[:15], [b"x" * 31, bytes(32), ""]]],
    "a short Ed25519 key": [1, [*SLOTS[:15], [b"x" * 32, bytes(31), ""]]],
    "a long label": [1, [*SLOTS[:15], [b"x" * 32, bytes(32), "x" * 41]]],
    "a label of bytes": [1, [*SLOTS[:15], [b"x" * 32, bytes(32), b""]]],
    "a slot that is a map": [1, [*SLOTS[:15], {}]],
    "a third item": [1, SLOTS, 0],
    "a map": {0: 1, 1: SLOTS},
    "nothing": None,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_8_5_another_shape_is_refused(body: object) -> None:
    with pytest.raises(Refused, match="form it must have") as caught:
        roster(replace(ROSTER_CLAIM, body=body))
    refused(caught)


def test_8_5_a_roster_holds_for_half_a_year_at_most() -> None:
    with pytest.raises(Refused, match="form it must have"):
        roster(replace(ROSTER_CLAIM, expires=TODAY + 181))


def test_8_5_a_label_of_forty_characters_in_any_script_is_taken() -> None:
    slots = [*SLOTS[:15], [b"x" * 32, bytes(32), "密" * 40]]
    assert roster(replace(ROSTER_CLAIM, body=[1, slots])).slots[15].label == "密" * 40


# 8.6: the duty list


def test_8_6_a_threshold_of_two_asks_for_two_members() -> None:
    assert duty(DUTY_CLAIM, [MEMBERS[0], MEMBERS[15]]).claim.serial == 5
    for signers in ([MEMBERS[0]], [MEMBERS[0]] * 2, [MEMBERS[0], STRANGER], [MEMBERS[0], ROOT_KEY]):
        with pytest.raises(Refused, match="signatures") as caught:
            duty(DUTY_CLAIM, signers)
        refused(caught, "duty list")


def test_8_6_a_threshold_of_one_asks_for_one() -> None:
    of = roster(replace(ROSTER_CLAIM, body=[1, SLOTS]))
    assert duty(duty_claim(of, 1, TODAY, KEYS), MEMBERS[3:4], of=of).keys == KEYS


def test_8_6_a_duty_list_of_another_roster_is_refused() -> None:
    of = roster(replace(ROSTER_CLAIM, serial=4))
    with pytest.raises(Refused, match="another roster") as caught:
        duty(DUTY_CLAIM, of=of)
    refused(caught, "duty list")


DUTIES = {
    "no key": {},
    "29 keys": {TODAY - 1 + day: KEM for day in range(29)},
    "a short key": {TODAY: KEM[:-1]},
    "an epoch of text": {"today": KEM},
    "an epoch long ago": {TODAY - 2: KEM, TODAY: KEM},
    "two keys far apart": {TODAY: KEM, TODAY + 29: KEM},
}


@pytest.mark.parametrize("keys", DUTIES.values(), ids=DUTIES)
def test_8_6_another_shape_is_refused(keys: dict[object, bytes]) -> None:
    last = max((epoch for epoch in keys if isinstance(epoch, int)), default=TODAY)
    with pytest.raises(Refused, match="form it must have") as caught:
        duty(replace(DUTY_CLAIM, expires=last, body=[ROSTER.hash, keys]))
    refused(caught, "duty list")


@pytest.mark.parametrize("expires", [TODAY + 5, TODAY + 7])
def test_8_6_the_list_ends_with_its_last_key(expires: int) -> None:
    with pytest.raises(Refused, match="form it must have"):
        duty(replace(DUTY_CLAIM, expires=expires))


def test_8_6_twenty_eight_keys_are_taken() -> None:
    keys = {TODAY + day: KEM for day in range(28)}
    assert duty(duty_claim(ROSTER, 1, TODAY, keys)).days_left(TODAY) == 28


def test_8_6_an_expired_duty_list_is_refused() -> None:
    with pytest.raises(Refused, match="not valid today") as caught:
        duty(DUTY_CLAIM, today=TODAY + 7)
    refused(caught, "duty list")


# 8.7 and 8.8: card and access list


@pytest.mark.parametrize(
    "body",
    [
        ["Office", ["a.onion"], ["en"], [], 1],
        [b"Office", ["a.onion"], ["en"], [], 1, 1],
        ["Office", "a.onion", ["en"], [], 1, 1],
        ["Office", ["a.onion", 1], ["en"], [], 1, 1],
        ["Office", ["a.onion"], ["en"], [None], 1, 1],
        ["Office", ["a.onion"], ["en"], [], True, 1],
        ["Office", ["a.onion"], ["en"], [], 1, "1"],
        {},
    ],
)
def test_8_7_another_shape_is_refused(body: object) -> None:
    with pytest.raises(Refused, match="form it must have") as caught:
        UntrustedCard.of(replace(CARD_CLAIM, body=body).sign([ROOT_KEY])).verify(ROOT, TODAY)
    refused(caught)


def test_8_7_a_card_that_asks_for_a_newer_root_is_refused() -> None:
    claim = replace(CARD_CLAIM, body=[*CARD_CLAIM.body[:4], 2, 3])
    with pytest.raises(Refused, match="newer root") as caught:
        UntrustedCard.of(claim.sign([ROOT_KEY])).verify(ROOT, TODAY)
    refused(caught)


def test_8_7_check_words_are_six_english_words_of_the_organisation() -> None:
    card = UntrustedCard.of(CARD_CLAIM.sign([ROOT_KEY])).verify(ROOT, TODAY)
    assert card.check_words == check_words(ORG)
    assert len(card.check_words) == 6
    assert set(card.check_words) <= set(word_list())
    assert check_words(bytes(32)) == ("abandon",) * 6


@pytest.mark.parametrize(
    "body",
    [
        ["m.onion"],
        [b"m", {}],
        ["m", []],
        ["m", {0: bytes(31)}],
        ["m", {"0": bytes(32)}],
        ["m", dict.fromkeys(range(17), bytes(32))],
    ],
)
def test_8_8_another_shape_is_refused(body: object) -> None:
    with pytest.raises(Refused, match="form it must have") as caught:
        UntrustedAccess.of(replace(ACCESS_CLAIM, body=body).sign([ROOT_KEY])).verify(ROOT, TODAY)
    refused(caught)
