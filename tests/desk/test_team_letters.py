"""Real messages among three real desks: away, new, removed; what a colleague forwards is checked (spec 7.2, 10.5)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from doubles.desks import Clock, Office
from doubles.road import MemoryRoad

from sottovoce.desk.road import SyncReport
from sottovoce.desk.sync import Desk
from sottovoce.desk.tables import TABLES
from sottovoce.desk.trusted import Trusted
from sottovoce.desk.vault import NAME, Vault
from sottovoce.desk.vault_team import TEAM_TABLES
from sottovoce.protocol.body import Body
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.message import parts_to_desk, seal_to_desk
from sottovoce.protocol.sizes import KEY, TAG
from sottovoce.protocol.words import Passphrase
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.roster import UntrustedRoster

LONG = "x" * 20_000  # three parts


class Member:
    """A real desk over a quick vault, in a slot."""

    def __init__(self, house: House, name: str, slot: int) -> None:
        folder = house.folder / name
        folder.mkdir()
        self.vault = Vault(folder / NAME, secrets.token_bytes(KEY))
        self.vault._db.execute(TABLES + TEAM_TABLES)
        self.vault.keep_note("org", house.office.org)
        for key in ("dh", "signing", "onion"):
            self.vault.keep_device_key(key, secrets.token_bytes(KEY))
        root = house.office.root
        self.vault.keep_signed("root", root.hash, root.claim.serial, house.office.root_raw)
        house.office.slots[slot] = [*public(self.vault), name]
        house.publish()
        raw = house.road.things["roster"]
        Trusted(self.vault).keep(UntrustedRoster.of(raw).verify(root, house.clock.today))
        self.desk = Desk(self.vault, house.clock, secrets.token_bytes)

    def texts(self) -> list[str]:
        """All that it can read, of all conversations, in alphabetical order."""
        ids = [each.id.hex() for each in self.desk.conversations()]
        return sorted(entry.text for each in ids for entry in self.desk.read(each))


def public(vault: Vault) -> tuple[bytes, bytes]:
    dh = X25519PrivateKey.from_private_bytes(vault.device_key("dh")).public_key().public_bytes_raw()
    return dh, Ed25519PrivateKey.from_private_bytes(vault.device_key("signing")).public_key().public_bytes_raw()


class House:
    """Office, server, desks, and a source."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.office = Office(self.clock)
        self.road = MemoryRoad(self.clock, folder / "signed")
        self.road.may_ask_again = True  # it is the road of several desks
        self.road.things.update({"root": self.office.root_raw, "card": self.office.card()})
        self.members: dict[str, Member] = {}
        self.source = SourceKeys(self.office.org, Passphrase(secrets.token_bytes(16)))

    def publish(self) -> None:
        self.road.things["roster"] = self.office.roster()

    def admit(self, name: str, slot: int) -> Member:
        self.members[name] = Member(self, name, slot)
        return self.members[name]

    def write(self, text: str) -> None:
        today = self.clock.today
        audience = SignedFolder(self.folder / "signed").published(today).audience(today)
        assert audience is not None, "the door is closed"
        tags = [secrets.token_bytes(TAG) for _ in range(parts_to_desk(Body(text).encode()))]
        name, seen = secrets.token_bytes(16), bytes(256)
        envelopes = seal_to_desk(self.source, audience, Body(text), tags=tags, message_id=name, seen=seen)
        for tag, envelope in zip(tags, envelopes, strict=True):
            self.road.arrive(tag, envelope)

    def round(self, *names: str) -> list[SyncReport]:
        reports = [self.members[name].desk.sync(self.road) for name in names or self.members]
        assert not [alarm for report in reports for alarm in report.alarms]
        return reports


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Three members, and nothing waits."""
    made = House(tmp_path)
    for slot, name in enumerate(("ana", "ben", "eva")):
        made.admit(name, slot)
    for _ in range(4):
        made.round()
    yield made
    for member in made.members.values():
        member.vault.close()


def days(house: House, texts: list[str], *present: str) -> None:
    for text in texts:
        house.write(text)
        house.round(*present)
        house.clock.forward(days=1)


def test_10_5_a_member_who_was_away_reads_all_of_it_by_their_own_mac(house: House) -> None:
    texts = [f"day {number:02}" for number in range(19)] + [LONG]
    days(house, texts, "ana", "ben")
    house.round("eva", "ana", "ben", "eva")
    eva = house.members["eva"]
    assert eva.texts() == sorted(texts)
    assert eva.vault.rows("SELECT count(*) FROM message WHERE vouched IS NOT NULL") == [(0,)]
    assert eva.texts() == house.members["ana"].texts()


def test_10_5_a_message_from_before_a_device_joined_is_only_vouched_for(house: House) -> None:
    house.write("of the morning")
    house.round()
    new = house.admit("new", 8)
    house.round("new", "ana", "ben", "eva")
    house.write("of the evening")
    house.round("new", "ana", "new")
    assert new.texts() == ["of the evening", "of the morning"]
    assert new.vault.rows("SELECT text, vouched FROM message WHERE vouched IS NOT NULL") == [("of the morning", 0)]


def test_a_removed_member_reads_nothing_more_and_the_others_do(house: House) -> None:
    eva = house.members.pop("eva")
    house.office.empty(2)
    house.publish()
    house.round()
    house.write("after the removal")
    house.round()
    eva.desk.sync(house.road)
    assert eva.texts() == []
    assert all(member.texts() == ["after the removal"] for member in house.members.values())
    eva.vault.close()


def test_10_6_keys_are_destroyed_and_nothing_is_lost(house: House) -> None:
    texts = [f"day {number}" for number in range(5)]
    days(house, texts, "ana", "ben", "eva")
    house.round()
    for member in house.members.values():
        assert member.texts() == texts
        oldest = member.vault.rows("SELECT min(epoch) FROM duty")[0][0]
        assert oldest == house.clock.today - 1
