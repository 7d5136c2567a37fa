"""Mailbox items: what members send to members, sealed to a transport key, signed inside by the sender (spec 10.2).

    plaintext 11,152   version 1  sender 1  receiver 1  zero 1  length 2  receipt 16  signature 64  content  zeros

HPKE's base mode has no sender: without the signature the server could put duty keys of its own making there.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .errors import Refused
from .keys import KemKey
from .sealing import seal, unseal
from .sizes import AEAD_TAG, ENCAPSULATED, SLOTS, VERSION

ITEM = 12_288  # a plaintext of an envelope and what says where it lay, in three pages of a database
RECEIPT = 16
_PLAINTEXT = ITEM - ENCAPSULATED - AEAD_TAG
_HEADER = struct.Struct(">BBBxH16s64s")
CONTENT_MOST = _PLAINTEXT - _HEADER.size
_DOMAIN = b"sottovoce/v1/mailbox"


@dataclass(frozen=True)
class Item:
    """A verified item: the sender's slot, the receipt that deletes it on the server, what it says."""

    sender: int
    receipt: bytes = field(repr=False)
    content: bytes = field(repr=False)


def _signed(org: bytes, sender: int, receiver: int, transport: bytes, receipt: bytes, content: bytes) -> bytes:
    return _DOMAIN + org + bytes([sender, receiver]) + transport + receipt + content


def seal_item(
    content: bytes,
    receipt: bytes,
    *,
    org: bytes,
    sender: int,
    receiver: int,
    device: Ed25519PrivateKey,
    transport: bytes,
) -> bytes:
    """12,288 bytes for the slot `receiver`, sealed to its transport key (1,216 bytes); `receipt` is 16 random bytes.

    ValueError when `content` is longer than CONTENT_MOST; Refused("body") when `transport` is no key.
    """
    if len(content) > CONTENT_MOST:
        raise ValueError(f"an item holds at most {CONTENT_MOST} bytes")
    signature = device.sign(_signed(org, sender, receiver, transport, receipt, content))
    plain = _HEADER.pack(VERSION, sender, receiver, len(content), receipt, signature) + content
    return seal(plain.ljust(_PLAINTEXT, b"\0"), transport, _DOMAIN + org + bytes([receiver]))


def open_item(sealed: bytes, *, org: bytes, receiver: int, transport: KemKey, signers: Sequence[bytes]) -> Item:
    """The item, when the roster's device of its sender signed it (spec 10.2); `signers` are Ed25519 keys by slot.

    Refused: size, seal, header, authentication.
    """
    plain = unseal(sealed, transport, _DOMAIN + org + bytes([receiver]), ITEM)
    version, sender, to, length, receipt, signature = _HEADER.unpack_from(plain)
    rest = plain[_HEADER.size :]
    content, zeros = rest[:length], rest[length:]
    if version != VERSION or plain[3] or sender >= SLOTS or to != receiver or length > CONTENT_MOST or any(zeros):
        raise Refused("header", "The mailbox item is not in its one form.")
    signed = _signed(org, sender, receiver, transport.public, receipt, content)
    try:
        Ed25519PublicKey.from_public_bytes(signers[sender]).verify(signature, signed)
    except (InvalidSignature, ValueError) as error:
        raise Refused("authentication", "The mailbox item is not signed by the colleague it names.") from error
    return Item(sender, receipt, content)
