"""The server as it runs behind the onion, but without tor: `python -m bench.server FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sottovoce.cli.serve import Server


class BehindNoTor(Server):
    """The same parts, sockets and circuit lines; whoever connects plays tor."""

    async def _watch(self, stop: asyncio.Event) -> None:
        await stop.wait()


if __name__ == "__main__":
    BehindNoTor(Path(sys.argv[1])).run()
