"""The one form of all signed things: {kind, org, serial, issued, expires, body} (spec 8.1 to 8.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Layer, Refused
from sottovoce.protocol.sizes import HASH

LIMIT = 65_536  # bytes of one signed thing; a duty list of 28 keys has 34,400
SERIAL_MOST = 2**63 - 1  # what every database holds: a greater one must stop no desk
_DOMAIN = b"sottovoce/v1/signed"
_KEYS = [0, 1, 2, 3, 4, 5]
_LAYERS: dict[str, Layer] = {"duty": "duty list"}
_MADE_HERE = object()


@dataclass(frozen=True)
class Claim:
    """What a signed thing says of itself; `issued` and `expires` are epochs, both included."""

    kind: str
    org: bytes
    serial: int
    issued: int
    expires: int
    body: Any = field(repr=False)

    def payload(self) -> bytes:
        """The bytes that are signed and hashed (spec 8.1)."""
        fields = (self.kind, self.org, self.serial, self.issued, self.expires, self.body)
        return cbor.encode(dict(enumerate(fields)))

    def sign(self, keys: Iterable[Ed25519PrivateKey]) -> bytes:
        """The signed thing's bytes: the payload and the signatures over exactly these bytes (spec 8.2)."""
        payload = self.payload()
        signatures = [[key.public_key().public_bytes_raw(), key.sign(_DOMAIN + payload)] for key in keys]
        return cbor.encode([payload, signatures])

    def signature(self, key: Ed25519PrivateKey) -> bytes:
        """One signature over the payload (spec 8.2)."""
        return key.sign(_DOMAIN + self.payload())


class Verified:
    """Base of trusted things: only `verify` can make one, since only this room holds the token."""

    def __init__(self, token: object, claim: Claim, raw: bytes) -> None:
        if token is not _MADE_HERE:
            raise TypeError(f"{type(self).__name__} comes from Untrusted{type(self).__name__}.verify only")
        self.claim, self.raw = claim, raw

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the payload: the name of exactly this version."""
        return hashlib.sha256(self.claim.payload()).digest()

    @classmethod
    def _made(cls, claim: Claim, raw: bytes) -> Self:
        return cls(_MADE_HERE, claim, raw)


@dataclass(frozen=True)
class Untrusted:
    """A signed thing's bytes as they came, taken apart but not believed."""

    raw: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    signatures: Sequence[tuple[bytes, bytes]] = field(repr=False)
    claim: Claim

    @classmethod
    def read(cls, raw: bytes, kind: str) -> Self:
        """Takes the bytes apart; Refused("roster" or "duty list") when they are no signed thing of this kind."""
        layer = layer_of(kind)
        payload, signatures = _outer(raw, layer)
        value = cbor.decode(payload, layer, LIMIT)
        if not isinstance(value, dict) or list(value) != _KEYS:
            raise Refused(layer, "The signed thing has not the six fields it must have.")
        claim = Claim(*value.values())
        types = (str, bytes, int, int, int)
        fields = (claim.kind, claim.org, claim.serial, claim.issued, claim.expires)
        if any(type(item) is not wanted for item, wanted in zip(fields, types, strict=True)) or len(claim.org) != HASH:
            raise Refused(layer, "A field of the signed thing is of the wrong type.")
        if not 0 <= claim.serial <= SERIAL_MOST:
            raise Refused(layer, "The number of the signed thing can't be one.")
        if claim.kind != kind:
            raise Refused(layer, f"This is another signed thing, where a {kind} was expected.")
        return cls(raw, payload, signatures, claim)

    def check(self, org: bytes, signers: Iterable[bytes], threshold: int, today: int, least: int = 0) -> None:
        """Refused unless `threshold` of the `signers` signed it, for `org`, for today, and not before `least` (8.3)."""
        layer = layer_of(self.claim.kind)
        if self.claim.org != org:
            raise Refused(layer, f"The {self.claim.kind} is another organisation's.")
        if len(self.valid(signers)) < threshold:
            raise Refused(layer, f"The {self.claim.kind} has not the signatures it needs.")
        if self.claim.serial < least:
            raise Refused(layer, f"The {self.claim.kind} is older than one that was seen before.")
        if not self.claim.issued - 1 <= today <= self.claim.expires:
            raise Refused(layer, f"The {self.claim.kind} is not valid today: it needs to be renewed.")

    def valid(self, signers: Iterable[bytes]) -> dict[bytes, bytes]:
        """The right signatures of those who may sign, by their keys."""
        allowed = set(signers)
        return {
            key: signature
            for key, signature in self.signatures
            if key in allowed and _signed(key, signature, self.payload)
        }


def encode(payload: bytes, signatures: Mapping[bytes, bytes]) -> bytes:
    """A signed thing's bytes from its parts, the signatures in order of their keys (spec 8.2)."""
    return cbor.encode([payload, [[key, signatures[key]] for key in sorted(signatures)]])


def shape(ok: bool, kind: str) -> None:
    """Refused when a signed thing's body is not `ok`."""
    if not ok:
        raise Refused(layer_of(kind), f"The {kind}'s content is not of the form it must have.")


def is_bytes(value: object, size: int) -> bool:
    """Whether it is a byte string of this size."""
    return isinstance(value, bytes) and len(value) == size


def layer_of(kind: str) -> Layer:
    """The layer that refuses a thing of this kind: duty lists have their own, the rest is the roster's."""
    return _LAYERS.get(kind, "roster")


def _outer(raw: bytes, layer: Layer) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    match cbor.decode(raw, layer, LIMIT):
        case [bytes() as payload, list() as signatures] if len(signatures) <= 16 and all(map(_is_pair, signatures)):
            return payload, [(key, signature) for key, signature in signatures]
    raise Refused(layer, "This is not a signed thing.")


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(item, bytes) for item in value)


def _signed(key: bytes, signature: bytes, payload: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _DOMAIN + payload)
    except (InvalidSignature, ValueError):
        return False
    return True
