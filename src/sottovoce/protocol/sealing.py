"""Sealing and opening with HPKE, and what an envelope is bound to (spec 5.6, 5.7)."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from .errors import Refused
from .keys import KemKey, kem_public
from .sizes import ENVELOPE

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def binding(org: bytes, direction: int, epoch: int, tag: bytes) -> bytes:
    """HPKE's `info`: what an envelope is bound to (spec 5.6)."""
    return b"sottovoce/v1/envelope" + org + bytes([direction]) + epoch.to_bytes(4, "big") + tag


def seal(plaintext: bytes, public: bytes, info: bytes) -> bytes:
    """Encapsulated key, ciphertext, AEAD tag: 1,136 bytes more (RFC 9180 section 6.1; spec 5.7).

    Refused("body") when `public` is no key, or one that gives no shared secret (spec 3.2).
    """
    key = kem_public(public)
    try:
        return SUITE.encrypt(plaintext, key, info)
    except ValueError as error:
        raise Refused("body", "The X-Wing key gives no shared secret.") from error


def unseal(sealed: bytes, key: KemKey, info: bytes, size: int = ENVELOPE) -> bytes:
    """The plaintext of `size` sealed bytes; Refused("size") or Refused("seal") (spec 5.7)."""
    if len(sealed) != size:
        raise Refused("size", f"What is sealed has {size} bytes here.")
    try:
        return SUITE.decrypt(sealed, key.private, info)
    except (InvalidTag, ValueError) as error:
        raise Refused("seal", "This key does not open it.") from error
