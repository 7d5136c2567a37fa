"""`serve`: the door and the members' side behind their onions, and the pool they share."""

from __future__ import annotations

from pathlib import Path

import click

from sottovoce.onion.errors import OnionError
from sottovoce.onion.torrc import operator_lines
from sottovoce.trust.mark import need_today

from .common import PATH, UserError, demo_clock
from .starter import Starter

_DEMO_BANNER = "A demonstration: {pace}. Nothing here is real. Write nothing true."


@click.command()
@click.argument("folder", type=PATH)
@click.option(
    "--clearnet-loopback", "port", type=click.IntRange(1, 65535), help="Development: serve 127.0.0.1:PORT without Tor."
)
@click.option("--with-tor", is_flag=True, help="With --clearnet-loopback: also serve the onions.")
@click.option("--torrc-extra", type=PATH, help="A file with further lines for tor, as those of a private network.")
@click.option("--operator-tor", is_flag=True, help="Start no tor: you run one with the lines of --print-torrc.")
@click.option("--print-torrc", is_flag=True, help="Print the lines for a tor that you run yourself, and end.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that work for visitors."
)
@click.option(
    "--until-closed", "held", type=int, hidden=True
)  # a file descriptor: for the demo, whose server ends with it
def serve(
    folder: Path,
    port: int | None,
    with_tor: bool,
    torrc_extra: Path | None,
    operator_tor: bool,
    print_torrc: bool,
    workers: int,
    held: int | None,
) -> None:
    """Serve the organisation's onions from FOLDER, which the office filled."""
    if not (folder / "signed").is_dir():
        raise UserError(f"{folder} holds no signed files: fill it at the office with `sottovoce onion restore`.")
    need_today(folder)
    clock = demo_clock()
    starter = Starter(
        folder.absolute(), loopback_port=port, with_tor=port is None or with_tor, operator_tor=operator_tor,
        torrc_extra=torrc_extra.read_text().splitlines() if torrc_extra else [], workers=workers, until_closed=held,
        banner=_DEMO_BANNER.format(pace=clock.pace) if clock else None, unreviewed=clock is not None,
    )  # fmt: skip
    if print_torrc:
        _print_torrc(starter)
        return
    try:
        starter.run()
    except* OnionError as errors:
        raise UserError(str(errors.exceptions[0])) from None


def _print_torrc(starter: Starter) -> None:
    for name, socket in starter.sockets.items():
        click.echo(operator_lines(starter.folder / "onion" / name / "onion", socket, proof_of_work=name == "door"))
