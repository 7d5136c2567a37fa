"""A team of desks around one server, all in this process: the server's real stores of signed things, and doubles with
teeth of its mailbox and pool. Everything that ever went over the wire is recorded.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.desk.road import SyncReport
from sottovoce.desk.tables import TABLES
from sottovoce.desk.team import Team
from sottovoce.desk.trusted import Trusted
from sottovoce.desk.vault import NAME, Vault
from sottovoce.desk.vault_team import TEAM_TABLES
from sottovoce.pool.edition import Listed
from sottovoce.pool.errors import RoadError
from sottovoce.pool.team import AT_ONCE, ITEM, RECEIPT, PostResult
from sottovoce.pool.team_client import Conflict
from sottovoce.protocol.envelope import TO_DESK
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.sealing import binding, seal, unseal
from sottovoce.protocol.sizes import (
    EDITION_SECONDS,
    EPOCH_SECONDS,
    KEY,
    PLAINTEXT,
    QUARTERS,
    SLOTS,
    TAG,
    edition_of,
    epoch_of,
)
from sottovoce.trust.duty import DutyList, UntrustedDutyList
from sottovoce.trust.published import SignedFolder, write_durably
from sottovoce.trust.roster import FIRST_ORG, Root, Roster, UntrustedRoot, UntrustedRoster, join_roots
from sottovoce.trust.signed import Claim
from sottovoce.trust.team import TeamFolder


class Crash(Exception):
    """The machine went off."""


@dataclass
class Clock:
    """A clock that a test turns; begins at noon of an epoch."""

    time: float = 20_500 * EPOCH_SECONDS + 2 * EDITION_SECONDS + 60

    def __call__(self) -> float:
        return self.time

    @property
    def today(self) -> int:
        return epoch_of(self.time)

    def forward(self, *, days: int = 0, editions: int = 0) -> None:
        self.time += days * EPOCH_SECONDS + editions * EDITION_SECONDS


@dataclass
class Envelope:
    """What a source put, and what only it and its readers know."""

    epoch: int
    edition: int
    tag: bytes
    sealed: bytes = field(repr=False)
    plaintext: bytes = field(repr=False)


class Office:
    """Signs rosters; a slot that nobody has holds keys that were thrown away."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._key = clock, Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes_raw()
        first = Claim("root", FIRST_ORG, 1, clock.today, clock.today + 4_000, public)
        self.root_raw = join_roots([first.sign([self._key])])
        self.root: Root = UntrustedRoot.of(self.root_raw).verify(None, clock.today)
        self.org = self.root.org
        self.slots: list[list[bytes | str]] = [[self._dh(), self._signing(), ""] for _ in range(SLOTS)]
        self.serial, self.threshold = 0, 1

    @staticmethod
    def _dh() -> bytes:
        return X25519PrivateKey.generate().public_key().public_bytes_raw()

    @staticmethod
    def _signing() -> bytes:
        return Ed25519PrivateKey.generate().public_key().public_bytes_raw()

    def empty(self, slot: int) -> None:
        self.slots[slot] = [self._dh(), self._signing(), ""]

    def sign(self, kind: str, serial: int, body: object) -> bytes:
        today = self._clock.today
        return Claim(kind, self.org, serial, today, today + 180, body).sign([self._key])

    def roster(self) -> bytes:
        self.serial += 1
        return self.sign("roster", self.serial, [self.threshold, self.slots])

    def card(self) -> bytes:
        return self.sign("card", 1, ["Example", ["example.onion"], ["en"], [], 1, 1])


