"""What one language's papers say: the organisation's texts, the card, the policy's advice, the fixed sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import segno

from sottovoce.outreach.call import Call, Texts
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.tongues import TONGUES, Tongue
from sottovoce.outreach.words import Words, words

from .days import day_in
from .words import PaperWords, paper_words

_GROUP = 4  # letters, as on the films' end cards
_MODULE = 8  # pixels; a code is small as a file, and printed sharply


@dataclass(frozen=True)
class Paper:
    """One language's content. `addresses`: each as its groups; `qr`: the first one in capitals, as a `data:` picture.

    `draft`: nobody signed the language off, and every paper says so across itself.
    """

    tongue: Tongue
    texts: Texts
    words: Words
    own: PaperWords
    addresses: Sequence[Sequence[str]]
    qr: str
    check_words: str
    accounts: Sequence[str]
    advice: Sequence[str]
    valid_until: str
    draft: bool

    @classmethod
    def of(cls, call: Call, language: str) -> Paper:
        """The content in a language of the call; CallError where the program doesn't know the language."""
        if language not in TONGUES:
            raise CallError(f"This program has no sentences in {language}: choose one of {', '.join(TONGUES)}.")
        fixed = words(language)
        return cls(
            tongue=TONGUES[language], texts=call.texts[language], words=fixed, own=paper_words(language),
            addresses=[groups(address) for address in call.card.addresses], qr=qr(call.address),
            check_words=" ".join(call.card.check_words), accounts=call.card.accounts,
            advice=[sentence for _, sentence in fixed.advice(call.policy)],
            valid_until=fixed.valid_until.format(day=day_in(language, call.file.until)),
            draft=call.draft(language),
        )  # fmt: skip

    @property
    def lang(self) -> str:
        """The language's tag."""
        return self.tongue.tag

    @property
    def dir(self) -> str:
        """Which way the language runs: `ltr` or `rtl`."""
        return "rtl" if self.tongue.rtl else "ltr"


def groups(address: str) -> list[str]:
    """An address in groups that an eye can follow; the last one is its ending."""
    name, dot, ending = address.partition(".")
    return [name[at : at + _GROUP] for at in range(0, len(name), _GROUP)] + [dot + ending]


@cache
def qr(address: str) -> str:
    """The bare address in capitals: no scheme, so that no telephone opens it as a link outside Tor."""
    return str(segno.make(address.upper(), error="q", micro=False).png_data_uri(scale=_MODULE, border=4))
