"""The organisation's own name in each language, and nobody else's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
_FIRST_HAN, _LAST_HAN = "\u3400", "\u9fff"


class _Others(Form):
    others: list[list[str]]


@dataclass(frozen=True)
class _Other:
    """One organisation: its names as they are compared, and what finds them in a sentence and in a plain one."""

    names: frozenset[str]
    capitals: re.Pattern[str]
    letters: re.Pattern[str]

    def named(self, sentence: str) -> str:
        """The name by which a sentence names it; "" where it doesn't."""
        hit = self.capitals.search(unicodedata.normalize("NFKC", sentence)) or self.letters.search(plain(sentence))
        return hit[0] if hit else ""


@cache
def _others() -> Sequence[_Other]:
    known = read(Path(str(resources.files(__package__) / "others.toml")), _Others).others
    return [_other(names) for names in known]


def _other(names: Sequence[str]) -> _Other:
    capitals = [name for name in names if name.isascii() and name.upper() == name]
    letters = [plain(name) for name in names if name not in capitals]
    return _Other(frozenset(map(plain, names)), _any_of(capitals), _any_of(letters))


def _any_of(names: Sequence[str]) -> re.Pattern[str]:
    """Names with borders; endings may follow in Russian, Persian and Korean, and Chinese has no borders."""
    parts = []
    for name in names:
        begin = "" if _FIRST_HAN <= name[0] <= _LAST_HAN else r"(?<!\w)"
        end = r"(?!\w)" if name.isascii() else ""
        parts.append(begin + re.escape(name) + end)
    return re.compile("|".join(parts) or "(?!)")


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
    strangers = [other for other in _others() if own not in other.names]
    for passage in known(call):
        for sentence in passage.sentences:
            yield from _impersonation(passage, sentence, strangers, own_names)


def _impersonation(
    passage: Passage, sentence: str, strangers: Sequence[_Other], own: Sequence[str]
) -> Iterator[Finding]:
    if name := next(filter(None, (other.named(sentence) for other in strangers)), ""):
        what = f"names “{name}”, as if the call were theirs: leave it out, or except the sentence in allow.toml"
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
