"""The program as a person calls it, and one organisation that was founded by its verbs."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from doubles.road import MemoryRoad

from sottovoce import cli
from sottovoce.desk import vault

PASSPHRASE = "six plain words for these tests"  # noqa: S105  # opens what these tests make


@dataclass(frozen=True)
class Done:
    """What a verb left: its exit code, and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


def call(*words: str | Path) -> int:
    """Runs the program in this process, so that a traceback would be this test's own; its exit code."""
    before, umask = sys.argv, os.umask(0o022)
    sys.argv = ["sottovoce", *map(str, words)]
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before
        os.umask(umask)
    raise AssertionError("main came back")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a verb: `run("org", "create", …)`."""
    monkeypatch.setenv("COLUMNS", "400")  # no table breaks its lines

    def ran(*words: str | Path) -> Done:
        capsys.readouterr()
        code = call(*words)
        return Done(code, *capsys.readouterr())

    return ran


@dataclass(frozen=True)
class House:
    """An organisation with one member; the server's folder is filled."""

    folder: Path

    @property
    def office(self) -> Path:
        return self.folder / "office"

    @property
    def desk(self) -> Path:
        return self.folder / "desk"

    @property
    def server(self) -> Path:
        return self.folder / "server"

    @property
    def request(self) -> Path:
        return self.desk / "join-request.cbor"

    @property
    def invitation(self) -> Path:
        return self.folder / "invitation"

    @property
    def secret(self) -> tuple[str, Path]:
        """The option that gives the passphrase."""
        return "--passphrase-file", self.folder / "passphrase"


@pytest.fixture(scope="session", autouse=True)
def quick() -> Iterator[None]:
    """The office's passphrase costs little here, a vault's once; that they cost much is tried in tests of both."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sottovoce.trust.locked.MEMORY", 64)
        patched.setattr("sottovoce.trust.locked.PASSES", 1)
        patched.setattr("sottovoce.desk.vault._key", functools.cache(vault._key))
        yield


@pytest.fixture(scope="session")
def house(quick: None, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Office, desk and server's folder; tests leave them as they are."""
    made = House(tmp_path_factory.mktemp("house"))
    (made.folder / "passphrase").write_text(PASSPHRASE + "\n", "utf-8")
    verbs: list[tuple[str | Path, ...]] = [
        ("org", "create", made.office, "--name", "The Ombudsman of Harbour City"),
        ("member", "add", made.office, "--out", made.invitation),
        ("member", "join", made.desk, made.invitation),
        ("member", "admit", made.office, made.request, "--label", "m1"),
        ("member", "welcome", made.desk, made.office / "welcome-00"),
        ("onion", "restore", made.office, made.server),
    ]
    for verb in verbs:
        assert call(*verb, *(made.secret if verb[1] != "add" else ())) == 0
    return made


@pytest.fixture
def road(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryRoad:
    """What the desk's verbs reach instead of a server over Tor."""
    made = MemoryRoad(time.time, tmp_path / "shown")
    for kind in ("root", "roster", "card"):
        made.things[kind] = (house.server / "signed" / f"{kind}.signed").read_bytes()
    monkeypatch.setattr("sottovoce.cli.road.over_tor", lambda *_: contextlib.nullcontext(made))
    return made
