"""A whole organisation for tests, made by the real office: signed files, one member's device, duty keys."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.onion.keys import OnionKey
from sottovoce.protocol.keys import KemKey
from sottovoce.trust.duty import duty_claim
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.office import KINDS, Office
from sottovoce.trust.office_secrets import Secrets
from sottovoce.trust.published import SignedFolder, write_durably

NAME = "The Ombudsman of Harbour City"
PASSPHRASE = "correct horse battery staple"  # noqa: S105 an invented office's


@dataclass
class Organisation:
    """One organisation, one member in slot 0; the server's folder holds what a server may hold."""

    folder: Path
    today: int
    dh: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    duty_keys: dict[int, KemKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seeds = Secrets(*(secrets.token_bytes(32) for _ in range(3)))
        random = secrets.token_bytes
        self.office = Office.create(self.folder / "office", PASSPHRASE, seeds, random, self.today)
        self.address = OnionKey.from_seed(seeds.door).address
        self.office.sign_card(NAME, self.address, self.today)
        root = self.office.root(self.today)
        self.org = root.org
        public = (self.dh.public_key().public_bytes_raw(), self.signing.public_key().public_bytes_raw())
        request = JoinRequest(root.org, root.hash, *public, X25519PrivateKey.generate().public_key().public_bytes_raw())
        members = OnionKey.from_seed(seeds.members).address
        self.slot = self.office.admit(JoinRequest.read(request.sign(self.signing)), "m1", members, random, self.today)
        for kind in KINDS:
            if (raw := self.office.signed.get(kind)) is not None:
                write_durably(self.server / "signed" / f"{kind}.signed", raw)

    @property
    def server(self) -> Path:
        """The server's folder."""
        return self.folder / "server"

    def go_on_duty(self, days: int = 7, serial: int = 1) -> None:
        """Signs a duty list for the coming days and puts it into the server's folder."""
        self.duty_keys = {self.today + day: KemKey(secrets.token_bytes(32)) for day in range(days)}
        roster = SignedFolder(self.server / "signed").published(self.today).roster
        public = {epoch: key.public for epoch, key in self.duty_keys.items()}
        raw = duty_claim(roster, serial, self.today, public).sign([self.signing])
        write_durably(self.server / "signed" / "duty.signed", raw)
