"""What 0.1 wrote lives on: `tests/upgrade/first-contact` was written by the program as it was then."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import PASSPHRASE, House, Run
from doubles.visitor import Visitor

from sottovoce.cli.common import DEMO_CLOCK, DemoClock
from sottovoce.cli.road import TorRoad
from sottovoce.desk.vault import NAME, Vault
from sottovoce.pool.upgrade import upgrade_pool
from sottovoce.protocol.sizes import EDITION_SECONDS
from sottovoce.trust import locked
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.mark import FORM, MARK, OLD_POOL

HERE = Path(__file__).parents[1] / "upgrade"
WRITTEN = HERE / "first-contact"
NOTE = json.loads((WRITTEN / "note.json").read_text("utf-8"))
FIRST, ANSWER, SECOND = "Two sets of books.", "Which month was it?", "It was in May."
OTHER, WAITING = "The ship was in repair.", "Thank you for May."
SERVE = ("serve", "--print-torrc")  # ends by itself: were it not refused, no tor may start here
STEPS = {  # at which the upgrade of a folder is killed: the step's name, and how often it comes
    "server": {"group.inserted": 2, "group.committed": 2, "pool.edition": 2, "pool.renamed": 1, "wipe.zeroed": 1,
               "wipe.removed": 1, "server.root": 1},
    "office": {"office.welcome": 1, "office.root": 1},
    "desk": {"desk.tables": 1, "desk.table": 10, "desk.converted": 1},
}  # fmt: skip


@dataclass
class Old:
    """The three folders of 0.1, on a clock that stands where they were left."""

    folder: Path
    patch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        self.office, self.desk, self.server = (self.folder / name for name in ("office", "desk", "server"))
        self.secret = ("--passphrase-file", self.folder / "passphrase")
        self.secret[1].write_text(NOTE["passphrase"] + "\n", "utf-8")
        self.ahead(0)

    def ahead(self, seconds: float) -> None:
        """It is so many seconds later than when the folders were written."""
        clock = DemoClock(1, time.time(), NOTE["written"] + 60 + seconds)
        self.patch.setenv(DEMO_CLOCK, clock.text)

    def connect(self, name: str = "door") -> socket.socket:
        """A connection as tor makes it, of a circuit of its own."""
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(20)
        stream.connect(str(self.server / "run" / f"{name}.sock"))
        stream.sendall(f"PROXY TCP6 fc00:dead:beef:4dad::0:{secrets.randbelow(65_536):x} ::1 65535 42\r\n".encode())
        return stream

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """The server as it is today runs, and ends as its operator ends it."""
        command = [sys.executable, "-m", "sottovoce.cli", "serve", str(self.server), "--operator-tor"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                assert process.stdout
                assert "Waiting for your tor" in process.stdout.readline()
                yield
            finally:
                process.terminate()
        assert process.returncode == 0

    def finds(self, words: list[str], text: str) -> bool:
        """Whether a source who comes back with its words finds an answer; editions are closed after a start."""
        visitor, end = Visitor(self), time.monotonic() + 20
        assert visitor.post("enter", words=" ".join(words)).header("location") == "inbox"
        while text not in visitor.get("inbox").text and time.monotonic() < end:
            time.sleep(0.1)
        return text in visitor.get("inbox").text


@pytest.fixture(autouse=True, scope="module")
def quick_office() -> Iterator[None]:
    """The passphrase of 0.1's office costs its half second once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sottovoce.trust.locked._key", functools.cache(locked._key))
        yield


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Old:
    shutil.copytree(WRITTEN, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    made = Old(tmp_path, monkeypatch)

    def connect(_: int, host: str, isolation: str) -> socket.socket:
        assert isolation
        return made.connect(
            "members" if host == (made.server / "onion/members/onion/hostname").read_text().strip() else "door"
        )

    monkeypatch.setattr("sottovoce.cli.road.connect", connect)
    monkeypatch.setattr(
        "sottovoce.cli.road.over_tor", lambda *words: closing(TorRoad(0, door=words[3], members=words[4]))
    )
    return made


@pytest.fixture
def upgraded(old: Old, run: Run) -> Old:
    """The same after all three upgrades."""
    for folder in (old.server, old.office, old.desk):
        done = run("upgrade", folder, *old.secret)
        assert (done.code, done.err) == (0, "")
    return old


def told(run: Run, *words: str | Path) -> Any:
    """What a verb says to scripts."""
    done = run(*words, "--json")
    assert done.code == 0, done.out + done.err
    return json.loads(done.out)


def texts(run: Run, old: Old) -> dict[str, list[tuple[str, str]]]:
    """Each conversation's texts and their states, by the first text."""
    signs = ["-".join(each["sign"]) for each in told(run, "desk", "list", old.desk, *old.secret)]
    read = [told(run, "desk", "read", old.desk, sign, *old.secret) for sign in signs]
    return {entries[0]["text"]: [(entry["text"], entry["state"]) for entry in entries] for entries in read}


def test_a_conversation_survives(upgraded: Old, run: Run) -> None:
    before = texts(run, upgraded)
    assert before == {FIRST: [(FIRST, "new"), (ANSWER, "sent"), (WAITING, "waiting")]}
    with upgraded.served():
        assert upgraded.finds(NOTE["one"], ANSWER), "what was answered before is found by the same words"
        synced = told(run, "desk", "sync", upgraded.desk, *upgraded.secret)
        assert (synced["messages"], synced["sent"], synced["alarms"]) == (2, 1, [])
        after = texts(run, upgraded)
    assert after == {
        FIRST: [(FIRST, "read"), (ANSWER, "seen"), (SECOND, "new"), (WAITING, "sent")],
        OTHER: [(OTHER, "new")],
    }, "what nobody had fetched arrived, what was read before came no second time, and the answer was seen"
    upgraded.ahead(EDITION_SECONDS)
    with upgraded.served():
        assert upgraded.finds(NOTE["one"], WAITING)
        assert told(run, "desk", "sync", upgraded.desk, *upgraded.secret)["alarms"] == []
    assert not list((upgraded.server / "pool").glob(f"{OLD_POOL}*"))


def test_the_desk_notices_what_an_upgrade_lost(old: Old, run: Run) -> None:
    with closing(sqlite3.connect(old.server / "pool" / OLD_POOL)) as base, base:
        base.execute("DELETE FROM envelope WHERE edition = (SELECT min(edition) FROM envelope)")
        base.execute(
            "INSERT INTO envelope VALUES (zeroblob(16), (SELECT min(edition) - 8 FROM envelope), zeroblob(8192))"
        )
    for folder in (old.server, old.desk):
        assert run("upgrade", folder, *old.secret).code == 0
    with old.served():
        done = run("desk", "sync", old.desk, *old.secret)
    assert "2 envelopes that were pending are in no edition" in done.out


def test_signed_files_of_today_copied_over_an_old_server_hide_nothing(old: Old, run: Run) -> None:
    assert run("upgrade", old.office).code == 0
    assert run("org", "publish", old.office, old.folder / "changes").code == 0
    shutil.copytree(old.folder / "changes", old.server, dirs_exist_ok=True)
    assert "was written by 0.1" in run(*SERVE, old.server).err
    assert "4 envelopes were carried over" in run("upgrade", old.server).out
    assert run(*SERVE, old.server).code == 0


def test_whose_folder_it_is_not_is_sent_to_its_owner(old: Old, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: old.server.stat().st_uid + 1)
    assert "belongs to another user" in run("upgrade", old.server).err
    assert not (old.server / MARK).exists()


def test_the_office_signs_and_admits_as_before(upgraded: Old, run: Run) -> None:
    assert [each["label"] for each in told(run, "member", "list", upgraded.office)] == ["m1"]
    assert run("org", "renew", upgraded.office, *upgraded.secret).code == 0
    assert run("org", "publish", upgraded.office, upgraded.server).code == 0
    welcome = run("member", "welcome", upgraded.desk, upgraded.office / "welcome-00", *upgraded.secret)
    assert (welcome.code, welcome.err) == (0, ""), "the office's file for a member has today's form too"
    invitation, new = upgraded.folder / "invitation", upgraded.folder / "new"
    assert run("member", "add", upgraded.office, "--out", invitation).code == 0
    assert run("member", "join", new, invitation, *upgraded.secret).code == 0
    request = new / "join-request.cbor"
    assert "slot 1" in run("member", "admit", upgraded.office, request, *upgraded.secret).out


def test_a_backup_of_the_old_office_is_restored(old: Old, run: Run) -> None:
    assert run("org", "restore", old.folder / "backup", old.folder / "again", *old.secret).code == 0
    assert run("org", "renew", old.folder / "again", *old.secret).code == 0
    assert run("onion", "restore", old.folder / "backup", old.folder / "there", *old.secret).code == 0
    hostname = "onion/door/onion/hostname"
    assert (old.folder / "there" / hostname).read_text() == (old.server / hostname).read_text()


def test_an_answer_that_was_sealed_and_not_posted_goes_out(old: Old, run: Run) -> None:
    with Vault.open_any(old.desk / NAME, NOTE["passphrase"]) as vault:
        (conversation,) = vault.rows("SELECT id FROM conversation")[0]
        vault.rows("INSERT INTO sealed VALUES (zeroblob(16), ?, zeroblob(16), 20780, zeroblob(8192))", conversation)
    assert run("upgrade", old.desk, *old.secret).code == 0
    with Vault.open(old.desk / NAME, NOTE["passphrase"]) as vault:
        assert vault.rows("SELECT epoch, part, parts, length(envelope) FROM sealed") == [(20780, 0, 1, 8192)]


def test_a_device_that_waits_for_the_office_asks_anew(old: Old, run: Run) -> None:
    with Vault.open_any(old.desk / NAME, NOTE["passphrase"]) as vault:
        vault.rows("DELETE FROM signed WHERE kind != 'root'")
    assert "again" in run("upgrade", old.desk, *old.secret).out
    request = JoinRequest.read((old.desk / "join-request.cbor").read_bytes())
    assert len(request.check_words) == 6


def test_what_a_running_server_has_open_is_left_alone(old: Old, run: Run) -> None:
    with closing(sqlite3.connect(old.server / "pool" / OLD_POOL)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("SELECT * FROM envelope").fetchall()
        done = run("upgrade", old.server)
    assert done.code == 1
    assert "stop the server" in done.err
    assert run("upgrade", old.server).code == 0


def test_what_lay_in_the_log_of_a_killed_server_is_carried_over(old: Old) -> None:
    pool = old.server / "pool"
    with closing(sqlite3.connect(pool / OLD_POOL)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        with base:
            base.execute("INSERT INTO envelope VALUES (zeroblob(16), 83131, zeroblob(8192))")
        for path in pool.glob(f"{OLD_POOL}*"):
            shutil.copy(path, old.folder)
    for path in old.folder.glob(f"{OLD_POOL}*"):
        shutil.copy(path, pool)
    assert (pool / f"{OLD_POOL}-wal").stat().st_size
    assert upgrade_pool(pool, OLD_POOL, lambda _: None) == 5


@pytest.mark.parametrize("name", ["server", "office", "desk"])
def test_an_older_folder_is_opened_by_nobody_before(old: Old, run: Run, name: str) -> None:
    folder = old.folder / name
    verbs: dict[str, list[tuple[str | Path, ...]]] = {
        "server": [(*SERVE, folder), ("org", "publish", old.office, folder)],
        "office": [("org", "renew", folder, *old.secret), ("member", "list", folder), ("org", "publish", folder, "new"),
                   ("member", "add", folder, "--out", "invitation"), ("onion", "restore", folder, "new", *old.secret)],
        "desk": [("desk", "list", folder, *old.secret), ("member", "welcome", folder, "welcome", *old.secret)],
    }  # fmt: skip
    (old.folder / "welcome").write_bytes((old.office / "welcome-00").read_bytes())
    old.patch.chdir(old.folder)
    if name == "server":
        assert run("upgrade", old.office).code == 0
    for verb in verbs[name]:
        done = run(*verb)
        wanted = f"{folder} was written by 0.1: make a copy of it, then run `sottovoce upgrade {folder}`.\n"
        assert (done.code, done.err) == (1, wanted)
    doctor = run("doctor", folder).out
    assert name == "desk" or "make a copy of it" in doctor


@pytest.mark.parametrize("name", ["server", "office", "desk"])
def test_a_newer_folder_is_refused_downwards(house: House, run: Run, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(house.folder / name, folder)
    (folder / MARK).write_text(f"{FORM + 1}\n")
    verbs = {"server": (*SERVE, folder), "office": ("member", "list", folder), "desk": ("desk", "list", folder)}
    before = contents(folder)
    for verb in (("upgrade", folder), verbs[name]):
        done = run(*verb)
        assert done.code == 1
        assert done.err.startswith(f"{folder} was written by a newer Sottovoce: install that version")
        assert "would be lost" in done.err
    assert contents(folder) == before


def test_a_newer_vault_is_refused_downwards(house: House, run: Run, tmp_path: Path) -> None:
    shutil.copytree(house.desk, tmp_path / "desk")
    with Vault.open(tmp_path / "desk" / NAME, PASSPHRASE) as vault:
        vault._db.pragma("user_version", vault.schema + 1)
    (tmp_path / "desk" / MARK).unlink()
    for verb in (("desk", "list"), ("upgrade",)):
        done = run(*verb, tmp_path / "desk", *house.secret)
        assert (done.code, done.err.count("\n")) == (1, 1)
        assert "a newer Sottovoce" in done.err


def test_a_newer_backup_of_an_office_is_refused_and_leaves_nothing(house: House, run: Run, tmp_path: Path) -> None:
    shutil.copytree(house.office, tmp_path / "office")
    backup = tmp_path / "backup"
    assert run("org", "backup", tmp_path / "office", backup, *house.secret).code == 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sottovoce.trust.mark.FORM", FORM - 1)
        done = run("org", "restore", backup, tmp_path / "new", *house.secret)
    assert "a newer Sottovoce" in done.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["server", "office", "desk"])
def test_a_folder_of_today_is_left_as_it_is(house: House, run: Run, tmp_path: Path, name: str) -> None:
    shutil.copytree(house.folder / name, tmp_path / name)
    before = contents(tmp_path / name)
    assert before[MARK] == f"{FORM}\n".encode()
    assert "nothing was changed" in run("upgrade", tmp_path / name).out
    assert contents(tmp_path / name) == before
    (tmp_path / name / MARK).unlink()  # as 0.2 wrote it
    assert run("upgrade", tmp_path / name, *house.secret).code == 0
    assert contents(tmp_path / name).keys() == before.keys()


def test_what_is_no_folder_of_ours_is_not_touched(run: Run, tmp_path: Path) -> None:
    assert "is no folder of a server" in run("upgrade", tmp_path).err
    assert list(tmp_path.iterdir()) == []
    (tmp_path / MARK).write_text("2.5")
    assert "is damaged" in run("upgrade", tmp_path).err


@pytest.mark.parametrize(
    ("name", "step", "times"),
    [(name, step, n) for name, steps in STEPS.items() for step, times in steps.items() for n in {1, times}],
)
def test_who_is_killed_begins_again_and_has_all(old: Old, run: Run, name: str, step: str, times: int) -> None:
    killed = subprocess.run(
        [sys.executable, HERE / "killed.py", name, old.folder, step, str(times)], env=dict(os.environ), check=False
    )
    assert killed.returncode == -9, "the step was reached"
    assert not (old.folder / name / MARK).exists()
    if name == "server" and step != "server.root":  # there only the mark was missing
        assert "upgrade" in run(*SERVE, old.server).err, "nobody opens it half-way"
    done = run("upgrade", old.folder / name, *old.secret)
    assert (done.code, done.err) == (0, "")
    if name == "desk":
        assert texts(run, old) == {FIRST: [(FIRST, "new"), (ANSWER, "sent"), (WAITING, "waiting")]}
    elif name == "office":
        assert told(run, "member", "list", old.office)
    else:
        assert sum(len(tags) for tags in pending(old.server).values()) == 4
        assert not list((old.server / "pool").glob(f"{OLD_POOL}*"))


def pending(server: Path) -> dict[int, set[bytes]]:
    """The tags that wait for their edition's close, by edition."""
    found = {}
    for path in (server / "pool" / "pending").glob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as base:
            found[int(path.stem)] = {tag for (tag,) in base.execute("SELECT tag FROM envelope")}
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes by its name in the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
