"""One story with real parts, of which everybody keeps what they could keep; and what truly happened in it.

noon            two sources write: Alma at the door, Dora from her own device. Members read, and two answer Alma.
the evening     the server has turned hostile. Alma comes back and writes; so does Dora. Workers are replaced.
the next day    Chen is removed, with all that Chen had. Both write again, and are answered.
three days on   duty keys of the first days are destroyed.
a month on      the first editions are gone. Dora writes, and is answered.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from who.house import House, Member, Memory, memory_of
from who.wire import Visitor

from sottovoce.desk.vault import NAME as VAULT
from sottovoce.desk.vault import Vault
from sottovoce.protocol.keys import SourceKeys
from sottovoce.protocol.sizes import edition_of
from sottovoce.protocol.words import Passphrase, parse

NAMED = "My name is Noor Haidari"  # what a source wrote about themselves
ADDRESSES = ("203.0.113.77", "2001:db8:77::7")  # of the sources' machines; only their own Tor could know them
LONG = 100_000  # bytes: fifteen envelopes or so
_APART = 0.8  # seconds that somebody takes between two messages, or more; a guesser counts on less
_SECOND = "It was in the month of the flood."


@dataclass(frozen=True)
class Letter:
    """A message or an answer. `way` is the source's, `act` counts from 0, `slot` is who answered.

    `began` and `ended` are real Unix seconds, between which its envelopes were put.
    """

    name: str
    text: str = field(repr=False)
    way: str
    act: int
    slot: int | None
    edition: int
    began: float
    ended: float

    @property
    def sent(self) -> bool:
        """Whether a source wrote it."""
        return self.slot is None


@dataclass(frozen=True)
class Stat:
    """A file's times, real Unix seconds: last written, last read, last changed in any way."""

    path: str
    times: tuple[float, float, float]


