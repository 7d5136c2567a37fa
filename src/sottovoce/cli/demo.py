"""`demo`: office, server and desk in one folder, over a private Tor network on loopback.

All its processes share a protocol clock that runs faster, so that an edition closes while somebody watches. Nothing
else differs from real use.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from sottovoce.desk.join import REQUEST
from sottovoce.onion.private import PrivateNetwork
from sottovoce.onion.socks import fresh_isolation
from sottovoce.onion.tor import Tor
from sottovoce.onion.torrc import client_torrc
from sottovoce.protocol.words import parse
from sottovoce.trust.published import SignedFolder

from .common import DEMO_CLOCK, DemoClock, UserError, out, random, today
from .visitor import Visitor

_NAME = "The Ombudsman of Harbour City"
_SERVE_SECONDS = 240
_WALK_FACTOR, _CHECK_FACTOR = 360.0, 720.0  # an edition lasts a minute, or half of one
_HOLIDAY_DAYS = "28"  # the longest duty list: nobody who only looks should have to sync
_ANSWER_SECONDS = 180
_QUESTION = "The invoices of the harbour works name a ship that was in repair.\n\nSome were paid twice."
_ANSWER = "Thank you. Which month was it?\n\nPlease look for nothing more on our behalf."


class Demo:
    """One demo: its folder, its processes, and the time that each step took."""

    def __init__(self, folder: Path, ends: contextlib.ExitStack, lines: list[str]) -> None:
        self.folder, self._ends = folder, ends
        self.office, self.desk, self.server = (folder / name for name in ("office", "desk", "server"))
        self._passphrase = folder / "passphrase"
        self._passphrase.write_text(secrets.token_urlsafe(18) + "\n")
        self._torrc_extra = folder / "torrc-extra"
        self._torrc_extra.write_text("\n".join(lines) + "\n")
        self._lines = lines
        self.environment: dict[str, str] | None = None  # of the verbs; None: as this process's own

    def verb(self, *words: str | Path, secret: bool = True, tor: bool = False) -> str:
        """Runs a verb as a person would, and returns what it printed."""
        command = [sys.executable, "-m", "sottovoce.cli", *map(str, words)]
        command += ["--passphrase-file", str(self._passphrase)] if secret else []
        command += ["--torrc-extra", str(self._torrc_extra)] if tor else []
        done = subprocess.run(  # noqa: S603 our own verbs
            command, capture_output=True, text=True, timeout=300, check=False, env=self.environment
        )
        if done.returncode:
            raise UserError(
                f"`sottovoce {' '.join(map(str, words[:2]))}` failed: {(done.stdout + done.stderr).strip()}"
            )
        return done.stdout

    def found(self) -> None:
        """The office makes the organisation, the first member joins, the server's folder is filled."""
        self.verb("org", "create", self.office, "--name", _NAME)
        invitation = self.office / "invitation"
        self.verb("member", "add", self.office, "--out", invitation, secret=False)
        self.verb("member", "join", self.desk, invitation)
        self.verb("member", "admit", self.office, self.desk / REQUEST, "--label", "m1")
        self.verb("member", "welcome", self.desk, self.office / "welcome-00")
        self.verb("onion", "restore", self.office, self.server)

    @property
    def onion(self) -> str:
        """The door's address."""
        return SignedFolder(self.server / "signed").published(today()).card.addresses[0]

    def serve(self, port: int) -> None:
        """Starts the server and waits until its onions are published."""
        command = [sys.executable, "-m", "sottovoce.cli", "serve", str(self.server)]
        command += ["--clearnet-loopback", str(port), "--with-tor", "--torrc-extra", str(self._torrc_extra)]
        command += [
            "--until-closed",
            "0",
        ]  # however the demo ends, its standard input ends then, and the server with it
        log, pipe = self.folder / "serve.log", subprocess.PIPE
        with log.open("wb") as file:
            process = subprocess.Popen(command, stdin=pipe, stdout=file, stderr=file, start_new_session=True)  # noqa: S603 our own verb
        self._ends.callback(_end, process)
        deadline = time.monotonic() + _SERVE_SECONDS
        while "The door is open" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise UserError(f"The server did not start: {log.read_text().strip().splitlines()[-1:]}")
            time.sleep(0.1)

    def sync(self) -> None:
        """The desk fetches, renews its duty keys, and sends what waits."""
        self.verb("desk", "sync", self.desk, tor=True)

    def visitor_port(self) -> int:
        """The SOCKS port of a tor for visitors."""
        folder = self.folder / "visitor"
        return self._ends.enter_context(Tor(folder, client_torrc(folder, extra=self._lines))).socks_port


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    began = time.monotonic()
    out.print(f"  {what} …", end="", markup=False)
    yield
    out.print(f" {time.monotonic() - began:.1f} s", markup=False)


