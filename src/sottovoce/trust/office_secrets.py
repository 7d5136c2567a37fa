"""The office's secrets: one file, locked with a passphrase (spec 8.10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused

from .locked import lock, unlock

Random = Callable[[int], bytes]


@dataclass(frozen=True)
class Secrets:
    """32-byte seeds: the root key's, both onions'; and while the root changes, its successor's."""

    root: bytes = field(repr=False)
    door: bytes = field(repr=False)
    members: bytes = field(repr=False)
    successor: bytes | None = field(default=None, repr=False)

    def locked(self, passphrase: str, random: Random) -> bytes:
        """The bytes of the office's one secret file."""
        seeds = [self.root, self.door, self.members, *([self.successor] if self.successor else [])]
        return lock(cbor.encode(seeds), passphrase, random)

    @classmethod
    def unlock(cls, raw: bytes, passphrase: str) -> Secrets:
        """The seeds in such a file; WrongPassphrase or Refused."""
        seeds = cbor.decode(unlock(raw, passphrase), "roster", 256)
        if isinstance(seeds, list) and len(seeds) in (3, 4) and all(isinstance(seed, bytes) for seed in seeds):
            return cls(*seeds)
        raise Refused("roster", "This file does not hold an office's keys: use a backup of the office.")


def key_of(seed: bytes) -> Ed25519PrivateKey:
    """A root's signing key from its seed."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_of(seed: bytes) -> bytes:
    """Its public half."""
    return key_of(seed).public_key().public_bytes_raw()
