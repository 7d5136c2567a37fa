"""Verbs of the desk about keys and colleagues: duty, members, backup, restore."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from sottovoce.desk.backup import backup as backup_vault
from sottovoce.desk.backup import restore as restore_vault
from sottovoce.desk.duty import DutyView
from sottovoce.desk.team import Member
from sottovoce.trust.duty import DUTY_DAYS, DUTY_DAYS_MOST
from sottovoce.trust.join import JoinRequest

from .common import PATH, out, passphrase, passphrase_option
from .desk_group import FOLDER, JSON, day, desk, opened, print_json

_LONGER = (
    "A longer list is a longer rollback and a longer loot: who steals a vault opens what is written on more days, and "
    "a removed device can, together with the server, use its old list for longer."
)


@desk.command()
@FOLDER
@click.option(
    "--days", type=click.IntRange(DUTY_DAYS, DUTY_DAYS_MOST), help="Make keys for so many days, as before holidays."
)
@JSON
@passphrase_option
def duty(folder: Path, days: int | None, as_json: bool, **given: str | None) -> None:
    """Which days have duty keys here, which are destroyed, and what the next list waits for."""
    with opened(folder, given["passphrase"]) as (_, found):
        view = found.team.duty
        if days is not None:
            view.days = days
        shown = view.view()
    if as_json:
        print_json(asdict(shown))
        return
    _print_duty(shown)
    if days is not None and days > DUTY_DAYS:
        out.print(_LONGER, style="yellow")


def _print_duty(shown: DutyView) -> None:
    if shown.destroyed is not None:
        out.print(f"The keys of {day(shown.destroyed)} and of all days before are destroyed here.")
    for epoch, here in shown.epochs:
        out.print(f"{day(epoch)}   {'key is here' if here else 'key is missing: a colleague is asked for it'}")
    if not shown.epochs:
        out.print("No list of duty keys holds: nobody can write. Sync this desk.")
    if shown.missing_signatures:
        out.print("The next list waits for a second member's signature: ask a colleague to sync.", style="yellow")
    out.print(f"This desk makes keys for {shown.days} days, when fewer than four are left.")


@desk.command()
@FOLDER
@JSON
@passphrase_option
def members(folder: Path, as_json: bool, **given: str | None) -> None:
    """Which colleagues' devices were heard of, and how long roster and duty keys last."""
    with opened(folder, given["passphrase"]) as (_, found):
        rows, status, threshold = found.team.members(), found.status(), found.team.threshold
    if as_json:
        fields = {"threshold": threshold, "roster_days": status.roster_days, "duty_days": status.duty_days}
        print_json({"members": [asdict(row) for row in rows], **fields})
        return
    out.print(_table([row for row in rows if row.own or row.seen is not None]))
    out.print(f"{threshold} signature{'s' if threshold > 1 else ''} on each duty list.", end=" ")
    out.print(f"Roster for {status.roster_days} days, duty keys for {status.duty_days} days.")
    out.print("Other slots are empty, or their device was not heard of: the roster doesn't tell which.", style="dim")


def _table(rows: list[Member]) -> Table:
    table = Table("Slot", "Label", "Last new key", "Can be written to until", box=None, pad_edge=False)
    for row in rows:
        days = [day(each) if each is not None else "" for each in (row.seen, row.until)]
        table.add_row(str(row.slot), f"{row.label} (this device)" if row.own else row.label, *days)
    return table


@desk.command()
@FOLDER
@click.argument("file", type=PATH)
@passphrase_option
@click.option("--backup-passphrase-file", "own", metavar="FILE", help="Read the backup's own passphrase from a file.")
def backup(folder: Path, file: Path, own: str | None, **given: str | None) -> None:
    """Write an encrypted copy of the vault to FILE, with a passphrase of its own."""
    with opened(folder, given["passphrase"]) as (vault, _):
        backup_vault(vault, file, passphrase(own, "the backup", new=True))
    out.print(f"{file} holds the conversations, and no key that opens or signs anything new.", markup=False)
    out.print("Keep it away from this machine. It opens with the passphrase that you gave it now.")


@desk.command()
@click.argument("file", type=PATH)
@click.argument("folder", type=PATH)
@passphrase_option
def restore(file: Path, folder: Path, **given: str | None) -> None:
    """Make a new desk in FOLDER from the backup FILE; its passphrase becomes the vault's. The device joins anew."""
    joining = restore_vault(file, folder, passphrase(given["passphrase"], "the backup"))
    request = JoinRequest.read(joining.request.read_bytes())
    out.print(f"The conversations can be read:  sottovoce desk list {folder}", markup=False)
    out.print("To fetch and to answer, this device must be admitted. Compare by voice with the office:")
    out.print(f"  the organisation   [b]{' '.join(joining.check_words)}[/b]")
    out.print(f"  this device        [b]{' '.join(request.check_words)}[/b]")
    out.print(f"Bring {joining.request} to the office. In the old device's place:", markup=False)
    out.print("  sottovoce member admit OFFICE join-request.cbor --slot SLOT")
