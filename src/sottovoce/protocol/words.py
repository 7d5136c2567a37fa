"""The passphrase: twelve words, or twelve numbers, that carry 128 random bits (spec 2)."""

from __future__ import annotations

import difflib
import functools
import hashlib
import re
import unicodedata
from dataclasses import dataclass, field

from mnemonic import Mnemonic

from .errors import PhraseError

SECRET = 16  # bytes: random, so no slow hash is needed and no visitor can make the server work
WORDS = 12
LIST = 2_048
_ENGLISH = "english"
_DIGITS = 4  # of a number
_VOICED = "\u3099\u309a"  # marks that tell Japanese words apart; no other mark tells two words of a list apart
_IDEOGRAPH = re.compile("([\u4e00-\u9fff])")  # each is a word of its own: the Chinese lists have no longer ones
_RUN = re.compile(rf"\d{{{WORDS * _DIGITS}}}")


@functools.cache
def word_list(language: str = _ENGLISH) -> tuple[str, ...]:
    """The 2,048 words of one BIP-39 list, in its order."""
    return tuple(Mnemonic(language).wordlist)


@functools.cache
def _places(language: str) -> dict[str, int]:
    return {_plain(word): index for index, word in enumerate(word_list(language))}


def _plain(text: str) -> str:
    """What counts of a typed word: no case, width, accent, or character that can't be seen."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in folded if letter in _VOICED or unicodedata.category(letter) not in ("Mn", "Cf"))


def _tokens(typed: str) -> list[str]:
    """What was typed, cut into words and numbers (spec 2.4.1), each still as it was written."""
    apart = "".join(" " if letter == "\u200b" or unicodedata.category(letter)[0] == "P" else letter for letter in typed)
    tokens = _IDEOGRAPH.sub(r" \1 ", unicodedata.normalize("NFKC", apart)).split()
    tokens = [token for token in tokens if _plain(token)]
    if len(tokens) == 1 and _RUN.fullmatch(run := _plain(tokens[0])):
        return [run[at : at + _DIGITS] for at in range(0, WORDS * _DIGITS, _DIGITS)]
    return tokens


@dataclass(frozen=True)
class Passphrase:
    """`secret`: the 16 bytes mk that the words stand for (spec 2.1)."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET:
            raise ValueError(f"a passphrase has {SECRET} bytes")

    @functools.cached_property
    def indices(self) -> tuple[int, ...]:
        """Twelve places in a word list, from 0: 128 bits and a checksum of 4 (BIP-39; spec 2.2)."""
        checksum = hashlib.sha256(self.secret).digest()[0] >> 4
        bits = int.from_bytes(self.secret, "big") << 4 | checksum
        return tuple(bits >> 11 * (WORDS - 1 - place) & (LIST - 1) for place in range(WORDS))

    def words(self, language: str = _ENGLISH) -> tuple[str, ...]:
        """The twelve words in one language's list."""
        return tuple(word_list(language)[index] for index in self.indices)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The same as twelve numbers, "0001" to "2048", for scripts that have no list (spec 2.3)."""
        return tuple(map(number, self.indices))


def number(index: int) -> str:
    """The number of a place in the lists, four digits (spec 2.3)."""
    return f"{index + 1:0{_DIGITS}}"


def parse(typed: str, *languages: str) -> Passphrase:
    """The passphrase that a person typed, as words of these lists (English by default) or numbers or mixed (spec 2.4).

    Raises PhraseError, which says what is wrong and at which place; words like the wrong one are of the first list.
    """
    lists = languages or (_ENGLISH,)
    tokens = _once(_tokens(typed), lists)
    if len(tokens) != WORDS:
        raise PhraseError("count", count=len(tokens))
    indices = [_index(token, place, lists) for place, token in enumerate(tokens, 1)]
    bits = functools.reduce(lambda all_bits, index: all_bits << 11 | index, indices, 0)
    phrase = Passphrase((bits >> 4).to_bytes(SECRET, "big"))
    if phrase.indices != tuple(indices):
        raise PhraseError("checksum")
    return phrase


def _once(tokens: list[str], lists: tuple[str, ...]) -> list[str]:
    """Without what a person wrote before each word: its place from 1 to 12, or the word before its number (2.4.2)."""
    before = [_find(token, lists) for token in tokens[::2]]
    placed = before == list(range(WORDS))
    doubled = None not in before and before == [_find(token, lists) for token in tokens[1::2]]
    return tokens[1::2] if len(tokens) == 2 * WORDS and (placed or doubled) else tokens


def _index(token: str, place: int, lists: tuple[str, ...]) -> int:
    index = _find(token, lists)
    if index is None:
        near = difflib.get_close_matches(_plain(token), _places(lists[0]), n=2, cutoff=0.7)
        shown = tuple(word_list(lists[0])[_places(lists[0])[each]] for each in near)
        raise PhraseError("unknown", place=place, word=token, near=shown)
    return index


def word_index(typed: str, *languages: str) -> int | None:
    """The place (from 0) of one typed word or number, None if it is neither (spec 2.4)."""
    tokens = _tokens(typed)
    return _find(tokens[0], languages or (_ENGLISH,)) if len(tokens) == 1 else None


def _find(written: str, lists: tuple[str, ...]) -> int | None:
    token = _plain(written)
    if token.isdecimal() and len(token) <= _DIGITS:  # digits of any script
        return int(token) - 1 if 1 <= int(token) <= LIST else None
    return next((_places(each)[token] for each in lists if token in _places(each)), None)


def words_of(digest: bytes, count: int) -> tuple[str, ...]:
    """`count` English words from the first 11·count bits of a hash: signs and check words (spec 2.5)."""
    return tuple(word_list()[index] for index in indices_of(digest, count))


def indices_of(digest: bytes, count: int) -> tuple[int, ...]:
    """The places of these words in any list, from 0 (spec 2.5)."""
    bits = int.from_bytes(digest, "big")
    return tuple(bits >> len(digest) * 8 - 11 * (place + 1) & (LIST - 1) for place in range(count))
