"""Mailbox items: every layer that refuses, and attacks by name (spec 10.2)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol.scene import ORG, OTHER, layer_of, slots

from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.mailbox import CONTENT_MOST, ITEM, Item, open_item, seal_item
from sottovoce.protocol.sealing import seal, unseal

DEVICES = [Ed25519PrivateKey.from_private_bytes(bytes([slot]) * 32) for slot in range(16)]
SIGNERS = [device.public_key().public_bytes_raw() for device in DEVICES]
TRANSPORT, NEXT = KemKey(b"w" * 32), KemKey(b"x" * 32)
RECEIPT = b"r" * 16
INFO = b"sottovoce/v1/mailbox" + ORG + b"\x07"


def sent(
    content: bytes = b"hello", sender: int = 3, device: int = 3, receiver: int = 7, transport: KemKey = TRANSPORT
) -> bytes:
    """An item that the device of one slot signs in the name of a slot."""
    ends = {"sender": sender, "receiver": receiver, "device": DEVICES[device], "transport": transport.public}
    return seal_item(content, RECEIPT, org=ORG, **ends)  # type: ignore[arg-type]


def received(sealed: bytes, receiver: int = 7, transport: KemKey = TRANSPORT, org: bytes = ORG) -> Item:
    """What the member in a slot reads."""
    return open_item(sealed, org=org, receiver=receiver, transport=transport, signers=SIGNERS)


GOOD = sent()
PLAIN = unseal(GOOD, TRANSPORT, INFO, ITEM)


def resealed(plain: bytes, receiver: int = 7, transport: KemKey = TRANSPORT) -> bytes:
    """What anybody can seal who knows the public transport key."""
    return seal(plain, transport.public, INFO[:-1] + bytes([receiver]))


@given(content=st.binary(max_size=300) | st.just(b"x" * CONTENT_MOST), sender=slots, receiver=slots)
@settings(max_examples=40, deadline=None)
def test_10_2_the_receiver_reads_what_a_colleague_sent(content: bytes, sender: int, receiver: int) -> None:
    sealed = sent(content, sender, sender, receiver)
    assert len(sealed) == 12_288
    assert received(sealed, receiver) == Item(sender, RECEIPT, content)


def test_10_2_the_most_that_an_item_holds() -> None:
    assert CONTENT_MOST == 11_066
    with pytest.raises(ValueError, match="at most 11066 bytes"):
        sent(b"x" * (CONTENT_MOST + 1))


@pytest.mark.parametrize("size", [0, 8_192, 12_287, 12_289])
def test_10_2_1_an_item_of_another_size_is_refused(size: int) -> None:
    assert layer_of(lambda: received(GOOD[:size].ljust(size, b"\0"))) == "size"


@given(bit=st.integers(0, 8 * 12_288 - 1))
@settings(max_examples=60, deadline=None)
def test_10_2_2_any_flipped_bit_is_refused(bit: int) -> None:
    flip = (1 << bit).to_bytes(12_288, "little")
    assert layer_of(lambda: received(bytes(a ^ b for a, b in zip(GOOD, flip, strict=True)))) == "seal"


def test_10_2_2_an_item_for_another_slot_key_or_organisation_does_not_open() -> None:
    assert layer_of(lambda: received(GOOD, receiver=8)) == "seal"
    assert layer_of(lambda: received(GOOD, transport=NEXT)) == "seal"
    assert layer_of(lambda: received(GOOD, org=OTHER)) == "seal"


@pytest.mark.parametrize(
    ("offset", "new"),
    [(0, b"\x02"), (1, b"\x10"), (2, b"\x08"), (3, b"\x01"), (4, b"\x2b\x3b"), (4, b"\0\4"), (11_151, b"\x01")],
    ids=["version", "sender", "receiver", "zero", "length over the room", "length too short", "padding"],
)
def test_10_2_3_a_broken_table_is_refused(offset: int, new: bytes) -> None:
    broken = PLAIN[:offset] + new + PLAIN[offset + len(new) :]
    assert layer_of(lambda: received(resealed(broken))) == "header"


def test_10_2_4_a_colleague_cannot_send_in_another_colleagues_name() -> None:
    assert layer_of(lambda: received(sent(sender=4, device=3))) == "authentication"


def test_10_2_4_a_server_cannot_make_an_item() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    forged = seal_item(b"my keys", RECEIPT, org=ORG, sender=3, receiver=7, device=stranger, transport=TRANSPORT.public)
    assert layer_of(lambda: received(forged)) == "authentication"
    unsigned = PLAIN[:22] + bytes(64) + PLAIN[86:]
    assert layer_of(lambda: received(resealed(unsigned))) == "authentication"


def test_10_2_4_a_receiver_cannot_pass_an_item_on_as_sent_to_a_colleague() -> None:
    for_eight = PLAIN[:2] + b"\x08" + PLAIN[3:]
    assert layer_of(lambda: received(resealed(for_eight, receiver=8), receiver=8)) == "authentication"


def test_10_2_4_an_item_cannot_be_sealed_again_to_the_next_transport_key() -> None:
    assert layer_of(lambda: received(resealed(PLAIN, transport=NEXT), transport=NEXT)) == "authentication"


@pytest.mark.parametrize(("offset", "what"), [(1, "sender"), (6, "receipt"), (86, "content")])
def test_10_2_4_what_the_signature_covers_cannot_be_changed(offset: int, what: str) -> None:
    changed = PLAIN[:offset] + bytes([PLAIN[offset] ^ 1]) + PLAIN[offset + 1 :]
    assert layer_of(lambda: received(resealed(changed))) == "authentication", what


def test_10_2_4_a_removed_device_is_not_heard() -> None:
    newest = [*SIGNERS[:3], SIGNERS[9], *SIGNERS[4:]]
    with_newest = {"org": ORG, "receiver": 7, "transport": TRANSPORT, "signers": newest}
    assert layer_of(lambda: open_item(GOOD, **with_newest)) == "authentication"  # type: ignore[arg-type]


def test_10_2_neither_content_nor_receipt_is_shown_by_repr() -> None:
    assert "hello" not in repr(received(GOOD))
    assert repr(RECEIPT) not in repr(received(GOOD))
