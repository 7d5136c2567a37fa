"""What the verbs print: help, the doctor's findings, and hostile text made harmless."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from cli.conftest import House, Run
from doubles.road import MemoryRoad

from sottovoce.cli import _tree
from sottovoce.cli.common import today
from sottovoce.cli.text import clean
from sottovoce.protocol.body import Body
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.message import seal_to_desk
from sottovoce.protocol.sizes import EDITION_SECONDS, edition_of
from sottovoce.protocol.words import Passphrase
from sottovoce.trust.published import SignedFolder

HOSTILE = "Hello\x1b[2J\x1b]0;title\x07\r\x9b31m\u202egnp.exe\u2066\u200b\n[red]not ours[/red]\tend \u200c\u0645\u06cc"


def verbs(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb and group of the tree, by its words."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from verbs(found, (*words, name))


VERBS = dict(verbs(_tree))


def test_the_verbs_are_those_of_the_manual() -> None:
    named = {" ".join(words) for words, command in VERBS.items() if not isinstance(command, click.Group)}
    assert named >= {
        "org create", "org succeed", "org publish", "org backup", "org restore", "onion restore", "member join",
        "member welcome", "serve", "desk sync", "desk list", "desk read", "desk answer", "desk status", "doctor",
        "demo", "upgrade", "org renew", "member add", "member admit", "member list", "member remove",
        "language review", "language approve", "language list", "language withdraw", "advice new", "advice sign",
    }  # fmt: skip


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_help_says_what_a_verb_does(run: Run, words: tuple[str, ...]) -> None:
    command, done = VERBS[words], run(*words, "-h")
    assert (done.code, done.err) == (0, "")
    assert command.help
    assert " ".join(command.help.split()) in " ".join(done.out.split())
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert [each.name for each in options if not (each.help or each.hidden)] == []


def findings(run: Run, folder: Path) -> dict[str, str]:
    """The doctor's findings; its exit code agrees with them."""
    done = run("doctor", folder)
    names = ["Python", "Packages", "Tor", "Sealing", "Memory", "Swap", "Disk", "Rights of files", "Length of paths"]
    lines, *languages = (part.splitlines() for part in done.out.split("\n\nLanguages that visitors are offered:\n"))
    assert not languages or languages[0][0].split(maxsplit=1) == ["en", "the source of the others, always offered"]
    found = {
        name: line.removeprefix(name).strip()
        for line in lines
        for name in [*names, "Form of files", "Clock", "Signed files", "Languages"]
        if line.startswith(name)
    }
    assert len(found) == len(lines)
    assert done.code == int(any(finding != "good" for finding in found.values()))
    return found


@pytest.fixture
def server(house: House, road: MemoryRoad, run: Run, tmp_path: Path) -> Path:
    """A server's folder with a valid duty list."""
    folder = tmp_path / "server"
    shutil.copytree(house.server, folder)
    assert run("desk", "sync", house.desk, *house.secret).code == 0
    SignedFolder(folder / "signed").put_duty(road.things["duty"], today())
    return folder


def test_the_doctor_on_a_good_server(run: Run, server: Path) -> None:
    found = findings(run, server)
    ours = (
        "Python",
        "Packages",
        "Tor",
        "Sealing",
        "Rights of files",
        "Length of paths",
        "Form of files",
        "Signed files",
    )
    assert {name: found[name] for name in ours} == dict.fromkeys(ours, "good")


def test_the_doctor_on_a_server_with_faults(run: Run, server: Path, tmp_path: Path) -> None:
    (server / "signed" / "root.signed").chmod(0o644)
    assert findings(run, server)["Rights of files"] == f"Take away others' rights: chmod -R go= {server}"
    (server / "signed" / "duty.signed").unlink()
    assert "a member must sync" in findings(run, server)["Signed files"]
    (server / "signed" / "card.signed").write_bytes(b"damaged")
    assert findings(run, server)["Signed files"].endswith(".")
    long = tmp_path / ("long" * 20)  # the doctor breaks no line for it
    server.rename(long)
    assert "choose a folder with a shorter one" in findings(run, long)["Length of paths"]


def test_the_doctor_on_a_store_whose_clock_went_ahead(run: Run, server: Path) -> None:
    pending, edition = server / "pool" / "pending", edition_of(time.time())
    pending.mkdir(parents=True)
    (server / "pool" / "editions").mkdir()
    (pending / f"{edition}.sqlite3").touch()
    assert findings(run, server)["Clock"] == "good"
    far = edition + 80
    (pending / f"{edition}.sqlite3").rename(pending / f"{far}.sqlite3")
    found = findings(run, server)["Clock"]
    assert f"nothing before {datetime.fromtimestamp(far * EDITION_SECONDS, UTC):%Y-%m-%d %H}:00" in found
    assert f"rename {far}.sqlite3 in {pending} (and {far}.sqlite3-wal) to {edition}.sqlite3 " in found
    (server / "pool" / "editions" / f"{edition}.edition").touch()
    assert f" to {edition + 1}.sqlite3 " in findings(run, server)["Clock"]
    (server / "pool" / "editions" / f"{far - 1}.edition").touch()
    assert "it has to wait" in findings(run, server)["Clock"]


def test_the_doctor_without_a_folder(run: Run, tmp_path: Path) -> None:
    assert "Sealing" in run("doctor").out
    done = run("doctor", tmp_path / "none")
    assert (done.code, done.err) == (1, f"{tmp_path / 'none'} is no folder: check the path.\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\ufffd[2Jb"),
        ("\x00\x07\x08\r\x7f\x85\x9b", "\ufffd" * 7),
        ("\u202a\u202e\u2066\u2069\u200e\u200f\ufeff", "\ufffd" * 7),
        ("tab\tline\n", "tab\tline\n"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u7b2c\u4e03 \U0001f468\u200d\U0001f469", None),
    ],
)
def test_control_characters_are_replaced_and_letters_are_not(text: str, shown: str | None) -> None:
    assert clean(text) == (text if shown is None else shown)


def test_hostile_text_reaches_no_terminal(house: House, run: Run, road: MemoryRoad, server: Path) -> None:
    audience = SignedFolder(server / "signed").published(today()).audience(today())
    assert audience
    keys, tag = SourceKeys(audience.org, Passphrase(secrets.token_bytes(16))), secrets.token_bytes(16)
    ids = {"message_id": secrets.token_bytes(16), "seen": bytes(256)}
    (envelope,) = seal_to_desk(keys, audience, Body(HOSTILE), tags=[tag], **ids)
    road.arrive(tag, envelope)
    synced = run("desk", "sync", house.desk, *house.secret)
    assert (synced.code, synced.out.splitlines()[0]) == (0, "1 new messages, 0 answers sent, 0 waiting.")
    assert " ".join(keys.sign) in run("desk", "list", house.desk, *house.secret).out
    read = run("desk", "read", house.desk, "-".join(keys.sign), *house.secret)
    assert not set(read.out) & set("\x1b\x07\r\x9b\u202e\u2066\u200b")
    assert "[red]not ours[/red]" in read.out, "the text is no markup of ours either"
    (entry,) = json.loads(run("desk", "read", house.desk, "-".join(keys.sign), "--json", *house.secret).out)
    assert entry["text"] == HOSTILE, "scripts get it whole"
    assert run("desk", "status", house.desk, *house.secret).code == 0
