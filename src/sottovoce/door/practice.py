"""A practice run: the whole way, with words that are good for nothing else, and a message that nobody gets.

The server remembers nothing of it. The words themselves tell that they are for practice: they begin with one and the
same word, three times; in English it is "practice".
"""

from __future__ import annotations

from collections.abc import Callable

from sottovoce.protocol.words import SECRET, Passphrase

_PLACE = 1_355  # of "practice", from 0; other lists have another word there
_BEGINNING = (_PLACE << 29 | _PLACE << 18 | _PLACE << 7).to_bytes(5, "big")  # three words, and most of the fourth


def is_practice(phrase: Passphrase) -> bool:
    """Whether these words are for practice."""
    return phrase.secret.startswith(_BEGINNING)


def practice_words(random: Callable[[int], bytes]) -> Passphrase:
    """Words for practice."""
    return Passphrase(_BEGINNING + random(SECRET - len(_BEGINNING)))


def real_words(random: Callable[[int], bytes]) -> Passphrase:
    """Words for a conversation: 128 random bits, but for one case in 2^40 that is drawn again."""
    phrase = Passphrase(random(SECRET))
    return real_words(random) if is_practice(phrase) else phrase
