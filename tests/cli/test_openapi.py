"""schemathesis against the real calls: what is described is what is answered, and nothing breaks a server."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from doubles.organisation import Organisation
from doubles.pool import cheap_dummy
from starlette.applications import Starlette
from starlette.types import ASGIApp

from sottovoce.cli.site import Site, listener
from sottovoce.door.ledger import MemoryLedger
from sottovoce.door.session import VisitKeys, Visits
from sottovoce.onion.circuit import LoopbackProtocol
from sottovoce.pool.api import member_routes
from sottovoce.pool.editions import Editions
from sottovoce.pool.store import LocalPool, SqlitePool
from sottovoce.pool.team import Mailbox
from sottovoce.pool.team_api import team_routes
from sottovoce.protocol.sizes import EDITION_SECONDS, epoch_of
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.team import TeamFolder

DESCRIPTION = Path(__file__).parents[2] / "spec" / "openapi.json"
SECONDS = 45
EXAMPLES = 25


@contextmanager
def serving(site: ASGIApp) -> Iterator[str]:
    """Serves on loopback until the block ends; where."""
    server = listener(site, LoopbackProtocol, host="127.0.0.1", port=0)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    end = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < end
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ASGIApp]]:
    """Both sides of a server that has one closed edition; it is a moment after its close."""
    now = [time.time() - EDITION_SECONDS]
    org = Organisation(tmp_path_factory.mktemp("o"), epoch_of(time.time()))
    org.go_on_duty()
    signed, folder = SignedFolder(org.server / "signed"), org.server / "pool"
    with ExitStack() as ends:
        pool = ends.enter_context(closing(SqlitePool(folder, lambda: now[0], cheap_dummy)))
        now[0] += EDITION_SECONDS
        pool.turn().result(20)
        editions = Editions(folder / "editions")
        mailbox = ends.enter_context(closing(Mailbox(folder / "team.sqlite3", lambda: now[0])))
        visits = Visits(VisitKeys(bytes(32), bytes(32)), MemoryLedger(time.time), time.time, secrets.token_bytes)
        public = Site(signed, LocalPool(pool, editions), editions, visits, lambda: now[0], budgets=None)
        team = TeamFolder(signed, lambda: now[0])
        yield {
            "public": public.app(),
            "members": Starlette(routes=[*member_routes(pool, team), *team_routes(team, mailbox)]),
        }


@pytest.mark.long
@pytest.mark.timeout(4 * SECONDS)
@pytest.mark.parametrize("tag", ["public", "members"])
def test_schemathesis_finds_no_answer_that_is_not_described(
    sites: dict[str, ASGIApp], tag: str, tmp_path: Path
) -> None:
    config = Path(__file__).with_name("schemathesis.toml")
    with serving(sites[tag]) as url:
        words: list[str | Path] = [
            Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run", DESCRIPTION, "--url", url,
            "--include-tag", tag, "--max-examples", str(EXAMPLES), "--max-time", str(SECONDS),
            "--request-timeout", "20", "--generation-database", "none", "--no-color", "--continue-on-failure",
        ]  # fmt: skip
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=3 * SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-20_000:]
    assert " passed" in done.stdout
