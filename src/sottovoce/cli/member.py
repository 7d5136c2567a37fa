"""Verbs with which a member's device joins."""

from __future__ import annotations

from pathlib import Path

import click

from sottovoce.desk.join import join as join_desk
from sottovoce.desk.join import welcome as welcome_desk
from sottovoce.desk.vault import NAME, Vault
from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.trust.join import JoinRequest

from .common import PATH, UserError, out, passphrase, passphrase_option, today

_WELCOME_MOST = 262_144


@click.group()
def member() -> None:
    """A member's device: join an organisation."""


@member.command()
@click.argument("desk", type=PATH)
@click.argument("root", type=PATH)
@passphrase_option
def join(desk: Path, root: Path, **given: str | None) -> None:
    """Make a vault in DESK with this device's own keys, for the organisation whose ROOT document this is."""
    if desk.exists() and any(desk.iterdir()):
        raise UserError(f"{desk} is not empty: choose a new folder for the desk.")
    raw = root.read_bytes()
    phrase = passphrase(given["passphrase"], "the new vault", new=True)
    joining = join_desk(desk, raw, phrase, today())
    request = JoinRequest.read(joining.request.read_bytes())
    out.print("Compare by voice with the office, and stop if one word differs:")
    out.print(f"  the organisation   [b]{' '.join(joining.check_words)}[/b]")
    out.print(f"  this device        [b]{' '.join(request.check_words)}[/b]")
    out.print(f"Bring {joining.request} to the office. It holds public keys only.", markup=False)


@member.command()
@click.argument("desk", type=PATH)
@click.argument("file", type=PATH)
@passphrase_option
def welcome(desk: Path, file: Path, **given: str | None) -> None:
    """Take in the FILE that the office gave back: this device is a member's then."""
    signed = cbor.decode(file.read_bytes(), "roster", _WELCOME_MOST)
    if not isinstance(signed, dict) or not all(isinstance(raw, bytes) for raw in signed.values()):
        raise Refused("roster", "This file is not the office's answer: ask for it again.")
    with Vault.open(desk / NAME, passphrase(given["passphrase"], "the vault")) as vault:
        welcome_desk(vault, signed, today())
    out.print(f"This device is in the roster. Next:  sottovoce desk sync {desk}", markup=False)
