"""A whole server in real processes; whoever connects plays tor: `serving.py FOLDER WORKERS REQUESTS SILENCE`.

Its workers (`serving.py FD`) die at a put when the file `die` beside the server's folder says so.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sottovoce.cli import worker
from sottovoce.cli.starter import Starter
from sottovoce.cli.workers import Life
from sottovoce.pool.errors import Reply

HERE = os.environ.get("SERVING", "")


class Mortal(worker.FarPool):
    """Dies by kill -9 right after so many puts as the file says, or, at 0, before the first."""

    done = 0

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        self._die()
        reply = await super().put(epoch, tag, envelope)
        Mortal.done += (Path(HERE) / "die").exists()
        self._die()
        return reply

    def _die(self) -> None:
        order = Path(HERE) / "die"
        if order.exists() and Mortal.done >= int(order.read_text("utf-8")):
            order.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Serves, or works for the one that does."""
    if len(sys.argv) == 2:
        worker.FarPool = Mortal  # type: ignore[misc]  # the worker's own, but mortal
        worker.main()
        return
    folder, workers, requests = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.environ["SERVING"] = str(folder.parent)
    life = Life(3_600, requests, least_seconds=0, drain_seconds=5, silence_seconds=float(sys.argv[4]))
    command = (sys.executable, __file__)
    Starter(folder, operator_tor=True, workers=workers, life=life, command=command).run()


if __name__ == "__main__":
    main()
