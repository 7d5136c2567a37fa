"""A team of three over real Tor: two answer at once, one is away for twenty days and catches up, one is removed."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from journeys.house import House

from sottovoce.cli.common import random
from sottovoce.cli.visitor import Visitor
from sottovoce.desk.join import REQUEST
from sottovoce.onion.socks import fresh_isolation
from sottovoce.protocol.sizes import EPOCH_SECONDS

pytestmark = pytest.mark.timeout(600)

ANNA, BEN, CARLA = "anna", "ben", "carla"
LONG = "The second ledger, page by page.\n\n" + "Berth 4, paid twice, ship in repair. 第四码头\n" * 320 + "That is all."
ABSENT = "This was written while one of you was away."
AFTER = "This was written after one of you had left for good."
ANSWERS = {ANNA: "Thank you. Which month was it?", BEN: "We-are-two-who-read-this. " * 1_200}


class Office(House):
    """A house with three desks; the first is the demo's own."""

    def found(self) -> None:
        """The office admits three devices by invitation, and fills the server's folder."""
        self.verb("org", "create", self.office, "--name", "The Ombudsman of Harbour City")
        self.verb("member", "add", self.office, "--out", self.folder / "invitation", secret=False)
        for name in (ANNA, BEN, CARLA):
            self.verb("member", "join", self.at(name), self.folder / "invitation")
            self.verb("member", "admit", self.office, self.at(name) / REQUEST, "--label", name)
        for slot, name in enumerate((ANNA, BEN, CARLA)):
            (welcome,) = self.office.glob(f"welcome-{slot:02}")
            self.verb("member", "welcome", self.at(name), welcome)
        self.verb("onion", "restore", self.office, self.server)

    def at(self, name: str) -> Path:
        """A member's desk."""
        return self.folder / name

    def syncs(self, *names: str) -> None:
        """These desks sync, one after the other."""
        for name in names:
            self.verb("desk", "sync", self.at(name), tor=True)

    def sync_at_once(self, *names: str) -> None:
        """These desks sync at the same time."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.syncs, names))

    def texts_of(self, *names: str) -> list[list[str]]:
        """The texts of several desks, read at the same time."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(self.texts, names))

    def texts(self, name: str) -> list[str]:
        """All texts that came, of every conversation of a desk, as `read` gives them."""
        listed = json.loads(self.verb("desk", "list", self.at(name), "--json"))
        return [entry["text"] for each in listed for entry in self.entries(name, each["sign"]) if entry["incoming"]]

    def entries(self, name: str, sign: list[str]) -> list[dict[str, Any]]:
        """What `desk read` says of one conversation."""
        entries: list[dict[str, Any]] = json.loads(self.verb("desk", "read", self.at(name), "-".join(sign), "--json"))
        return entries

    def days_go_by(self, days: int) -> None:
        """So many days, everywhere."""
        self.ahead += days * EPOCH_SECONDS - 6 * 3_600
        self.close_edition()

    def visitor(self) -> Visitor:
        """A browser without scripts, on a circuit of its own."""
        return Visitor(self.visitors, self.onion, fresh_isolation(random(16)))

    def writes(self, text: str) -> list[str]:
        """A new source at the door writes; the twelve words it was given."""
        visitor = self.visitor()
        visitor.get("/")
        visitor.post("/en/begin")
        words = visitor.words()
        visitor.get("/en/check")
        first, second = visitor.places()
        visitor.post("/en/check", a=words[first - 1], b=words[second - 1])
        assert "Your message is here" in visitor.post("/en/write", text=text)
        visitor.close()
        return words

    def inbox(self, words: list[str], pages: int) -> str:
        """What a source finds on so many pages of its inbox."""
        visitor = self.visitor()
        visitor.get("/en/enter")
        found = [visitor.post("/en/enter", words=" ".join(words))]
        found += [visitor.get(f"/en/inbox?page={page}") for page in range(2, pages + 1)]
        visitor.close()
        return "".join(found)


@pytest.fixture(scope="module")
def office(private_network: list[str]) -> Iterator[Office]:
    """Three members, a server whose door is open, a visitor's tor."""
    with tempfile.TemporaryDirectory(prefix="sv-") as folder, contextlib.ExitStack() as ends:
        made = Office(Path(folder), ends, private_network)
        made.found()
        made.start_server()
        made.visitors = made.visitor_port()
        made.wait_open()
        yield made


def test_three_members_two_answer_at_once_one_catches_up_and_one_is_removed(office: Office) -> None:
    # The first sync makes duty keys; the others ask for them, and get them through the mailbox.
    office.syncs(BEN)
    office.sync_at_once(ANNA, CARLA)
    words = office.writes(LONG)
    office.syncs(BEN, ANNA, CARLA)
    assert office.texts_of(ANNA, BEN, CARLA) == [[LONG]] * 3

    for name, text in ANSWERS.items():
        file = office.folder / "answer.txt"
        file.write_text(text, "utf-8")
        office.verb("desk", "answer", office.at(name), "--text-file", file)
    office.sync_at_once(ANNA, BEN)
    office.close_edition()
    found = office.inbox(words, 2)
    assert ANSWERS[ANNA] in found
    assert found.count("We-are-two-who-read-this.") == 1_200  # more than one page of the inbox holds

    # Carla is away for twenty days; what is written then is sealed to keys that never reached her.
    office.days_go_by(8)
    office.syncs(ANNA, BEN)
    office.days_go_by(8)
    office.syncs(ANNA)
    office.writes(ABSENT)
    office.days_go_by(2)
    office.syncs(ANNA)
    assert ABSENT in office.texts(ANNA)
    office.days_go_by(2)
    office.syncs(CARLA)
    assert ABSENT not in office.texts(CARLA)
    office.syncs(ANNA, CARLA)
    assert set(office.texts(CARLA)) == {LONG, ABSENT}

    # Ben leaves. The next sync makes new keys for all coming days.
    office.verb("member", "remove", office.office, "1")
    office.verb("org", "publish", office.office, office.server, secret=False)
    office.stop_server(office.process)
    office.start_server()
    office.wait_open()
    office.syncs(ANNA, CARLA)
    office.writes(AFTER)
    office.close_edition()
    office.syncs(ANNA, CARLA)
    with pytest.raises(Exception, match="failed"):  # the members' onion does not know him any more
        office.syncs(BEN)
    assert [AFTER in texts for texts in office.texts_of(ANNA, CARLA, BEN)] == [True, True, False]