def converse(demo: Demo, socks_port: int) -> None:
    """The whole conversation without hands; UserError unless the answer comes back whole."""
    with _step("a source opens the onion, gets twelve words, writes"):
        visitor = Visitor(socks_port, demo.onion, fresh_isolation(random(16)))
        visitor.get("/")
        visitor.post("/en/begin")
        words = visitor.words()
        visitor.get("/en/check")
        first, second = visitor.places()
        visitor.post("/en/check", a=words[first - 1], b=words[second - 1])
        visitor.post("/en/write", text=_QUESTION)
        visitor.post("/en/leave")
        visitor.close()
    with _step("the member reads and answers"):
        demo.sync()
        if _QUESTION.splitlines()[0] not in demo.verb("desk", "read", demo.desk):
            raise UserError("The message did not arrive at the desk: tell the developers.")
        answer = demo.folder / "answer.txt"
        answer.write_text(_ANSWER)
        demo.verb("desk", "answer", demo.desk, "--text-file", answer)
        demo.sync()
    with _step("the edition closes, and the source comes back with the words and reads"):
        back = Visitor(socks_port, demo.onion, fresh_isolation(random(16)))
        back.get("/en/enter")
        page = back.post("/en/enter", words=" ".join(parse(" ".join(words)).numbers))
        deadline = time.monotonic() + _ANSWER_SECONDS
        while not (whole := all(line in page for line in _ANSWER.splitlines())) and time.monotonic() < deadline:
            time.sleep(2)
            page = back.get("/en/inbox")
        back.close()
    if not whole:
        raise UserError("The answer did not come back whole: tell the developers.")


def _write_program(folder: Path, clock: DemoClock) -> Path:
    """A program for the person who tries the demo: the verbs, with the demo's clock."""
    program = folder / "sottovoce"
    command = f"{DEMO_CLOCK}={clock.text} exec {shlex.quote(sys.executable)} -m sottovoce.cli"
    program.write_text(f'#!/bin/sh\n{command} "$@"\n')
    program.chmod(0o700)
    return program


_WALK = """
[b]The onion[/b]          http://{onion}/
[b]Any browser here[/b]   http://127.0.0.1:{port}/   (a look without Tor, and it says so)
[b]Tor's SOCKS port[/b]   127.0.0.1:{socks}   (only this one knows the demo's own network)
[b]The demo's folder[/b]  {folder}   with office, desk, server

An answer appears when the edition closes in which it came: {pace}, so here that takes a minute at most.

Try it, in another terminal:
  1. Open the address above in a browser, begin, keep the twelve words, write.
  2. {program} desk sync {folder}/desk --passphrase-file {folder}/passphrase --torrc-extra {folder}/torrc-extra
  3. {program} desk list {folder}/desk --passphrase-file {folder}/passphrase
  4. {program} desk answer {folder}/desk --passphrase-file {folder}/passphrase --text-file -
  5. The same as 2. Wait a minute, come back with the words, and read the answer.

Ctrl-C ends everything and deletes the folder."""


def _run(check: bool, public_tor: bool, folder: Path) -> None:
    begin = time.time()
    clock = DemoClock(_CHECK_FACTOR if check else _WALK_FACTOR, begin, begin)
    os.environ[DEMO_CLOCK] = clock.text  # for this process too
    with contextlib.ExitStack() as ends:
        lines: list[str] = []
        if not public_tor:
            with _step("a private Tor network on this machine"):
                lines = ends.enter_context(PrivateNetwork(folder / "network")).client_lines()
        demo = Demo(folder, ends, lines)
        with _step("the office makes keys, a member joins, the server's folder is filled"):
            demo.found()
        port = _free_port()
        with _step("the server and its two onions"):
            demo.serve(port)
        with _step("the desk makes its first duty keys"):
            demo.verb("desk", "duty", demo.desk, "--days", _HOLIDAY_DAYS)
            demo.sync()
        with _step("a visitor's tor"):
            socks = demo.visitor_port()
        if check:
            converse(demo, socks)
            out.print("The answer came back whole.", style="green")
            return
        program = _write_program(folder, clock)
        out.print(
            _WALK.format(onion=demo.onion, port=port, socks=socks, folder=folder, program=program, pace=clock.pace)
        )
        signal.pause()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@click.command()
@click.option("--check", is_flag=True, help="Hold the whole conversation without hands, and end.")
@click.option("--public-tor", is_flag=True, help="Use the public Tor network instead of a private one.")
def demo(check: bool, public_tor: bool) -> None:
    """Show it all on this machine: office, server, desk, and a way to visit."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as folder:  # short: tor's sockets allow 107 bytes
        try:
            _run(check, public_tor, Path(folder))
        except KeyboardInterrupt:
            out.print("\nThe demo ends and cleans up.")
