"""The demo as a newcomer runs it. Long: it starts a Tor network of its own, twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

DEMO = [sys.executable, "-m", "sottovoce.cli", "demo"]


def test_the_check_holds_the_whole_conversation() -> None:
    done = subprocess.run([*DEMO, "--check"], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert "The answer came back whole." in done.stdout


def test_ctrl_c_ends_it_and_deletes_its_folder(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        demo = subprocess.Popen(DEMO, stdout=file, stderr=file, start_new_session=True)
    end = time.monotonic() + 240
    while "Ctrl-C ends everything" not in log.read_text() and time.monotonic() < end:
        assert demo.poll() is None, log.read_text()
        time.sleep(0.5)
    folder = next(line.split()[3] for line in log.read_text().splitlines() if line.startswith("The demo's folder"))
    assert Path(folder).is_relative_to(tempfile.gettempdir())
    assert {"office", "desk", "server"} <= {path.name for path in Path(folder).iterdir()}
    demo.send_signal(signal.SIGINT)
    assert demo.wait(60) == 0
    assert not Path(folder).exists()
    assert "Traceback" not in log.read_text()
