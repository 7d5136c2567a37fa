"""The desk's verbs that go over Tor: sync, run, compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from sottovoce.desk.cover import Cover
from sottovoce.desk.errors import DeskError
from sottovoce.desk.join import members_onion
from sottovoce.desk.road import Report, Road, SyncReport
from sottovoce.desk.sync import Desk
from sottovoce.desk.vault import Vault

from .common import err, now, out, passphrase_option, random
from .desk_group import FOLDER, JSON, TORRC_EXTRA, code_of, desk, opened, print_findings, print_json, reached

sleep = time.sleep  # waits for so many seconds of the clock `now`
_PATIENCE = 60  # seconds


def _say(quiet: bool) -> Callable[[str], None]:
    return (lambda _: None) if quiet else (lambda text: err.print(text, markup=False))


@desk.command()
@FOLDER
@TORRC_EXTRA
@JSON
@passphrase_option
def sync(folder: Path, torrc_extra: Path | None, as_json: bool, **given: str | None) -> int:
    """Fetch what came, renew the duty keys, send what waits; over Tor.

    It sends at once, so a server that watches sees that a desk answers. `desk run` hides that better.
    """
    with (
        opened(folder, given["passphrase"]) as (vault, desk_),
        reached(folder, vault, torrc_extra, _say(as_json)) as road,
    ):
        report = desk_.sync(road)
    print_json(_as_json(report)) if as_json else _print(report)
    return code_of(report)


def _as_json(report: SyncReport) -> dict[str, Any]:
    waits = [{"conversation": each.conversation.hex(), "hour": each.hour} for each in report.waits]
    return {**asdict(report), "waits": waits}


def _print(report: SyncReport) -> None:
    out.print(f"{report.messages} new messages, {report.sent} answers sent, {report.waiting} waiting.")
    if report.duty_published:
        out.print("The duty keys of the coming days are renewed.")
    if report.keys_destroyed:
        out.print(f"The duty keys of {report.keys_destroyed} past days are destroyed.")
    if report.items_refused:
        out.print(f"{report.items_refused} items from colleagues were refused: if that goes on, ask them.", style="dim")
    for wait in report.waits:
        out.print(f"Waits for the next edition, from {wait.hour:02}:00 UTC: sync again then.")
    for layer, count in report.refused.items():
        out.print(f"{count} envelopes were refused ({layer}): nobody's fault here, nothing to do.", style="dim")
    print_findings(report)


class _Between:
    """A desk whose vault is open only while it works, so that other verbs can use it in between."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        vault.close()

    @contextmanager
    def _open(self) -> Iterator[Desk]:
        for _ in range(_PATIENCE):  # a member who reads or writes is done soon; then the DeskError is told
            with suppress(DeskError):
                self._vault.resume()
                break
            time.sleep(1)
        else:
            self._vault.resume()
        try:
            yield Desk(self._vault, now, random)
        finally:
            self._vault.close()

    def sync(self, road: Road, *, post: bool) -> SyncReport:
        """As the desk's."""
        with self._open() as desk_:
            return desk_.sync(road, post=post)

    def post_one(self, road: Road) -> SyncReport:
        """As the desk's."""
        with self._open() as desk_:
            return desk_.post_one(road)


@desk.command()
@FOLDER
@TORRC_EXTRA
@click.option("--steps", type=int, help="End after so many steps; without it, Ctrl-C ends it.")
@passphrase_option
def run(folder: Path, torrc_extra: Path | None, steps: int | None, **given: str | None) -> None:
    """Sync about every half hour, and post answers at times that say nothing, else dummies; until Ctrl-C.

    Read and answer meanwhile with the other verbs.
    """
    with opened(folder, given["passphrase"]) as (vault, _), reached(folder, vault, torrc_extra, _say(False)) as road:
        cover = Cover(len(members_onion(vault).clients), now, random)
        err.print("Running. Ctrl-C ends it.")
        with suppress(KeyboardInterrupt):
            cover.run(_Between(vault), road, sleep, _tell, steps)
    err.print("Ended; what waits is kept.")


def _tell(report: Report) -> None:
    """Only what a person can act on: a line for each post would be a diary of answers."""
    if isinstance(report, SyncReport) and report.messages:
        out.print(f"{report.messages} new messages.")
    print_findings(report)


@desk.command()
@FOLDER
@TORRC_EXTRA
@click.option("--full", is_flag=True, help="Read every edition again; without it, the newest and four others.")
@JSON
@passphrase_option
def compare(folder: Path, torrc_extra: Path | None, full: bool, as_json: bool, **given: str | None) -> int:
    """Hold what the door shows everybody against what this desk holds, over fresh circuits."""
    with (
        opened(folder, given["passphrase"]) as (vault, desk_),
        reached(folder, vault, torrc_extra, _say(as_json)) as road,
    ):
        report = desk_.compare(road, full=full)
    if as_json:
        print_json(asdict(report))
        return code_of(report)
    out.print(f"{report.things} of 4 signed things and {report.editions} editions are as they should be.")
    print_findings(report)
    return code_of(report)
