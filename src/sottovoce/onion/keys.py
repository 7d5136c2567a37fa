"""Keys of onions and of who may open them; formats of rend-spec-v3 and control-spec."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from .errors import OnionError

_VERSION = b"\x03"
_LABEL_LENGTH = 56  # base32 of 32 bytes of key, 2 of checksum, 1 of version


@dataclass(frozen=True)
class OnionKey:
    """An onion's identity: a 32-byte Ed25519 seed (RFC 8032)."""

    seed: bytes = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> OnionKey:
        """The key of 32 secret bytes; raises OnionError for any other length."""
        if len(seed) != 32:
            raise OnionError("An onion's key must be made from exactly 32 bytes: make it anew.")
        return cls(seed)

    @property
    def public(self) -> bytes:
        """The 32-byte Ed25519 public key."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    @property
    def address(self) -> str:
        """56 characters and ".onion" (rend-spec-v3, section 6)."""
        return onion_address(self.public)

    def install(self, folder: Path) -> None:
        """Write the three files that tor reads from a HiddenServiceDir (0700, files 0600)."""
        private_folder(folder)
        write_private(folder / "hs_ed25519_secret_key", _tagged("secret", self._expanded()))
        write_private(folder / "hs_ed25519_public_key", _tagged("public", self.public))
        write_private(folder / "hostname", f"{self.address}\n".encode())

    def _expanded(self) -> bytes:
        """Tor keeps the 64 bytes that RFC 8032 (5.1.5) derives, not the seed."""
        both = bytearray(hashlib.sha512(self.seed).digest())
        both[0] &= 248
        both[31] = both[31] & 127 | 64
        return bytes(both)


@dataclass(frozen=True)
class ClientKey:
    """What opens an onion with client authorisation: a 32-byte X25519 private key."""

    private: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        """The 32-byte X25519 public key; the onion's side needs no more."""
        return X25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw()

    @property
    def private_base64(self) -> str:
        """The form that ONION_CLIENT_AUTH_ADD takes after "x25519:"."""
        return base64.b64encode(self.private).decode()

    @property
    def private_base32(self) -> str:
        """The form that Tor Browser asks for and `.auth_private` files hold."""
        return _base32(self.private)


def authorized_client(public: bytes) -> str:
    """The content of a NAME.auth file for a 32-byte X25519 public key."""
    return f"descriptor:x25519:{_base32(public)}"


def onion_address(public: bytes) -> str:
    """The address of a 32-byte Ed25519 public key."""
    return base64.b32encode(public + _checksum(public) + _VERSION).decode().lower() + ".onion"


def is_onion_address(text: str) -> bool:
    """Whether this is a version 3 onion address, its checksum included; letter case is ignored."""
    label, dot, end = text.lower().partition(".")
    if (dot + end) != ".onion" or len(label) != _LABEL_LENGTH:
        return False
    try:
        raw = base64.b32decode(label.upper())
    except (binascii.Error, ValueError):
        return False
    return raw[32:] == _checksum(raw[:32]) + _VERSION


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; tor refuses any other."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file (0600) in one step, so that a power cut leaves the old or the new one."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _checksum(public: bytes) -> bytes:
    return hashlib.sha3_256(b".onion checksum" + public + _VERSION).digest()[:2]


def _tagged(kind: str, key: bytes) -> bytes:
    return f"== ed25519v1-{kind}: type0 ==".encode().ljust(32, b"\0") + key


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")
