"""What one message of a new source costs: `python -m bench.message` prints it (docs/decisions/messages-a-second.md).

Its handlers alone, one page after the other without a socket; then, under the load of 16 visitors, CPU time by process.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from doubles.leaks import family
from doubles.organisation import Organisation

from sottovoce.cli.site import Site
from sottovoce.door.ledger import MemoryLedger
from sottovoce.door.session import VisitKeys, Visits
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import PutResult, Reply
from sottovoce.protocol.sizes import epoch_of
from sottovoce.trust.published import SignedFolder

from .running import ROOT, serving, ticks
from .visitors import message

ROUNDS, SECONDS, CONCURRENT = 100, 8, 16


class _Taken:
    """A pool without a disk, since what is measured is the worker's: it keeps nothing, and calls it stored."""

    async def put(self, epoch: int, _tag: bytes, _envelope: bytes) -> Reply:
        return Reply(PutResult.STORED, epoch, 0)

    async def find(self, _tags: object) -> dict[bytes, bytes]:
        return {}


class _Visitor:
    """Asks the app itself, and notes each page's seconds."""

    def __init__(self, app: Any, times: dict[str, list[float]]) -> None:
        self._app, self._times, self._cookie = app, times, b""

    async def ask(self, status: int, path: str, form: dict[str, str] | None = None) -> bytes:
        """As a visitor over a socket does (visitors.py)."""
        body, method = urlencode(form or {}).encode(), "GET" if form is None else "POST"
        headers = [(b"cookie", self._cookie), (b"content-length", b"%d" % len(body))]
        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(answer: MutableMapping[str, Any]) -> None:
            sent.append(answer)

        begin = time.perf_counter()
        await self._app(scope, receive, send)
        self._times[f"{method} {path}"].append(time.perf_counter() - begin)
        assert sent[0]["status"] == status
        for name, value in sent[0]["headers"]:
            if name == b"set-cookie":
                self._cookie = re.split(b";", value)[0]
        return b"".join(answer.get("body", b"") for answer in sent[1:])


def handlers(org: Organisation) -> dict[str, float]:
    """The median of each page's handler, in seconds."""
    keys = VisitKeys(secrets.token_bytes(32), secrets.token_bytes(32))
    visits = Visits(keys, MemoryLedger(time.time), time.time, secrets.token_bytes)
    pool: Any = _Taken()
    site = Site(
        SignedFolder(org.server / "signed"), pool, Editions(org.server / "none"), visits, time.time, budgets=None
    )
    app, times = site.app(), defaultdict[str, list[float]](list)

    async def all_of_them() -> None:
        for _ in range(ROUNDS):
            visitor: Any = _Visitor(app, times)
            await message(visitor)

    asyncio.run(all_of_them())
    return {page: statistics.median(each) for page, each in times.items()}


def processes(org: Organisation) -> dict[str, float]:
    """CPU seconds a message, by process, under load."""
    with serving(org.server) as running:
        load = [str(running.socket), "messages", str(SECONDS), str(CONCURRENT)]
        starter, *workers = family(running.process.pid)
        before = {pid: ticks(pid) for pid in (starter, *workers)}
        command = [sys.executable, "-m", "bench.visitors", *load]
        run = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=120)
        answer = json.loads(run.stdout)
        used = {pid: (ticks(pid) - before[pid]) / answer["done"] for pid in before}
    found = {"starter": used[starter], "workers": sum(used[pid] for pid in workers)}
    return {**found, "visitors": answer["cpu"] / answer["done"], "of one core": answer["seconds"] / answer["done"]}


def main() -> None:
    """Prints both tables, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        org = Organisation(Path(folder), epoch_of(time.time()))
        org.go_on_duty()
        pages = handlers(org)
        for name, seconds in {**pages, "handlers in all": sum(pages.values()), **processes(org)}.items():
            print(f"{name:18} {1000 * seconds:6.2f} ms")


if __name__ == "__main__":
    main()
