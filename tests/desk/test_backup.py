"""A vault's backup, and restoring on an empty machine by joining anew (spec 10.7)."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from sottovoce.desk.backup import MAGIC, backup, restore
from sottovoce.desk.errors import DeskError
from sottovoce.desk.join import REQUEST, welcome
from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import NAME, Vault, Work
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.mark import MARK

from .conftest import SLOT, World

OWN = "another plain sentence"
QUICK = Work(memory=65_536, passes=3, lanes=1)


@pytest.fixture
def written(open_world: World, tmp_path: Path) -> tuple[World, Path]:
    """A desk with a conversation, an answer that waits, and its backup."""
    source = open_world.source()
    source.write("what was read before")
    open_world.desk.sync(open_world.road)
    open_world.desk.answer(source.keys.id.hex(), "an answer that waits")
    file = tmp_path / "backup"
    backup(open_world.vault, file, OWN, QUICK)
    return open_world, file


def test_10_7_a_backup_has_no_key_that_opens_or_signs(written: tuple[World, Path], tmp_path: Path) -> None:
    world, file = written
    secret = [seed for table in ("duty", "waiting_seed", "transport") for (seed,) in rows(world.vault, table)]
    secret += [key for (key,) in world.vault.rows("SELECT key FROM device")]
    assert len(secret) > 10
    restore(file, tmp_path / "new", OWN)
    with Vault.open(tmp_path / "new" / NAME, OWN) as vault:
        kept = [row for (name,) in tables(vault) for row in vault.rows(f"SELECT * FROM {name}")]  # noqa: S608
        assert not [row for row in kept for value in row if value in secret]
        assert rows(vault, "duty") == rows(vault, "waiting_seed") == rows(vault, "transport") == []
        assert vault.signed("access") == vault.signed("duty") == []
    assert not any(each in file.read_bytes() for each in secret)


def rows(vault: Vault, table: str) -> list[tuple[bytes]]:
    return [(seed,) for (seed,) in vault.rows(f"SELECT seed FROM {table}")]  # noqa: S608  # ours


def tables(vault: Vault) -> list[tuple[str]]:
    return [(name,) for (name,) in vault.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]


def test_10_7_on_an_empty_machine_all_can_be_read_and_the_device_joins_anew(
    written: tuple[World, Path], tmp_path: Path
) -> None:
    world, file = written
    world.vault.close()
    joining = restore(file, tmp_path / "new", OWN)
    request = JoinRequest.read(joining.request.read_bytes())
    assert request.dh != world.request.dh
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [MARK, REQUEST, NAME, f"{NAME}.kdf"]
    with Vault.open(tmp_path / "new" / NAME, OWN) as vault:
        desk = Desk(vault, world.clock, secrets.token_bytes)
        (conversation,) = desk.conversations()
        entries = desk.read(conversation.id.hex())
        assert [entry.text for entry in entries] == ["what was read before", "an answer that waits"]
        assert desk.status().slot is None


def test_10_7_once_admitted_it_answers_in_its_slot(written: tuple[World, Path], tmp_path: Path) -> None:
    world, file = written
    request = JoinRequest.read(restore(file, tmp_path / "new", OWN).request.read_bytes())
    access = world.office.sign("access", 2, ["members.onion", {SLOT: request.client}])
    signed = {**world.office.answer(request), "roster": world.office.roster(2, request), "access": access}
    world.road.things["roster"] = signed["roster"]
    with Vault.open(tmp_path / "new" / NAME, OWN) as vault:
        welcome(vault, signed, world.clock.today)
        world.road.may_ask_again = True  # another device asks
        desk = Desk(vault, world.clock, secrets.token_bytes)
        report = desk.sync(world.road)
        assert (report.duty_published, report.alarms) == (True, [])
        assert report.sent == 1, "the answer that waited"
        world.source().write("after it")
        assert desk.sync(world.road).messages == 1


def test_10_7_the_passphrase_is_the_backups(written: tuple[World, Path], tmp_path: Path) -> None:
    _, file = written
    with pytest.raises(DeskError, match="passphrase does not open"):
        restore(file, tmp_path / "new", "four plain words here")
    assert list((tmp_path / "new").iterdir()) == []
    restore(file, tmp_path / "new", OWN)


def test_10_7_a_backup_is_never_written_over(written: tuple[World, Path]) -> None:
    world, file = written
    with pytest.raises(DeskError, match="exists already"):
        backup(world.vault, file, OWN, QUICK)


def test_10_7_nothing_but_the_backup_stays(written: tuple[World, Path]) -> None:
    _, file = written
    assert not [path for path in file.parent.iterdir() if path.name.startswith("backup") and path != file]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["no backup", "no line", "cut", "flipped"])
def test_10_7_what_is_no_backup_is_refused(written: tuple[World, Path], tmp_path: Path, damage: str) -> None:
    _, file = written
    raw = file.read_bytes()
    head = raw.index(b"}") + 2
    damaged = {
        "no backup": b"x" + raw,
        "no line": MAGIC + raw[head:],
        "cut": raw[: head + 4_096 + 100],
        "flipped": raw[: head + 200] + bytes([raw[head + 200] ^ 1]) + raw[head + 201 :],
    }
    bad = tmp_path / "bad"
    bad.write_bytes(damaged[damage])
    with pytest.raises(DeskError):
        restore(bad, tmp_path / "new", OWN)
    assert not (tmp_path / "new" / NAME).exists()


def test_10_7_a_folder_that_is_not_empty_is_refused(written: tuple[World, Path], tmp_path: Path) -> None:
    _, file = written
    with pytest.raises(DeskError, match="not empty"):
        restore(file, tmp_path, OWN)
