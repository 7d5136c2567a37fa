"""The office: holds the root key and the onions' keys, and signs root, roster, card and access list.

Kept in one folder, offline but for minutes. What is secret lies in one file locked with a passphrase.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import SLOTS

from .calls import UntrustedCalls
from .card import UntrustedAccess, UntrustedCard
from .join import JoinRequest
from .languages import UntrustedAdvice, UntrustedLanguages
from .locked import lock, unlock
from .mark import MARK, need_today, read_mark, refuse_newer, write_mark
from .office_secrets import Random, Secrets, key_of, public_of
from .published import SignedFolder, write_durably
from .roster import FIRST_ORG, LABEL_MOST, ROSTER_DAYS, Root, Roster, UntrustedRoot, UntrustedRoster, join_roots
from .signed import Claim, Untrusted
from .upgrade import upgrade_office

ROOT_DAYS = 3_653  # ten years: films with the address are watched for long
CARD_DAYS = 365
MEMBERS_KINDS = ("root", "roster", "card", "access")  # what a member's device is given
KINDS = (*MEMBERS_KINDS, "languages", "advice", "calls")
SECRETS = "secrets.locked"
_BACKUP_MOST = 4 << 20
SIGNED: dict[str, Callable[[bytes], Untrusted]] = {
    "roster": UntrustedRoster.of,
    "card": UntrustedCard.of,
    "access": UntrustedAccess.of,
    "languages": UntrustedLanguages.of,
    "advice": UntrustedAdvice.of,
    "calls": UntrustedCalls.of,
}
_DAYS = {"roster": ROSTER_DAYS, "card": CARD_DAYS, "access": ROSTER_DAYS}


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
        office = cls(folder, secrets)
        office.keep_secrets(secrets, passphrase, random)
        claim = Claim("root", FIRST_ORG, 1, today, today + ROOT_DAYS, public_of(secrets.root))
        write_durably(office.signed.path("root"), join_roots([claim.sign([key_of(secrets.root)])]))
        write_mark(folder)
        return office

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> Office:
        """The office that is kept in a folder; WrongPassphrase or Refused."""
        try:
            raw = (folder / SECRETS).read_bytes()
        except OSError:
            raise Refused("roster", f"{folder} holds no office: check the path, or restore a backup there.") from None
        need_today(folder)
        return cls(folder, Secrets.unlock(raw, passphrase))

    def keep_secrets(self, secrets: Secrets, passphrase: str, random: Random) -> None:
        """Locks other secrets into the office's file; those that it held are gone."""
        write_durably(self.folder / SECRETS, secrets.locked(passphrase, random))
        self.secrets = secrets

    def read_root(self) -> UntrustedRoot:
        """The office's own chain of root documents."""
        raw = self.signed.get("root")
        if raw is None:
            raise Refused("roster", f"{self.folder} holds no root document: restore a backup of the office.")
        return UntrustedRoot.of(raw)

    def root_key(self) -> Ed25519PrivateKey:
        """The key of the newest root document, which alone signs."""
        newest = self.read_root().claim.body
        for seed in (self.secrets.root, self.secrets.successor):
            if seed is not None and public_of(seed) == newest:
                return key_of(seed)
        raise Refused("roster", "This office has not the newest root key: use a backup that was made since it changed.")

    def sign(self, kind: str, org: bytes, today: int, expires: int, body: object) -> int:
        """Signs the next one of a kind and keeps it; returns its serial."""
        held = self.signed.get(kind)
        serial = SIGNED[kind](held).claim.serial + 1 if held is not None else 1
        raw = Claim(kind, org, serial, today, expires, body).sign([self.root_key()])
        write_durably(self.signed.path(kind), raw)
        return serial

    def claim(self, kind: str, roots: int = 1) -> Claim | None:
        """What the held one of a kind says, whatever its time; None where there is none.

        Refused unless one of the newest `roots` root keys signed it: what a stranger put there is not signed anew.
        """
        raw = self.signed.get(kind)
        if raw is None:
            return None
        read, root = SIGNED[kind](raw), self.signed.root(self.read_root().claim.issued)
        try:
            read.check(root.org, root.keys[-roots:], 1, read.claim.issued)
        except Refused as error:
            raise Refused(
                "roster", f"The office's {kind} is not signed by its root key: finish `org succeed`, or use a backup."
            ) from error
        return read.claim

    def root(self, today: int) -> Root:
        """The organisation's root, as everybody else verifies it."""
        return self.signed.root(today)

    def sign_card(self, name: str, address: str, today: int) -> None:
        """Signs the organisation's first card."""
        body = [name, [address], ["en"], [], 1, 1]
        self.sign("card", self.root(today).org, today, today + CARD_DAYS, body)

    def renew(self, today: int, threshold: int | None = None) -> None:
        """Signs roster, card and access list anew before they end; `threshold` members must sign a duty list then."""
        if threshold is not None:
            self._change_threshold(threshold, today)
        for kind in _DAYS:
            claim = self.claim(kind)
            if claim is not None and not (kind == "roster" and threshold is not None):
                self.sign_again(claim, today, claim.body)

    def sign_again(self, claim: Claim, today: int, body: object) -> None:
        """Signs the next of a kind for its usual time.

        A sign-off ends with the root. Advice keeps its end, since no signature makes it younger.
        """
        ends = {**dict.fromkeys(("languages", "calls"), self.read_root().claim.expires), "advice": claim.expires}
        expires = ends[claim.kind] if claim.kind in ends else today + _DAYS[claim.kind]
        self.sign(claim.kind, claim.org, min(today, expires), expires, body)

    def _change_threshold(self, threshold: int, today: int) -> None:
        roster, access = self.claim("roster"), self.claim("access")
        if roster is None or access is None or len(access.body[1]) < threshold:
            raise Refused("roster", f"Fewer than {threshold} devices are admitted: admit another one first.")
        self.sign("roster", roster.org, today, today + ROSTER_DAYS, [threshold, roster.body[1]])

    def admit(
        self,
        request: JoinRequest,
        label: str,
        members_address: str,
        random: Random,
        today: int,
        slot: int | None = None,
    ) -> int:
        """Gives a device the first free slot, or that `slot`, whose device is removed then; returns the slot."""
        self._check_request(request, label, today)
        clients, roster = self._clients(today), self._roster(today)
        threshold = roster.threshold if roster is not None else 1
        slots: list[list[object]] = [[s.dh, s.signing, s.label] for s in roster.slots] if roster is not None else []
        slots = slots or [_empty_slot(random) for _ in range(SLOTS)]
        begun = next((n for n, (dh, _, _) in enumerate(slots) if dh == request.dh), None)
        if begun is not None and clients.get(begun) == request.client:
            raise Refused("roster", f"This device is in the roster already: it has slot {begun}.")
        # A device that is in the roster, but not in the access list: this was interrupted, and goes on.
        taken = begun if begun is not None else _free_slot(clients) if slot is None else slot
        slots[taken] = [request.dh, request.signing, label]
        self._sign_members(threshold, slots, removed=taken in clients, today=today)
        body = [members_address, {**clients, taken: request.client}]
        self.sign("access", request.org, today, today + ROSTER_DAYS, body)
        return taken

    def _check_request(self, request: JoinRequest, label: str, today: int) -> None:
        root = self.root(today)
        if request.org != root.org:
            raise Refused("roster", "This device asks to join another organisation: check the file.")
        if request.root not in root.hashes:
            raise Refused("roster", "This device was given a false root: invite it anew, and by another way.")
        if len(label) > LABEL_MOST:
            raise Refused("roster", f"A label has at most {LABEL_MOST} characters: choose a shorter one.")

    def remove(self, slot: int, random: Random, today: int) -> None:
        """Takes the device in a slot out of roster and access list; from now on no older roster holds (spec 8.13)."""
        clients, roster = self._clients(today), self._roster(today)
        if roster is None or slot not in clients:
            raise Refused("roster", f"Slot {slot} holds no device: look at the list of members.")
        if len(clients) == 1:
            raise Refused("roster", "This is the only device, and nobody else could read: admit another one first.")
        if len(clients) <= roster.threshold:
            raise Refused(
                "roster", "Fewer devices would be left than must sign a duty list: renew with --threshold 1 first."
            )
        slots: list[list[object]] = [[each.dh, each.signing, each.label] for each in roster.slots]
        slots[slot] = _empty_slot(random)
        self._sign_members(roster.threshold, slots, removed=True, today=today)
        address = self.signed.access(today).address
        left = {number: key for number, key in clients.items() if number != slot}
        # The access list comes last: as long as it names the device, an interrupted removal can be done again.
        self.sign("access", roster.claim.org, today, today + ROSTER_DAYS, [address, left])

    def _sign_members(self, threshold: int, slots: list[list[object]], *, removed: bool, today: int) -> None:
        org = self.root(today).org
        serial = self.sign("roster", org, today, today + ROSTER_DAYS, [threshold, slots])
        card = self.claim("card")
        if removed and card is not None:
            self.sign("card", org, today, today + CARD_DAYS, [*card.body[:5], serial])

    def _clients(self, today: int) -> dict[int, bytes]:
        return self.signed.access(today).clients if self.signed.get("access") is not None else {}

    def _roster(self, today: int) -> Roster | None:
        raw = self.signed.get("roster")
        return UntrustedRoster.of(raw).verify(self.root(today), today) if raw is not None else None

    def welcome(self) -> bytes:
        """What a new member takes back to their device: all that the root signed, members' onion included."""
        held = {kind: self.signed.get(kind) for kind in MEMBERS_KINDS}
        return cbor.encode({kind: raw for kind, raw in held.items() if raw is not None})

    def backup(self, passphrase: str, random: Random, secrets: Secrets | None = None) -> bytes:
        """One locked file with everything of the office, or with other `secrets` in it than those of now."""
        files = {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }
        if secrets is not None:
            files[SECRETS] = secrets.locked(passphrase, random)
        return lock(cbor.encode(files), passphrase, random)


