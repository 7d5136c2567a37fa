"""The demo's faster clock, and a server that ends with whoever started it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from doubles.leaks import family
from doubles.organisation import Organisation

from sottovoce.cli import common
from sottovoce.cli.common import DEMO_CLOCK, DemoClock, UserError
from sottovoce.protocol.sizes import epoch_of


def test_without_the_demo_the_clock_is_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DEMO_CLOCK, raising=False)
    assert abs(common.now() - time.time()) < 1
    assert common.demo_clock() is None


def test_all_processes_of_a_demo_share_a_clock_that_runs_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    base = time.time() - 100
    monkeypatch.setenv(DEMO_CLOCK, DemoClock(360, base, base).text)
    assert common.now() == pytest.approx(base + 36_000, abs=360)
    program = "from sottovoce.cli.common import now; print(now())"
    other = float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    assert other == pytest.approx(common.now(), abs=360 * 20)
    assert DemoClock(360, base, base).pace == "six hours pass here in one minute"
    monkeypatch.setenv(DEMO_CLOCK, "soon")
    with pytest.raises(UserError, match="unset it"):
        common.now()


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists() or b") Z" in Path(f"/proc/{pid}/stat").read_bytes()


def test_the_server_of_a_demo_that_was_killed_ends_by_itself(tmp_path: Path) -> None:
    base = time.time()
    clock = DemoClock(360, base, base)
    org = Organisation(tmp_path, epoch_of(base))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "sottovoce.cli", "serve", str(org.server), "--clearnet-loopback", str(port)]
    environment = {**os.environ, DEMO_CLOCK: clock.text}
    process = subprocess.Popen(
        [*command, "--until-closed", "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout
    assert process.stdin
    assert b"Open for development" in process.stdout.readline()
    workers = family(process.pid)[1:]
    assert len(workers) == 2
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as page:
        shown = page.read()
    assert b"six hours pass here in one minute" in shown
    assert b"Development only: no Tor here" in shown
    process.stdin.close()  # as when the demo is gone
    assert process.wait(30) == 0
    assert all(is_gone(pid) for pid in workers)
    process.stdout.close()
