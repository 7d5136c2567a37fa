"""Verbs for members' devices: at the office, who is one; at a device, how it becomes one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sottovoce.desk.join import join as join_desk
from sottovoce.desk.join import welcome as welcome_desk
from sottovoce.desk.vault import NAME, Vault
from sottovoce.onion.keys import OnionKey
from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import SLOTS
from sottovoce.trust.duty import DUTY_DAYS_MOST
from sottovoce.trust.join import Invitation, JoinRequest
from sottovoce.trust.mark import need_today
from sottovoce.trust.members import Device, devices, invitation
from sottovoce.trust.office import Office
from sottovoce.trust.published import write_durably

from .common import PATH, UserError, out, passphrase, passphrase_option, random, today

_WELCOME_MOST = 262_144
_INVITATION = """\
Invitation to the desk of {name}

You are invited to read and answer what people write to {name} in confidence.
Open this file with Sottovoce on the computer on which you will do that:

    sottovoce member join DESK INVITATION

The program shows six words. Call the office, and compare them. Go on only if all six are the same.
"""

_OFFICE = click.argument("folder", metavar="OFFICE", type=PATH)
_SLOT = click.IntRange(0, SLOTS - 1)


@click.group()
def member() -> None:
    """Members' devices: invite, admit, list and remove them at the office; join at the device."""


@member.command()
@_OFFICE
@click.option("--out", "file", type=PATH, required=True, help="Where to write the invitation.")
def add(folder: Path, file: Path) -> None:
    """Invite a person to become a member: write an invitation for them, in which everything is public."""
    if file.exists():
        raise UserError(f"{file} exists already: choose another name.")
    invited = invitation(folder, today())
    _, card = invited.verify(today())
    write_durably(file, invited.text(_INVITATION.format(name=card.name)))
    out.print(f"Give {file} to the person whom you invite, by any way.", markup=False)
    out.print(f"Compare by voice when they open it:  [b]{' '.join(card.check_words)}[/b]")
    out.print(f"They bring back a file. Then:  sottovoce member admit {folder} join-request.cbor", markup=False)


@member.command()
@_OFFICE
@click.argument("request", type=PATH)
@click.option("--label", default="", help="A label for the roster; it is public and need not be a name.")
@click.option("--slot", type=_SLOT, help="Take this slot: its device is removed, as when a person has a new computer.")
@passphrase_option
def admit(folder: Path, request: Path, label: str, slot: int | None, **given: str | None) -> None:
    """Take the device that wrote REQUEST into the roster. There is room for 16; a person may have several."""
    asked = JoinRequest.read(request.read_bytes())
    office = Office.open(folder, passphrase(given["passphrase"], "the office"))
    replaced = slot is not None and any(each.slot == slot for each in devices(folder))
    address = OnionKey.from_seed(office.secrets.members).address
    taken = office.admit(asked, label, address, random, today(), slot)
    welcome = folder / f"welcome-{taken:02}"
    write_durably(welcome, office.welcome())
    out.print(f"The device has slot {taken}. Compare by voice: [b]{' '.join(asked.check_words)}[/b]")
    out.print(f"If one word differs, publish nothing: ask for the file again, and admit it with --slot {taken}.")
    out.print(f"Bring {welcome} to the member:  sottovoce member welcome DESK {welcome.name}", markup=False)
    _say_next(folder, taken if replaced else None)


@member.command("list")
@_OFFICE
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def list_members(folder: Path, as_json: bool) -> None:
    """Show which slots hold a device. The roster that the public sees doesn't tell that."""
    found = devices(folder)
    if as_json:
        click.echo(json.dumps([each._asdict() for each in found], ensure_ascii=False, indent=2))
        return
    for each in found:
        out.print(_line(each), markup=False)
    out.print(f"{len(found)} of {SLOTS} slots hold a device.")


def _line(device: Device) -> str:
    return f"slot {device.slot:2}   {device.label}".rstrip()


@member.command()
@_OFFICE
@click.argument("slot", type=_SLOT)
@passphrase_option
def remove(folder: Path, slot: int, **given: str | None) -> None:
    """Take the device in SLOT out of the roster: when somebody leaves, or a device is lost."""
    office = Office.open(folder, passphrase(given["passphrase"], "the office"))
    office.remove(slot, random, today())
    out.print(f"Slot {slot} is free, and no older roster holds any more.")
    _say_next(folder, slot)


def _say_next(folder: Path, removed: int | None) -> None:
    out.print(f"Bring the new signed files to the server:  sottovoce org publish {folder} SERVER", markup=False)
    out.print("Start the server again, and sync a desk: that makes new duty keys, and opens the door again.")
    if removed is not None:
        out.print(
            f"Until the server is started again, the removed device of slot {removed} can fetch what is pending. It "
            "keeps what it has read, and opens what was written under duty keys that it holds; if it has the server "
            f"too, it can use the old list of duty keys until that ends, in {DUTY_DAYS_MOST} days at most."
        )


@member.command()
@click.argument("desk", type=PATH)
@click.argument("file", metavar="INVITATION", type=PATH)
@passphrase_option
def join(desk: Path, file: Path, **given: str | None) -> None:
    """Make a vault in DESK with this device's own keys, for the organisation whose INVITATION this is."""
    if desk.exists() and any(desk.iterdir()):
        raise UserError(f"{desk} is not empty: choose a new folder for the desk.")
    invited = Invitation.read(file.read_bytes())
    _, card = invited.verify(today())
    phrase = passphrase(given["passphrase"], "the new vault", new=True)
    joining = join_desk(desk, invited.root, phrase, today())
    request = JoinRequest.read(joining.request.read_bytes())
    out.print(f"You were invited by {card.name}.", markup=False)
    out.print("Compare by voice with the office, and stop if one word differs:")
    out.print(f"  the organisation   [b]{' '.join(joining.check_words)}[/b]")
    out.print(f"  this device        [b]{' '.join(request.check_words)}[/b]")
    out.print(f"Bring {joining.request} to the office. It holds public keys only.", markup=False)


@member.command()
@click.argument("desk", type=PATH)
@click.argument("file", type=PATH)
@passphrase_option
def welcome(desk: Path, file: Path, **given: str | None) -> None:
    """Take in the FILE that the office gave back: this device is a member's then. Later ones may follow."""
    signed = cbor.decode(file.read_bytes(), "roster", _WELCOME_MOST)
    if not isinstance(signed, dict) or not all(isinstance(raw, bytes) for raw in signed.values()):
        raise Refused("roster", "This file is not the office's answer: ask for it again.")
    need_today(desk)
    with Vault.open(desk / NAME, passphrase(given["passphrase"], "the vault")) as vault:
        welcome_desk(vault, signed, today())
    out.print(f"This device is in the roster. Next:  sottovoce desk sync {desk}", markup=False)
