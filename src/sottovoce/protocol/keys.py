"""Keys of a source, pairwise keys, and the tags that come of them (spec 3 and 4)."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import Refused
from .sizes import ANSWER_EPOCHS, KEM_PUBLIC, KEY, QUARTERS, TAG
from .words import Passphrase, words_of

_MLKEM_PUBLIC = KEM_PUBLIC - KEY
_FOUR = struct.Struct(f"{TAG}s" * QUARTERS)
_ANY = X25519PrivateKey.from_private_bytes(
    bytes(KEY)
)  # no secret: whether a secret is zero is up to the public key alone


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int = KEY) -> bytes:
    """HKDF-SHA256 (RFC 5869): `length` bytes from a secret."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


@dataclass(frozen=True)
class KemKey:
    """An X-Wing private key, kept as its 32-byte seed (draft-connolly-cfrg-xwing-kem; spec 3.2)."""

    seed: bytes = field(repr=False)

    @cached_property
    def _parts(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        expanded = hashlib.shake_256(self.seed).digest(96)
        return (
            MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
            X25519PrivateKey.from_private_bytes(expanded[64:]),
        )

    @cached_property
    def private(self) -> MLKEM768X25519PrivateKey:
        """The key that pyca's HPKE opens with."""
        return MLKEM768X25519PrivateKey(*self._parts)

    @cached_property
    def public(self) -> bytes:
        """1,216 bytes: the ML-KEM-768 key, then the X25519 key."""
        mlkem, x25519 = self._parts
        return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def kem_public(raw: bytes) -> MLKEM768X25519PublicKey:
    """The key that pyca's HPKE seals to, from 1,216 bytes; Refused if they are none (spec 3.2)."""
    return MLKEM768X25519PublicKey(*_public_parts(raw))


def check_kem(raw: bytes) -> None:
    """Refused where sealing to this key would be: all that a sealing looks at, for half its work (spec 3.2, 7.2.6)."""
    _, x25519 = _public_parts(raw)
    try:
        _ANY.exchange(x25519)
    except ValueError as error:
        raise Refused("body", "The X-Wing key gives no shared secret.") from error


def _public_parts(raw: bytes) -> tuple[MLKEM768PublicKey, X25519PublicKey]:
    try:
        return (
            MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC]),
            X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC:]),
        )
    except ValueError as error:
        raise Refused("body", "The X-Wing key is not valid.") from error


def conversation_id(org: bytes, kem: bytes, dh: bytes, c: bytes) -> bytes:
    """32 bytes that name a conversation: other keys are another conversation (spec 3.4)."""
    return hashlib.sha256(b"sottovoce/v1/conversation" + org + kem + dh + c).digest()


def sign_of(conversation: bytes) -> tuple[str, str]:
    """The sign: two words from the first 22 bits of a conversation's id (spec 3.5)."""
    first, second = words_of(conversation, 2)
    return first, second


class SourceKeys:
    """All keys of one source at one organisation (`org`: spec 1.3), from the passphrase alone (spec 3.1, 3.3)."""

    def __init__(self, org: bytes, phrase: Passphrase) -> None:
        self.org = org
        self.kem = KemKey(self._derive(phrase, b"kem"))
        self._dh = X25519PrivateKey.from_private_bytes(self._derive(phrase, b"dh"))
        self.dh = self._dh.public_key().public_bytes_raw()
        self.c = self._derive(phrase, b"conversation")

    def _derive(self, phrase: Passphrase, label: bytes) -> bytes:
        return hkdf(phrase.secret, b"sottovoce/v1/source", label + self.org)

    @cached_property
    def id(self) -> bytes:
        """The conversation's id (spec 3.4)."""
        return conversation_id(self.org, self.kem.public, self.dh, self.c)

    @property
    def sign(self) -> tuple[str, str]:
        """The sign that source and desk both see (spec 3.5)."""
        return sign_of(self.id)

    def pair(self, slot: int, member: bytes) -> PairKey:
        """The pairwise key with the member device in `slot`, whose X25519 key is `member` (spec 4.1)."""
        return PairKey.derive(self._dh, member, self.c, self.org, slot, member)


@dataclass(frozen=True)
class PairKey:
    """K_i: what one source and one slot share; one half makes tags, the other MACs (spec 4)."""

    tags: bytes = field(repr=False)
    macs: bytes = field(repr=False)

    @classmethod
    def derive(
        cls, private: X25519PrivateKey, public: bytes, c: bytes, org: bytes, slot: int, member: bytes
    ) -> PairKey:
        """K_i from either end: `private` is one's own, `public` the other's (spec 4.1).

        Refused("authentication") when the other's key gives no shared secret.
        """
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError as error:
            raise Refused("authentication", "The X25519 key gives no shared secret.") from error
        raw = hkdf(shared, c, b"sottovoce/v1/pair" + org + bytes([slot]) + member, 64)
        return cls(raw[:32], raw[32:])

    @cached_property
    def _begun(self) -> HMAC:
        """HMAC-SHA-512 with its key taken in: a source needs it 32 times, and a copy costs a third of a new one."""
        return HMAC(self.tags, SHA512())

    def answer_tags(self, epoch: int) -> tuple[bytes, ...]:
        """The four tags of an epoch, one for each quarter (spec 4.2)."""
        begun = self._begun.copy()
        begun.update(b"tag" + epoch.to_bytes(4, "big"))
        return _FOUR.unpack(begun.finalize())

    def part_tag(self, first: bytes, part: int) -> bytes:
        """The tag of a later part of the answer whose first part has the tag `first` (spec 4.3)."""
        return hmac.digest(self.tags, b"part" + first + bytes([part]), "sha512")[:TAG]

    def mac(self, info: bytes, digest: bytes) -> bytes:
        """16 bytes over the binding `info` and the plaintext's `digest` (spec 5.4)."""
        return hmac.digest(self.macs, info + digest, "sha256")[:16]


def member_pair(member: X25519PrivateKey, source_dh: bytes, c: bytes, org: bytes, slot: int) -> PairKey:
    """The same key as SourceKeys.pair, from the member's end (spec 4.1)."""
    return PairKey.derive(member, source_dh, c, org, slot, member.public_key().public_bytes_raw())


def answer_epochs(epoch: int) -> range:
    """The 32 epochs in which an answer can lie, newest first: tomorrow to 30 days back (spec 4.4)."""
    return range(epoch + 1, epoch - ANSWER_EPOCHS - 1, -1)
