"""`upgrade`: brings a folder of an older version to this one's form; never the other way."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import click

from sottovoce.desk.join import REQUEST
from sottovoce.desk.upgrade import upgrade_desk
from sottovoce.desk.vault import NAME, Vault
from sottovoce.pool.upgrade import upgrade_pool
from sottovoce.trust.mark import FORM, MARK, OLD_POOL, form_of, refuse_newer, write_mark
from sottovoce.trust.office import SECRETS
from sottovoce.trust.upgrade import upgrade_office, upgrade_signed

from .common import PATH, UserError, out, passphrase, passphrase_option

Step = Callable[[str], None]


@click.command()
@click.argument("folder", type=PATH)
@passphrase_option
def upgrade(folder: Path, **given: str | None) -> None:
    """Bring the server's, desk's or office's FOLDER from an older version to this one. Make a copy before.

    An interrupted upgrade goes on when it is called again. Only a desk's passphrase is asked for.
    """
    if folder.exists() and folder.stat().st_uid != os.geteuid():  # its owner could not read what we write
        raise UserError(f"{folder} belongs to another user: call this as they, with `runuser -u USER -- sottovoce …`.")
    refuse_newer(form := form_of(folder), folder)
    if form == FORM and (folder / MARK).exists():
        out.print(f"{folder} is of this version already: nothing was changed.", markup=False)
    elif (folder / NAME).exists():
        _desk(folder, passphrase(given["passphrase"], "the vault"))
    elif (folder / SECRETS).exists():
        upgrade_office(folder)
        out.print(
            f"{folder} is of this version now. Make a new backup:  sottovoce org backup {folder} FILE", markup=False
        )
    elif (folder / "onion").is_dir():
        count = upgrade_server(folder)
        out.print(f"{folder} is of this version now; {count} envelopes were carried over.", markup=False)
        out.print(
            "Start the server again. Sources find what is older than this six hours' edition a moment after that."
        )
    else:
        raise UserError(f"{folder} is no folder of a server, a desk or an office: check the path.")


def upgrade_server(folder: Path, step: Step = lambda name: None) -> int:
    """Brings a server's folder to today's form; how many envelopes were carried over."""
    try:
        count = upgrade_pool(folder / "pool", OLD_POOL, step)
    except sqlite3.OperationalError as error:
        raise UserError("The pool can't be carried over: stop the server, make room on the disk, try again.") from error
    except sqlite3.DatabaseError as error:
        raise UserError(f"The pool's file {OLD_POOL} is damaged: restore it from a copy, then try again.") from error
    upgrade_signed(folder / "signed")
    step("server.root")
    write_mark(folder)
    return count


def _desk(folder: Path, phrase: str) -> None:
    count = upgrade_desk(folder, phrase)
    write_mark(folder)
    carried = f"; {count} messages were carried over" if count is not None else ""
    out.print(f"{folder} is of this version now{carried}.", markup=False)
    with Vault.open(folder / NAME, phrase) as vault:
        admitted = bool(vault.signed("access"))
    if admitted:
        out.print(f"When the server is upgraded too:  sottovoce desk sync {folder}", markup=False)
    else:
        out.print(f"Bring {folder / REQUEST} to the office, again if it was there: its form is new.", markup=False)
