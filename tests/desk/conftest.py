"""An organisation, its server in memory, a desk that joined, and sources."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from doubles.road import MemoryRoad

from sottovoce.desk.join import join, welcome
from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import NAME, Vault, Work
from sottovoce.protocol.body import Body
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.message import Answer, Audience, Place, open_at_source, seal_to_desk
from sottovoce.protocol.sizes import EDITION_SECONDS, EPOCH_SECONDS, QUARTERS, SLOTS
from sottovoce.protocol.words import Passphrase
from sottovoce.trust.duty import UntrustedDutyList
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.roster import FIRST_ORG, Roster, UntrustedRoot, UntrustedRoster, join_roots
from sottovoce.trust.signed import Claim

PASSPHRASE = "four plain words here"  # noqa: S105  # opens the tests' vaults only
QUICK = Work(memory=65_536, passes=3, lanes=1)
SLOT = 3


@dataclass
class Clock:
    """A clock that a test turns; begins at noon of an epoch."""

    time: float = 20_500 * EPOCH_SECONDS + 2 * EDITION_SECONDS + 60

    def __call__(self) -> float:
        return self.time

    @property
    def today(self) -> int:
        return int(self.time // EPOCH_SECONDS)

    def forward(self, *, days: int = 0, editions: int = 0) -> None:
        self.time += days * EPOCH_SECONDS + editions * EDITION_SECONDS


@dataclass
class Office:
    """The root key, and what it signs."""

    clock: Clock
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def __post_init__(self) -> None:
        today, public = self.clock.today, self.key.public_key().public_bytes_raw()
        self.root = join_roots([Claim("root", FIRST_ORG, 1, today, today + 4_000, public).sign([self.key])])
        self.org = UntrustedRoot.of(self.root).verify(None, today).org

    def sign(self, kind: str, serial: int, body: object, days: int = 180, org: bytes | None = None) -> bytes:
        today = self.clock.today
        return Claim(kind, org or self.org, serial, today, today + days, body).sign([self.key])

    def roster(self, serial: int, request: JoinRequest | None, threshold: int = 1) -> bytes:
        slots = [[_x25519(), _ed25519(), ""] for _ in range(SLOTS)]
        if request is not None:
            slots[SLOT] = [request.dh, request.signing, "desk"]
        return self.sign("roster", serial, [threshold, slots])

    def card(self, serial: int = 1, least_roster: int = 1) -> bytes:
        return self.sign("card", serial, ["Example", ["example.onion"], ["en"], [], 1, least_roster])

    def answer(self, request: JoinRequest) -> dict[str, bytes]:
        access = self.sign("access", 1, ["members.onion", {SLOT: request.client}])
        return {"root": self.root, "roster": self.roster(1, request), "card": self.card(), "access": access}


def _x25519() -> bytes:
    return X25519PrivateKey.generate().public_key().public_bytes_raw()


def _ed25519() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


@dataclass
class Source:
    """A source that writes by what the server shows, and reads what lies in its tags."""

    road: MemoryRoad
    org: bytes
    root_raw: bytes
    keys: SourceKeys

    def roster(self) -> Roster:
        today = int(self.road.now() // EPOCH_SECONDS)
        root = UntrustedRoot.of(self.root_raw).verify(self.org, today)
        return UntrustedRoster.of(self.road.things["roster"]).verify(root, today)

    def seal(self, text: str, *, seen: bytes = bytes(256), id: bytes | None = None) -> tuple[bytes, bytes]:
        today, roster = int(self.road.now() // EPOCH_SECONDS), self.roster()
        duty = UntrustedDutyList.of(self.road.things["duty"]).verify(roster, today)
        members = [slot.dh for slot in roster.slots]
        audience = Audience(self.org, roster.hash, members, duty.keys[today], today)
        tag, message_id = secrets.token_bytes(16), id or secrets.token_bytes(16)
        return tag, seal_to_desk(self.keys, audience, Body(text), tag=tag, message_id=message_id, seen=seen)

    def write(self, text: str, **more: bytes) -> None:
        self.road.arrive(*self.seal(text, **more))

    def answers(self) -> list[Answer]:
        """Every answer that lies in the pool, oldest first."""
        today = int(self.road.now() // EPOCH_SECONDS)
        pair = self.keys.pair(SLOT, self.roster().slots[SLOT].dh)
        places = [Place(epoch, SLOT, n) for epoch in range(today - 30, today + 2) for n in range(QUARTERS)]
        tags = [pair.answer_tags(place.epoch)[place.n] for place in places]
        found = [
            (place, self.road.pool[tag][1]) for place, tag in zip(places, tags, strict=True) if tag in self.road.pool
        ]
        return [open_at_source(envelope, self.keys, pair, place) for place, envelope in found]


@dataclass
class World:
    """All of it; `desk` is a desk over the vault at `path`."""

    path: Path
    clock: Clock
    office: Office
    road: MemoryRoad
    request: JoinRequest
    vault: Vault
    desk: Desk

    def source(self) -> Source:
        keys = SourceKeys(self.office.org, Passphrase(secrets.token_bytes(16)))
        return Source(self.road, self.office.org, self.office.root, keys)

    def restart(self) -> None:
        """The machine went off, and the program is started again."""
        self.vault.close()
        self.vault = Vault.open(self.path, PASSPHRASE)
        self.desk = Desk(self.vault, self.clock, secrets.token_bytes)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A desk that joined and has not synced yet; its clock is the server's."""
    clock = Clock()
    office, road = Office(clock), MemoryRoad(clock)
    made = join(tmp_path / "desk", office.root, PASSPHRASE, clock.today, org=office.org, work=QUICK)
    request = JoinRequest.read(made.request.read_bytes())
    path = tmp_path / "desk" / NAME
    vault = Vault.open(path, PASSPHRASE)
    signed = office.answer(request)
    welcome(vault, signed, clock.today)
    road.things.update({kind: raw for kind, raw in signed.items() if kind != "access"})
    return World(path, clock, office, road, request, vault, Desk(vault, clock, secrets.token_bytes))


@pytest.fixture
def open_world(world: World) -> World:
    """The same after its first sync: sources can write."""
    report = world.desk.sync(world.road)
    assert report.duty_published
    assert not report.alarms + report.warnings
    return world
