"""Several members' devices of one organisation, admitted by the real office."""

from __future__ import annotations

import copy
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from doubles.organisation import Organisation

from sottovoce.protocol.keys import KemKey
from sottovoce.trust.duty import duty_claim
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.notice import Kind, notice_claim
from sottovoce.trust.office import KINDS, Office
from sottovoce.trust.published import SignedFolder, write_durably
from sottovoce.trust.roster import Roster
from sottovoce.trust.transport import transport_claim

ADDRESS = "members.onion"


def publish(organisation: Organisation) -> None:
    """Copies what the office signed into the server's folder."""
    for kind in KINDS:
        if (raw := organisation.office.signed.get(kind)) is not None:
            write_durably(organisation.server / "signed" / f"{kind}.signed", raw)


def request(organisation: Organisation, signing: Ed25519PrivateKey) -> JoinRequest:
    """A new device's request to join, as the office reads it."""
    root = organisation.office.root(organisation.today)
    dh, client = (X25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(2))
    made = JoinRequest(root.org, root.hash, dh, signing.public_key().public_bytes_raw(), client)
    return JoinRequest.read(made.sign(signing))


@dataclass
class Team:
    """An organisation with `members` devices in the slots from 0 on, of which `threshold` sign a duty list."""

    folder: Path
    today: int
    members: int = 3
    threshold: int = 2
    signing: list[Ed25519PrivateKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.organisation = Organisation(self.folder, self.today)
        self.office, self.server = self.organisation.office, self.organisation.server
        self.signing = [self.organisation.signing]
        for _ in range(1, self.members):
            self.admit()
        self.office.renew(self.today, self.threshold)
        publish(self.organisation)

    def copy(self, folder: Path) -> Team:
        """The same team in another folder, without the work that a passphrase costs."""
        made = copy.copy(self)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        made.folder, made.organisation, made.signing = folder, copy.copy(self.organisation), [*self.signing]
        made.organisation.folder = folder
        made.office = made.organisation.office = Office(folder / "office", self.office.secrets)
        made.server = made.organisation.server
        return made

    def admit(self, slot: int | None = None) -> int:
        """One device more, or in another's slot."""
        key = Ed25519PrivateKey.generate()
        taken = self.office.admit(request(self.organisation, key), "", ADDRESS, secrets.token_bytes, self.today, slot)
        self.signing[taken : taken + 1] = [key]
        return taken

    def publish(self) -> None:
        """Copies what the office signed into the server's folder."""
        publish(self.organisation)

    @property
    def signed(self) -> SignedFolder:
        """The server's folder as another process sees it."""
        return SignedFolder(self.server / "signed")

    @property
    def roster(self) -> Roster:
        """The roster that the server shows."""
        return self.signed.published(self.today).roster

    def duty(self, serial: int, *slots: int, today: int | None = None, days: int = 7, seed: bytes = bytes(32)) -> bytes:
        """A duty list or a draft, signed by the devices in these slots."""
        first = self.today if today is None else today
        keys = {first + day: KemKey(seed).public for day in range(days)}
        return duty_claim(self.roster, serial, first, keys).sign([self.signing[slot] for slot in slots])

    def notice(self, kind: Kind, serial: int, slot: int, day: int | None = None, *, today: int | None = None) -> bytes:
        """A notice, or its withdrawal, signed by the device in a slot."""
        claim = notice_claim(self.roster, kind, serial, self.today if today is None else today, day)
        return claim.sign([self.signing[slot]])

    def transport(self, slot: int, serial: int, *, seed: bytes | None = None, today: int | None = None) -> bytes:
        """A transport key of the device in a slot."""
        public = KemKey(seed or secrets.token_bytes(32)).public
        first = self.today if today is None else today
        return transport_claim(self.roster, slot, serial, first, public).sign([self.signing[slot]])
