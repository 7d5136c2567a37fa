"""What the verbs of a source's own computer print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.padding import Padding

from sottovoce.pool.edition import next_hour
from sottovoce.protocol.sizes import ANSWER_EPOCHS, edition_of
from sottovoce.protocol.words import Passphrase
from sottovoce.source.conversation import Written
from sottovoce.source.inbox import Inbox
from sottovoce.source.known import day
from sottovoce.source.receipt import Appears, Receipt
from sottovoce.trust.published import Published

from .common import now, out
from .text import clean

_COLUMNS = 4


def _print(text: str, style: str | None = None) -> None:
    out.print(text, style=style, markup=False)


def print_introduction(published: Published, today: int, *, compared: bool) -> None:
    """Who it is that the onion belongs to."""
    _print(f"The organisation calls itself   {clean(published.card.name)}")
    _print(f"Its six check words are         {' '.join(published.card.check_words)}")
    if not compared:
        _print("Compare them with what it publishes elsewhere: in print, in a film. If one differs, write nothing.")
    if published.audience(today) is None:
        _print("It takes no message today: no member made a key for it. Try again later.", "yellow")


def print_phrase(folder: Path, phrase: Passphrase, sign: tuple[str, str], numbers: bool) -> None:
    """Twelve new words, once."""
    given, what = (phrase.numbers, "numbers") if numbers else (phrase.words(), "words")
    _print(f"\nYour twelve {what}, in this order:\n")
    for row in range(0, len(given), _COLUMNS):
        _print("  " + "".join(f"{at + 1:>3} {given[at]:<10}" for at in range(row, row + _COLUMNS)).rstrip())
    _print(f"\nYour sign: {' '.join(sign)}. By it you see later that these were the right {what}.")
    _print(f"Who has the {what} reads your answers and writes in your name. They are shown once, and kept nowhere:")
    _print("write them down where nobody looks for them, then clear this screen, and what it can scroll back to.")
    _print(f"Next:  sottovoce source write {folder} --first --text-file FILE")


def print_written(folder: Path, written: Written, sign: str, receipt: Receipt) -> None:
    """That a message is safe, when an answer can come, and a receipt."""
    count = len(written.tags)
    _print(f"Sent and stored, in {count} envelope{'s' if count > 1 else ''}. The sign of the words: {sign}")
    _print(f"An answer can be seen from {written.hour:02}:00 UTC on, not earlier:")
    _print(f"  sottovoce source inbox {folder}")
    _print("A receipt, to see after that hour, and without the words, whether the message appears:")
    _print(f"  sottovoce source inbox {folder} --receipt {receipt.encode()}")
    _print("Who finds the receipt can tell that you wrote this message, and can't read it.")


def print_absence(published: Published) -> None:
    """That nobody reads for some days, where members signed that."""
    if (until := published.notices.away_until) is not None:
        _print(f"The organisation says that nobody reads until {day(until)}: your message waits there, sealed.")


def print_inbox(pages: Sequence[Inbox]) -> None:
    """The answers, newest first, and what is known of the others."""
    for answer in (answer for page in pages for answer in page.answers):
        _print(f"Answer of {day(answer.place.epoch)}, here until {day(answer.place.epoch + ANSWER_EPOCHS)}", "bold")
        out.print(Padding(clean(answer.body.text), (0, 0, 1, 2)), markup=False)
    for each in (each for page in pages for each in page.incomplete):
        _print(f"An answer of {day(each.place.epoch)} whose parts are not all here yet: {each.here} of {each.parts}.")
    if not any(page.answers for page in pages):
        _print(f"No whole answer is here. The next ones can be seen from {_next_hour()} UTC on.")
    if (newest := _newest(pages)).received:
        _print(f"Of your messages {newest.received} had arrived by then, the last on {day(newest.newest)}.")
    _print(f"The sign of these words: {' '.join(newest.sign)}. If it is not yours, these were other words.")


def print_json(pages: Sequence[Inbox]) -> None:
    """The same for scripts, uncleaned."""
    newest = _newest(pages)
    answers = [
        {"day": day(each.place.epoch), "slot": each.place.slot, "n": each.place.n, "text": each.body.text}
        for page in pages
        for each in page.answers
    ]
    incomplete = [
        {"day": day(each.place.epoch), "here": each.here, "parts": each.parts}
        for page in pages
        for each in page.incomplete
    ]
    value = {"sign": newest.sign, "received": newest.received, "answers": answers, "incomplete": incomplete}
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _newest(pages: Sequence[Inbox]) -> Inbox:
    return max(pages, key=lambda page: page.received)


_APPEARS = {
    Appears.WHOLE: "The whole message is there, unchanged, for everybody to download and for the desk to read.",
    Appears.PARTLY: (
        "Only a part of the message is there. The rest may wait for the edition that closes at {hour} UTC. If it is "
        "not there after that, the server keeps it back: send the message again."
    ),
    Appears.NOT: (
        "The message is in no edition. It may wait for the one that closes at {hour} UTC, or be older than thirty "
        "days. If it is neither, the server keeps it back or lost it: send it again."
    ),
    Appears.CHANGED: (
        "ALARM: Other bytes lie where the message should be: the server changed it. Send it again, and tell the "
        "organisation by another way."
    ),
}


def print_receipt(receipt: Receipt, appears: Appears) -> int:
    """Whether a message appears, and what it may mean when it doesn't; the exit code."""
    good = appears is Appears.WHOLE
    _print(_APPEARS[appears].format(hour=_next_hour()), "green" if good else "yellow")
    if good and not receipt.digest:
        _print("But whether its bytes are unchanged, this receipt can't say: an answer of the server was lost.")
    return 0 if good else 1


def _next_hour() -> str:
    return f"{next_hour(edition_of(now())):02}:00"
