"""What the desk's verbs about keys and colleagues print, and what they leave."""

from __future__ import annotations

import json
from pathlib import Path

from cli.conftest import House, Run


def test_duty_says_that_nobody_can_write_before_the_first_sync(run: Run, house: House) -> None:
    done = run("desk", "duty", house.desk, *house.secret)
    assert done.code == 0
    assert "nobody can write" in done.out
    assert "7 days" in done.out


def test_a_holiday_setting_says_what_it_costs(run: Run, house: House, tmp_path: Path) -> None:
    done = run("desk", "duty", house.desk, "--days", "28", *house.secret)
    assert done.code == 0
    assert "a longer rollback and a longer loot" in done.out
    shown = json.loads(run("desk", "duty", house.desk, "--json", *house.secret).out)
    assert shown == {"epochs": [], "destroyed": None, "missing_signatures": 0, "days": 28}
    assert run("desk", "duty", house.desk, "--days", "7", *house.secret).code == 0
    assert run("desk", "duty", house.desk, "--days", "29", *house.secret).code == 2


def test_members_shows_the_own_slot_and_does_not_claim_to_know_the_rest(run: Run, house: House) -> None:
    done = run("desk", "members", house.desk, *house.secret)
    assert done.code == 0
    assert "m1 (this device)" in done.out
    assert "the roster doesn't tell which" in done.out
    shown = json.loads(run("desk", "members", house.desk, "--json", *house.secret).out)
    assert [each["slot"] for each in shown["members"] if each["own"]] == [0]
    assert (len(shown["members"]), shown["threshold"]) == (16, 1)


def test_a_backup_is_restored_on_an_empty_machine(run: Run, house: House, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("a sentence of its own\n", "utf-8")
    file, new = tmp_path / "backup", tmp_path / "new"
    done = run("desk", "backup", house.desk, file, *house.secret, "--backup-passphrase-file", own)
    assert (done.code, done.err) == (0, "")
    assert "no key that opens or signs anything new" in done.out
    done = run("desk", "restore", file, new, "--passphrase-file", own)
    assert (done.code, done.err) == (0, "")
    assert "member admit" in done.out
    assert run("desk", "list", new, "--passphrase-file", own).code == 0
    welcome = house.office / "welcome-00"
    done = run("member", "welcome", new, welcome, "--passphrase-file", own)
    assert done.code == 1
    assert "does not admit this device" in done.err


def test_what_is_no_backup_is_told(run: Run, house: House, tmp_path: Path) -> None:
    file = tmp_path / "letter"
    file.write_text("Dear all", "utf-8")
    done = run("desk", "restore", file, tmp_path / "new", *house.secret)
    assert (done.code, done.out) == (1, "")
    assert done.err == "This file is no backup of a vault: name the one that `desk backup` wrote.\n"
