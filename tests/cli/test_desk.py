"""The desk's verbs over a road in memory: what they print, and what a running desk leaves to others."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from pathlib import Path

import pytest
from cli.conftest import House, Run
from doubles.road import MemoryRoad

from sottovoce.cli import desk_sync
from sottovoce.cli.desk_read import _marks
from sottovoce.desk.letters import Entry
from sottovoce.protocol.body import Body
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.message import Audience, parts_to_desk, seal_to_desk
from sottovoce.protocol.sizes import epoch_of
from sottovoce.protocol.words import Passphrase
from sottovoce.trust.duty import UntrustedDutyList
from sottovoce.trust.roster import UntrustedRoot, UntrustedRoster

LONG = "A long story. " * 1_000  # three parts


@pytest.fixture
def desk(house: House, road: MemoryRoad, run: Run, tmp_path: Path) -> Path:
    """A desk that synced once."""
    folder = tmp_path / "desk"
    shutil.copytree(house.desk, folder)
    done = run("desk", "sync", folder, *house.secret)
    assert (done.code, done.out) == (
        0,
        "0 new messages, 0 answers sent, 0 waiting.\nThe duty keys of the coming days are renewed.\n",
    )
    return folder


def audience(road: MemoryRoad) -> Audience:
    today = epoch_of(time.time())
    root = UntrustedRoot.of(road.things["root"]).verify(None, today)
    roster = UntrustedRoster.of(road.things["roster"]).verify(root, today)
    duty = UntrustedDutyList.of(road.things["duty"]).verify(roster, today)
    return Audience(root.org, roster.hash, [slot.dh for slot in roster.slots], duty.keys[today], today)


def write(road: MemoryRoad, keys: SourceKeys, text: str, parts: int | None = None) -> None:
    """A message arrives, or so many of its parts."""
    body = Body(text)
    tags = [secrets.token_bytes(16) for _ in range(parts_to_desk(body.encode()))]
    to = audience(road)
    sealed = seal_to_desk(keys, to, body, tags=tags, message_id=secrets.token_bytes(16), seen=bytes(256))
    for tag, envelope in list(zip(tags, sealed, strict=True))[:parts]:
        road.arrive(tag, envelope)


@pytest.fixture
def keys(road: MemoryRoad, desk: Path) -> SourceKeys:
    """A source's keys at this organisation."""
    return SourceKeys(audience(road).org, Passphrase(secrets.token_bytes(16)))


def test_a_message_whose_parts_are_missing_is_shown_as_that(
    house: House, road: MemoryRoad, run: Run, desk: Path, keys: SourceKeys
) -> None:
    write(road, keys, LONG, 2)
    assert run("desk", "sync", desk, *house.secret).out.startswith("0 new messages")
    read = run("desk", "read", desk, *house.secret).out
    assert "(new, 2 of 3 parts so far)" in read
    assert "A long story." in read
    (entry,) = json.loads(run("desk", "read", desk, "--json", *house.secret).out)
    assert (entry["have"], entry["parts"], entry["lost"]) == (2, 3, False)


@pytest.mark.parametrize(
    ("entry", "marks"),
    [
        (Entry(True, "", 1, "new"), []),
        (Entry(True, "", 1, "new", 3, 2), ["2 of 3 parts so far"]),
        (Entry(True, "", 1, "new", 3, 2, lost=True), ["2 of 3 parts: the missing ones will not come"]),
        (Entry(True, "", 1, "new", vouched=7), ["vouched for by the device in slot 7, not checked here"]),
        (Entry(True, "", 1, "new", unordered=True), ["order within six hours unknown"]),
        (Entry(True, "", 1, "read", language="fa"), ["reads fa"]),
    ],
)
def test_what_is_not_known_of_a_message_is_said(entry: Entry, marks: list[str]) -> None:
    assert list(_marks(entry)) == marks


def test_compare_prints_what_is_good_and_what_is_not(house: House, road: MemoryRoad, run: Run, desk: Path) -> None:
    done = run("desk", "compare", desk, *house.secret)
    assert (done.code, done.out) == (0, "4 of 4 signed things and 0 editions are as they should be.\n")
    road.at_door["roster"] = b"damaged"
    done = run("desk", "compare", desk, "--full", *house.secret)
    assert done.code == 1
    assert "ALARM: The door shows a roster that is refused here" in done.out
    assert "take the address out of use" in done.out
    assert "ALARM of " in run("desk", "status", desk, *house.secret).out
    found = json.loads(run("desk", "compare", desk, "--json", *house.secret).out)
    assert (found["things"], len(found["alarms"])) == (3, 1)


def test_run_posts_and_leaves_the_vault_to_other_verbs_in_between(
    house: House, road: MemoryRoad, run: Run, desk: Path, keys: SourceKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(road, keys, "hello")
    said: list[str] = []
    answer = desk.parent / "answer.txt"
    answer.write_text("we read you", "utf-8")
    slept = [0.0]

    def sleep(seconds: float) -> None:
        if len(slept) == 2:  # after the first sync, a member answers by another verb
            said.append(run("desk", "answer", desk, "--text-file", answer, *house.secret).out)
        slept.append(seconds)

    monkeypatch.setattr(desk_sync, "sleep", sleep)
    monkeypatch.setattr(desk_sync, "now", lambda: time.time() + sum(slept))
    before = len(road.puts)
    done = run("desk", "run", desk, "--steps", "12", *house.secret)
    assert done.code == 0
    assert any(text.startswith("Queued.") for text in said)
    assert len(road.puts) > before + 1
    assert road.circuits == 12
    (conversation,) = json.loads(run("desk", "list", desk, "--json", *house.secret).out)
    assert conversation["waiting"] == 0
    states = [entry["state"] for entry in json.loads(run("desk", "read", desk, "--json", *house.secret).out)]
    assert states == ["new", "sent"]


def test_run_ends_cleanly_when_it_is_interrupted(
    house: House, road: MemoryRoad, run: Run, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(desk_sync, "sleep", interrupted)
    done = run("desk", "run", desk, *house.secret)
    assert done.code == 0
    assert done.err.splitlines()[-1] == "Ended; what waits is kept."
    assert run("desk", "list", desk, *house.secret).code == 0


def test_again_says_when_there_is_nothing_to_send_anew(
    house: House, road: MemoryRoad, run: Run, desk: Path, keys: SourceKeys
) -> None:
    write(road, keys, "hello")
    run("desk", "sync", desk, *house.secret)
    done = run("desk", "again", desk, *house.secret)
    assert (done.code, done.err) == (1, "No answer here is unseen for 25 days: there is nothing to send again.\n")
