"""`serve`: the door and the members' side behind their onions, and the pool they share."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import uvicorn
import uvloop
from starlette.applications import Starlette

from sottovoce.door.app import Door, app
from sottovoce.door.pages import Pages
from sottovoce.door.session import Visits
from sottovoce.onion.circuit import CircuitProtocol, LoopbackProtocol
from sottovoce.onion.errors import OnionError
from sottovoce.onion.tor import Tor, set_authorized_clients
from sottovoce.onion.torrc import OnionSettings, onion_torrc, operator_lines
from sottovoce.pool.api import member_routes, public_routes
from sottovoce.pool.errors import RoadError
from sottovoce.pool.store import SqlitePool
from sottovoce.pool.team import Mailbox
from sottovoce.pool.team_api import team_routes
from sottovoce.protocol.sizes import epoch_of
from sottovoce.source.conversation import Source
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.team import TeamFolder

from . import common
from .common import PATH, UserError, out, random

_BANNER = (
    "Development only: no Tor here. Whoever runs this machine or its network sees who you are. Write nothing true."
)
_CHECK_SECONDS = 5
_TURN_SECONDS = 60


class Listener(uvicorn.Server):
    """A uvicorn that leaves signals to us, since two of them share a loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@dataclass
class Server:
    """All of a server's parts in one process; `now` is the clock of all of them."""

    folder: Path
    now: Callable[[], float] = common.now
    loopback_port: int | None = None
    with_tor: bool = True
    operator_tor: bool = False  # the onions come from a tor that the operator runs
    torrc_extra: list[str] = field(default_factory=list)
    say: Callable[[str], None] = lambda text: out.print(text, markup=False)

    def __post_init__(self) -> None:
        """Reads and verifies the signed files; Refused when one is missing or not valid."""
        self.signed = SignedFolder(self.folder / "signed")
        self.card = self.signed.published(epoch_of(self.now())).card
        run = self.folder / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        self.sockets = {name: run / f"{name}.sock" for name in ("door", "members")}
        for path in self.sockets.values():
            path.unlink(missing_ok=True)

    def run(self) -> None:
        """Serves until SIGINT or SIGTERM."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold what visitors typed
        try:
            pool = SqlitePool(self.folder / "pool" / "pool.sqlite3", self.now)
            mailbox = Mailbox(self.folder / "pool" / "team.sqlite3", self.now)
        except sqlite3.Error as error:
            raise UserError("The pool's file is damaged or not ours: restore it, or move the folder away.") from error
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve(pool, mailbox))
        finally:
            mailbox.close()
            pool.close()

    def _listeners(self, pool: SqlitePool, mailbox: Mailbox) -> list[Listener]:
        signed = TeamFolder(self.signed, self.now)
        source = Source(pool, lambda: self.signed.published(epoch_of(self.now())), self.now, random)
        visits = Visits(self.now, random)
        public = public_routes(pool, signed, self.now)

        def site(banner: str | None) -> Starlette:
            return app(Door(source, Pages(self.card.name, self.card.addresses[0], banner), visits, random), [*public])

        protocol = CircuitProtocol if self.with_tor else LoopbackProtocol
        members = Starlette(routes=[*member_routes(pool, signed), *team_routes(signed, mailbox)])
        listeners = [
            _listener(site(None), protocol, uds=str(self.sockets["door"])),
            _listener(members, protocol, uds=str(self.sockets["members"])),
        ]
        if self.loopback_port is not None:
            listeners.append(_listener(site(_BANNER), LoopbackProtocol, host="127.0.0.1", port=self.loopback_port))
        return listeners

    async def _serve(self, pool: SqlitePool, mailbox: Mailbox) -> None:
        listeners = self._listeners(pool, mailbox)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        tasks = [asyncio.create_task(listener.serve()) for listener in listeners]
        watcher = asyncio.create_task(self._watch(stop))
        turner = asyncio.create_task(_turning(stop, mailbox))
        try:
            await asyncio.wait([asyncio.create_task(stop.wait()), watcher, *tasks], return_when="FIRST_COMPLETED")
        finally:
            stop.set()
            for listener in listeners:
                listener.should_exit = True
            await asyncio.gather(watcher, turner, *tasks)

    async def _watch(self, stop: asyncio.Event) -> None:
        if self.operator_tor:
            self.say(f"Waiting for your tor at {self.sockets['door']} and {self.sockets['members']}.")
            await stop.wait()
            return
        if not self.with_tor:
            self.say(f"Open for development at http://127.0.0.1:{self.loopback_port}/ (no Tor, nobody is hidden)")
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


def _listener(site: Starlette, protocol: type[LoopbackProtocol], **where: object) -> Listener:
    config = uvicorn.Config(
        site,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # a traceback could hold what a visitor typed
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=120,  # a circuit's next page comes without a new connection
        timeout_graceful_shutdown=5,
        **where,  # type: ignore[arg-type]  # uds, or host and port
    )
    return Listener(config)


async def _turning(stop: asyncio.Event, mailbox: Mailbox) -> None:
    while True:
        with contextlib.suppress(RoadError):  # the next one may go better; who posts is told
            await mailbox.turn()
        if await _within(stop, _TURN_SECONDS):
            return


async def _within(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


@click.command()
@click.argument("folder", type=PATH)
@click.option(
    "--clearnet-loopback", "port", type=click.IntRange(1, 65535), help="Development: serve 127.0.0.1:PORT without Tor."
)
@click.option("--with-tor", is_flag=True, help="With --clearnet-loopback: also serve the onions.")
@click.option("--torrc-extra", type=PATH, help="A file with further lines for tor, as those of a private network.")
@click.option("--operator-tor", is_flag=True, help="Start no tor: you run one with the lines of --print-torrc.")
@click.option("--print-torrc", is_flag=True, help="Print the lines for a tor that you run yourself, and end.")
def serve(
    folder: Path, port: int | None, with_tor: bool, torrc_extra: Path | None, operator_tor: bool, print_torrc: bool
) -> None:
    """Serve the organisation's onions from FOLDER, which the office filled."""
    if not (folder / "signed").is_dir():
        raise UserError(f"{folder} holds no signed files: fill it at the office with `sottovoce onion restore`.")
    extra = torrc_extra.read_text().splitlines() if torrc_extra else []
    folder = folder.absolute()
    server = Server(
        folder, loopback_port=port, with_tor=port is None or with_tor, torrc_extra=extra, operator_tor=operator_tor
    )
    if print_torrc:
        for name, socket in server.sockets.items():
            lines = operator_lines(folder / "onion" / name / "onion", socket, proof_of_work=name == "door")
            click.echo(lines)
        return
    try:
        server.run()
    except* OnionError as errors:
        raise UserError(str(errors.exceptions[0])) from None
