"""Verbs of the office: the organisation's keys, roster and card."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from sottovoce.onion.keys import OnionKey
from sottovoce.onion.tor import set_authorized_clients
from sottovoce.protocol.errors import Refused
from sottovoce.trust.accounts import sign_accounts
from sottovoce.trust.locked import unlock
from sottovoce.trust.mark import need_today, write_mark
from sottovoce.trust.office import KINDS, Office, restore
from sottovoce.trust.office_secrets import Secrets
from sottovoce.trust.published import SignedFolder, write_durably
from sottovoce.trust.roster import check_words
from sottovoce.trust.succession import begin_succession, end_succession

from .common import PATH, UserError, out, passphrase, passphrase_option, random, today


@click.group()
def org() -> None:
    """The office: the organisation's identity, what it signs, its backup."""


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
    out.print(f"[b]{name}[/b] has an office now.\n")
    out.print(f"  Onion address   {address}\n  Check words     {' '.join(check_words(office.root(today()).org))}\n")
    out.print(
        "What comes next:\n"
        f"  1. Invite the first member:  sottovoce member add {folder} --out INVITATION\n"
        "     There: sottovoce member join DESK INVITATION\n"
        "  2. Bring the file join-request.cbor from there back here:  sottovoce member admit "
        f"{folder} join-request.cbor\n"
        "  3. Fill the server's folder:  sottovoce onion restore "
        f"{folder} SERVER   and move SERVER to the server\n"
        f"  4. Keep a copy elsewhere:  sottovoce org backup {folder} FILE\n"
        "Then take this folder offline. Who has it and its passphrase is the organisation.",
        markup=False,
    )


@org.command()
@click.argument("folder", type=PATH)
@click.option("--threshold", type=click.IntRange(1, 2), help="How many members must sign a list of duty keys.")
@passphrase_option
def renew(folder: Path, threshold: int | None, **given: str | None) -> None:
    """Sign roster, card and access list anew before they end (roster: 180 days, card: a year)."""
    Office.open(folder, passphrase(given["passphrase"], "the office")).renew(today(), threshold)
    out.print(f"Signed anew. Bring the files to the server:  sottovoce org publish {folder} SERVER", markup=False)


@org.command()
@click.argument("folder", type=PATH)
@click.argument("addresses", nargs=-1)
@passphrase_option
def accounts(folder: Path, addresses: tuple[str, ...], **given: str | None) -> None:
    """Put the organisation's own accounts on its card: all of them, by their whole web ADDRESSES; none takes all off.

    Where one is truncated, a stranger can register what is left of it.
    """
    sign_accounts(Office.open(folder, passphrase(given["passphrase"], "the office")), addresses, today())
    out.print(f"{len(addresses)} accounts are on the card now. Bring it to the server:", markup=False)
    out.print(f"  sottovoce org publish {folder} SERVER", markup=False)


@org.command()
@click.argument("folder", type=PATH)
@click.option("--backup", "file", type=PATH, help="Write a backup of the office with the new root key to this file.")
@click.option("--no-backup", is_flag=True, help="Make no backup: the new root key is in this folder only.")
@passphrase_option
def succeed(folder: Path, file: Path | None, no_backup: bool, **given: str | None) -> None:
    """Make a new root key for the office in FOLDER: the old one hands over to it, and is destroyed.

    Addresses, members and conversations stay as they are. An interrupted succession goes on when it is called again.
    """
    if (file is None) != no_backup:
        raise UserError("Name a file with --backup for the new root key, or say --no-backup.")
    if file is not None and file.exists():
        raise UserError(f"{file} exists already: choose another name.")
    phrase = passphrase(given["passphrase"], "the office")
    office = Office.open(folder, phrase)
    renewed = begin_succession(office, phrase, random, today())
    if file is not None:
        write_durably(file, office.backup(phrase, random, renewed))
    end_succession(office, phrase, random)
    out.print(f"Root document {office.read_root().claim.serial} is signed, and the old root key is destroyed here.")
    out.print(
        "What comes next:\n"
        "  1. Destroy all earlier backups of the office: they hold the old root key.\n"
        f"  2. Bring the files to the server:  sottovoce org publish {folder} SERVER   and start it again\n"
        "  3. Sync every desk: it takes the new root, and raises an alarm if it is shown another one later.",
        markup=False,
    )


@org.command()
@click.argument("folder", type=PATH)
@click.argument("server", type=PATH)
def publish(folder: Path, server: Path) -> None:
    """Copy what was signed in FOLDER into the SERVER's folder; no secret leaves the office by this."""
    _publish(folder, server)
    out.print("The signed files are in the server's folder. A running server takes them at its next start.")


def _publish(folder: Path, server: Path) -> None:
    need_today(folder)
    need_today(server)
    signed = SignedFolder(folder / "signed")
    if signed.get("root") is None:
        raise UserError(f"{folder} holds no office: check the path.")
    for kind in KINDS:
        if (raw := signed.get(kind)) is not None:
            write_durably(server / "signed" / f"{kind}.signed", raw)
    for tag in signed.languages():
        if (pack := signed.pack(tag)) is not None:
            write_durably(SignedFolder(server / "signed").pack_path(tag), pack)
    for name in signed.calls():
        if (listed := signed.call_list(name)) is not None:
            write_durably(SignedFolder(server / "signed").list_path(name), listed.encode())
    if signed.get("access") is not None:
        clients = signed.access(today()).clients
        publics = {f"slot-{slot:02}": key for slot, key in clients.items()}
        set_authorized_clients(server / "onion" / "members" / "onion", publics)
    write_mark(server)


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
