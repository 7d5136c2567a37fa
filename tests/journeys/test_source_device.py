"""A source on a computer of its own, over Tor and with the real server: what it sends, the server can't read."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles.leaks import Secrets, family, in_files
from journeys.house import House

from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.words import parse
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.roster import check_words

pytestmark = pytest.mark.timeout(400)  # seconds: the first test of the session starts a Tor network

QUESTION = (
    "The dredger of the ninth berth was paid for, and never came.\n\n第九码头的账本。\n\n" + "So says each page. " * 700
)
ANSWER = "Who signed for the dredger? " * 400


class Device:
    """A computer that the server's operator never sees; all that is secret on it is told to `secrets`."""

    def __init__(self, house: House) -> None:
        self.house, self.folder, self.secrets = house, house.folder / "device", Secrets()
        self.words: list[str] = []
        self.plants: dict[str, bytes] = {}  # a few forms, for a search through much memory

    def verb(self, *words: str | Path) -> str:
        """What a verb of the source prints."""
        return self.house.verb("source", *words, secret=False, tor=True)

    def begin(self) -> tuple[str, str]:
        """Gets words, having compared the check words; the sign."""
        root = SignedFolder(self.house.server / "signed").published(int(time.time() // 86_400)).root
        given = " ".join(check_words(root.org))
        out = self.verb("begin", self.folder, self.house.onion, "--check-words", given)
        self.words = re.findall(r"\d+ (\w+)", out.partition("in this order:\n")[2].partition("\nYour sign")[0])
        phrase = parse(" ".join(self.words))
        keys = SourceKeys(root.org, phrase)
        self.secrets.words("words", self.words)
        self.secrets.words("numbers", phrase.numbers)
        for raw in (phrase.secret, keys.id, keys.kem.seed, keys.kem.public, keys.dh, keys.c):
            self.secrets.key("a key", raw)
        for text in (QUESTION, ANSWER):
            self.secrets.text("text", text)
        self.plants = {
            "words": " ".join(self.words[:3]).encode(), "secret": phrase.secret, "seed": keys.kem.seed, "c": keys.c,
            "question": QUESTION[:40].encode(), "answer": ANSWER[:40].encode(),
        }  # fmt: skip
        return keys.sign

    def file(self, name: str, text: str) -> Path:
        """A file beside the device's folder."""
        path = self.house.folder / name
        path.write_text(text, "utf-8")
        return path

    def inbox(self) -> dict[str, Any]:
        """What `source inbox` finds."""
        words = self.file("words", "\n".join(self.words))
        found: dict[str, Any] = json.loads(self.verb("inbox", self.folder, "--words-file", words, "--json"))
        return found


def memory(pid: int) -> Iterator[bytes]:
    """All that a process can read of its own memory."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", buffering=0) as raw:
        for line in maps:
            span, rights, *rest = line.split()
            if rights.startswith("r") and rest[-1] not in ("[vvar]", "[vsyscall]"):
                start, end = (int(each, 16) for each in span.split("-"))
                with contextlib.suppress(OSError, OverflowError):  # a file that is shorter than its map
                    raw.seek(start)
                    yield raw.read(end - start)


def in_memory(pids: list[int], plants: dict[str, bytes]) -> set[str]:
    """Which secrets lie in the memory of processes."""
    return {name for pid in pids for part in memory(pid) for name, plant in plants.items() if plant in part}


@pytest.fixture
def device(house: House) -> Device:
    """A new computer; the server runs."""
    if house.process.poll() is not None:
        house.start_server()
        house.wait_open()
    return Device(house)


def test_a_source_on_its_own_computer_and_nothing_of_it_at_the_server(house: House, device: Device) -> None:
    sign = device.begin()
    words = device.file("words", " ".join(device.words))
    text = device.file("question", QUESTION)
    written = device.verb("write", device.folder, "--text-file", text, "--words-file", words, "--first")
    assert " ".join(sign) in written
    assert "in 3 envelopes" in written
    house.sync()
    assert [entry["text"] for entry in house.read(sign)] == [QUESTION.rstrip("\n")]
    house.answer(sign, ANSWER)
    house.sync()
    house.close_edition()
    found = device.inbox()
    assert [answer["text"] for answer in found["answers"]] == [ANSWER]
    assert (found["received"], tuple(found["sign"]), found["incomplete"]) == (1, sign, [])

    receipt = re.search(r"--receipt ([0-9a-f]+)", written)
    assert receipt
    assert "The whole message is there, unchanged" in device.verb("inbox", device.folder, "--receipt", receipt[1])

    assert device.secrets.found([*in_files(house.server), *in_files(device.folder)]) == set()
    assert in_memory(family(house.process.pid), device.plants) == set()


def test_the_search_finds_what_a_process_holds() -> None:
    plant = re.sub("x", "y", "the words that a device would never send x x x").encode()
    assert in_memory(family(os.getpid())[:1], {"planted": plant}) == {"planted"}
