"""An organisation, its server in memory, a desk that joined, and sources."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from doubles.road import MemoryRoad

from sottovoce.desk.join import join, welcome
from sottovoce.desk.road import SyncReport
from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import NAME, Vault, Work
from sottovoce.protocol.answer import Answer, FirstOfAnswer, Place, open_at_source
from sottovoce.protocol.body import Body
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.message import Audience, parts_to_desk, seal_to_desk
from sottovoce.protocol.sizes import EDITION_SECONDS, EPOCH_SECONDS, QUARTERS, SLOTS, edition_of, epoch_of
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
        return epoch_of(self.time)

    @property
    def edition(self) -> int:
        return edition_of(self.time)

    def forward(self, *, days: int = 0, editions: int = 0) -> None:
        self.time += days * EPOCH_SECONDS + editions * EDITION_SECONDS


@dataclass
class Office:
    """The root key, and what it signs."""

    clock: Clock
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    root: bytes = b""

    def __post_init__(self) -> None:
        today, public = self.clock.today, self.key.public_key().public_bytes_raw()
        self.root = self.root or join_roots(
            [Claim("root", FIRST_ORG, 1, today, today + 4_000, public).sign([self.key])]
        )
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

    @property
    def today(self) -> int:
        return epoch_of(self.road.now())

    def roster(self) -> Roster:
        root = UntrustedRoot.of(self.root_raw).verify(self.org, self.today)
        return UntrustedRoster.of(self.road.things["roster"]).verify(root, self.today)

    def audience(self) -> Audience:
        roster = self.roster()
        duty = UntrustedDutyList.of(self.road.things["duty"]).verify(roster, self.today)
        return Audience(self.org, roster.hash, [slot.dh for slot in roster.slots], duty.keys[self.today], self.today)

    def seal(
        self,
        text: str,
        *,
        seen: bytes = bytes(256),
        id: bytes | None = None,
        after: bytes | None = None,
        language: str | None = None,
    ) -> list[tuple[bytes, bytes]]:
        """Tag and envelope of each part."""
        body = Body(text, after, language)
        tags = [secrets.token_bytes(16) for _ in range(parts_to_desk(body.encode()))]
        message_id = id or secrets.token_bytes(16)
        sealed = seal_to_desk(self.keys, self.audience(), body, tags=tags, message_id=message_id, seen=seen)
        return list(zip(tags, sealed, strict=True))

    def write(self, text: str, **more: Any) -> None:
        for tag, envelope in self.seal(text, **more):
            self.road.arrive(tag, envelope)

    def answers(self) -> list[Answer]:
        """Every answer that lies in the pool, oldest first."""
        pair = self.keys.pair(SLOT, self.roster().slots[SLOT].dh)
        places = [Place(epoch, SLOT, n) for epoch in range(self.today - 30, self.today + 2) for n in range(QUARTERS)]
        firsts = [
            open_at_source(self.road.pool[tag][1], self.keys, pair, place)
            for place in places
            if (tag := pair.answer_tags(place.epoch)[place.n]) in self.road.pool
        ]
        return [self._joined(first) for first in firsts]

    def _joined(self, first: FirstOfAnswer) -> Answer:
        later = enumerate(first.tags, 1)
        return first.join([first.open_later(self.road.pool[tag][1], part, self.keys) for part, tag in later])


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
        self.vault.resume()
        self.desk = Desk(self.vault, self.clock, secrets.token_bytes)
        self.road.may_ask_again = True

    def sync(self) -> SyncReport:
        """One sync of which nothing is wrong."""
        report = self.desk.sync(self.road)
        assert report.complete, report.warnings
        assert report.alarms == []
        return report

    def texts(self, source: Source) -> list[str]:
        """What the source wrote, as the desk shows it."""
        return [entry.text for entry in self.desk.read(source.keys.id.hex()) if entry.incoming]


@dataclass
class Founded:
    """A world on the disk that tests copy: founding costs the work of a passphrase."""

    folder: Path
    key: bytes
    office: Office
    request: JoinRequest

    def copy(self, folder: Path) -> World:
        """A world of its own in another folder."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        clock, path = Clock(), folder / "desk" / NAME
        office = replace(self.office, clock=clock)
        vault = Vault(path, self.key)
        vault._db.pragma("synchronous", 0)  # a crash in a test is of the program, not of the disk
        road = MemoryRoad(clock, folder / "signed")
        return World(path, clock, office, road, self.request, vault, Desk(vault, clock, secrets.token_bytes))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    """A desk that joined and has not synced yet; its clock is the server's."""
    folder, clock = tmp_path_factory.mktemp("founded"), Clock()
    office = Office(clock)
    made = join(folder / "desk", office.root, PASSPHRASE, clock.today, org=office.org, work=QUICK)
    request = JoinRequest.read(made.request.read_bytes())
    signed = office.answer(request)
    road = MemoryRoad(clock, folder / "signed")
    road.things.update({kind: raw for kind, raw in signed.items() if kind != "access"})
    with Vault.open(folder / "desk" / NAME, PASSPHRASE) as vault:
        welcome(vault, signed, clock.today)
        return Founded(folder, vault._key, office, request)


@pytest.fixture(scope="session")
def opened(founded: Founded, tmp_path_factory: pytest.TempPathFactory) -> Founded:
    """The same after its first sync: sources can write."""
    folder = tmp_path_factory.mktemp("opened")
    world = founded.copy(folder)
    assert world.sync().duty_published
    assert world.desk.status().warnings == ()
    world.vault.close()
    return replace(founded, folder=folder)


@pytest.fixture
def world(founded: Founded, tmp_path: Path) -> Iterator[World]:
    """A desk that joined and has not synced yet; its clock is the server's."""
    world = founded.copy(tmp_path)
    yield world
    world.road.check()
    world.vault.close()


@pytest.fixture
def open_world(opened: Founded, tmp_path: Path) -> Iterator[World]:
    """A desk that synced once: sources can write."""
    world = opened.copy(tmp_path)
    yield world
    world.road.check()
    world.vault.close()
