"""The starter: one process that holds the keys of visits, writes the pool, serves the members, and watches the rest.

It sees sealed envelopes, tokens of forms, and ids of visits; what visitors type and their words are in its workers only
(worker.py), which it replaces. With it the keys end, and so do all visits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from starlette.applications import Starlette

from sottovoce.door.ledger import MemoryLedger
from sottovoce.onion.circuit import CircuitProtocol, LoopbackProtocol
from sottovoce.onion.tor import Tor, set_authorized_clients
from sottovoce.onion.torrc import OnionSettings, onion_torrc
from sottovoce.pool.api import member_routes
from sottovoce.pool.errors import RoadError
from sottovoce.pool.store import SqlitePool
from sottovoce.pool.team import Mailbox
from sottovoce.pool.team_api import team_routes
from sottovoce.protocol.dummy import make_dummy
from sottovoce.protocol.sizes import epoch_of
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.team import TeamFolder

from . import common
from .channel import Word, put_answer, read_put
from .common import UserError, out, random
from .offered import offered
from .site import Listener, listener
from .worker import Setup
from .workers import COMMAND, Handle, Life, Workers

LOOPBACK_BANNER = (
    "Development only: no Tor here. Whoever runs this machine or its network sees who you are. Write nothing true."
)
_CHECK_SECONDS = 5
_TURN_SECONDS = 2
_BACKLOG = 2_048
_DIGEST = 32


@dataclass
class Starter:
    """All of a server but what its workers do. `now` is the protocol's clock, `visits_now` that of visits."""

    folder: Path
    now: Callable[[], float] = common.now
    visits_now: Callable[[], float] = time.time
    loopback_port: int | None = None
    with_tor: bool = True
    operator_tor: bool = False  # the onions come from a tor that the operator runs
    torrc_extra: list[str] = field(default_factory=list)
    banner: str | None = None
    unreviewed: bool = False  # whether languages are offered that nobody signed off, as in the demo
    workers: int = 2
    life: Life = field(default_factory=Life)
    command: Sequence[str] = COMMAND  # what starts a worker
    until_closed: int | None = None  # a file descriptor: the server ends when its other end is closed
    say: Callable[[str], None] = lambda text: out.print(text, markup=False)

    def __post_init__(self) -> None:
        """Reads and verifies the signed files; Refused when one is missing or not valid."""
        self.signed = SignedFolder(self.folder / "signed")
        self.card = self.signed.published(epoch_of(self.now())).card
        run = self.folder / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        self.sockets = {name: run / f"{name}.sock" for name in ("door", "members")}

    def run(self) -> None:
        """Serves until SIGINT or SIGTERM."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold keys
        LoopbackProtocol.crowd.take_files()
        for path in self.sockets.values():
            path.unlink(missing_ok=True)
        with contextlib.ExitStack() as ends:
            try:
                pool = SqlitePool(self.folder / "pool", self.now, self._dummy)
                ends.callback(pool.close)
                mailbox = Mailbox(self.folder / "pool" / "team.sqlite3", self.now)
                ends.callback(mailbox.close)
            except sqlite3.Error as error:
                raise UserError("The pool's file is damaged or not ours: restore it, or move it away.") from error
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve(pool, mailbox))

    def _dummy(self, epoch: int) -> tuple[bytes, bytes]:
        return make_dummy(random, self.card.claim.org, epoch)

    async def _serve(self, pool: SqlitePool, mailbox: Mailbox) -> None:
        stop, opened = asyncio.Event(), asyncio.Event()
        self._end_on(stop)
        members = self._members(pool, mailbox)
        serving = asyncio.create_task(members.serve())
        with contextlib.ExitStack() as ends:
            workers = self._workers(ends, pool)
            tasks = [
                asyncio.create_task(workers.run(opened)),
                asyncio.create_task(self._turn(pool, mailbox)),
            ]
            watcher = asyncio.create_task(self._watch(stop, opened))
            try:
                stopped = asyncio.create_task(stop.wait())
                await asyncio.wait([stopped, watcher, serving, *tasks], return_when="FIRST_COMPLETED")
            finally:
                stop.set()
                opened.set()
                members.should_exit = True
                await workers.stop(patience=6)
                await asyncio.gather(watcher, serving)
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    def _end_on(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        if self.until_closed is not None:
            held = self.until_closed

            def look() -> None:
                if not os.read(held, 1_024):
                    loop.remove_reader(held)
                    stop.set()

            loop.add_reader(held, look)

    def _members(self, pool: SqlitePool, mailbox: Mailbox) -> Listener:
        team = TeamFolder(self.signed, self.now)
        routes = [*member_routes(pool, team), *team_routes(team, mailbox)]
        return listener(Starlette(routes=routes), self._protocol, uds=str(self.sockets["members"]))

    @property
    def _protocol(self) -> type[LoopbackProtocol]:
        return CircuitProtocol if self.with_tor or self.operator_tor else LoopbackProtocol

    # -- workers ---------------------------------------------------------------------

    def _workers(self, ends: contextlib.ExitStack, pool: SqlitePool) -> Workers:
        door = ends.enter_context(socket.socket(socket.AF_UNIX))
        door.bind(str(self.sockets["door"]))
        listening = [door]
        if self.loopback_port is not None:
            here = ends.enter_context(socket.socket())
            here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            here.bind(("127.0.0.1", self.loopback_port))
            listening.append(here)
        for each in listening:
            each.listen(_BACKLOG)
        numbers = [each.fileno() for each in listening]
        ledger = MemoryLedger(self.visits_now)
        setup = self._setup(numbers)

        async def answer(handle: Handle, word: Word, content: bytes) -> bytes:
            if word is Word.PUT:
                return put_answer(await pool.put(*read_put(content)))
            if word is Word.END:
                await ledger.end(content)
                workers.tell(Word.ENDED, content, but=handle)
                return b""
            if word is Word.CLAIM:
                return (await ledger.claim(content[_DIGEST:], content[:_DIGEST], handle)).name.encode()
            if word is Word.SETTLE:
                await ledger.settle(content[1:], done=bool(content[0]), holder=handle)
                return b""
            raise ValueError(f"a starter is not asked {word.name}")

        workers = Workers(
            self.workers, setup, numbers, self.life, answer, ledger.all_ended, ledger.forsake, self.say, self.command
        )
        return workers

    def _setup(self, numbers: Sequence[int]) -> Setup:
        alarms = [text for text in (LOOPBACK_BANNER, self.banner) if text]
        return Setup(
            folder=str(self.folder), cookie_key=random(32), token_key=random(32), door=numbers[0],
            circuits=self._protocol is CircuitProtocol, loopback=numbers[1] if len(numbers) > 1 else None,
            banner=self.banner, loopback_banner=" ".join(alarms), unreviewed=self.unreviewed,
            seconds=self.life.seconds, requests=self.life.requests, least_seconds=self.life.least_seconds,
            drain_seconds=self.life.drain_seconds, ended=[],
        )  # fmt: skip

    # -- what is watched -------------------------------------------------------------

    async def _turn(self, pool: SqlitePool, mailbox: Mailbox) -> None:
        said = False
        while True:
            try:
                await asyncio.wrap_future(pool.turn())
                await mailbox.turn()
                said = False
            except RoadError as error:
                if not said:
                    self.say(str(error))
                said = True
            await asyncio.sleep(_TURN_SECONDS)

    async def _watch(self, stop: asyncio.Event, opened: asyncio.Event) -> None:
        await opened.wait()
        if stop.is_set():
            return
        if self.operator_tor or not self.with_tor:
            here = f"Open for development at http://127.0.0.1:{self.loopback_port}/ (no Tor, nobody is hidden)"
            theirs = f"Waiting for your tor at {self.sockets['door']} and {self.sockets['members']}."
            self.say(theirs if self.operator_tor else here)
            await stop.wait()
            return
        tors = self._tors()
        try:
            await asyncio.to_thread(self._start, tors)
            while not await _within(stop, _CHECK_SECONDS):
                await asyncio.to_thread(lambda: [tor.check() for tor in tors.values()])
        finally:
            for tor in tors.values():
                tor.stop()

    def _tors(self) -> dict[str, Tor]:
        settings = {
            name: OnionSettings(self.folder / "onion" / name, socket, name == "door", self.torrc_extra)
            for name, socket in self.sockets.items()
        }
        return {name: Tor(each.folder, onion_torrc(each)) for name, each in settings.items()}

    def _start(self, tors: dict[str, Tor]) -> None:
        clients = self.signed.access(epoch_of(self.now())).clients
        publics = {f"slot-{slot:02}": key for slot, key in clients.items()}
        set_authorized_clients(self.folder / "onion" / "members" / "onion", publics)
        for name, tor in tors.items():
            self.say(f"Starting tor for the {'door' if name == 'door' else 'members'} …")
            tor.start(lambda percent: self.say(f"  {percent} %") if percent in (10, 50, 75, 100) else None)
        for tor in tors.values():
            tor.wait_published()
        self.say(f"The door is open: http://{self.card.addresses[0]}/")
        for line in offered(self.signed) if not self.unreviewed else []:
            self.say(f"  {line.language:8} {line.text}")


async def _within(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
