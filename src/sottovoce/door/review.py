"""A language's texts for the eyes of a native reader: one file for any browser, English beside the translation."""

from __future__ import annotations

import gettext
import io
import itertools
from collections.abc import Iterator
from importlib import resources
from typing import NamedTuple

from babel.core import Locale
from babel.messages.catalog import Message
from babel.messages.extract import extract
from jinja2 import Environment, StrictUndefined

from sottovoce.protocol.words import words_of

from .pack import Pack, hash_of

CHECK_WORDS = 6
_WAY = ("welcome", "guide", "words", "check", "write", "sent", "inbox", "enter", "bye", "closed", "failed")
_OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
_SHOWN = 4  # numbers as examples of a plural form
_TRIED = 200


class Row(NamedTuple):
    """One sentence: the English forms, and each translated form with numbers that it is for ("" where it has one)."""

    number: int
    english: tuple[str, ...]
    translated: tuple[tuple[str, str], ...]


def check_words(raw: bytes) -> tuple[str, ...]:
    """Six English words that stand for exactly these texts: what a reviewer tells the office."""
    return words_of(hash_of(raw), CHECK_WORDS)


def review(raw: bytes) -> bytes:
    """The page for a text pack, in UTF-8, without script and whole in itself; TextsError when it is no pack."""
    pack = Pack.read(raw)
    locale = Locale.parse(pack.language, sep="-")
    template = resources.files(__package__).joinpath("review.html").read_text("utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(template)
    return page.render(
        language=pack.language, name=locale.get_display_name("en"), direction=locale.text_direction,
        words=" ".join(check_words(raw)), pages=list(_pages(pack)),
    ).encode()  # fmt: skip


def _pages(pack: Pack) -> Iterator[tuple[str, list[Row]]]:
    """Pages in the order in which a visitor meets them, each sentence where it stands first; then what is in none."""
    catalogue, numbers = pack.messages(), itertools.count(1)
    left = {(message.context, _singular(message)): message for message in catalogue if message.id}
    for name in [*sorted(pack.templates, key=_place), None]:
        keys = [*left] if name is None else _sentences(pack.templates[name])
        met = [left.pop(key) for key in keys if key in left]
        rows = [_row(next(numbers), message, catalogue.plural_expr) for message in met]
        if rows:
            yield name or "Elsewhere", rows


def _place(name: str) -> tuple[int, str]:
    stem = name.removesuffix(".html")
    return _WAY.index(stem) if stem in _WAY else len(_WAY), stem


def _sentences(template: str) -> list[tuple[str | None, str]]:
    found = extract("jinja2.ext:babel_extract", io.BytesIO(template.encode()), options=_OPTIONS)
    texts = [(context, message if isinstance(message, str) else message[0]) for _, message, _, context in found]
    return list(dict.fromkeys(texts))


def _singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _row(number: int, message: Message, plural: str) -> Row:
    english = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    if isinstance(message.string, str):
        return Row(number, english, ((message.string, ""),) if message.string else ())
    form = gettext.c2py(plural)
    forms = tuple(
        (text, _examples(form(n) == at for n in range(_TRIED))) for at, text in enumerate(message.string or ())
    )
    return Row(number, english, forms if all(text for text, _ in forms) else ())


def _examples(fits: Iterator[bool]) -> str:
    return ", ".join(str(n) for n in itertools.islice((n for n, it_fits in enumerate(fits) if it_fits), _SHOWN))