class Server:
    """Signed things by the real code, a mailbox and a pool in memory. `items` and `envelopes` forget nothing."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock, self.signed = clock, SignedFolder(folder)
        self.team = TeamFolder(self.signed, clock)
        self.box: dict[bytes, tuple[int, int, bytes]] = {}
        self.items: list[tuple[int, bytes]] = []
        self.envelopes: list[Envelope] = []
        self.dice = Random(1)  # noqa: S311  # for the order of items only

    def show(self, kind: str, raw: bytes) -> None:
        write_durably(self.signed.path(kind), raw)

    @property
    def roster(self) -> Roster:
        return self.signed.published(self.clock.today).roster

    @property
    def duty(self) -> DutyList | None:
        return self.signed.published(self.clock.today).duty

    def write(self) -> Envelope | None:
        """A source writes something, if the door takes it; None if it is closed."""
        duty, today = self.duty, self.clock.today
        if duty is None or today not in duty.keys:
            return None
        tag, plaintext = secrets.token_bytes(TAG), secrets.token_bytes(PLAINTEXT)
        org = self.roster.claim.org
        sealed = seal(plaintext, duty.keys[today], binding(org, TO_DESK, today, tag))
        self.envelopes.append(Envelope(today, edition_of(self.clock()), tag, sealed, plaintext))
        return self.envelopes[-1]

    def editions(self) -> list[Listed]:
        """One for each six hours that are over, for 30 epochs; empty ones too."""
        now = edition_of(self.clock())
        return [Listed(number, 32, self.hash(number)) for number in range(max(0, now - 30 * QUARTERS), now)]

    @staticmethod
    def hash(number: int) -> bytes:
        return sha256(number.to_bytes(4, "big")).digest()


class TeamRoad:
    """One desk's road: lost answers by a call's name, a crash at any step, teeth."""

    def __init__(self, server: Server, step: Callable[[str], None]) -> None:
        self._server, self._step = server, step
        self.losses: dict[str, list[str]] = {}
        self.calls: list[str] = []
        self.break_at: int | None = None

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        self._step(f"before {call}")
        if len(self.calls) - 1 == self.break_at:
            raise RoadError("The connection to the server broke: try again.")
        self._lose(call, "before")

    def _end(self, call: str) -> None:
        self._lose(call, "after")
        self._step(f"after {call}")

    def _lose(self, call: str, when: str) -> None:
        if self.losses.get(call, [])[:1] == [when]:
            self.losses[call].pop(0)
            raise RoadError("The connection to the server broke: try again.")

    def signed(self, kind: str) -> bytes | None:
        self._begin("signed")
        return self._server.signed.get(kind)

    def draft(self) -> bytes | None:
        self._begin("draft")
        return self._server.team.draft()

    def put_draft(self, raw: bytes) -> bool:
        self._begin("put_draft")
        published = self._refusing(lambda: self._server.team.put_draft(raw))
        self._end("put_draft")
        return bool(published)

    @staticmethod
    def _refusing(put: Callable[[], bool | None]) -> bool | None:
        try:
            return put()
        except Refused as error:
            raise Conflict(str(error)) from error

    def transports(self) -> bytes:
        self._begin("transports")
        return self._server.team.transports()

    def put_transport(self, raw: bytes) -> None:
        self._begin("put_transport")
        self._refusing(lambda: self._server.team.put_transport(raw))
        self._end("put_transport")

    def post_item(self, slot: int, transport_hash: bytes, receipt_hash: bytes, item: bytes) -> PostResult:
        assert len(item) == ITEM
        self._begin("post_item")
        result = self._post(slot, transport_hash, receipt_hash, item)
        self._end("post_item")
        return result

    def _post(self, slot: int, transport_hash: bytes, receipt_hash: bytes, item: bytes) -> PostResult:
        server = self._server
        if self._server.team.transport(slot) != transport_hash:
            return PostResult.STALE
        assert receipt_hash not in server.box, "a receipt is for one item"
        server.items.append((slot, item))
        server.box[receipt_hash] = (slot, server.clock.today, item)
        return PostResult.STORED

    def items(self, slot: int) -> list[bytes]:
        self._begin("items")
        today = self._server.clock.today
        mine = [(day, item) for to, day, item in self._server.box.values() if to == slot and day >= today - 30]
        self._server.dice.shuffle(mine)  # an order that says nothing, but in each run the same
        mine.sort(key=lambda each: -each[0])
        return [item for _, item in mine[:AT_ONCE]]

    def acknowledge(self, receipts: Sequence[bytes]) -> None:
        assert 0 < len(receipts) <= AT_ONCE
        assert all(len(receipt) == RECEIPT for receipt in receipts)
        self._begin("acknowledge")
        for receipt in receipts:
            self._server.box.pop(sha256(receipt).digest(), None)
        self._end("acknowledge")


class Desk:
    """A member's desk with a real vault and team, and the least of a sync around it."""

    def __init__(self, folder: Path, world: World) -> None:
        self.world, self.path, self.key = world, folder / NAME, secrets.token_bytes(KEY)
        folder.mkdir(exist_ok=True)
        self.vault = Vault(self.path, self.key)
        self.vault._db.pragma("synchronous", 0)  # a crash here is of the program, not of the disk
        self.vault._db.execute(TABLES + TEAM_TABLES)
        self.vault.keep_note("org", world.office.org)
        for name in ("dh", "signing", "onion"):
            self.vault.keep_device_key(name, secrets.token_bytes(KEY))
        root = world.office.root
        self.vault.keep_signed("root", root.hash, root.claim.serial, world.office.root_raw)
        self.crash_at = -1
        self.steps: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self.trusted = Trusted(self.vault)
        self.road = TeamRoad(self.world.server, self._step)
        self.team = Team(self.vault, self.trusted, self.world.clock, secrets.token_bytes, self._forwarded)

    def _step(self, name: str) -> None:
        if len(self.steps) == self.crash_at:
            raise Crash(name)
        self.steps.append(name)

    def crash_before(self, step: int) -> None:
        """From now on the machine goes off before that call of the road, or change of the vault."""
        self.crash_at, self.steps, rows = step, [], self.vault.rows

        def stepping(sql: str, *values: object) -> list[tuple[object, ...]]:
            if not sql.startswith("SELECT"):
                self._step(sql)
            return rows(sql, *values)

        self.vault.rows = stepping  # type: ignore[method-assign]
        self._begin()

    def restart(self) -> None:
        """The machine is on again."""
        self.vault.close()
        self.vault, self.crash_at = Vault(self.path, self.key), -1
        self.vault._db.pragma("synchronous", 0)  # a crash here is of the program, not of the disk
        self._begin()

    @property
    def public(self) -> list[bytes | str]:
        """What the office puts into a slot."""
        signing = Ed25519PrivateKey.from_private_bytes(self.vault.device_key("signing"))
        dh = X25519PrivateKey.from_private_bytes(self.vault.device_key("dh"))
        return [dh.public_key().public_bytes_raw(), signing.public_key().public_bytes_raw(), "desk"]

    @property
    def slot(self) -> int | None:
        return self.trusted.slot(self.trusted.roster)

    def sync(self) -> SyncReport:
        """The sequence of desk/sync.py."""
        report, listed = SyncReport(), self.world.server.editions()
        self.take_roster()
        report.attempt(lambda: self.team.receive(self.road, report))
        self._collect(listed)
        report.attempt(lambda: self.team.destroy(self.road, report, listed))
        report.attempt(lambda: self.team.serve(self.road, report))
        return report

    def take_roster(self) -> None:
        root, today = self.world.office.root, self.world.clock.today
        raw = self.world.server.signed.get("roster")
        assert raw is not None
        self.trusted.keep(UntrustedRoster.of(raw).verify(root, today))

    def _collect(self, listed: Sequence[Listed]) -> None:
        """All editions that were not read with the keys that are here, then what is pending."""
        with self.vault.transaction():
            for each in listed:
                self.vault.rows("INSERT OR IGNORE INTO edition VALUES (?, ?, 0)", each.number, each.hash)
            alive = {each.number for each in listed}
            unread = {number for (number,) in self.vault.rows("SELECT number FROM edition WHERE NOT read")}
            for envelope in self.world.server.envelopes:
                if envelope.edition in unread & alive or envelope.edition == edition_of(self.world.clock()):
                    self._open(envelope)
            self.vault.rows("UPDATE edition SET read = 1 WHERE NOT read")
            self.vault.keep_note("last sync", self.world.clock.today)

    def _open(self, envelope: Envelope) -> None:
        day = envelope.edition // QUARTERS
        for epoch, seed in self.vault.duty_seeds((day, day - 1)):
            info = binding(self.world.office.org, TO_DESK, epoch, envelope.tag)
            try:
                plaintext = unseal(envelope.sealed, KemKey(seed), info)
            except Refused:
                continue
            self._keep(envelope.tag, epoch, envelope.edition, plaintext)

    def _forwarded(self, plaintext: bytes, epoch: int, tag: bytes, edition: int, sender_slot: int) -> None:
        assert 0 <= sender_slot < SLOTS
        if len(plaintext) != PLAINTEXT:
            raise Refused("size", "A plaintext has 7,056 bytes.")
        self._keep(tag, epoch, edition, plaintext)

    def _keep(self, tag: bytes, epoch: int, edition: int, plaintext: bytes) -> None:
        values = (tag, epoch, edition, tag, 0, plaintext)
        self.vault.rows("INSERT OR REPLACE INTO plain VALUES (?, ?, ?, ?, ?, ?)", *values)

    def reads(self, envelope: Envelope) -> bool:
        """Whether it has exactly what the source wrote."""
        found = self.vault.rows("SELECT plaintext FROM plain WHERE tag = ?", envelope.tag)
        assert found in ([], [(envelope.plaintext,)])
        return bool(found)

    def duty_epochs(self) -> list[int]:
        return sorted({epoch for (epoch,) in self.vault.rows("SELECT epoch FROM duty")})

    def opens_all(self) -> bool:
        """Whether the private half of every published key from today on is here."""
        duty = self.world.server.duty
        assert duty is not None
        coming = {epoch: key for epoch, key in duty.keys.items() if epoch >= self.world.clock.today}
        return not self.team.seeds.lacking(coming)


