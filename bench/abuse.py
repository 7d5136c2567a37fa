"""Attacks on the door with an honest visitor beside them: `python -m bench.abuse [--quick] [NAME …]`.

The honest visitor does what a person does, page after page, a source after the other, each on a circuit of its own.
As a browser does, it comes again when its connection was closed; as a person does, it gives up after three times. A
message is lost when it was acknowledged but is not in the pool, or was not acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from doubles.organisation import Organisation
from rich.console import Console
from rich.table import Table

from sottovoce.pool.edition import COUNT_MOST
from sottovoce.protocol.message import UntrustedMessage, open_at_desk
from sottovoce.protocol.sizes import QUARTERS, epoch_of

from .attacks import KINDS, REPLAYED
from .costs import write_hollow
from .running import ROOT, Running, serving
from .visitors import Visitor, message

_ATTEMPTS, _AGAIN = 5, 0.5  # how often a browser, then a person, tries a page, and seconds in between
_PATIENCE = 30  # seconds for a page: Tor Browser waits longer, a person doesn't
_THINKS = 0.02  # seconds between pages
_FIRST = 0.5  # seconds until an attack is at its height


class Honest(Visitor):
    """A visitor that connects again when its connection is gone; `times`: seconds of each page, all attempts in."""

    def __init__(self, socket: str, times: list[float]) -> None:
        super().__init__([])
        self._socket, self._pages = socket, times
        self._connected = False

    async def ask(self, status: int, path: str, form: dict[str, str] | None = None) -> bytes:
        """A page's content; ConnectionError unless it comes, at the last attempt, with this status."""
        await asyncio.sleep(_THINKS)
        begin, attempts = time.perf_counter(), _ATTEMPTS
        while True:
            attempts -= 1
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._connect()
                    content = await super().ask(status, path, form)
                break
            except OSError:
                if not attempts or not self._is_gone():
                    raise
                await asyncio.sleep(_AGAIN)
        self._pages.append(time.perf_counter() - begin)
        return content

    def _is_gone(self) -> bool:
        return not self._connected or self.transport.is_closing()

    async def _connect(self) -> None:
        if self._is_gone():
            await asyncio.get_running_loop().create_unix_connection(lambda: self, self._socket)
            self._connected = True

    def end(self) -> None:
        """Leaves."""
        if self._connected:
            self.transport.abort()


@dataclass
class Result:
    """What became of the attackers, and of the honest visitor beside them."""

    name: str
    got: dict[str, int]
    times: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # texts that were written,
    sent: list[str] = field(default_factory=list)  # and those of them that were acknowledged
    memory_mib: float = 0.0
    kept: int = 0  # of the acknowledged, how many are in the pool

    @property
    def p95(self) -> float:
        """Seconds."""
        times = sorted(self.times)
        return times[math.ceil(0.95 * len(times)) - 1] if times else math.inf

    @property
    def lost(self) -> int:
        """Messages."""
        return len(self.said) - self.kept


async def _beside(running: Running, result: Result, over: asyncio.Event) -> None:
    """One honest source after the other, until the attack is over."""
    while not over.is_set():
        visitor, text = Honest(str(running.socket), result.times), f"{result.name}: {len(result.said)}"
        result.said.append(text)
        try:
            await message(visitor, text)
            result.sent.append(text)
            await visitor.ask(200, "/en/inbox")
        except OSError as error:
            print(result.name, error, sep=": ", file=sys.stderr)
        finally:
            visitor.end()
        result.memory_mib = max(result.memory_mib, running.memory_mib())


async def _attack(running: Running, name: str, seconds: float, edition: int) -> Result:
    words = (sys.executable, "-m", "bench.attacks", str(running.socket), name, str(seconds), str(edition))
    attackers = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    await asyncio.sleep(_FIRST)
    over, result = asyncio.Event(), Result(name, {})
    honest = asyncio.create_task(_beside(running, result, over))
    try:
        answer, _ = await asyncio.wait_for(attackers.communicate(), seconds + 30)
    except TimeoutError:
        attackers.kill()
        raise
    over.set()
    await honest
    result.got = json.loads(answer)
    return result


def _texts(org: Organisation) -> Counter[str]:
    """All texts in the pool, as a desk opens them."""
    texts = Counter[str]()
    for path in (org.server / "pool" / "pending").glob("*.sqlite3"):
        base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        for tag, sealed in base.execute("SELECT tag, sealed FROM envelope"):
            opened = open_at_desk(sealed, org.duty_keys[org.today], org.org, org.today, tag)
            assert isinstance(opened, UntrustedMessage)
            texts[opened.verify(org.dh, org.slot).join([]).body.text] += 1
        base.close()
    return texts


def tried(seconds: float, names: list[str] | None = None) -> tuple[list[Result], int]:
    """All attacks, or these, so many seconds each; and how often the replayed form's message is in the pool."""
    with tempfile.TemporaryDirectory() as name:
        org = Organisation(Path(name), epoch_of(time.time()))
        org.go_on_duty()
        edition, folder = (org.today - 1) * QUARTERS, org.server / "pool" / "editions"
        folder.mkdir(parents=True)
        write_hollow(folder, edition, COUNT_MOST, {})
        with serving(org.server) as running:
            results = [asyncio.run(_attack(running, each, seconds, edition)) for each in names or KINDS]
        texts = _texts(org)
    for result in results:
        result.kept = sum(texts[text] == 1 for text in result.sent)
    return results, texts[REPLAYED]


def table(results: list[Result]) -> Table:
    """The results for people."""
    shown = Table("attack", "what the attackers got", "honest p95, s", "honest messages", "lost", "server, MiB")
    for each in results:
        got = ", ".join(f"{count:,} {what}" for what, count in sorted(each.got.items()))
        shown.add_row(each.name, got, f"{each.p95:.3f}", str(len(each.said)), str(each.lost), f"{each.memory_mib:.0f}")
    return shown


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.abuse", description="Attack the door.")
    parser.add_argument("--quick", action="store_true", help="two seconds for each attack instead of six")
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: " + ", ".join(KINDS))
    chosen = parser.parse_args()
    results, copies = tried(2.0 if chosen.quick else 6.0, chosen.names)
    Console(width=140).print(table(results))
    print(f"The replayed form's message is in the pool {copies} time(s).")
