"""The vault's file, and joining."""

from __future__ import annotations

import json
import secrets
import stat
from pathlib import Path

import pytest

from sottovoce.desk.errors import DeskError
from sottovoce.desk.join import join, members_onion, welcome
from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import NAME, Vault, Work
from sottovoce.protocol.errors import Refused
from sottovoce.trust.roster import check_words

from .conftest import PASSPHRASE, QUICK, Clock, Office, World


def test_no_byte_on_disk_tells_what_is_in_it(open_world: World) -> None:
    source = open_world.source()
    source.write("PLANTED-MESSAGE")
    open_world.desk.sync(open_world.road)
    open_world.desk.answer(source.keys.id.hex(), "PLANTED-ANSWER")
    open_world.road.losses = {"put": ["before"]}
    open_world.desk.sync(open_world.road)
    secrets_of = ("dh", "signing", "onion")
    planted = [b"PLANTED", PASSPHRASE.encode(), source.keys.id, source.keys.c, open_world.office.org, b"CREATE TABLE"]
    planted += [open_world.vault.device_key(name) for name in secrets_of]
    planted += [seed for (seed,) in open_world.vault.rows("SELECT seed FROM duty")]
    files = [path for path in open_world.path.parent.iterdir() if path.name != "join-request.cbor"]
    assert len(files) >= 2
    for path in files:
        content = path.read_bytes()
        assert [each for each in planted if each in content or each.hex().encode() in content] == []


def test_only_the_owner_may_read(open_world: World) -> None:
    folder = open_world.path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_wrong_passphrase_is_one_sentence(world: World) -> None:
    world.vault.close()
    with pytest.raises(DeskError, match="The passphrase does not open this vault"):
        Vault.open(world.path, PASSPHRASE + "x")
    Vault.open(world.path, f" {PASSPHRASE}\n").close()


def test_a_second_process_is_told(world: World) -> None:
    with pytest.raises(DeskError, match="Another program holds this vault"):
        Vault.open(world.path, PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"salt": 5}'])
def test_a_damaged_kdf_file_is_one_sentence(world: World, content: bytes) -> None:
    world.vault.close()
    world.path.with_name(NAME + ".kdf").write_bytes(content)
    with pytest.raises(DeskError, match="missing or damaged"):
        Vault.open(world.path, PASSPHRASE)


@pytest.mark.parametrize("change", [{"memory": 1 << 40}, {"passes": 1}, {"lanes": 4.0}, {"salt": "00"}])
def test_a_hostile_kdf_file_does_not_stop_the_machine(world: World, change: dict[str, object]) -> None:
    world.vault.close()
    path = world.path.with_name(NAME + ".kdf")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DeskError, match="missing or damaged"):
        Vault.open(world.path, PASSPHRASE)


def test_a_vault_is_not_made_twice_nor_without_a_passphrase(world: World, tmp_path: Path) -> None:
    with pytest.raises(DeskError, match="already"):
        Vault.create(world.path, PASSPHRASE, QUICK)
    with pytest.raises(DeskError, match="needs a passphrase"):
        Vault.create(tmp_path / "x" / NAME, " ", QUICK)
    with pytest.raises(DeskError, match="slow to guess"):
        Vault.create(tmp_path / "x" / NAME, PASSPHRASE, Work(memory=8))
    with pytest.raises(DeskError, match="no vault"):
        Vault.open(tmp_path / "x" / NAME, PASSPHRASE)


def test_a_vault_of_a_newer_program_is_not_touched(world: World) -> None:
    world.vault.rows("PRAGMA user_version = 3")
    world.vault.close()
    with pytest.raises(DeskError, match="newer Sottovoce"):
        Vault.open(world.path, PASSPHRASE)


def test_joining_leaves_public_keys_only(world: World) -> None:
    raw = (world.path.parent / "join-request.cbor").read_bytes()
    private = [world.vault.device_key(name) for name in ("dh", "signing", "onion")]
    assert len(set(private)) == 3
    assert not any(key in raw for key in private)
    assert world.request.org == world.office.org
    assert members_onion(world.vault).address == "members.onion"


def test_a_root_of_another_organisation_is_refused(tmp_path: Path) -> None:
    clock = Clock()
    office, other = Office(clock), Office(clock)
    with pytest.raises(Refused, match="another organisation"):
        join(tmp_path / "a", office.root, PASSPHRASE, clock.today, org=other.org, work=QUICK)
    assert not (tmp_path / "a").exists()
    made = join(tmp_path / "a", office.root, PASSPHRASE, clock.today, work=QUICK)
    assert made.check_words == check_words(office.org)


def test_before_the_office_answered_all_calls_say_so(tmp_path: Path) -> None:
    clock = Clock()
    office = Office(clock)
    join(tmp_path, office.root, PASSPHRASE, clock.today, org=office.org, work=QUICK)
    with Vault.open(tmp_path / NAME, PASSPHRASE) as vault:
        with pytest.raises(DeskError, match="not admitted yet"):
            Desk(vault, clock, secrets.token_bytes).status()
        with pytest.raises(DeskError, match="not admitted yet"):
            members_onion(vault)


def test_a_welcome_for_another_device_changes_nothing(world: World) -> None:
    answer = world.office.answer(world.request)
    stranger = {**answer, "roster": world.office.roster(2, None)}
    other_onion = {**answer, "access": world.office.sign("access", 2, ["members.onion", {3: bytes(32)}])}
    before = world.vault.rows("SELECT * FROM signed")
    for each in (stranger, other_onion):
        with pytest.raises(DeskError, match="does not admit this device"):
            welcome(world.vault, each, world.clock.today)
    with pytest.raises(DeskError, match="lacks the card"):
        welcome(world.vault, {k: v for k, v in answer.items() if k != "card"}, world.clock.today)
    forged = {**answer, "card": Office(world.clock).card()}
    with pytest.raises(Refused):
        welcome(world.vault, forged, world.clock.today)
    assert world.vault.rows("SELECT * FROM signed") == before
