"""The real server, as a process of its own: its clock is ahead by the seconds that a file holds at that moment.

python server_process.py FOLDER TORRC_EXTRA CLOCK
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from sottovoce.cli.serve import Server


def main() -> None:
    """Serves until it is ended."""
    folder, torrc_extra, clock = map(Path, sys.argv[1:])
    os.umask(0o077)
    lines = torrc_extra.read_text("utf-8").splitlines()
    Server(folder, lambda: time.time() + float(clock.read_text("utf-8")), torrc_extra=lines).run()


if __name__ == "__main__":
    main()
