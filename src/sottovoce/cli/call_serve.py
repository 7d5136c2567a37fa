"""`call serve`: everything that was built, shown in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import uvicorn

from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.check import Finding
from sottovoce.outreach.check import check as find
from sottovoce.outreach.serve import HOSTS, Gallery

from .common import PATH, UserError, out, today

_PORT = 8042


@click.command()
@click.argument("folder", type=PATH)
@click.option("--port", type=int, default=_PORT, show_default=True, help="Of this machine only.")
def serve(folder: Path, port: int) -> None:
    """Show what was built in FOLDER in a browser on this machine, until Ctrl-C."""
    call, _ = _state(folder)

    def now() -> tuple[Call, Sequence[Finding]]:
        return _state(folder)

    out.print(f"Open http://{HOSTS[0]}:{port}/ in a browser on this machine. Ctrl-C ends it.", markup=False)
    config = uvicorn.Config(Gallery(now).app(call.built), host=HOSTS[0], port=port, log_level="critical")
    server = uvicorn.Server(config)
    try:
        server.run()
    except SystemExit:
        raise UserError(f"Port {port} is taken: choose another one with --port.") from None


def _state(folder: Path) -> tuple[Call, Sequence[Finding]]:
    return read_call(folder, today()), find(folder, today())
