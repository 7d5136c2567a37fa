"""The server as it runs behind the onion, but whoever connects plays tor: `python -m bench.server FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from sottovoce.cli.starter import Starter

if __name__ == "__main__":
    Starter(Path(sys.argv[1]), operator_tor=True, say=lambda _: None).run()
