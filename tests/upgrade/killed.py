"""An upgrade that dies by kill -9: `killed.py NAME FOLDER STEP TIMES`, at the TIMES-th time that STEP is reached."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sottovoce.cli.upgrade import upgrade_server
from sottovoce.desk.upgrade import upgrade_desk
from sottovoce.trust.upgrade import upgrade_office


def main() -> None:
    """Upgrades one of the three folders, until it dies."""
    os.umask(0o077)
    name, folder, step, left = sys.argv[1], Path(sys.argv[2]) / sys.argv[1], sys.argv[3], int(sys.argv[4])

    def die(reached: str) -> None:
        nonlocal left
        left -= reached == step
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if name == "server":
        upgrade_server(folder, die)
    elif name == "office":
        upgrade_office(folder, die)
    else:
        passphrase = (folder.parent / "passphrase").read_text("utf-8").strip()
        upgrade_desk(folder, passphrase, die)


if __name__ == "__main__":
    main()
