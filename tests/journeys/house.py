"""A whole house on a private Tor network, for journeys: office, desk, the real server as a process, a visitor's tor."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from doubles.leaks import Secrets, family, in_files, in_processes

from sottovoce.cli.common import DEMO_CLOCK, DemoClock
from sottovoce.cli.demo import Demo
from sottovoce.door.ledger import IDLE_SECONDS
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.sizes import EDITION_SECONDS, epoch_of
from sottovoce.protocol.words import parse
from sottovoce.trust.published import Published, SignedFolder

SERVER = Path(__file__).with_name("server_process.py")
OPEN = "The door is open"
SECONDS = 90
KINDS = {"a circuit", "text", "answer", "words", "numbers", "the words' bytes", "sign", "a tag's owner", "cookie"}
PROCESSES = 4  # beside the starter: two tors, two workers


class House(Demo):
    """The demo's house, with a server that can be killed and whose clock can be shifted; it knows all secrets."""

    def __init__(self, folder: Path, ends: contextlib.ExitStack, lines: list[str]) -> None:
        super().__init__(folder, ends, lines)
        self.clock, self.log = folder / "clock", folder / "serve.log"
        self.visitors = 0  # the SOCKS port of their tor
        self.secrets = Secrets()
        self.phrases: list[Sequence[str]] = []  # those of its sources
        self.secrets.text("a circuit", "fc00:dead:beef:4dad:")
        self.secrets.key("a circuit", bytes.fromhex("fc00deadbeef4dad"))
        self.ahead = self.idle = 0  # seconds
        self.set_clocks()

    @property
    def published(self) -> Published:
        """What the server's folder serves, as of the house's day."""
        return SignedFolder(self.server / "signed").published(epoch_of(time.time() + self.ahead))

    @property
    def onion(self) -> str:
        """The door's address."""
        return self.published.card.addresses[0]

    def set_clocks(self) -> None:
        """Server and desk are `ahead` by so many seconds, and the half hours of visits by `idle`."""
        new = self.clock.with_suffix(".new")
        new.write_text(f"{self.ahead} {self.idle}", "utf-8")
        new.replace(self.clock)
        self.environment = {**os.environ, DEMO_CLOCK: DemoClock(1, 0, self.ahead).text}

    def end_visits(self) -> None:
        """Half an hour goes by in which nobody does a step."""
        self.idle += IDLE_SECONDS + 60
        self.set_clocks()

    def close_edition(self) -> None:
        """Six hours go by everywhere but in visits: what is pending becomes an edition, for sources to find."""
        files = self.server / "pool" / "editions"
        before = set(files.iterdir())
        self.ahead += EDITION_SECONDS
        self.set_clocks()
        end = time.monotonic() + SECONDS
        while not {path for path in files.iterdir() if path.suffix == ".edition"} - before:
            assert time.monotonic() < end, "no edition closed"
            time.sleep(0.05)

    @contextlib.contextmanager
    def without_duty(self) -> Iterator[None]:
        """No duty list is at the server, as when all its days are over."""
        file = self.server / "signed" / "duty.signed"
        kept = file.rename(self.folder / "duty.signed")
        yield
        kept.rename(file)

    def start_server(self) -> None:
        """Starts the server's process; `wait_open` waits until its onions are published."""
        command = [sys.executable, str(SERVER), str(self.server), str(self.folder / "torrc-extra"), str(self.clock)]
        with self.log.open("ab") as log:
            self._opened = self.log.read_text("utf-8").count(OPEN)
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._ends.callback(self.stop_server, self.process)

    def wait_open(self) -> None:
        """Returns once visitors can find the door."""
        end = time.monotonic() + SECONDS
        while self.log.read_text("utf-8").count(OPEN) == self._opened:
            assert self.process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < end, self.log.read_text("utf-8")
            time.sleep(0.05)

    @staticmethod
    def stop_server(process: subprocess.Popen[bytes]) -> None:
        """Ends a server as its operator does."""
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def kill_server(self) -> None:
        """Ends the server as a power cut does; its tors and workers must end by themselves."""
        _, *others = family(self.process.pid)
        assert len(others) == PROCESSES
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        end = time.monotonic() + 20
        while any(_is_alive(each) for each in others):
            assert time.monotonic() < end, "a tor or a worker outlived its server"
            time.sleep(0.05)

    def sign_off(self, *tags: str) -> None:
        """A native reader reviews these languages' texts, the office signs them off, and the server is given them."""
        for tag in tags:
            page = self.folder / f"{tag}.html"
            words = self.verb("language", "review", tag, "--out", page, secret=False).splitlines()[-1]
            self.verb("language", "approve", self.office, tag, "--reviewer", "A neighbour", "--hash", words.strip())
        self.publish()

    def publish(self) -> None:
        """What the office signed comes to the server, which offers other languages from its next start on."""
        self.verb("org", "publish", self.office, self.server, secret=False)

    def know(self, words: Sequence[str], *lists: str) -> tuple[str, str]:
        """Takes all that these words of a list stand for among the secrets; returns the sign that belongs to them."""
        phrase = parse(" ".join(words), *lists)
        published = self.published
        keys = SourceKeys(published.root.org, phrase)
        self.phrases.append(words)
        self.secrets.words("words", words)
        self.secrets.words("numbers", phrase.numbers)
        self.secrets.words("numbers", [str(int(number)) for number in phrase.numbers])
        self.secrets.key("the words' bytes", phrase.secret)
        self.secrets.words("sign", keys.sign)
        for raw in (keys.id, keys.kem.seed, keys.kem.public, keys.dh, keys.c):
            self.secrets.key("a tag's owner", raw)
        for number, slot in enumerate(published.roster.slots):
            pair = keys.pair(number, slot.dh)
            self.secrets.key("a tag's owner", pair.tags)
            self.secrets.key("a tag's owner", pair.macs)
        return keys.sign

    def leaks(self) -> set[tuple[str, str]]:
        """Every secret that lies in the server's files and output, or in what runs there."""
        places = [*in_files(self.server), ("the server's output", self.log.read_bytes())]
        if self.process.poll() is None:
            places += in_processes(family(self.process.pid))
        return self.secrets.found(places)

    def conversations(self) -> list[dict[str, Any]]:
        """What `desk list` says."""
        listed: list[dict[str, Any]] = json.loads(self.verb("desk", "list", self.desk, "--json"))
        return listed

    def read(self, sign: tuple[str, str]) -> list[dict[str, Any]]:
        """What `desk read` says of one conversation."""
        entries: list[dict[str, Any]] = json.loads(self.verb("desk", "read", self.desk, "-".join(sign), "--json"))
        return entries

    def answer(self, sign: tuple[str, str], text: str) -> None:
        """The member's answer, queued."""
        file = self.folder / "answer.txt"
        file.write_text(text, "utf-8")
        self.verb("desk", "answer", self.desk, "-".join(sign), "--text-file", file)


@contextlib.contextmanager
def open_house(folder: Path, lines: list[str], *languages: str) -> Iterator[House]:
    """A house whose door is open, in English and these languages: its server runs, and duty keys are published."""
    with contextlib.ExitStack() as ends:
        made = House(folder, ends, lines)
        made.found()
        if languages:
            made.sign_off(*languages)
        made.start_server()
        made.visitors = made.visitor_port()
        made.wait_open()
        made.sync()
        yield made


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
