"""What breaks several steps of 7.2 or 7.4 is refused by the first of them; and the sizes of 1.4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from protocol.scene import DUTY, EPOCH, INFO, KEYS, MEMBERS, ORG, PLACE, layer, layer_of, plaintext_to_desk, read
from protocol.scene import with_macs as with_macs_of_source

from sottovoce.protocol import sizes
from sottovoce.protocol.answer import answer_tags
from sottovoce.protocol.envelope import TO_SOURCE, DeskPart, Header, SourcePart, body_hash
from sottovoce.protocol.sealing import binding, seal

NO_BODY = b"\xff"
PAIR = KEYS.pair(PLACE.slot, MEMBERS[PLACE.slot])
ANSWER_TAG = answer_tags(PAIR, PLACE, 1)[0]
ANSWER_INFO = binding(ORG, TO_SOURCE, EPOCH, ANSWER_TAG)


def to_desk(step: int) -> bytes:
    """An envelope that breaks `step` of 7.2 and all later steps that an envelope can break."""
    part = replace(plaintext_to_desk(), body=NO_BODY, body_hash=body_hash(NO_BODY))  # 9
    breaks: list[tuple[int, Callable[[DeskPart], DeskPart]]] = [
        (8, lambda part: replace(part, body_hash=bytes(32))),
        (6, lambda part: replace(part, kem=bytes(1_216))),
        (5, lambda part: replace(part, macs=bytes(256))),
        (4, lambda part: replace(part, dh=bytes(32))),
    ]
    for number, broken in breaks:
        if number == 5:
            part = with_macs_of_source(part)
        part = broken(part) if step <= number else part
    plaintext = part.encode() if step > 2 else b"\2" + part.encode()[1:]
    envelope = seal(plaintext, DUTY.public, INFO if step > 1 else b"")
    return envelope if step else envelope[1:]


DESK = {0: "size", 1: "seal", 2: "header", 4: "authentication", 5: "authentication", 6: "body", 8: "body", 9: "body"}


@pytest.mark.parametrize(("step", "expected"), DESK.items(), ids=[f"7.2.{step}" for step in DESK])
def test_7_2_the_first_step_that_is_broken_refuses_at_the_desk(step: int, expected: str) -> None:
    """7.2.1, 7.2.2, 7.2.4, 7.2.5, 7.2.6, 7.2.8, 7.2.9."""
    assert layer(to_desk(step)) == expected


def to_source(step: int) -> bytes:
    """An envelope that breaks `step` of 7.4 and all later steps that a first part can break."""
    part = SourcePart(Header(TO_SOURCE, b"i" * 16, slot=PLACE.slot, n=PLACE.n), NO_BODY, body_hash(NO_BODY), 1, EPOCH)
    if step <= 7:
        part = replace(part, body_hash=bytes(32))
    if step <= 3:
        part = replace(part, header=replace(part.header, n=PLACE.n - 1))
    part = replace(part, mac=bytes(16) if step <= 4 else PAIR.mac(ANSWER_INFO, part.digest()))
    plaintext = part.encode() if step > 2 else b"\2" + part.encode()[1:]
    envelope = seal(plaintext, KEYS.kem.public, ANSWER_INFO if step > 1 else b"")
    return envelope if step else envelope[1:]


SOURCE = {0: "size", 1: "seal", 2: "header", 3: "header", 4: "authentication", 7: "body", 8: "body"}


@pytest.mark.parametrize(("step", "expected"), SOURCE.items(), ids=[f"7.4.{step}" for step in SOURCE])
def test_7_4_the_first_step_that_is_broken_refuses_at_the_source(step: int, expected: str) -> None:
    """7.4.1, 7.4.2, 7.4.3, 7.4.4, 7.4.7, 7.4.8."""
    assert layer_of(partial(read, to_source(step))) == expected


def test_1_4_the_sizes() -> None:
    assert (sizes.ENVELOPE, sizes.PLAINTEXT, sizes.ENCAPSULATED, sizes.AEAD_TAG) == (8_192, 7_056, 1_120, 16)
    assert sizes.ENVELOPE == sizes.ENCAPSULATED + sizes.PLAINTEXT + sizes.AEAD_TAG
    assert (sizes.TAG, sizes.MAC, sizes.KEM_PUBLIC, sizes.KEY, sizes.HASH, sizes.SLOTS) == (16, 16, 1_216, 32, 32, 16)
    assert len(KEYS.kem.public) == sizes.KEM_PUBLIC == 1_184 + len(KEYS.dh)