class World:
    """Office, server, and desks by name."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.office = Office(self.clock)
        self.server = Server(folder / "signed", self.clock)
        self.desks: dict[str, Desk] = {}
        for kind, raw in (("root", self.office.root_raw), ("card", self.office.card())):
            self.server.show(kind, raw)

    def admit(self, name: str, slot: int) -> Desk:
        """A device joins."""
        desk = self.desks[name] = Desk(self.folder / name, self)
        self.office.slots[slot] = desk.public
        self.publish()
        desk.take_roster()
        return desk

    def remove(self, name: str) -> Desk:
        """A device is removed; it keeps its vault."""
        desk = self.desks.pop(name)
        assert desk.slot is not None
        self.office.empty(desk.slot)
        self.publish()
        return desk

    def publish(self, threshold: int | None = None) -> None:
        self.office.threshold = threshold or self.office.threshold
        self.server.show("roster", self.office.roster())

    def round(self, *names: str) -> list[SyncReport]:
        """Each desk, or each of these, syncs once."""
        return [self.desks[name].sync() for name in names or self.desks]

    def settle(self, *names: str) -> None:
        """Syncs until nobody waits for anything from those who are here."""
        for _ in range(6):
            self.round(*names)
            desks = [self.desks[name] for name in names or self.desks]
            slots = {desk.slot for desk in desks}
            if not any(slot in slots for slot, _, _ in self.server.box.values()):
                return
        raise AssertionError("the mailbox is never empty")

    def snapshot(self) -> Callable[[], None]:
        """Remembers office, server and all vaults; what is returned brings them back."""
        self.close()
        files = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        server, office, desks = self.server, self.office, dict(self.desks)
        held = (dict(server.box), list(server.envelopes), list(server.items), self.clock.time)
        signs = (list(office.slots), office.serial, office.threshold)

        def back() -> None:
            self.close()
            for path in self.folder.rglob("*"):
                if path.is_file() and path not in files:
                    path.unlink()
            for path, raw in files.items():
                path.write_bytes(raw)
            box, envelopes, items, self.clock.time = held
            server.box, server.envelopes, server.items = dict(box), list(envelopes), list(items)
            server.dice.seed(1)
            office.slots[:], office.serial, office.threshold = signs
            self.desks = dict(desks)
            for desk in self.desks.values():
                desk.restart()

        back()
        return back

    def close(self) -> None:
        for desk in self.desks.values():
            desk.vault.close()


def published(world: World) -> DutyList:
    """The duty list as a source verifies it."""
    raw = world.server.signed.get("duty")
    assert raw is not None
    return UntrustedDutyList.of(raw).verify(world.server.roster, world.clock.today)
