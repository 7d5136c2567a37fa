"""The desk's verbs that only open the vault: list, read, answer, again, status."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import click
from rich.padding import Padding
from rich.table import Table

from sottovoce.desk.letters import Conversation, Entry
from sottovoce.desk.notices import told
from sottovoce.protocol.sizes import EDITION_SECONDS, EPOCH_SECONDS

from .common import out, passphrase_option
from .desk_group import FOLDER, JSON, day, desk, name_of, opened, print_json
from .text import clean

_SIGN = click.argument("sign", required=False)


@desk.command("list")
@FOLDER
@JSON
@passphrase_option
def list_(folder: Path, as_json: bool, **given: str | None) -> None:
    """List the conversations by their sign, the newest last."""
    with opened(folder, given["passphrase"]) as (_, desk_):
        conversations = desk_.conversations()
    if as_json:
        print_json([_as_json(each) for each in conversations])
        return
    table = Table("Sign", "Messages", "Unread", "Waiting", "Unseen", "Newest", box=None, pad_edge=False)
    for each in conversations:
        counts = (str(each.messages), *(str(count or "") for count in (each.unread, each.waiting, each.offered)))
        table.add_row(" ".join(each.sign), *counts, day(each.newest), style="bold" if each.unread else "")
    out.print(table if conversations else "No conversation yet.")
    if any(each.offered for each in conversations):
        out.print(
            "Unseen: answers of which nothing says for 25 days that they were seen; `desk again` sends them anew."
        )


def _as_json(each: Conversation) -> dict[str, Any]:
    return {**asdict(each), "id": each.id.hex(), "sign": list(each.sign), "newest": day(each.newest)}


@desk.command()
@FOLDER
@_SIGN
@JSON
@passphrase_option
def read(folder: Path, sign: str | None, as_json: bool, **given: str | None) -> None:
    """Read the conversation with SIGN, as maple-ocean; needless while there is only one."""
    with opened(folder, given["passphrase"]) as (_, desk_):
        entries = desk_.read(name_of(desk_, sign))
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    for entry in entries:
        _print_entry(entry)


def _print_entry(entry: Entry) -> None:
    when = day(entry.edition * EDITION_SECONDS // EPOCH_SECONDS) if entry.edition is not None else "not sent yet"
    title = f"{'Source' if entry.incoming else 'Us'}, {when} ({', '.join([entry.state, *_marks(entry)])})"
    out.print(title, style="bold cyan" if entry.incoming else "bold", markup=False)
    out.print(Padding(clean(entry.text), (0, 0, 1, 2)), markup=False)


def _marks(entry: Entry) -> Iterator[str]:
    if entry.language is not None:
        yield f"reads {entry.language}"
    if entry.have < entry.parts:
        yield f"{entry.have} of {entry.parts} parts" + (": the missing ones will not come" if entry.lost else " so far")
    if entry.vouched is not None:
        yield f"vouched for by the device in slot {entry.vouched}, not checked here"
    if entry.unordered:
        yield "order within six hours unknown"


@desk.command()
@FOLDER
@_SIGN
@click.option(
    "--text-file",
    required=True,
    type=click.File(encoding="utf-8"),
    help='Read the answer from a file, or "-" for standard input.',
)
@passphrase_option
def answer(folder: Path, sign: str | None, text_file: TextIO, **given: str | None) -> None:
    """Answer the conversation with SIGN; the next sync sends it."""
    with opened(folder, given["passphrase"]) as (_, desk_):
        hour = desk_.answer(name_of(desk_, sign), text_file.read().rstrip("\n"))
    _say_when(folder, "Queued.", hour)


@desk.command()
@FOLDER
@_SIGN
@passphrase_option
def again(folder: Path, sign: str | None, **given: str | None) -> None:
    """Send the answers to SIGN anew of which nothing says for 25 days that the source saw them."""
    with opened(folder, given["passphrase"]) as (_, desk_):
        count, hour = desk_.again(name_of(desk_, sign))
    _say_when(folder, f"Queued anew: {count}.", hour)


def _say_when(folder: Path, done: str, hour: int | None) -> None:
    if hour is None:
        out.print(f"{done} It goes out with the next sync:  sottovoce desk sync {folder}", markup=False)
    else:
        out.print(f"{done} One answer goes out in six hours: this one with a sync after {hour:02}:00 UTC.")


@desk.command()
@FOLDER
@JSON
@passphrase_option
def status(folder: Path, as_json: bool, **given: str | None) -> None:
    """How long the keys last, what waits, and what was wrong in the last 30 days."""
    with opened(folder, given["passphrase"]) as (_, desk_):
        found = desk_.status()
    if as_json:
        print_json(asdict(found))
        return
    last = day(found.last_sync) if found.last_sync is not None else "never"
    out.print(f"Slot {found.slot}   duty keys for {found.duty_days} days   roster for {found.roster_days} days")
    out.print(f"{found.unread} unread   {found.waiting} waiting   last sync {last}")
    if found.away_until is not None:
        out.print(f"Away: {told('absence', found.away_until)}.", style="bold")
    if found.compromised_since is not None:
        out.print(f"Compromise: {told('compromise', found.compromised_since)}.", style="bold")
    for warning in found.warnings:
        out.print(warning, style="yellow", markup=False)
    for alarm, epoch in found.alarms:
        out.print(f"ALARM of {day(epoch)}: {alarm}", style="bold red", markup=False)
