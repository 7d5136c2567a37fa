"""The passphrase: twelve words, or twelve numbers, that carry 128 random bits (spec 2)."""

from __future__ import annotations

import difflib
import functools
import hashlib
import unicodedata
from dataclasses import dataclass, field

from mnemonic import Mnemonic

from .errors import PhraseError

SECRET = 16  # bytes: random, so no slow hash is needed and no visitor can make the server work
WORDS = 12
LIST = 2_048
_COMMAS = dict.fromkeys((0x2C, 0x3B, 0x60C, 0x61B, 0x3001, 0xFF0C), " ")  # commas and semicolons of our scripts


@functools.cache
def word_list(language: str = "english") -> tuple[str, ...]:
    """The 2,048 words of one BIP-39 list, in its order."""
    return tuple(Mnemonic(language).wordlist)


@functools.cache
def _places(language: str) -> dict[str, int]:
    return {_plain(word): index for index, word in enumerate(word_list(language))}


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text).casefold()


@dataclass(frozen=True)
class Passphrase:
    """`secret`: the 16 bytes mk that the words stand for (spec 2.1)."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET:
            raise ValueError(f"a passphrase has {SECRET} bytes")

    @property
    def indices(self) -> tuple[int, ...]:
        """Twelve places in a word list, from 0: 128 bits and a checksum of 4 (BIP-39; spec 2.2)."""
        checksum = hashlib.sha256(self.secret).digest()[0] >> 4
        bits = int.from_bytes(self.secret, "big") << 4 | checksum
        return tuple(bits >> 11 * (WORDS - 1 - place) & (LIST - 1) for place in range(WORDS))

    def words(self, language: str = "english") -> tuple[str, ...]:
        """The twelve words in one language's list."""
        return tuple(word_list(language)[index] for index in self.indices)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The same as twelve numbers, "0001" to "2048", for scripts that have no list (spec 2.3)."""
        return tuple(f"{index + 1:04}" for index in self.indices)


def parse(typed: str, language: str = "english") -> Passphrase:
    """The passphrase that a person typed, as words or numbers or both mixed (spec 2.4).

    Raises PhraseError, which says what is wrong and at which place.
    """
    tokens = _plain(typed).translate(_COMMAS).split()
    if len(tokens) != WORDS:
        raise PhraseError("count", count=len(tokens))
    indices = [_index(token, place, language) for place, token in enumerate(tokens, 1)]
    bits = functools.reduce(lambda all_bits, index: all_bits << 11 | index, indices, 0)
    phrase = Passphrase((bits >> 4).to_bytes(SECRET, "big"))
    if phrase.indices != tuple(indices):
        raise PhraseError("checksum")
    return phrase


def _index(token: str, place: int, language: str) -> int:
    index = word_index(token, language)
    if index is None:
        near = difflib.get_close_matches(token, _places(language), n=2, cutoff=0.7)
        raise PhraseError("unknown", place=place, word=token, near=tuple(near))
    return index


def word_index(typed: str, language: str = "english") -> int | None:
    """The place (from 0) of one typed word or number, None if it is neither (spec 2.4)."""
    token = _plain(typed).strip()
    if token.isdecimal() and len(token) <= 4:  # digits of any script
        return int(token) - 1 if 1 <= int(token) <= LIST else None
    return _places(language).get(token)


def words_of(digest: bytes, count: int) -> tuple[str, ...]:
    """`count` English words from the first 11·count bits of a hash: signs and check words (spec 2.5)."""
    bits = int.from_bytes(digest, "big")
    return tuple(word_list()[bits >> len(digest) * 8 - 11 * (place + 1) & (LIST - 1)] for place in range(count))
