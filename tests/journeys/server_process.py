"""The real server, as processes of its own, on clocks that tests set.

python server_process.py FOLDER TORRC_EXTRA CLOCK    the starter
python server_process.py CLOCK FD                    one of its workers

CLOCK is a file with two numbers: by how many seconds the protocol's clock is ahead at that moment, and that of visits.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sottovoce.cli import worker
from sottovoce.cli.starter import Starter


def ahead(clock: Path, place: int) -> Callable[[], float]:
    """The time that the file says."""
    return lambda: time.time() + float(clock.read_text("utf-8").split()[place])


def main() -> None:
    """Serves until it is ended."""
    os.umask(0o077)
    if len(sys.argv) == 3:
        clock = Path(sys.argv[1])
        del sys.argv[1]
        worker.main(ahead(clock, 0), ahead(clock, 1))
        return
    folder, torrc_extra, clock = map(Path, sys.argv[1:])
    lines = torrc_extra.read_text("utf-8").splitlines()
    command = (sys.executable, __file__, str(clock))
    Starter(folder, ahead(clock, 0), ahead(clock, 1), torrc_extra=lines, command=command).run()


if __name__ == "__main__":
    main()
