"""How a device joins: the office's invitation, and what the device hands back (spec 8.9 and 8.14). No secrets."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import KEY
from sottovoce.protocol.words import words_of

from .card import Card, UntrustedCard
from .roster import Root, UntrustedRoot

_DOMAIN = b"sottovoce/v1/join"
_LIMIT = 1_024
_INVITATION_MOST = 131_072
_BEGIN, _END = b"-----BEGIN SOTTOVOCE INVITATION-----", b"-----END SOTTOVOCE INVITATION-----"


@dataclass(frozen=True)
class JoinRequest:
    """The organisation that the device wants to join, and its X25519, Ed25519 and onion client (X25519) keys.

    `root` is the hash of the newest root document that the device was given.
    """

    org: bytes
    root: bytes
    dh: bytes
    signing: bytes
    client: bytes

    def _content(self) -> bytes:
        return cbor.encode([self.org, self.root, self.dh, self.signing, self.client])

    @property
    def check_words(self) -> tuple[str, ...]:
        """Six words that member and office compare, so that nobody exchanged the file on its way.

        Not fewer: who may choose keys can try 2^44 of them, what four words would hold, in an hour.
        """
        return words_of(hashlib.sha256(_DOMAIN + self._content()).digest(), 6)

    def sign(self, device: Ed25519PrivateKey) -> bytes:
        """The request's bytes; the signature shows that the device holds its key."""
        content = self._content()
        return cbor.encode([content, device.sign(_DOMAIN + content)])

    @classmethod
    def read(cls, raw: bytes) -> JoinRequest:
        """The request that `raw` holds; Refused when it is none or not signed by its own device."""
        match cbor.decode(raw, "roster", _LIMIT):
            case [bytes() as content, bytes() as signature]:
                request = cls._of(content)
            case _:
                raise Refused("roster", "This file is no request to join.")
        try:
            Ed25519PublicKey.from_public_bytes(request.signing).verify(signature, _DOMAIN + content)
            # A key of low order in the roster would keep every source from writing.
            for public in (request.dh, request.client):
                X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(public))
        except (InvalidSignature, ValueError) as error:
            raise Refused("roster", "The request to join is not signed by its own device: ask for it again.") from error
        return request

    @classmethod
    def _of(cls, content: bytes) -> JoinRequest:
        value = cbor.decode(content, "roster", _LIMIT)
        if isinstance(value, list) and len(value) == 5 and all(type(v) is bytes and len(v) == KEY for v in value):
            return cls(*value)
        raise Refused("roster", "This file is no request to join.")


@dataclass(frozen=True)
class Invitation:
    """What the office gives to a person whom it invites: the chain of roots and the card, both public (spec 8.14)."""

    root: bytes
    card: bytes

    def text(self, before: str) -> bytes:
        """A text file: words for the person, then the two in base64. It holds no check words: who changed it could."""
        coded = base64.encodebytes(cbor.encode([self.root, self.card]))
        return before.encode() + b"\n" + _BEGIN + b"\n" + coded + _END + b"\n"

    @classmethod
    def read(cls, raw: bytes) -> Invitation:
        """The invitation in a text, with anything before and after it; Refused when there is none."""
        begin, end = raw.find(_BEGIN), raw.find(_END)
        if not 0 <= begin < end or len(raw) > _INVITATION_MOST:
            raise Refused("roster", "This file is no invitation: ask the office for the one it wrote.")
        try:
            content = base64.b64decode(b"".join(raw[begin + len(_BEGIN) : end].split()), validate=True)
        except binascii.Error as error:
            raise Refused("roster", "The invitation is damaged: ask the office for it again.") from error
        match cbor.decode(content, "roster", _INVITATION_MOST):
            case [bytes() as root, bytes() as card]:
                return cls(root, card)
        raise Refused("roster", "The invitation is damaged: ask the office for it again.")

    def verify(self, today: int) -> tuple[Root, Card]:
        """Root and card, for a person who compares the card's check words by voice."""
        root = UntrustedRoot.of(self.root).verify(None, today)
        return root, UntrustedCard.of(self.card).verify(root, today)
