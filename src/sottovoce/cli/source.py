"""Verbs for a source's own computer: begin, write, inbox. The words are used here and sent nowhere."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import click

from sottovoce.onion.keys import is_onion_address, private_folder
from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.protocol.sizes import epoch_of
from sottovoce.protocol.words import Passphrase, parse
from sottovoce.source.conversation import ROOM, Source, Written
from sottovoce.source.errors import Alarm
from sottovoce.source.inbox import Inbox
from sottovoce.source.known import Known, day
from sottovoce.source.receipt import Receipt
from sottovoce.trust.published import Published

from .common import PATH, UserError, now, random
from .source_road import may_write, over_onion, say, say_compromise, visit
from .source_say import (
    print_absence,
    print_inbox,
    print_introduction,
    print_json,
    print_phrase,
    print_receipt,
    print_written,
)

_OURS = {"tor", "public"}  # what a folder of ours holds
_WORDS_MOST = 4_096  # characters; twelve words have a hundred
_FOLDER = click.argument("folder", type=PATH)
_TORRC = click.option("--torrc-extra", type=PATH, help="A file with more lines for tor, as those of a private network.")
_WORDS = click.option("--words-file", metavar="FILE", help='Read the words or numbers from FILE, or "-"; ask for none.')


@click.group()
def source() -> None:
    """A source's own computer: the words never leave it. FOLDER is what it keeps, and holds nothing secret."""


# -- begin ----------------------------------------------------------------------


@source.command()
@_FOLDER
@click.argument("onion")
@click.option("--check-words", help="The six words that the organisation publishes: stop if the onion's are others.")
@click.option("--numbers", is_flag=True, help="Twelve numbers, for those whose script has no list of words.")
@_TORRC
def begin(folder: Path, onion: str, check_words: str | None, numbers: bool, torrc_extra: Path | None) -> None:
    """Meet the organisation at ONION, and get twelve new words. None of them is written to a file."""
    address, known = _address(onion), Known(folder / "public")
    if known.onion not in (None, address) or (folder.exists() and {path.name for path in folder.iterdir()} - _OURS):
        raise UserError(f"{folder} is not empty, or knows another onion: choose a new folder.")
    private_folder(folder)
    today = epoch_of(now())
    with over_onion(folder, torrc_extra, address) as fresh:
        published = known.meet(address, fresh().signed, today)
    if check_words is not None:
        _compare(check_words, published)
    known.keep(address, published, today)
    say_compromise(published)
    print_introduction(published, today, compared=check_words is not None)
    may_write(published)
    phrase = Passphrase(random(16))
    print_phrase(folder, phrase, Source.keys_of(published, phrase).sign, numbers)


def _address(typed: str) -> str:
    address = re.sub(r"^http://|/.*$", "", typed.strip().lower())
    if not is_onion_address(address):
        raise UserError("This is no onion address: it has 56 letters and digits, then .onion. Compare each of them.")
    return address


def _compare(typed: str, published: Published) -> None:
    if tuple(re.findall(r"[a-z]+", typed.lower())) != published.card.check_words:
        raise Alarm(
            "The onion's check words are not those that you gave: it is another organisation, or a word is mistyped. "
            "Nothing was kept. Write nothing before they agree."
        )


# -- write ------------------------------------------------------------------------


@source.command()
@_FOLDER
@click.option("--text-file", required=True, metavar="FILE", help='Read the message from FILE, or "-".')
@_WORDS
@click.option("--first", is_flag=True, help="The first message with these words: look for no answer, download nothing.")
@_TORRC
def write(folder: Path, text_file: str, words_file: str | None, first: bool, torrc_extra: Path | None) -> None:
    """Seal a message on this computer and send it, each envelope on a circuit of its own."""
    if text_file == words_file == "-":
        raise UserError('Only one can come from "-": put the words or the text into a file.')
    text, phrase = _text(text_file), _words(words_file)
    with visit(folder, torrc_extra) as (visitor, pool, published):
        may_write(published)
        sign = " ".join(visitor.keys(phrase).sign)
        asked = words_file is None and text_file != "-"  # where a person sits and can answer
        if asked and not click.confirm(f"The sign of these words is {sign}. Is it yours?", err=True):
            raise UserError("Nothing was sent: try again, and compare each word with what you wrote down.")
        written = _send(visitor, phrase, text, first)
        receipt = Receipt.of(written, pool.stored)
    print_written(folder, written, sign, receipt)
    print_absence(published)


def _words(words_file: str | None) -> Passphrase:
    if words_file is None:
        return parse(click.prompt("Your twelve words or numbers (not shown)", hide_input=True, err=True))
    with click.open_file(words_file, encoding="utf-8") as file:
        return parse(file.read(_WORDS_MOST))


def _text(text_file: str) -> str:
    with click.open_file(text_file, encoding="utf-8") as file:
        text: str = file.read().rstrip("\n")
    size = len(text.encode())
    if not text.strip():
        raise UserError("The message is empty: write something.")
    if size > ROOM:
        raise UserError(f"The message is {size - ROOM} bytes too long: shorten it, or send two.")
    return text


def _send(visitor: Source, phrase: Passphrase, text: str, first: bool) -> Written:
    say("Sealing and sending …")
    try:
        written = asyncio.run(visitor.write(phrase, text, first=first, seed=random(32)))
    except RoadError as error:
        unknown = "Whether all of the message arrived is not known: send it again, at worst it is read twice."
        raise RoadError(f"{error} {unknown}") from error
    if written.result is PutResult.FULL:
        raise UserError(f"The server is full, and the message does not count as sent: try at {written.hour:02}:00 UTC.")
    if written.result is PutResult.WRONG_EPOCH:
        days = f"The server's day is {day(written.epoch)}, this computer's is {day(epoch_of(now()))}"
        raise UserError(f"{days}, and the message does not count as sent: set the clock, and send it again.")
    return written


# -- inbox --------------------------------------------------------------------------


@source.command()
@_FOLDER
@_WORDS
@click.option("--receipt", metavar="HEX", help="Ask for no words: say whether the message of this receipt appears.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@_TORRC
def inbox(folder: Path, words_file: str | None, receipt: str | None, as_json: bool, torrc_extra: Path | None) -> int:
    """Download the editions that are alive, and read the answers that these words find there."""
    if receipt is not None:
        given = Receipt.read(receipt)
        with visit(folder, torrc_extra) as (_, pool, _):
            appears = given.compare(asyncio.run(pool.find(given.tags)))
        return print_receipt(given, appears)
    phrase = _words(words_file)
    with visit(folder, torrc_extra) as (visitor, _, _):
        pages = asyncio.run(_pages(visitor, phrase))
    print_json(pages) if as_json else print_inbox(pages)
    return 0


async def _pages(visitor: Source, phrase: Passphrase) -> list[Inbox]:
    pages = [await visitor.inbox(phrase)]
    while (skip := pages[-1].older) is not None:
        pages.append(await visitor.inbox(phrase, skip=skip))
    return pages
