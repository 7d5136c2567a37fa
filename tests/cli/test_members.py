"""The office's verbs about members and its root key, as a person at the office calls them."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.conftest import House, Run, call

from sottovoce.trust.join import Invitation, JoinRequest
from sottovoce.trust.published import SignedFolder

TODAY = int(time.time() // 86_400)
Words = tuple[str | Path, ...]


@pytest.fixture
def office(house: House, tmp_path: Path) -> Path:
    """A copy of the office, which a test may change."""
    return Path(shutil.copytree(house.office, tmp_path / "office"))


@pytest.fixture(scope="session")
def second(house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second device's folder: it has joined, and was not admitted."""
    desk = tmp_path_factory.mktemp("second") / "desk"
    assert call("member", "join", desk, house.invitation, *house.secret) == 0
    return desk


def slots(run: Run, office: Path) -> list[int]:
    """The slots that hold a device."""
    return [each["slot"] for each in json.loads(run("member", "list", office, "--json").out)]


def test_an_invitation_is_public_text_with_the_words_that_both_ends_compare(
    house: House, run: Run, office: Path, tmp_path: Path
) -> None:
    done = run("member", "add", office, "--out", tmp_path / "invitation")
    assert done.code == 0
    text = (tmp_path / "invitation").read_text("ascii")
    assert text.startswith("Invitation to the desk of The Ombudsman of Harbour City\n")
    words = re.search(r"when they open it: +((?:\w+ ){5}\w+)", done.out)
    assert words
    assert words[1] not in text, "who exchanged the file could exchange the words in it"
    joined = run("member", "join", tmp_path / "desk", tmp_path / "invitation", *house.secret)
    assert words[1] in joined.out
    assert "The Ombudsman of Harbour City" in joined.out
    request = JoinRequest.read((tmp_path / "desk" / "join-request.cbor").read_bytes())
    assert " ".join(request.check_words) in joined.out
    admitted = run("member", "admit", office, tmp_path / "desk" / "join-request.cbor", *house.secret)
    assert " ".join(request.check_words) in admitted.out


def test_an_invitation_survives_a_mail_programs_line_ends_and_quotes_around_it(house: House) -> None:
    raw = house.invitation.read_bytes()
    for changed in (raw.replace(b"\n", b"\r\n"), b"Dear colleague\n" + raw + b"\n-- \nsignature\n"):
        assert Invitation.read(changed) == Invitation.read(raw)


def test_several_devices_are_admitted_listed_and_removed(
    house: House, run: Run, office: Path, second: Path, tmp_path: Path
) -> None:
    done = run("member", "admit", office, second / "join-request.cbor", "--label", "m2", *house.secret)
    assert (done.code, "has slot 1" in done.out) == (0, True)
    assert run("member", "list", office).out == "slot  0   m1\nslot  1   m2\n2 of 16 slots hold a device.\n"
    welcomed = run("member", "welcome", second, office / "welcome-01", *house.secret)
    assert welcomed.code == 0, welcomed.err
    removed = run("member", "remove", office, "0", *house.secret)
    assert removed.code == 0
    for said in ("org publish", "Start the server again", "sync a desk", "until that ends"):
        assert said in removed.out
    assert slots(run, office) == [1]
    server = tmp_path / "server"
    assert run("org", "publish", office, server).code == 0
    published = SignedFolder(server / "signed").published(TODAY)
    assert published.card.least_roster == published.roster.claim.serial
    clients = server / "onion" / "members" / "onion" / "authorized_clients"
    assert [each.name for each in clients.iterdir()] == ["slot-01.auth"]
    again = run("member", "welcome", second, office / "welcome-01", *house.secret)
    assert again.code == 0, "a welcome may be repeated"


def test_a_new_device_takes_a_persons_slot(house: House, run: Run, office: Path, second: Path) -> None:
    done = run("member", "admit", office, second / "join-request.cbor", "--slot", "0", *house.secret)
    assert (done.code, "has slot 0" in done.out, "the removed device" in done.out) == (0, True, True)
    assert slots(run, office) == [0]
    old = run("member", "welcome", house.desk, office / "welcome-00", *house.secret)
    assert (old.code, "does not admit this device" in old.err) == (1, True)


def test_the_threshold_is_changed_by_a_renewal(house: House, run: Run, office: Path, second: Path) -> None:
    too_few = run("org", "renew", office, "--threshold", "2", *house.secret)
    assert (too_few.code, too_few.err) == (1, "Fewer than 2 devices are admitted: admit another one first.\n")
    run("member", "admit", office, second / "join-request.cbor", *house.secret)
    assert run("org", "renew", office, "--threshold", "2", *house.secret).code == 0
    assert SignedFolder(office / "signed").published(TODAY).roster.threshold == 2
    assert run("org", "renew", office, *house.secret).code == 0
    assert SignedFolder(office / "signed").published(TODAY).roster.threshold == 2, "a plain renewal keeps it"
    left = run("member", "remove", office, "0", *house.secret)
    assert (left.code, "--threshold 1" in left.err) == (1, True)


