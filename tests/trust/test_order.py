"""What breaks several checks of 8.3 is refused by the first of them; all refuse with the layer of their kind."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sottovoce.protocol.errors import Refused
from sottovoce.trust.roster import FIRST_ORG, Root, UntrustedRoot, UntrustedRoster, join_roots
from sottovoce.trust.signed import SERIAL_MOST, Claim

TODAY = 20_780
KEY, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
ROOT_CLAIM = Claim("root", FIRST_ORG, 1, TODAY, TODAY + 3_650, KEY.public_key().public_bytes_raw())
ORG = hashlib.sha256(ROOT_CLAIM.payload()).digest()
SLOTS = [[bytes([slot]) * 32, bytes([slot]) * 32, ""] for slot in range(16)]
GOOD = Claim("roster", ORG, 7, TODAY, TODAY + 180, [1, SLOTS])
# What breaks each check of 8.3, from the last on, and a word of the sentence that says so.
BREAKS: list[tuple[int, str, dict[str, Any]]] = [
    (7, "form", {"body": [3, SLOTS]}),
    (6, "not valid today", {"expires": TODAY - 1}),
    (5, "older", {"serial": 6}),
    (4, "signatures", {}),
    (3, "another organisation", {"org": bytes(32)}),
    (2, "another signed thing", {"kind": "card"}),
    (1, "wrong type", {"serial": True}),
]


def the_root() -> Root:
    """The root of all that is tried here."""
    return UntrustedRoot.of(join_roots([ROOT_CLAIM.sign([KEY])])).verify(ORG, TODAY)


def broken(step: int) -> bytes:
    """A roster that breaks `step` of 8.3 and all later ones."""
    claim = GOOD
    for number, _, change in BREAKS:
        claim = replace(claim, **change) if step <= number else claim
    return claim.sign([STRANGER if step <= 4 else KEY])


def test_8_3_a_roster_that_breaks_nothing_is_taken() -> None:
    assert UntrustedRoster.of(broken(8)).verify(the_root(), TODAY, 7).claim == GOOD


@pytest.mark.parametrize(("step", "words"), [each[:2] for each in BREAKS], ids=[f"8.3.{each[0]}" for each in BREAKS])
def test_8_3_1_to_8_3_7_the_first_check_that_is_broken_refuses(step: int, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        UntrustedRoster.of(broken(step)).verify(the_root(), TODAY, 7)
    assert caught.value.layer == "roster"


@pytest.mark.parametrize("serial", [-1, SERIAL_MOST + 1, 2**64 - 1])
def test_8_3_1_a_number_that_would_stop_a_desks_database_is_refused(serial: int) -> None:
    most = replace(GOOD, serial=SERIAL_MOST)
    assert UntrustedRoster.of(most.sign([KEY])).verify(the_root(), TODAY).claim == most
    with pytest.raises(Refused, match="can't be one"):
        UntrustedRoster.of(replace(GOOD, serial=serial).sign([KEY]))


def test_8_3_1_bytes_that_are_no_signed_thing_are_refused_first() -> None:
    raw = cbor2.dumps([GOOD.payload(), [[b"", b"", b""]]], canonical=True)
    with pytest.raises(Refused, match="not a signed thing"):
        UntrustedRoster.of(raw)


def test_1_3_the_organisation_is_the_hash_of_its_first_root_document() -> None:
    root = the_root()
    assert root.org == root.hash == ORG
    with pytest.raises(Refused, match="another organisation"):
        UntrustedRoot.of(join_roots([ROOT_CLAIM.sign([KEY])])).verify(bytes(32), TODAY)
