"""What a new member's device hands to the office: public keys only, signed by the device (spec 8.9)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import KEY
from sottovoce.protocol.words import words_of

_DOMAIN = b"sottovoce/v1/join"
_LIMIT = 1_024


@dataclass(frozen=True)
class JoinRequest:
    """The organisation that the device wants to join, and its X25519, Ed25519 and onion client (X25519) keys."""

    org: bytes
    dh: bytes
    signing: bytes
    client: bytes

    def _content(self) -> bytes:
        return cbor.encode([self.org, self.dh, self.signing, self.client])

    @property
    def check_words(self) -> tuple[str, ...]:
        """Four words that member and office compare, so that nobody exchanged the file on its way."""
        return words_of(hashlib.sha256(_DOMAIN + self._content()).digest(), 4)

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
        if isinstance(value, list) and len(value) == 4 and all(type(v) is bytes and len(v) == KEY for v in value):
            return cls(*value)
        raise Refused("roster", "This file is no request to join.")
