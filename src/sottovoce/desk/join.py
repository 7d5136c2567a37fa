"""How a device becomes a member's: keys are made here, the office admits them, and its answer is taken in."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.onion.keys import write_private
from sottovoce.protocol.sizes import KEY
from sottovoce.trust.card import Access, UntrustedAccess, UntrustedCard
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.mark import write_mark
from sottovoce.trust.roster import Root, UntrustedRoot, UntrustedRoster, check_words

from .errors import DeskError
from .trusted import Trusted
from .vault import NAME, Vault, Work

REQUEST = "join-request.cbor"


@dataclass(frozen=True)
class Joining:
    """What `join` leaves: the request for the office, and the organisation's six words for a person to compare."""

    request: Path
    check_words: tuple[str, ...]


def join(
    folder: Path,
    root_raw: bytes,
    passphrase: str,
    today: int,
    *,
    org: bytes | None = None,
    work: Work | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Joining:
    """Makes a vault with new device keys in `folder`, and the request; the vault is closed again.

    `org` is None only where the root is first met, by a person who compares the check words. Refused, DeskError.
    """
    root = UntrustedRoot.of(root_raw).verify(org, today)
    with Vault.create(folder / NAME, passphrase, work, random) as vault:
        with vault.transaction():
            vault.keep_note("org", root.org)
            vault.keep_signed("root", root.hash, root.claim.serial, root_raw)
        return new_device(vault, folder, random)


def new_device(vault: Vault, folder: Path, random: Callable[[int], bytes]) -> Joining:
    """Makes the keys of a new device in a vault that has none, and the request; what `join` does, and a restoring."""
    with vault.transaction():
        for name in ("dh", "signing", "onion"):
            vault.keep_device_key(name, random(KEY))
    write_mark(folder)
    return write_request(vault, folder)


def write_request(vault: Vault, folder: Path) -> Joining:
    """Writes the request of the device whose keys are in the vault."""
    root = Trusted(vault).root
    write_private(folder / REQUEST, _request(vault, root))
    return Joining(folder / REQUEST, check_words(root.org))


def _request(vault: Vault, root: Root) -> bytes:
    dh, onion = (_x25519_public(vault, name) for name in ("dh", "onion"))
    signing = Ed25519PrivateKey.from_private_bytes(vault.device_key("signing"))
    return JoinRequest(root.org, root.hash, dh, signing.public_key().public_bytes_raw(), onion).sign(signing)


def _x25519_public(vault: Vault, name: str) -> bytes:
    return X25519PrivateKey.from_private_bytes(vault.device_key(name)).public_key().public_bytes_raw()


def welcome(vault: Vault, signed: Mapping[str, bytes], today: int) -> None:
    """Takes in root, roster, card and access list from the office, all or nothing; Refused, DeskError.

    It may be repeated with newer ones.
    """
    missing = {"root", "roster", "card", "access"} - signed.keys()
    if missing:
        raise DeskError(f"The office's answer lacks the {min(missing)}: ask for it again.")
    trusted = Trusted(vault)
    root = UntrustedRoot.of(signed["root"]).verify(trusted.org, today, trusted.root)
    card = UntrustedCard.of(signed["card"]).verify(root, today)
    roster = UntrustedRoster.of(signed["roster"]).verify(root, today, card.least_roster)
    access = UntrustedAccess.of(signed["access"]).verify(root, today)
    slot = trusted.slot(roster)
    if slot is None or access.clients.get(slot) != _x25519_public(vault, "onion"):
        raise DeskError("The office's answer does not admit this device: take its join request there again.")
    with vault.transaction():
        for thing in (root, roster, card, access):
            trusted.keep(thing)


def members_onion(vault: Vault) -> Access:
    """The access list that the office gave: the members' onion's address; DeskError before that."""
    held = vault.signed("access")
    if not held:
        raise DeskError("This device is not admitted yet: take its request to the office, and its answer back here.")
    return UntrustedAccess.of(held[0]).verify_kept(Trusted(vault).root)
