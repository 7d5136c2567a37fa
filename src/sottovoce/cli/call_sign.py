"""Verbs by which the office and a reviewer vouch for a call: its texts, its files, where they were published."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from pathlib import Path

import click

from sottovoce.outreach.build import all_steps
from sottovoce.outreach.call import Call, CallFile, read_call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.form import read
from sottovoce.outreach.paper.paths import check_paths
from sottovoce.outreach.proof.c2pa import KEY
from sottovoce.outreach.proof.certify import certify
from sottovoce.outreach.proof.listing import handed_on, listed
from sottovoce.outreach.proof.publications import Published, read_publications, record, record_not_ours
from sottovoce.outreach.proof.review import check_words
from sottovoce.outreach.proof.review import review as review_page
from sottovoce.outreach.proof.said import said
from sottovoce.outreach.steps import Builder
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.call_office import bring, sign_call, sign_texts, signed_calls, withdraw_call
from sottovoce.trust.certificate import SIGNER_DAYS, authority
from sottovoce.trust.office import Office
from sottovoce.trust.reviews import Review

from .common import PATH, UserError, out, passphrase, passphrase_option, random, today
from .guides import guides

_TAG = click.argument("tag", metavar="LANGUAGE")
_CALL = click.argument("folder", metavar="FOLDER", type=PATH)
_OFFICE = click.argument("office", metavar="OFFICE", type=PATH)


def _read(folder: Path, tag: str | None = None) -> Call:
    call = read_call(folder, today())
    if tag is not None and tag not in call.texts:
        raise CallError(f"This call has no texts in {tag}: it has {', '.join(call.file.languages)}.")
    return call


@click.command()
@_TAG
@_CALL
@click.option("--out", "file", type=PATH, required=True, help="Where to write it, as FILE.html.")
def review(tag: str, folder: Path, file: Path) -> None:
    """Write one file for a native reader: all that the call says in LANGUAGE, beside the English."""
    if file.exists():
        raise UserError(f"{file} exists already: choose another name.")
    call = _read(folder, tag)
    file.write_text(review_page(call, tag), "utf-8")
    out.print(f"Give {file} to a native reader whom you trust. Its check words:", markup=False)
    out.print(f"  {' '.join(check_words(said(call, tag)))}")


@click.command()
@_TAG
@_CALL
@_OFFICE
@click.option("--reviewer", required=True, help="Who reviewed it; the name is locked in the office and stays there.")
@click.option(
    "--hash", "words", metavar="SIX-WORDS", prompt="The six check words that the reviewer saw",
    help="The six check words that the reviewer saw; without it, they are asked for.",
)  # fmt: skip
@passphrase_option
def approve(tag: str, folder: Path, office: Path, reviewer: str, words: str, **given: str | None) -> None:
    """Sign off what the call says in LANGUAGE, when the reviewer saw the same six check words."""
    texts = said(_read(folder, tag), tag)
    if tuple(words.lower().replace("-", " ").split()) != check_words(texts):
        raise UserError("These are not the check words of the call's texts of now: have exactly these reviewed.")
    phrase = passphrase(given["passphrase"], "the office")
    by = Review(tag, today(), hashlib.sha256(texts).digest(), reviewer.strip())
    sign_texts(Office.open(office, phrase), phrase, folder / "signed", texts, by, random)
    out.print(f"{tag} is signed off: built anew, it is no draft any more.")


@click.command()
@_CALL
@_OFFICE
@passphrase_option
def sign(folder: Path, office: Path, **given: str | None) -> None:
    """Sign the list of all files that were built in FOLDER, so that everybody can tell them from fakes."""
    read(folder / "call.toml", CallFile)  # else anything could be a call's folder
    opened = Office.open(office, passphrase(given["passphrase"], "the office"))
    bring(opened.signed, folder / "signed", today())  # first: what was built under an older card is not signed
    call = _read(folder)
    made = listed(call)
    steps = all_steps(call, guides(call, today()), today())
    known = {output for step in steps for output in step.outputs}
    if strange := [path for path in handed_on(call.built) if path not in known]:
        raise CallError(f"{strange[0]} was not built by this program: look at it, and take it away.")
    if Builder(call.built).stale(steps):
        raise CallError(f"What is built is not what the call is now: run `sottovoce call build {folder}` first.")
    if made.anchors and made.anchors != [authority(opened, today())]:
        raise CallError(
            "This call's certificate is not this office's: run `sottovoce call certificate` anew, and build."
        )
    check_paths(sorted({*signed_calls(opened), made.name}))
    digest = sign_call(opened, folder / "signed", made, today())
    out.print(
        f"{len(made.files)} files of {made.name} are signed, until {_day(made.until)}. Their list has the SHA-256"
    )
    out.print(f"  {digest.hex()}\nBring it to the server:  sottovoce org publish {office} SERVER", markup=False)


@click.command()
@_OFFICE
@_CALL
@passphrase_option
def certificate(office: Path, folder: Path, **given: str | None) -> None:
    """Give FOLDER a certificate of a year, by which manifests in its films show that they are the organisation's.

    The key lies in FOLDER/secret, which git leaves out: who has it can sign films in your name.
    """
    _read(folder)
    certify(Office.open(office, passphrase(given["passphrase"], "the office")), folder, today())
    out.print(
        f"{folder} can sign films until {_day(today() + SIGNER_DAYS)}. Keep {folder / KEY} to yourself.", markup=False
    )


@click.command()
@click.argument("name", metavar="NAME")
@_OFFICE
@passphrase_option
def withdraw(name: str, office: Path, **given: str | None) -> None:
    """Take the call NAME back: its path on the door is gone, and its files are vouched for no more."""
    withdraw_call(Office.open(office, passphrase(given["passphrase"], "the office")), name, today())
    out.print(f"{name} is withdrawn. Tell the server:  sottovoce org publish {office} SERVER", markup=False)


@click.command()
@_CALL
@click.argument("addresses", metavar="URL...", nargs=-1)
@click.option("--video", default="", help="Which film of the call it is.")
@click.option("--language", default="", help="In which language it is.")
@click.option("--account", default="", help="On which account of the card it is, where the address does not say it.")
@click.option(
    "--not-ours", is_flag=True, help="Record that these pretend to be yours, for the list and the press page."
)
def published(
    folder: Path, addresses: tuple[str, ...], video: str, language: str, account: str, not_ours: bool
) -> None:
    """Record where films of the call are; without a URL, list what is recorded. Only accounts of the card are taken."""
    call = _read(folder, language or None)
    if video and video not in call.file.videos:
        raise CallError(f"This call has no film {video}: it has {', '.join(call.file.videos)}.")
    if not_ours:
        record_not_ours(folder, call.card.accounts, addresses)
    elif addresses:
        video = _which("film", "video", video, call.file.videos)
        language = _which("language", "language", language, call.file.languages)
        day = _day(today())
        new = [Published(address=a, account=account, on=day, video=video, language=language) for a in addresses]
        record(folder, call.card.accounts, new)
    _tell(folder)


def _which(what: str, option: str, chosen: str, known: Sequence[str]) -> str:
    """What was chosen, or the only one; the press page names each film by it."""
    if chosen or len(known) == 1:
        return chosen or known[0]
    raise UserError(f"Say which {what} it is: give --{option} and one of {', '.join(known)}.")


def _tell(folder: Path) -> None:
    held = read_publications(folder)
    for each in held.ours:
        what = " ".join(part for part in (each.video, each.language) if part)
        out.print(f"{each.on}  {each.address}  {what}".rstrip(), markup=False)
    for address in held.not_ours:
        out.print(f"not ours    {address}", markup=False)
    if not held.ours and not held.not_ours:
        out.print("Nothing is recorded yet.")


def _day(epoch: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(epoch * EPOCH_SECONDS, datetime.UTC).date()
