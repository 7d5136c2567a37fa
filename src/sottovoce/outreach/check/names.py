"""The organisation's own name in each language, and nobody else's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from ..form import Form, read
from .clauses import expression, patterns
from .finding import Finding
from .meaning import about, known
from .parts import Parts
from .passages import Passage
from .plain import plain

_LETTERS_LEAST = 2


class _Others(Form):
    others: list[list[str]]


@cache
def _others() -> Sequence[Sequence[str]]:
    return read(Path(str(resources.files(__package__) / "others.toml")), _Others).others


def own_name(call: Parts) -> Iterator[Finding]:
    """The name stands in each language, is one, and in one language at least as on the card."""
    for language in call.languages:
        if language in call.texts:
            yield from _own_name(language, call.texts[language].organisation)
    named = {plain(texts.organisation) for texts in call.texts.values()}
    if call.card is not None and named and plain(call.card.name) not in named:
        said = f"No language names the organisation as its card does, “{call.card.name}”: write it so in one at least."
        yield Finding("organisation", f"texts/{next(iter(call.texts))}.toml", said)


def _own_name(language: str, name: str) -> Iterator[Finding]:
    file = f"texts/{language}.toml"
    letters = sum(unicodedata.category(letter)[0] == "L" for letter in name)
    if letters < _LETTERS_LEAST:
        yield Finding("organisation", file, "The organisation has no name here: write it, nothing is built without it.")
    elif re.fullmatch("|".join(patterns(language).generic), plain(name)):
        said = f"“{name}” could be anybody: write the organisation's whole name, nothing is built without it."
        yield Finding("organisation", file, said)


def impersonation(call: Parts) -> Iterator[Finding]:
    """Sentences that name another known organisation, or claim to be somebody's official voice."""
    own = plain(call.card.name) if call.card else ""
    own_names = [own, *(plain(texts.organisation) for texts in call.texts.values())] if own else []
    strangers = [names for names in _others() if not any(plain(name) == own for name in names)]
    for passage in known(call):
        for sentence in passage.sentences:
            yield from _impersonation(passage, sentence, strangers, own_names)


def _impersonation(
    passage: Passage, sentence: str, strangers: Sequence[Sequence[str]], own: Sequence[str]
) -> Iterator[Finding]:
    for name in (name for names in strangers for name in names):
        if _names(sentence, name):
            what = f"names {name}, as if the call were theirs: leave the name out, or except the sentence in allow.toml"
            yield about("impersonation", passage, sentence, what)
            return
    text = plain(sentence)
    for name in own:
        text = text.replace(name, " … ") if name else text
    for claim in patterns(passage.language).claims:
        if hit := expression(passage.language, claim).search(text):
            what = f"claims a standing by “{hit[0]}”, as impostors do: leave it out, the card proves who speaks"
            yield about("impersonation", passage, sentence, what)
            return


def _names(sentence: str, name: str) -> bool:
    """Whether a name stands in a sentence: capitals as such, letters with borders, Chinese anywhere."""
    text = unicodedata.normalize("NFKC", sentence)
    if not (name.isascii() and name.upper() == name):
        text, name = plain(text), plain(name)
    begin = r"(?<!\w)" if re.match(r"[\w]", name) and not _unspaced(name[0]) else ""
    end = r"(?!\w)" if name.isascii() else ""  # endings follow a name in Russian, Persian and Korean
    return re.search(f"{begin}{re.escape(name)}{end}", text) is not None


def _unspaced(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff"