def _free_slot(clients: dict[int, bytes]) -> int:
    free = next((number for number in range(SLOTS) if number not in clients), None)
    if free is None:
        raise Refused("roster", f"All {SLOTS} slots are taken: remove a device first, or replace one.")
    return free


def restore(raw: bytes, passphrase: str, folder: Path) -> Office:
    """An office from its backup, in an empty folder; a backup of an older version is brought to today's form."""
    if folder.exists() and any(folder.iterdir()):
        raise Refused("roster", f"{folder} is not empty: choose a new folder for the office.")
    files = cbor.decode(unlock(raw, passphrase), "roster", _BACKUP_MOST)
    if not isinstance(files, dict):
        raise Refused("roster", "This file is no backup of an office: name the one that `org backup` wrote.")
    refuse_newer(read_mark(files.get(MARK, b"1")), "This backup")
    for name, content in files.items():
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise Refused("roster", "This backup is damaged: use another copy.")
        write_durably(folder / name, content)
    upgrade_office(folder)
    return Office.open(folder, passphrase)


def _empty_slot(random: Random) -> list[object]:
    """Keys that were made and thrown away, so that a roster doesn't tell how many members there are."""
    dh = X25519PrivateKey.from_private_bytes(random(32)).public_key().public_bytes_raw()
    signing = Ed25519PrivateKey.from_private_bytes(random(32)).public_key().public_bytes_raw()
    return [dh, signing, ""]