@dataclass
class Disk:
    """A folder as a thief finds it."""

    folder: Path
    stats: list[Stat]

    @property
    def things(self) -> Memory:
        """Every file: its name, and its bytes."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [(str(path.relative_to(self.folder)), path.read_bytes()) for path in paths]


class Story:
    """Plays it; afterwards its fields are what was kept."""

    def __init__(self, folder: Path) -> None:
        self.house, self._folder = House(folder), folder
        self.letters: list[Letter] = []
        self.phrases: dict[str, Passphrase] = {}
        self.secrets: dict[str, bytes] = {}  # every private key and passphrase that ever was, by name
        self.duty: dict[bytes, int] = {}  # seeds of duty keys, and their epoch
        self.disks: dict[str, Disk] = {}
        self.memory: dict[str, Memory] = {}
        self.polls: dict[str, list[tuple[float, set[bytes]]]] = {}
        self.worked: dict[str, float] = {}  # when a member's desk synced last
        self.turned = 0  # of the connections, how many passed before the server turned
        self.act = 0

    # -- the acts --------------------------------------------------------------------

    def play(self) -> None:
        """All acts; the server has ended afterwards."""
        try:
            self._found()
            self._noon()
            self._evening()
            self._removal()
            self._three_days_on()
            self._a_month_on()
        finally:
            self.house.stop()

    def _found(self) -> None:
        for name in ("anna", "ben", "chen"):
            self.house.admit(name)
        self.house.office.renew(self.house.today, 2)
        self.house.publish()
        self._on_duty()

    def _on_duty(self) -> None:
        self.house.go_on_duty()
        self._learn()

    def _learn(self) -> None:
        for name, member in self.house.members.items():
            for epoch, seed in member.vault.rows("SELECT epoch, seed FROM duty"):
                self.duty[seed] = epoch
                self.secrets[f"duty key {seed.hex()[:8]}"] = seed
            for kind in ("dh", "signing", "onion"):
                self.secrets[f"{kind} key of {name}"] = member.vault.device_key(kind)

    def _noon(self) -> None:
        alma = Visitor(self.house.wire)
        self._meet("Alma", parse(" ".join(alma.begin())))
        with self._letter("Alma's first", "Alma", f"{NAMED}. The quay was sold twice."):
            alma.write(self.letters[-1].text)
        alma.leave()
        for place, about in enumerate(("the ledger of pier seven", "the ledger of pier eight", "the keys")):
            self._dora(f"Dora's first, part {place} of three long ones", _long(about), first=place == 0)
        time.sleep(0.2)  # so that the last commit is not now
        self._seize("with what is pending")
        self._sync_all()
        self._answer("anna", "Alma", "Which month was it?")
        self._answer("ben", "Alma", "And who signed for it?")
        self._answer("anna", "Dora", _long("we ask about every page"))
        self._close()
        self._seize("after the close")

    def _evening(self) -> None:
        self.house.restart()
        self.act, self.turned = 1, len(self.house.wire.passed)
        alma = Visitor(self.house.wire)
        page = alma.come_back(list(self.phrases["Alma"].words()))
        assert "Which month was it?" in page
        assert "And who signed for it?" in page
        during: Memory = []  # from several moments: python may use the place of a text again at once
        for _ in range(3):
            alma.count(_SECOND)
            during += self._memory()
        with self._letter("Alma's second", "Alma", _SECOND):
            alma.write(_SECOND)
        self.memory["during a visit"] = during + self._memory()
        alma.leave()
        self._dora("Dora's second", _long("a second book in the cellar"), answers=1)
        self._sync_all()
        self._answer("ben", "Alma", "Thank you. Come back in a week.")
        self._close()
        self.house.replace_workers()
        self.memory["after the workers were replaced"] = self._memory()

    def _removal(self) -> None:
        self.act = 2
        self._leave(self.house.remove("chen"), "chen")
        self._on_duty()
        alma = Visitor(self.house.wire)
        alma.come_back(list(self.phrases["Alma"].words()))
        with self._letter("Alma's third", "Alma", "Now they burn the paper."):
            alma.write(self.letters[-1].text)
        alma.leave()
        self._dora("Dora's third", "The cellar was emptied on Monday.", answers=1)
        self._sync_all()
        self._answer("anna", "Alma", "Stay away from the quay.")
        self._answer("anna", "Dora", "We have what we need for now.")
        self._close()

    def _three_days_on(self) -> None:
        self.act, before = 3, set(self.house.members["anna"].vault.rows("SELECT seed FROM duty"))
        self.house.later(editions=12)
        self.house.later()
        self._sync_all()
        assert before - set(self.house.members["anna"].vault.rows("SELECT seed FROM duty"))
        self._on_duty()

    def _a_month_on(self) -> None:
        self.act = 4
        self.house.later(editions=4 * 32)
        self._on_duty()
        self._dora("Dora's fourth", "They hired me back.", answers=0)
        self._sync_all()
        self._answer("anna", "Dora", "Then be careful, and write from elsewhere.")
        for _ in range(3):  # two epochs expire at each close
            self._close()
        self.alive = {each.number for each in self.house.public.client().editions()}
        assert edition_of(self.house.now) - 4 * 32 > min(self.house.editions)
        assert min(self.alive) > min(self.house.editions) + 4 * 30
        for name in ("anna", "ben"):
            self._leave(self.house.members[name], name)

    # -- what is done in them ----------------------------------------------------------

    def _meet(self, name: str, phrase: Passphrase) -> None:
        self.phrases[name] = phrase
        self.secrets[f"words of {name}"] = phrase.secret
        self.secrets[f"KEM key of {name}"] = self.keys(name).kem.seed

    def keys(self, name: str) -> SourceKeys:
        """A source's keys."""
        return SourceKeys(self.house.org, self.phrases[name])

    @contextmanager
    def _letter(self, name: str, source: str, text: str, slot: int | None = None) -> Iterator[None]:
        now = time.time()
        letter = Letter(name, text, source, self.act, slot, edition_of(self.house.now), now, now)
        self.letters.append(letter)
        yield
        self.letters[-1] = replace(letter, ended=time.time())

    def _dora(self, name: str, text: str, *, first: bool = False, answers: int = 0) -> None:
        if first:
            self._meet("Dora", Passphrase(secrets.token_bytes(16)))
        time.sleep(_APART)
        with self._letter(name, "Dora", text):
            assert self.house.write_on_device("Dora", self.phrases["Dora"], text, first=first) >= answers

    def _answer(self, member: str, source: str, text: str) -> None:
        desk, sign = self.house.desk(member), " ".join(self.keys(source).sign)
        desk.answer(sign, text)
        time.sleep(_APART)
        with self._letter(f"{member}'s answer {len(self.letters)}", source, text, self.house.members[member].slot):
            self.house.sync(member)

    def _sync_all(self) -> None:
        self.house.sync()
        self.worked = dict.fromkeys(self.house.members, time.time())
        self._learn()

    def _close(self) -> None:
        time.sleep(0.2)  # so that the close is not at the moment of a letter
        self.house.later()
        self._sync_all()

    def _memory(self) -> Memory:
        return [(f"memory of process {place}", memory_of(pid)) for place, pid in enumerate(self.house.pids())]

    def _seize(self, when: str) -> None:
        self.disks[when] = self._copy(self.house.server, when)

    def _leave(self, member: Member, name: str) -> None:
        """Keeps a member's folder as it is now, the vault closed and whole."""
        member.vault.close()
        self.disks[name] = self._copy(member.folder, name)
        self.polls[name] = member.polls
        if name in self.house.members:
            member.vault.resume()

    def vault(self, name: str) -> Vault:
        """The vault of a folder that was kept, opened by who knows its passphrase."""
        return Vault.open(self.disks[name].folder / VAULT, name)

    def _copy(self, folder: Path, name: str) -> Disk:
        stats = []
        for path in [folder, *folder.rglob("*")]:
            found = path.lstat()
            stats.append(Stat(str(path.relative_to(folder)), (found.st_mtime, found.st_atime, found.st_ctime)))
        kept = self._folder / "kept" / name
        shutil.copytree(folder, kept, ignore=lambda _, names: [each for each in names if each.endswith(".sock")])
        return Disk(kept, stats)


def _long(about: str) -> str:
    line = f"One page more, about {about}.\n"
    return line * (LONG // len(line))
