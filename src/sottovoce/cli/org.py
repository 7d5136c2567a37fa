"""Verbs of the office: the organisation's keys, roster and card."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from sottovoce.onion.keys import OnionKey
from sottovoce.onion.tor import set_authorized_clients
from sottovoce.protocol.errors import Refused
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.locked import unlock
from sottovoce.trust.office import KINDS, Office, Secrets, restore
from sottovoce.trust.published import SignedFolder, write_durably
from sottovoce.trust.roster import check_words

from .common import PATH, UserError, out, passphrase, passphrase_option, random, today


@click.group()
def org() -> None:
    """The office: the organisation's identity, its members, its backup."""


@click.group()
def onion() -> None:
    """The onions' keys, which are on every film."""


@org.command()
@click.argument("folder", type=PATH)
@click.option("--name", required=True, help="The organisation's name, as sources shall read it.")
@passphrase_option
def create(folder: Path, name: str, **given: str | None) -> None:
    """Make a new organisation in FOLDER: its root key and its onion addresses."""
    phrase = passphrase(given["passphrase"], "the new office", new=True)
    seeds = Secrets(random(32), random(32), random(32))
    office = Office.create(folder, phrase, seeds, random, today())
    address = OnionKey.from_seed(seeds.door).address
    office.sign_card(name, address, today())
    root = folder / "signed" / "root.signed"
    out.print(f"[b]{name}[/b] has an office now.\n")
    out.print(f"  Onion address   {address}\n  Check words     {' '.join(check_words(office.root(today()).org))}\n")
    out.print(
        "What comes next:\n"
        f"  1. Copy {root} to the first member's computer. There: sottovoce member join DESK root.signed\n"
        "  2. Bring the file join-request.cbor from there back here:  sottovoce org admit "
        f"{folder} join-request.cbor\n"
        "  3. Fill the server's folder:  sottovoce onion restore "
        f"{folder} SERVER   and move SERVER to the server\n"
        f"  4. Keep a copy elsewhere:  sottovoce org backup {folder} FILE\n"
        "Then take this folder offline. Who has it and its passphrase is the organisation.",
        markup=False,
    )


@org.command()
@click.argument("folder", type=PATH)
@click.argument("request", type=PATH)
@click.option("--label", default="", help="A label for the roster; it is public and need not be a name.")
@click.option("--replace", is_flag=True, help="The device takes the place of the one that is in the roster.")
@passphrase_option
def admit(folder: Path, request: Path, label: str, replace: bool, **given: str | None) -> None:
    """Take a member's device into the roster of the office in FOLDER."""
    asked = JoinRequest.read(request.read_bytes())
    office = Office.open(folder, passphrase(given["passphrase"], "the office"))
    address = OnionKey.from_seed(office.secrets.members).address
    if office.signed.get("roster") is not None and not replace:
        raise UserError("This version serves one member: --replace lets this device take the other's place.")
    slot = office.admit(asked, label, address, random, today(), 0 if replace else None)
    welcome = folder / f"welcome-{slot:02}"
    write_durably(welcome, office.welcome())
    out.print(f"The device has slot {slot}. Compare by voice: [b]{' '.join(asked.check_words)}[/b]")
    out.print(f"Bring {welcome} to the member:  sottovoce member welcome DESK {welcome.name}", markup=False)
    out.print(f"Bring the new signed files to the server:  sottovoce org publish {folder} SERVER", markup=False)


@org.command()
@click.argument("folder", type=PATH)
@passphrase_option
def renew(folder: Path, **given: str | None) -> None:
    """Sign roster, card and access list anew before they end (roster: 180 days, card: a year)."""
    Office.open(folder, passphrase(given["passphrase"], "the office")).renew(today())
    out.print(f"Signed anew. Bring the files to the server:  sottovoce org publish {folder} SERVER", markup=False)


@org.command()
@click.argument("folder", type=PATH)
@click.argument("server", type=PATH)
def publish(folder: Path, server: Path) -> None:
    """Copy what was signed in FOLDER into the SERVER's folder; no secret leaves the office by this."""
    _publish(folder, server)
    out.print("The signed files are in the server's folder. A running server takes them at its next start.")


def _publish(folder: Path, server: Path) -> None:
    signed = SignedFolder(folder / "signed")
    if signed.get("root") is None:
        raise UserError(f"{folder} holds no office: check the path.")
    for kind in KINDS:
        if (raw := signed.get(kind)) is not None:
            write_durably(server / "signed" / f"{kind}.signed", raw)
    if signed.get("access") is not None:
        clients = signed.access(today()).clients
        publics = {f"slot-{slot:02}": key for slot, key in clients.items()}
        set_authorized_clients(server / "onion" / "members" / "onion", publics)


@org.command()
@click.argument("folder", type=PATH)
@click.argument("file", type=PATH)
@passphrase_option
def backup(folder: Path, file: Path, **given: str | None) -> None:
    """Write one encrypted FILE with everything of the office in FOLDER."""
    phrase = passphrase(given["passphrase"], "the office")
    if file.exists():
        raise UserError(f"{file} exists already: choose another name.")
    write_durably(file, Office.open(folder, phrase).backup(phrase, random))
    out.print(f"{file} opens with the office's passphrase. Keep it at another place.")


@org.command("restore")
@click.argument("file", type=PATH)
@click.argument("folder", type=PATH)
@passphrase_option
def restore_office(file: Path, folder: Path, **given: str | None) -> None:
    """Make the office anew in FOLDER from the backup FILE."""
    office = restore(file.read_bytes(), passphrase(given["passphrase"], "the office"), folder)
    words = " ".join(check_words(office.root(today()).org))
    out.print(f"The office is back. Its check words: [b]{words}[/b]")


@onion.command("restore")
@click.argument("source", type=PATH)
@click.argument("server", type=PATH)
@passphrase_option
def restore_onion(source: Path, server: Path, **given: str | None) -> None:
    """Fill the SERVER's folder with the onions' keys and the signed files, from an office or its backup SOURCE.

    Run it where the office's passphrase may be typed, not on the server; then move the folder there.
    """
    phrase = passphrase(given["passphrase"], "the office")
    if source.is_dir():
        office = Office.open(source, phrase)
        _publish(source, server)
    else:
        office = _from_backup(source, phrase, server)
    keys = {"door": office.secrets.door, "members": office.secrets.members}
    for name, seed in keys.items():
        OnionKey.from_seed(seed).install(server / "onion" / name / "onion")
    out.print(f"{server} is ready. On the server:  sottovoce serve {server.name}", markup=False)


def _from_backup(file: Path, phrase: str, server: Path) -> Office:
    unlock(file.read_bytes(), phrase)  # a wrong passphrase is told before anything is written
    with tempfile.TemporaryDirectory(dir=server.parent) as folder:
        office = restore(file.read_bytes(), phrase, Path(folder) / "office")
        if office.signed.get("card") is None:
            raise Refused("roster", "This backup holds no card: use another copy.")
        _publish(Path(folder) / "office", server)
    return office
