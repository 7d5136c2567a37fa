"""Who acts in the model: two desks over real vaults, two sources, and what each must have read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from model.road import LOST, Crash, DeskRoad, Fault
from model.server import Clock, Server

from sottovoce.desk.letters import Entry
from sottovoce.desk.road import SyncReport
from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import NAME, Vault
from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.pool.store import LocalPool
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import QUARTERS, epoch_of
from sottovoce.protocol.words import Passphrase
from sottovoce.source.conversation import Closed, Source
from sottovoce.source.inbox import Inbox
from sottovoce.trust.published import Published

SAFE = (PutResult.STORED, PutResult.KNOWN)


@dataclass
class Form:
    """One message of a source, perhaps sent more than once; `sole`: always with the same memory of what came before."""

    text: str
    seed: bytes = field(repr=False)
    after: Form | None
    day: int
    first: bool
    id: bytes | None = None
    tags: Sequence[bytes] = ()
    sole: bool = True

    @property
    def acknowledged(self) -> bool:
        """Whether its source was told that it is safe."""
        return self.id is not None


@dataclass
class Faulty:
    """A source's pool that loses answers as the next of `faults` says, then works."""

    server: Server
    faults: list[str] = field(default_factory=list)
    blind: bool = False  # a planted fault: it finds nothing

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise RoadError(LOST)
        reply = await self.server.put(epoch, tag, envelope)
        if fault == "after":
            raise RoadError(LOST)
        return reply

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        local = LocalPool(self.server, self.server.editions)
        return {} if self.blind else await local.find(tags)


class Writer:
    """A source: what it sent, and what it finds. `careless`: it forgets what came before (a planted fault)."""

    def __init__(self, name: str, server: Server, clock: Clock, dice: Random) -> None:
        self.name, self._server, self._dice = name, server, dice
        self.phrase, self._now = Passphrase(dice.randbytes(16)), clock.of("sources")
        self.pool, self.careless = Faulty(server), False
        self._source = Source(self.pool, self._published, self._now, dice.randbytes)
        self.forms: list[Form] = []

    def _published(self) -> Published:
        return self._server.signed.published(epoch_of(self._now()))

    @property
    def id(self) -> bytes:
        """The conversation's id."""
        return self._source.keys(self.phrase).id

    @property
    def today(self) -> int:
        """The epoch of its clock."""
        return epoch_of(self._now())

    def last(self) -> Form | None:
        """The newest message that it knows to be safe."""
        return next((form for form in reversed(self.forms) if form.acknowledged), None)

    def write(self, text: str, after: Form | None, faults: Sequence[str]) -> Form:
        """A new form is sent, once."""
        first = not any(form.acknowledged for form in self.forms)
        form = Form(text, self._dice.randbytes(32), after, self.today, first)
        self.forms.append(form)
        self.send(form, faults)
        return form

    def send(self, form: Form, faults: Sequence[str], *, other_after: bool = False) -> None:
        """The form is sent, perhaps again; a lost answer leaves it as it was. `other_after`: it lost its memory."""
        self.pool.faults = list(faults)
        after = form.after.id if form.after is not None and not self.careless else None
        after, form.sole = (bytes(16), False) if other_after else (after, form.sole)
        try:
            work = self._source.write(self.phrase, form.text, first=form.first, seed=form.seed, after=after)
            written = self._server.run(work)
        except (RoadError, Closed, Refused):
            return
        finally:
            self.pool.faults = []
        if written.result in SAFE and not form.acknowledged:
            form.id, form.tags = written.message_id, written.tags

    def inbox(self) -> Inbox:
        """What it finds now, all pages joined."""
        return self._server.run(self._source.inbox(self.phrase))


@dataclass
class Answered:
    """A text that a desk was told to answer with; `sealed` and `through`: as which and until which edition it went."""

    source: int
    text: str
    sealed: int | None = None
    through: int = 0


class Member:
    """A desk, what it must have read, and what it answered."""

    def __init__(self, name: str, folder: Path, key: bytes, server: Server, clock: Clock, dice: Random) -> None:
        self.name, self._server, self._now, self._dice = name, server, clock.of(name), dice
        self.vault = Vault(folder / NAME, key)
        self.vault._db.pragma("synchronous", 0)  # a crash here is of the program, not of the disk
        self.road = DeskRoad(server)
        self.must: list[tuple[Writer, Form]] = []
        self.answers: list[Answered] = []
        self.begin()

    def begin(self) -> None:
        """The program starts."""
        self.desk = Desk(self.vault, self._now, self._dice.randbytes)

    def restart(self) -> None:
        """The machine went off and is on again."""
        self.vault.close()
        self.vault.resume()
        self.vault._db.pragma("synchronous", 0)
        self.begin()

    def sync(self, fault: Fault | None = None) -> SyncReport | None:
        """One sync; None when the machine went off in it."""
        return self._faulty(fault, lambda: self.desk.sync(self.road))

    def post_one(self, fault: Fault | None) -> None:
        """One post of a desk that runs by itself."""
        self._faulty(fault, lambda: self.desk.post_one(self.road))

    def _faulty(self, fault: Fault | None, work: Callable[[], SyncReport]) -> SyncReport | None:
        self.road.begin(fault)
        try:
            return work()
        except Crash:
            self.restart()
            return None
        finally:
            self.road.begin(None)

    def entries(self, conversation: bytes) -> list[Entry]:
        """A conversation as it is shown; nothing when it is not known here."""
        known = {each.id for each in self.desk.conversations()}
        return self.desk.read(conversation.hex()) if conversation in known else []

    def knows(self) -> set[bytes]:
        """The conversations that it shows."""
        return {each.id for each in self.desk.conversations()}

    def lacks(self) -> set[int]:
        """The epochs of which something may be missing, as it tells the member."""
        lacks = set(self.desk.team._catchup.lacks())
        assert bool(lacks) == any("may be missing" in each for each in self.desk.status().warnings)
        return lacks

    def must_have(self, written: list[tuple[Writer, Form]]) -> None:
        """From now on it must show these, but for days that it says it lacks."""
        lacks, landed = self.lacks(), self._server.landed
        for writer, form in written:
            days = {landed.get(tag, 0) // QUARTERS for tag in form.tags}
            if (writer, form) not in self.must and not lacks & {*days, *(day - 1 for day in days)}:
                self.must.append((writer, form))
