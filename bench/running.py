"""A server for measuring: started and ended, with what its processes use and hold."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doubles.leaks import family

ROOT = Path(__file__).parents[1]


class Running:
    """A server: its starter, and the workers that this replaces."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "run" / "door.sock"
        self.process = subprocess.Popen([sys.executable, "-m", "bench.server", folder], cwd=ROOT)
        deadline = time.monotonic() + 20
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit("The server did not start: see what it wrote above.")
            time.sleep(0.05)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as stream:
            return stream.connect_ex(str(self.socket)) == 0

    def cpu_seconds(self) -> float:
        """What all its processes used until now, those that ended included."""
        _, *workers = family(self.process.pid)
        ended = _ticks(self.process.pid, 4)
        return (ended + sum(_ticks(pid, 2) for pid in workers)) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """What all its processes hold; what they share is counted once."""
        rolled = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in family(self.process.pid))
        return sum(int(kib) for text in rolled for kib in re.findall(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)) / 1024


def ticks(pid: int) -> float:
    """CPU seconds that a process used itself."""
    return _ticks(pid, 2) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int, fields: int) -> int:
    """CPU time in and for a process; with 4 fields also that of its children that ended."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11 : 11 + fields]
    return sum(map(int, values))


@contextmanager
def serving(folder: Path) -> Iterator[Running]:
    """A server until the block ends."""
    running = Running(folder)
    try:
        yield running
    finally:
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(20)