def test_a_new_root_key_is_followed_by_a_desk_and_a_server(
    house: House, run: Run, office: Path, tmp_path: Path
) -> None:
    desk = Path(shutil.copytree(house.desk, tmp_path / "desk"))
    before = SignedFolder(office / "signed").published(TODAY)
    done = run("org", "succeed", office, "--backup", tmp_path / "backup", *house.secret)
    assert done.code == 0, done.err
    assert "Destroy all earlier backups" in done.out
    after = SignedFolder(office / "signed").published(TODAY)
    assert (after.root.org, after.root.claim.serial, after.card.least_root) == (before.root.org, 2, 2)
    assert run("org", "restore", tmp_path / "backup", tmp_path / "again", *house.secret).code == 0
    assert run("org", "renew", tmp_path / "again", *house.secret).code == 0, "the backup has the new key"
    run("member", "admit", office, house.request, *house.secret)  # refused: it is in the roster
    (tmp_path / "welcome").write_bytes((office / "welcome-00").read_bytes())
    stale = run("member", "welcome", desk, tmp_path / "welcome", *house.secret)
    assert stale.code == 0
    assert run("org", "publish", office, tmp_path / "server").code == 0
    invited = run("member", "add", office, "--out", tmp_path / "invitation")
    assert " ".join(before.card.check_words) in invited.out, "the organisation's words stay"


def test_an_office_that_was_restored_from_before_the_succession_signs_nothing_more(
    house: House, run: Run, office: Path, tmp_path: Path
) -> None:
    secrets_before = (office / "secrets.locked").read_bytes()
    assert run("org", "succeed", office, "--no-backup", *house.secret).code == 0
    (office / "secrets.locked").write_bytes(secrets_before)
    done = run("org", "renew", office, *house.secret)
    assert (done.code, "newest root key" in done.err) == (1, True)


CASES: dict[str, Callable[[House, Path, Path], Words]] = {
    "add: no office": lambda house, office, new: ("member", "add", new, "--out", new / "x"),
    "add: no file": lambda house, office, new: ("member", "add", office),
    "add: the file is there": lambda house, office, new: ("member", "add", office, "--out", house.invitation),
    "add: a folder that is none": lambda house, office, new: ("member", "add", house.request, "--out", new),
    "list: no office": lambda house, office, new: ("member", "list", new),
    "list: a desk": lambda house, office, new: ("member", "list", house.desk),
    "admit: the invitation": lambda house, office, new: (
        *("member", "admit", office, house.invitation),
        *house.secret,
    ),
    "admit: no such slot": lambda house, office, new: (
        *("member", "admit", office, house.request, "--slot", "16"),
        *house.secret,
    ),
    "admit: the same device again": lambda house, office, new: (
        *("member", "admit", office, house.request),
        *house.secret,
    ),
    "admit: a long label": lambda house, office, new: (
        *("member", "admit", office, house.request, "--label", "x" * 41),
        *house.secret,
    ),
    "remove: no office": lambda house, office, new: ("member", "remove", new, "0", *house.secret),
    "remove: an empty slot": lambda house, office, new: ("member", "remove", office, "3", *house.secret),
    "remove: the last device": lambda house, office, new: ("member", "remove", office, "0", *house.secret),
    "remove: no such slot": lambda house, office, new: ("member", "remove", office, "16", *house.secret),
    "remove: no number": lambda house, office, new: ("member", "remove", office, "m1", *house.secret),
    "join: a request": lambda house, office, new: ("member", "join", new, house.request, *house.secret),
    "join: the root alone": lambda house, office, new: (
        *("member", "join", new, office / "signed" / "root.signed"),
        *house.secret,
    ),
    "welcome: an invitation": lambda house, office, new: (
        *("member", "welcome", house.desk, house.invitation),
        *house.secret,
    ),
    "succeed: no word about a backup": lambda house, office, new: ("org", "succeed", office, *house.secret),
    "succeed: both words": lambda house, office, new: (
        *("org", "succeed", office, "--backup", new, "--no-backup"),
        *house.secret,
    ),
    "succeed: the backup is there": lambda house, office, new: (
        *("org", "succeed", office, "--backup", house.invitation),
        *house.secret,
    ),
    "succeed: no office": lambda house, office, new: ("org", "succeed", new, "--no-backup", *house.secret),
    "renew: a threshold of three": lambda house, office, new: (
        *("org", "renew", office, "--threshold", "3"),
        *house.secret,
    ),
}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes by its name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", CASES)
def test_a_misuse_is_one_sentence_and_changes_nothing(
    house: House, run: Run, office: Path, tmp_path: Path, case: str
) -> None:
    before = contents(office)
    done = run(*CASES[case](house, office, tmp_path / "new"))
    assert done.code in (1, 2)
    assert done.err.count("\n") == 1, done.err
    assert done.err.endswith(".\n") or done.code == 2
    assert len(done.err) > 20
    assert contents(office) == before
    assert list(tmp_path.iterdir()) == [office]


@pytest.mark.parametrize("place", [0, 40, 200])
def test_an_invitation_that_was_changed_is_refused(house: House, run: Run, tmp_path: Path, place: int) -> None:
    raw = house.invitation.read_bytes()
    at = raw.index(b"INVITATION-----\n") + 16 + place
    file = tmp_path / "invitation"
    file.write_bytes(raw[:at] + (b"A" if raw[at : at + 1] != b"A" else b"B") + raw[at + 1 :])
    done = run("member", "join", tmp_path / "desk", file, *house.secret)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert not (tmp_path / "desk").exists()
