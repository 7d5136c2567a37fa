"""Verbs of the office for what visitors read: languages that a native reader reviewed, and advice that ages."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path

import click

from sottovoce.door.pack import Pack, hash_of, pack_of
from sottovoce.door.review import check_words
from sottovoce.door.review import review as review_page
from sottovoce.trust.languages import SOURCE_LANGUAGE
from sottovoce.trust.office import Office
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.reviews import Review, approve, reviews, sign_advice, withdraw

from .common import PATH, UserError, out, passphrase, passphrase_option, random, today
from .offered import offered

_OFFICE = click.argument("folder", metavar="OFFICE", type=PATH)
_TAG = click.argument("tag", metavar="LANGUAGE")
_FIRST_DAY = datetime.date(1970, 1, 1)
_ADVICE = """\
# How to get Tor Browser where it is blocked. Shown by the door, in the visitor's language, for 56 days from `verified`;
# then the page says only when this was last verified. Bad advice kills: write nothing that nobody tried this week, in
# the country that it is for. Downloading Tor Browser may itself be noticed: the page says so above your text.

# The day on which somebody last tried all of it:
# verified = 2026-11-20

# At most 2,000 characters a language, plain paragraphs with an empty line between them.
[texts]
# en = \"\"\"
# …
# \"\"\"
"""


@click.group()
def language() -> None:
    """Which languages visitors are offered: those whose texts a native reader reviewed."""


@click.group()
def advice() -> None:
    """How to get Tor Browser where it is blocked: signed and dated, since it ages in weeks."""


@language.command()
@_TAG
@click.option("--out", "file", type=PATH, required=True, help="Where to write it, as FILE.html.")
def review(tag: str, file: Path) -> None:
    """Write one file for a native reader: each English sentence beside its translation, for any browser."""
    if file.exists():
        raise UserError(f"{file} exists already: choose another name.")
    raw = pack_of(tag)
    file.write_bytes(review_page(raw))
    out.print(f"Give {file} to a native reader whom you trust. Its check words:", markup=False)
    out.print(f"  {' '.join(check_words(raw))}")


@language.command("approve")
@_OFFICE
@_TAG
@click.option("--reviewer", required=True, help="Who reviewed it; the name is locked in the office and stays there.")
@click.option(
    "--hash", "words", metavar="SIX-WORDS", prompt="The six check words that the reviewer saw",
    help="The six check words that the reviewer saw; without it, they are asked for.",
)  # fmt: skip
@passphrase_option
def approve_language(folder: Path, tag: str, reviewer: str, words: str, **given: str | None) -> None:
    """Sign off LANGUAGE as it is in this program, when the reviewer saw the same six check words."""
    if tag == SOURCE_LANGUAGE:
        raise UserError("English is what the others are translated from: it needs no sign-off.")
    raw = pack_of(tag)
    _check_reviewed(tag, raw, words)
    phrase = passphrase(given["passphrase"], "the office")
    office = Office.open(folder, phrase)
    approve(office, phrase, raw, Review(tag, today(), hash_of(raw), reviewer.strip()), random)
    out.print(f"{tag} is signed off. Bring it to the server:  sottovoce org publish {folder} SERVER", markup=False)


def _check_reviewed(tag: str, raw: bytes, words: str) -> None:
    if tuple(words.lower().replace("-", " ").split()) != check_words(raw):
        raise UserError("These are not the check words of this program's texts: have exactly these reviewed.")
    if missing := Pack.read(raw).missing():
        raise UserError(f"{tag} is not complete, sentences without a translation: {len(missing)}. Finish it first.")


@language.command("list")
@_OFFICE
@passphrase_option
def list_languages(folder: Path, **given: str | None) -> None:
    """List what is signed off, by whom and when, and how many of this program's sentences wait for review."""
    signed = SignedFolder(folder / "signed")
    if signed.get("root") is None:
        raise UserError(f"{folder} holds no office: check the path.")
    done = {each.hash: each for each in reviews(folder, passphrase(given["passphrase"], "the office"))}
    hashes = signed.languages()
    for line in offered(signed):
        review = done.get(hashes.get(line.language, b""))
        by = f" (by {review.reviewer}, {_day(review.epoch)})" if review is not None else ""
        out.print(f"{line.language:8}  {line.text}{by}", markup=False)


@language.command("withdraw")
@_OFFICE
@_TAG
@passphrase_option
def withdraw_language(folder: Path, tag: str, **given: str | None) -> None:
    """Take LANGUAGE back: visitors are offered it no more."""
    withdraw(Office.open(folder, passphrase(given["passphrase"], "the office")), tag, today())
    out.print(f"{tag} is withdrawn. Tell the server:  sottovoce org publish {folder} SERVER", markup=False)


def _day(epoch: int) -> datetime.date:
    return _FIRST_DAY + datetime.timedelta(epoch)


@advice.command()
@click.argument("file", type=PATH)
def new(file: Path) -> None:
    """Write an empty FILE with comments, to be filled in."""
    if file.exists():
        raise UserError(f"{file} exists already: choose another name.")
    file.write_text(_ADVICE, "utf-8")
    out.print(f"Fill in {file}, then:  sottovoce advice sign OFFICE {file}", markup=False)


@advice.command()
@_OFFICE
@click.argument("file", metavar="FILE.toml", type=PATH)
@passphrase_option
def sign(folder: Path, file: Path, **given: str | None) -> None:
    """Sign the advice in FILE; one without texts takes back what was signed before."""
    verified, texts = _read_advice(file)
    sign_advice(Office.open(folder, passphrase(given["passphrase"], "the office")), verified, texts, today())
    out.print(f"Signed. Bring it to the server:  sottovoce org publish {folder} SERVER", markup=False)


def _read_advice(file: Path) -> tuple[int, dict[str, str]]:
    try:
        read = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{file} is not in the form of TOML: {error}.") from None
    verified, texts = read.get("verified"), read.get("texts", {})
    if type(verified) is not datetime.date:
        raise UserError(f"{file} does not say when the advice was verified: write a line as verified = 2026-11-20.")
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise UserError(f'The texts in {file} are not in their form: write a line en = "…" below [texts].')
    return (verified - _FIRST_DAY).days, {tag: text.strip() for tag, text in texts.items()}
