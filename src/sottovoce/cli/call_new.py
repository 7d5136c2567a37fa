"""`call new`: a worked example in a folder of its own, under an organisation's card or an invented one's."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path

import click

from sottovoce.onion.keys import OnionKey
from sottovoce.outreach.call import read_call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.new import end_with, write_example
from sottovoce.outreach.proof.certify import certify
from sottovoce.outreach.proof.said import said
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.accounts import sign_accounts
from sottovoce.trust.call_office import bring, sign_texts
from sottovoce.trust.card import Card, UntrustedCard
from sottovoce.trust.office import Office
from sottovoce.trust.office_secrets import Secrets
from sottovoce.trust.published import SignedFolder, write_durably
from sottovoce.trust.reviews import Review

from .common import PATH, out, random, today

NAME = "临渡市申诉专员公署"  # Office of the Ombudsman, City of Lindu: there is no such city
PASSPHRASE = "an example, not an office"  # noqa: S105  nothing that it locks is worth anything
ACCOUNTS = (  # of hosts that nobody can ever register
    "https://www.youtube.example/@lindu-ombudsman",
    "https://www.instagram.example/lindu-ombudsman",
    "https://www.facebook.example/lindu-ombudsman",
)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--office", type=PATH, help="The office whose card the call carries; without it, an invented one.")
def new(folder: Path, office: Path | None) -> None:
    """Make a call in FOLDER: two films in Mandarin, leaflets and pages in six languages, to build and to change."""
    if office is not None:
        _card(office)  # a wrong folder is told before anything is written
    write_example(folder)
    made = found_example(folder / "office") if office is None else None
    office = office or folder / "office"
    bring(SignedFolder(office / "signed"), folder / "signed", today())
    end_with(folder, _day(today()), _day(_card(office).claim.expires))
    if made is not None:
        vouch(folder, made)
    call = read_call(folder, today())
    out.print(f"{folder} holds a call now, under the card of {call.card.name}:\n", markup=False)
    out.print(f"  {call.address}\n  {' '.join(call.card.check_words)}\n", markup=False)
    out.print(
        f"What comes next:\n"
        f"  1. Look for mistakes:  sottovoce call check {folder}\n"
        f"  2. Build it all:  sottovoce call build {folder}\n"
        f"  3. Look at it:  sottovoce call serve {folder}\n"
        "Then change texts, captions and films into your own.",
        markup=False,
    )


def _card(office: Path) -> Card:
    signed = SignedFolder(office / "signed")
    raw = signed.get("card")
    if raw is None:
        raise CallError(f"{office} holds no signed card: name the folder of an office, and sign its card first.")
    return UntrustedCard.of(raw).verify(signed.root(today()), today())


def found_example(folder: Path) -> Office:
    """An office of an invented organisation, with an address whose key nobody keeps."""
    office = Office.create(folder, PASSPHRASE, Secrets(random(32), random(32), random(32)), random, today())
    office.sign_card(NAME, OnionKey.from_seed(random(32)).address, today())
    sign_accounts(office, ACCOUNTS, today())
    write_durably(folder / "PASSPHRASE", f"{PASSPHRASE}\n".encode())
    return office


def vouch(folder: Path, office: Office) -> None:
    """The invented office signs off its own example and certifies its films: nobody read the texts, and it says so."""
    call = read_call(folder, today())
    for tag in call.file.languages:
        texts = said(call, tag)
        review = Review(tag, today(), hashlib.sha256(texts).digest(), "nobody: this is an example")
        sign_texts(office, PASSPHRASE, folder / "signed", texts, review, random)
    certify(office, folder, today())


def _day(epoch: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(epoch * EPOCH_SECONDS, datetime.UTC).date()
