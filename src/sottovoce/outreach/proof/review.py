"""What a call says in a language, for the eyes of a native reader: one page for any browser, English beside it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sottovoce.outreach.pages import page
from sottovoce.outreach.tongues import TONGUES
from sottovoce.protocol import cbor
from sottovoce.protocol.words import words_of

from .said import said

if TYPE_CHECKING:
    from sottovoce.outreach.call import Call

CHECK_WORDS = 6
_MOST = 1 << 20
_SECTIONS = {
    3: "The call's own texts", 4: "Captions", 5: "What the synthetic voice reads", 6: "Sentences of the program",
    7: "What you advise, by your policy", 8: "Sentences of leaflets and pages",
}  # fmt: skip
_Key = tuple[object, ...]


class Row(NamedTuple):
    """One sentence with its number, and what stands in its place in English; "" where nothing does."""

    number: int
    english: str
    text: str


def check_words(raw: bytes) -> tuple[str, ...]:
    """Six English words that stand for exactly these bytes of `said`: what a reviewer tells the office."""
    return words_of(hashlib.sha256(raw).digest(), CHECK_WORDS)


def review(call: Call, language: str) -> str:
    """The page: made from the bytes that are signed, so that it shows all of them; CallError as `said`."""
    raw = said(call, language)
    english = _sentences(said(call, "en")) if language != "en" and "en" in call.texts else {}
    tongue = TONGUES[language]
    return page(
        "review.html", title=f"Review of the call in {tongue.name} ({language})", call=call.file.name,
        organisation=call.card.name, name=tongue.name, language=language, direction="rtl" if tongue.rtl else "ltr",
        words=" ".join(check_words(raw)), beside=bool(english), sections=_rows(_sentences(raw), english),
    )  # fmt: skip


def _rows(sentences: Mapping[_Key, str], english: Mapping[_Key, str]) -> list[tuple[str, list[Row]]]:
    numbers = itertools.count(1)
    return [
        (_SECTIONS[section], [Row(next(numbers), english.get(key, ""), sentences[key]) for key in keys])
        for section, keys in itertools.groupby(sentences, lambda key: int(str(key[0])))
    ]


def _sentences(raw: bytes) -> dict[_Key, str]:
    """Every sentence by its place; a clause of the policy has its name there, which is no sentence."""
    value = cbor.decode(raw, "body", _MOST)
    value[7] = dict(value[7])
    return {key: text for section in _SECTIONS for key, text in _walk((section,), value[section]) if text}


def _walk(key: _Key, value: Any) -> Iterator[tuple[_Key, str]]:
    if isinstance(value, str):
        yield key, value
    else:
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in inner:
            yield from _walk((*key, name), each)
