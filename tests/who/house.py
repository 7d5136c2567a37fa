"""An organisation of three members and its real server, on one clock: who is in it, and what can be done there."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from doubles.leaks import family
from doubles.organisation import NAME, PASSPHRASE
from who.process import CLOCK
from who.wire import MEMBERS, Visitor, Wire, WireRoad

from sottovoce.desk.join import join, welcome
from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import NAME as VAULT
from sottovoce.desk.vault import Vault, Work
from sottovoce.onion.keys import OnionKey
from sottovoce.onion.tor import set_authorized_clients
from sottovoce.pool.edition import edition_bytes, read_stream
from sottovoce.protocol.sizes import EDITION_SECONDS, ENVELOPE, EPOCH_SECONDS, TAG, edition_of, epoch_of
from sottovoce.protocol.words import Passphrase
from sottovoce.source.conversation import Source
from sottovoce.source.known import Known
from sottovoce.source.remote import RemotePool
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.office import KINDS, Office
from sottovoce.trust.office_secrets import Secrets as OfficeSecrets
from sottovoce.trust.published import write_durably

NOON = 20_500.0 * EPOCH_SECONDS + 2 * EDITION_SECONDS + 60
QUICK = Work(memory=65_536, passes=3, lanes=1)
SECONDS = 20  # for whatever the server has to do
Memory = list[tuple[str, bytes]]


@dataclass
class Member:
    """A member's desk over a real vault; `polls` has what it was shown as pending, and when."""

    folder: Path
    vault: Vault
    slot: int
    polls: list[tuple[float, set[bytes]]] = field(default_factory=list)


