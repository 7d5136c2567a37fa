"""Secrets at rest: locked with a passphrase by Argon2id and ChaCha20-Poly1305 (spec 8.10)."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused

PASSES, LANES, MEMORY = 3, 4, 262_144  # KiB: a quarter of a GiB, about half a second for the owner
_MOST_MEMORY, _MOST_PASSES = 1_048_576, 16  # what a hostile file may ask of us
_DOMAIN = b"sottovoce/v1/locked"
_LIMIT = 8 << 20


class WrongPassphrase(Exception):
    """The passphrase does not open the file."""


def lock(secret: bytes, passphrase: str, random: Callable[[int], bytes]) -> bytes:
    """The locked file's bytes; what opens it stands in it, but for the passphrase."""
    salt, nonce = random(16), random(12)
    sealed = ChaCha20Poly1305(_key(passphrase, salt, PASSES, LANES, MEMORY)).encrypt(nonce, secret, _DOMAIN)
    return cbor.encode([salt, PASSES, LANES, MEMORY, nonce, sealed])


def unlock(raw: bytes, passphrase: str) -> bytes:
    """The secret; WrongPassphrase, or Refused when `raw` is no locked file."""
    match cbor.decode(raw, "roster", _LIMIT):
        case [bytes() as salt, int() as passes, int() as lanes, int() as memory, bytes() as nonce, bytes() as sealed]:
            pass
        case _:
            raise Refused("roster", "This is no locked file.")
    if not (0 < passes <= _MOST_PASSES and 0 < lanes <= 16 and 8 * lanes <= memory <= _MOST_MEMORY):
        raise Refused("roster", "This locked file asks for more work than any of ours: it is not ours.")
    try:
        return ChaCha20Poly1305(_key(passphrase, salt, passes, lanes, memory)).decrypt(nonce, sealed, _DOMAIN)
    except InvalidTag:
        raise WrongPassphrase("The passphrase does not open the file: try again.") from None


def _key(passphrase: str, salt: bytes, passes: int, lanes: int, memory: int) -> bytes:
    kdf = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
    return kdf.derive(passphrase.encode())
