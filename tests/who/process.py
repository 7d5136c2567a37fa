"""The real server without tor, and its workers (`process.py serve FOLDER`, `process.py FD`), on a clock in a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sottovoce.cli import worker
from sottovoce.cli.starter import Starter
from sottovoce.cli.workers import Life

CLOCK = "WHO_CLOCK"  # names the file that holds the protocol's time
LIFE = Life(seconds=3_600, requests=80, least_seconds=0)  # by requests alone: a story asks until they are replaced


def now() -> float:
    """The protocol's time."""
    return float(Path(os.environ[CLOCK]).read_text("utf-8"))


def main() -> None:
    """Serves until it is ended; a worker is this program too, as its starter calls it."""
    if sys.argv[1] != "serve":
        worker.main(now)
        return
    os.umask(0o077)
    command = (sys.executable, "-P", __file__)
    folder = Path(sys.argv[2])
    Starter(folder, now, operator_tor=True, life=LIFE, command=command, say=lambda text: print(text, flush=True)).run()  # noqa: T201


if __name__ == "__main__":
    main()
