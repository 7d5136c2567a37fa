"""Whatever goes wrong, a person reads one sentence."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.conftest import House, Run
from doubles.organisation import PASSPHRASE as OLD_PASSPHRASE
from doubles.organisation import Organisation

from sottovoce.protocol.sizes import edition_of
from sottovoce.trust.roster import ROSTER_DAYS

Words = tuple[str | Path, ...]
TODAY = int(time.time() // 86_400)


def sentence(run: Run, *words: str | Path) -> str:
    """The one sentence that a verb fails with."""
    done = run(*words)
    assert done.code in (1, 2)
    assert done.err.endswith(".\n") or done.code == 2, done.err  # 2: click's own words for a wrong call
    assert done.err.count("\n") == 1, done.err
    assert "Traceback" not in done.err
    assert len(done.err) > 20
    return done.err


@pytest.fixture
def junk(tmp_path: Path) -> Path:
    """A damaged file: no text, and no signed thing either."""
    file = tmp_path / "junk"
    file.write_bytes(bytes(range(128, 256)))
    return file


CASES: dict[str, Callable[[House, Path, Path], Words]] = {
    "no such verb": lambda house, new, junk: ("orgg",),
    "no such option": lambda house, new, junk: ("desk", "list", house.desk, "--jsonn"),
    "an argument too few": lambda house, new, junk: ("org", "backup", house.office),
    "create: no name": lambda house, new, junk: ("org", "create", new),
    "create: an office is there": lambda house, new, junk: ("org", "create", house.office, "--name", "x"),
    "admit: no request": lambda house, new, junk: ("member", "admit", house.office, new),
    "admit: a damaged request": lambda house, new, junk: ("member", "admit", house.office, junk),
    "admit: a folder": lambda house, new, junk: ("member", "admit", house.office, house.desk),
    "publish: no office": lambda house, new, junk: ("org", "publish", new, new / "server"),
    "publish: a file": lambda house, new, junk: ("org", "publish", junk, new),
    "backup: no office": lambda house, new, junk: ("org", "backup", new, new / "file"),
    "backup: the file is there": lambda house, new, junk: ("org", "backup", house.office, junk),
    "restore: no backup": lambda house, new, junk: ("org", "restore", new, new / "office"),
    "restore: a damaged backup": lambda house, new, junk: ("org", "restore", junk, new),
    "onion restore: no office": lambda house, new, junk: ("onion", "restore", new, new / "server"),
    "onion restore: a damaged backup": lambda house, new, junk: ("onion", "restore", junk, new),
    "join: no root": lambda house, new, junk: ("member", "join", new, new),
    "join: a damaged root": lambda house, new, junk: ("member", "join", new, junk),
    "join: a desk is there": lambda house, new, junk: ("member", "join", house.desk, junk),
    "welcome: no answer": lambda house, new, junk: ("member", "welcome", house.desk, new),
    "welcome: a damaged answer": lambda house, new, junk: ("member", "welcome", house.desk, junk),
    "welcome: the request itself": lambda house, new, junk: ("member", "welcome", house.desk, house.request),
    "welcome: no vault": lambda house, new, junk: ("member", "welcome", new, house.office / "welcome-00"),
    "list: no desk": lambda house, new, junk: ("desk", "list", new),
    "status: a file": lambda house, new, junk: ("desk", "status", junk),
    "sync: no such file of lines": lambda house, new, junk: ("desk", "sync", house.desk, "--torrc-extra", new),
    "sync: lines that are no text": lambda house, new, junk: ("desk", "sync", house.desk, "--torrc-extra", junk),
    "answer: no such text": lambda house, new, junk: ("desk", "answer", house.desk, "--text-file", new),
}


@pytest.mark.parametrize("case", CASES)
def test_one_sentence(house: House, run: Run, tmp_path: Path, junk: Path, case: str) -> None:
    words = CASES[case](house, tmp_path / "new", junk)
    sentence(run, *words, *(house.secret if len(words) > 2 and words[1] != "publish" else ()))
    assert list(tmp_path.iterdir()) == [junk], "a verb that fails leaves nothing"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"short\n", "too short"), (b"\xff\xfe\xfd words in no encoding\n", "UTF-8")],
    ids=["missing", "short", "no text"],
)
def test_a_passphrase_that_is_none(run: Run, tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "passphrase"
    if content is not None:
        file.write_bytes(content)
    assert said in sentence(run, "org", "create", tmp_path / "office", "--name", "x", "--passphrase-file", file)


def test_a_wrong_passphrase(house: House, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("none of the words that were meant\n", "utf-8")
    assert "does not open" in sentence(run, "desk", "list", house.desk, "--passphrase-file", file)
    assert "does not open" in sentence(run, "member", "admit", house.office, house.request, "--passphrase-file", file)


def test_the_same_device_twice(house: House, run: Run) -> None:
    before = (house.office / "signed" / "roster.signed").read_bytes()
    words = ("member", "admit", house.office, house.request, *house.secret)
    assert "already" in sentence(run, *words)
    assert "already" in sentence(run, *words, "--slot", "5")
    assert (house.office / "signed" / "roster.signed").read_bytes() == before


def test_a_sign_that_nobody_has(house: House, run: Run) -> None:
    said = sentence(run, "desk", "read", house.desk, "maple-ocean", *house.secret)
    assert said == "There is no conversation of this name: look at the list of conversations.\n"


def test_an_answer_that_is_no_text(house: House, run: Run, junk: Path) -> None:
    assert "UTF-8" in sentence(run, "desk", "answer", house.desk, "maple-ocean", "--text-file", junk, *house.secret)


def test_the_offices_secrets_are_no_backup(house: House, run: Run, tmp_path: Path) -> None:
    sentence(run, "org", "restore", house.office / "secrets.locked", tmp_path / "office", *house.secret)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["vault.db", "vault.db.kdf"])
def test_a_damaged_vault(house: House, run: Run, tmp_path: Path, part: str) -> None:
    desk = tmp_path / "desk"
    shutil.copytree(house.desk, desk)
    (desk / part).write_bytes(bytes(range(128, 256)) * 32)
    sentence(run, "desk", "list", desk, *house.secret)


def served(run: Run, folder: Path) -> str:
    """What `serve` fails with; with --print-torrc it would not go on even if it could."""
    return sentence(run, "serve", folder, "--print-torrc")


def test_a_server_without_signed_files(run: Run, tmp_path: Path) -> None:
    assert "fill it at the office" in served(run, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["root", "roster", "card"])
@pytest.mark.parametrize("fault", ["missing", "damaged", "another's"])
def test_a_server_with_a_bad_signed_file(house: House, run: Run, tmp_path: Path, kind: str, fault: str) -> None:
    server = tmp_path / "server"
    shutil.copytree(house.server, server)
    file = server / "signed" / f"{kind}.signed"
    other = (house.server / "signed" / f"{'card' if kind != 'card' else 'roster'}.signed").read_bytes()
    file.unlink()
    if fault != "missing":
        file.write_bytes(bytes(100) if fault == "damaged" else other)
    served(run, server)


def test_a_server_whose_pool_is_damaged(house: House, run: Run, tmp_path: Path) -> None:
    server = tmp_path / "server"
    shutil.copytree(house.server, server)
    pending = server / "pool" / "pending"
    pending.mkdir(parents=True)
    (pending / f"{edition_of(time.time())}.sqlite3").write_bytes(b"no database" * 1_000)
    assert "pool" in sentence(run, "serve", server, "--clearnet-loopback", "1")


def test_a_roster_that_ran_out(run: Run, tmp_path: Path) -> None:
    old = Organisation(tmp_path, TODAY - ROSTER_DAYS - 1)
    secret = tmp_path / "passphrase"
    secret.write_text(OLD_PASSPHRASE, "utf-8")
    assert "roster" in served(run, old.server)
    assert sentence(run, "onion", "restore", old.folder / "office", tmp_path / "new", "--passphrase-file", secret)
    assert not (tmp_path / "new" / "onion").exists()
