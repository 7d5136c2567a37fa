"""The office: holds the root key and the onions' keys, and signs roster, card and access list.

Kept in one folder, offline but for minutes. What is secret lies in one file locked with a passphrase.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import SLOTS

from .card import UntrustedAccess, UntrustedCard
from .join import JoinRequest
from .locked import lock, unlock
from .published import SignedFolder, write_durably
from .roster import FIRST_ORG, ROSTER_DAYS, Root, UntrustedRoster, join_roots
from .signed import Claim, Untrusted

ROOT_DAYS = 3_653  # ten years: films with the address are watched for long
CARD_DAYS = 365
KINDS = ("root", "roster", "card", "access")
_SECRETS = "secrets.locked"
_BACKUP_MOST = 4 << 20
Random = Callable[[int], bytes]
_RENEWED: dict[str, tuple[Callable[[bytes], Untrusted], int]] = {
    "roster": (UntrustedRoster.of, ROSTER_DAYS),
    "card": (UntrustedCard.of, CARD_DAYS),
    "access": (UntrustedAccess.of, ROSTER_DAYS),
}


@dataclass(frozen=True)
class Secrets:
    """32-byte seeds: the root key's, the door's onion's, the members' onion's."""

    root: bytes = field(repr=False)
    door: bytes = field(repr=False)
    members: bytes = field(repr=False)

    @property
    def root_key(self) -> Ed25519PrivateKey:
        """The key that signs."""
        return Ed25519PrivateKey.from_private_bytes(self.root)


class Office:
    """An office's folder, its secrets open in memory."""

    def __init__(self, folder: Path, secrets: Secrets) -> None:
        self.folder, self.secrets = folder, secrets
        self.signed = SignedFolder(folder / "signed")

    @classmethod
    def create(cls, folder: Path, passphrase: str, secrets: Secrets, random: Random, today: int) -> Office:
        """A new office in an empty folder, with its first root document."""
        if folder.exists() and any(folder.iterdir()):
            raise Refused("roster", f"{folder} is not empty: choose a new folder for the office.")
        locked = lock(cbor.encode([secrets.root, secrets.door, secrets.members]), passphrase, random)
        write_durably(folder / _SECRETS, locked)
        office = cls(folder, secrets)
        office._sign("root", FIRST_ORG, 1, today, today + ROOT_DAYS, secrets.root_key.public_key().public_bytes_raw())
        return office

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> Office:
        """The office that is kept in a folder; WrongPassphrase or Refused."""
        try:
            raw = (folder / _SECRETS).read_bytes()
        except OSError:
            raise Refused("roster", f"{folder} holds no office: check the path, or restore a backup there.") from None
        root, door, members = cbor.decode(unlock(raw, passphrase), "roster", 256)
        return cls(folder, Secrets(root, door, members))

    def _sign(self, kind: str, org: bytes, serial: int, today: int, expires: int, body: object) -> None:
        raw = Claim(kind, org, serial, today, expires, body).sign([self.secrets.root_key])
        raw = join_roots([raw]) if kind == "root" else raw
        write_durably(self.folder / "signed" / f"{kind}.signed", raw)
        self.signed = SignedFolder(self.folder / "signed")

    def root(self, today: int) -> Root:
        """The organisation's root, as everybody else verifies it."""
        return self.signed.root(today)

    def sign_card(self, name: str, address: str, today: int) -> None:
        """Signs the card anew, with the next serial."""
        body = [name, [address], ["en"], [], 1, 1]
        self._sign("card", self.root(today).org, self._next("card"), today, today + CARD_DAYS, body)

    def _next(self, kind: str) -> int:
        raw = self.signed.get(kind)
        return _RENEWED[kind][0](raw).claim.serial + 1 if raw is not None else 1

    def renew(self, today: int) -> None:
        """Signs roster, card and access list anew with the same content, before they end."""
        for kind, (reader, days) in _RENEWED.items():
            if (raw := self.signed.get(kind)) is not None:
                claim = reader(raw).claim
                self._sign(kind, claim.org, claim.serial + 1, today, today + days, claim.body)

    def admit(
        self,
        request: JoinRequest,
        label: str,
        members_address: str,
        random: Random,
        today: int,
        replaced: int | None = None,
    ) -> int:
        """Gives a device the first free slot, or the `replaced` one, and signs roster and access list anew.

        Returns the slot.
        """
        if request.org != self.root(today).org:
            raise Refused("roster", "This device asks to join another organisation: check the file.")
        clients = self._clients(today)
        slots = self._slots(today, random)
        if request.dh in [dh for dh, _, _ in slots]:
            raise Refused("roster", "This device is in the roster already.")
        slot = next((n for n in range(SLOTS) if n not in clients), None) if replaced is None else replaced
        if slot is None:
            raise Refused("roster", "All 16 slots are taken: remove a device first.")
        slots[slot] = [request.dh, request.signing, label]
        end = today + ROSTER_DAYS
        self._sign("roster", request.org, self._next("roster"), today, end, [1, slots])
        body = [members_address, {**clients, slot: request.client}]
        self._sign("access", request.org, self._next("access"), today, end, body)
        return slot

    def _clients(self, today: int) -> dict[int, bytes]:
        return self.signed.access(today).clients if self.signed.get("access") is not None else {}

    def _slots(self, today: int, random: Random) -> list[list[object]]:
        raw = self.signed.get("roster")
        if raw is None:
            return [_empty_slot(random) for _ in range(SLOTS)]
        roster = UntrustedRoster.of(raw).verify(self.root(today), today)
        return [[slot.dh, slot.signing, slot.label] for slot in roster.slots]

    def welcome(self) -> bytes:
        """What a new member takes back to their device: all that the root signed, members' onion included."""
        held = {kind: self.signed.get(kind) for kind in KINDS}
        return cbor.encode({kind: raw for kind, raw in held.items() if raw is not None})

    def backup(self, passphrase: str, random: Random) -> bytes:
        """One locked file with everything of the office; the onions' addresses are on every film."""
        files = {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }
        return lock(cbor.encode(files), passphrase, random)


def restore(raw: bytes, passphrase: str, folder: Path) -> Office:
    """An office from its backup, in an empty folder."""
    if folder.exists() and any(folder.iterdir()):
        raise Refused("roster", f"{folder} is not empty: choose a new folder for the office.")
    files = cbor.decode(unlock(raw, passphrase), "roster", _BACKUP_MOST)
    if not isinstance(files, dict):
        raise Refused("roster", "This file is no backup of an office: name the one that `org backup` wrote.")
    for name, content in files.items():
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise Refused("roster", "This backup is damaged: use another copy.")
        write_durably(folder / name, content)
    return Office.open(folder, passphrase)


def _empty_slot(random: Random) -> list[object]:
    """Keys that were made and thrown away, so that a roster doesn't tell how many members there are."""
    dh = X25519PrivateKey.from_private_bytes(random(32)).public_key().public_bytes_raw()
    signing = Ed25519PrivateKey.from_private_bytes(random(32)).public_key().public_bytes_raw()
    return [dh, signing, ""]