class House:
    """Office, server and members; `wire` is what the server sees, `public` is anybody, who isn't noted."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.server, self.now = folder, folder / "server", NOON
        self._clock = folder / "clock"
        self.wire, self.public = Wire(self.server / "run"), Wire(self.server / "run")
        seeds = OfficeSecrets(*(secrets.token_bytes(32) for _ in range(3)))
        self.office = Office.create(folder / "office", PASSPHRASE, seeds, secrets.token_bytes, self.today)
        self.address, self.members_address = (OnionKey.from_seed(each).address for each in (seeds.door, seeds.members))
        self.office.sign_card(NAME, self.address, self.today)
        self.org = self.office.root(self.today).org
        for name, seed in (("door", seeds.door), ("members", seeds.members)):
            OnionKey.from_seed(seed).install(self.server / "onion" / name / "onion")
        self.members: dict[str, Member] = {}
        self.editions: dict[int, bytes] = {}  # every one that was ever served
        self.shown: dict[str, list[bytes]] = {}  # every signed thing that was ever served to anybody, the oldest first
        self.access: dict[bytes, int] = {}  # the access lists that the office made, and how many devices are in each
        self.process: subprocess.Popen[bytes] | None = None
        self._tick()

    # -- time ------------------------------------------------------------------------

    @property
    def today(self) -> int:
        """The epoch."""
        return epoch_of(self.now)

    def _tick(self) -> None:
        new = self._clock.with_suffix(".new")
        new.write_text(str(self.now), "utf-8")
        new.replace(self._clock)

    def later(self, *, editions: int = 1) -> None:
        """Time passes; the edition that was open then is closed, and everybody has it."""
        closing = edition_of(self.now)
        self.now += editions * EDITION_SECONDS
        self._tick()
        self.public.client().put(0, bytes(TAG), bytes(ENVELOPE))  # refused; but the pool looks at the clock
        wait(lambda: closing in {each.number for each in self.public.client().editions()})
        self.look()

    def look(self) -> None:
        """What anybody on the internet sees now is kept for ever."""
        client = self.public.client()
        for each in client.editions():
            if each.number not in self.editions:
                raw = b"".join(client.edition(each.number))
                assert edition_bytes(each.number, dict(read_stream([raw], each))) == raw
                self.editions[each.number] = raw
        for kind in ("root", "roster", "card", "duty"):
            signed, held = client.signed(kind), self.shown.setdefault(kind, [])
            held += [signed] if signed is not None and signed not in held else []

    # -- the server ------------------------------------------------------------------

    def start(self) -> None:
        """Starts the server's process."""
        command = [sys.executable, str(Path(__file__).with_name("process.py")), "serve", str(self.server)]
        log = self.folder / "server.log"
        with log.open("wb") as out:
            environment = {**os.environ, CLOCK: str(self._clock)}
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
        wait(lambda: b"Waiting for your tor" in log.read_bytes())

    def restart(self) -> None:
        """The operator starts the server anew."""
        self._end()
        self.start()

    def stop(self) -> None:
        """Ends the server and closes the vaults."""
        for member in self.members.values():
            member.vault.close()
        self._end()

    def _end(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(SECONDS)

    def pids(self) -> list[int]:
        """The starter's process, then its workers'."""
        assert self.process is not None
        return family(self.process.pid)

    def replace_workers(self) -> None:
        """Strangers look at a page until every worker has had its requests."""
        before = set(self.pids()[1:])
        while before & set(self.pids()[1:]):
            stranger = Visitor(self.public)
            stranger.ask(200, "/en/bye")
            stranger.close()

    # -- the office and its members ----------------------------------------------------

    def admit(self, name: str) -> None:
        """A person becomes a member."""
        root = self.office.signed.get("root")
        assert root is not None
        made = join(self.folder / name, root, name, self.today, org=self.org, work=QUICK)
        request = JoinRequest.read(made.request.read_bytes())
        slot = self.office.admit(request, "", self.members_address, secrets.token_bytes, self.today)
        vault = Vault.open(self.folder / name / VAULT, name)
        welcome(vault, self._signed(), self.today)
        self.members[name] = Member(self.folder / name, vault, slot)
        self.publish()

    def remove(self, name: str) -> Member:
        """A member is removed, and keeps what they have."""
        member = self.members.pop(name)
        self.office.remove(member.slot, secrets.token_bytes, self.today)
        self.publish()
        return member

    def _signed(self) -> dict[str, bytes]:
        return {kind: raw for kind in KINDS if (raw := self.office.signed.get(kind)) is not None}

    def publish(self) -> None:
        """What the office signed comes to the server."""
        for kind, raw in self._signed().items():
            write_durably(self.server / "signed" / f"{kind}.signed", raw)
        clients = self.office.signed.access(self.today).clients
        self.access[self._signed()["access"]] = len(clients)
        publics = {f"slot-{slot:02}": key for slot, key in clients.items()}
        set_authorized_clients(self.server / MEMBERS / "onion", publics)
        if self.process is None:
            self.start()
        self.look()

    def desk(self, name: str) -> Desk:
        """A member's desk."""
        return Desk(self.members[name].vault, lambda: self.now, secrets.token_bytes)

    def sync(self, *names: str) -> None:
        """These members sync, or all of them."""
        for name in names or list(self.members):
            with closing(WireRoad(self.wire, self.members[name].polls)) as road:
                report = self.desk(name).sync(road)
            assert report.complete, report.warnings
            assert not report.alarms, report.alarms
        self.look()

    def go_on_duty(self) -> None:
        """Members sync until a duty list holds whose keys all of them have."""
        for _ in range(6):
            self.sync()
            if all(self.desk(name).team.duty_days() > 3 for name in self.members):
                return
        raise AssertionError("no duty list after six rounds")

    # -- sources on devices ------------------------------------------------------------

    def device(self, name: str) -> tuple[Source, RemotePool]:
        """A source that runs on a person's own computer, as at the begin of each of its visits."""
        known = Known(self.folder / name / "public")
        published = known.meet(self.address, self.wire.client().signed, self.today)
        known.keep(self.address, published, self.today)
        pool = RemotePool(self.wire.client, self.folder / name)
        return Source(pool, lambda: published, lambda: self.now, secrets.token_bytes), pool

    def write_on_device(self, name: str, phrase: Passphrase, text: str, *, first: bool) -> int:
        """One visit: looks for answers, writes; how many answers there were."""
        source, pool = self.device(name)
        answers = [] if first else asyncio.run(source.inbox(phrase)).answers
        written = asyncio.run(source.write(phrase, text, first=first, seed=secrets.token_bytes(32)))
        assert written.result.name == "STORED"
        pool.close()
        return len(answers)


def wait(done: Callable[[], bool]) -> None:
    """Waits until something is so."""
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, "the server did not do it in time"
        time.sleep(0.02)


def memory_of(pid: int) -> bytes:
    """What a process has written into its own memory: heap, stacks, anonymous pages; empty pages are left out."""
    return b"".join(_pages(pid))


def _pages(pid: int) -> Iterator[bytes]:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines():
            span, rights, *_ = line.split()
            if rights[:2] != "rw":
                continue
            start, end = (int(each, 16) for each in span.split("-"))
            memory.seek(start)
            raw = memory.read(end - start) or b""
            blank = bytes(4_096)
            yield b"".join(page for at in range(0, len(raw), 4_096) if (page := raw[at : at + 4_096]) != blank)
