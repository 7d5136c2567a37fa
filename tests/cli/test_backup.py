"""An office comes back from its backup as it was, and so do the onions that are on every film."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli.conftest import House, Run


@pytest.fixture(scope="session")
def other_passphrase(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a passphrase that opens nothing."""
    file = tmp_path_factory.mktemp("other") / "passphrase"
    file.write_text("none of the words that were meant\n", "utf-8")
    return file


@pytest.fixture
def backup(house: House, run: Run, tmp_path: Path) -> Path:
    """A backup of the office."""
    file = tmp_path / "backup"
    assert run("org", "backup", house.office, file, *house.secret).code == 0
    return file


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes by its name in the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def open_to_others(folder: Path) -> list[Path]:
    """What others than the owner may read."""
    return [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077]


def test_the_office_comes_back_as_it_was(house: House, run: Run, backup: Path, tmp_path: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    done = run("org", "restore", backup, tmp_path / "office", *house.secret)
    assert done.code == 0
    assert contents(tmp_path / "office") == contents(house.office)
    assert open_to_others(tmp_path / "office") == []
    words = re.search(r"check words: ((?:\w+ ?){6})$", done.out.strip())
    assert words
    assert run("member", "add", tmp_path / "office", "--out", tmp_path / "invitation").code == 0
    joined = run("member", "join", tmp_path / "desk", tmp_path / "invitation", *house.secret)
    assert words[1] in joined.out, "the office's words and the member's are the same"


@pytest.mark.parametrize("source", ["the office", "its backup"])
def test_the_onions_come_back_as_they_were(house: House, run: Run, backup: Path, tmp_path: Path, source: str) -> None:
    server = tmp_path / "server"
    done = run("onion", "restore", backup if source == "its backup" else house.office, server, *house.secret)
    assert done.code == 0
    assert contents(server) == contents(house.server)
    assert {"onion/door/onion/hs_ed25519_secret_key", "onion/members/onion/hostname"} < contents(server).keys()
    assert open_to_others(server) == []
    assert list(tmp_path.rglob("secrets.locked")) == [], "no secret of the office stays at the server"


@pytest.mark.parametrize("verb", [("org", "restore"), ("onion", "restore")], ids=" ".join)
def test_a_wrong_passphrase_writes_nothing(
    house: House, run: Run, backup: Path, tmp_path: Path, other_passphrase: Path, verb: tuple[str, str]
) -> None:
    done = run(*verb, backup, tmp_path / "new", "--passphrase-file", other_passphrase)
    assert (done.code, done.err) == (1, "The passphrase does not open the file: try again.\n")
    assert list(tmp_path.iterdir()) == [backup]


def test_a_wrong_passphrase_makes_no_backup(house: House, run: Run, tmp_path: Path, other_passphrase: Path) -> None:
    done = run("org", "backup", house.office, tmp_path / "backup", "--passphrase-file", other_passphrase)
    assert (done.code, done.err) == (1, "The passphrase does not open the file: try again.\n")
    assert list(tmp_path.iterdir()) == []


def test_an_office_is_restored_into_an_empty_folder_only(house: House, run: Run, backup: Path, tmp_path: Path) -> None:
    (tmp_path / "office").mkdir()
    (tmp_path / "office" / "file").write_text("mine", "utf-8")
    done = run("org", "restore", backup, tmp_path / "office", *house.secret)
    assert done.code == 1
    assert done.err == f"{tmp_path / 'office'} is not empty: choose a new folder for the office.\n"
    assert contents(tmp_path / "office") == {"file": b"mine"}
