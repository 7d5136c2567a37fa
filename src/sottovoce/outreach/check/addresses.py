"""Addresses written by hand.

A truncated link in an agency's profile was once registered by a stranger: so addresses and accounts come from the
signed card only, and the program writes them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from .finding import Finding
from .parts import Parts
from .passages import passages

_TOPS = (
    "com|org|net|info|io|gov|edu|int|eu|app|dev|site|online|link|page|xyz|tv|ly|cc|cn|hk|tw|kr|kp|jp|ir|ru|su|"
    "ua|by|kz|uk|de|fr|ch|рф|中国|中國|香港|台灣|한국|ایران"
)
_APPS = (
    "wechat|weixin|weibo|微信|微博|qq|whatsapp|telegram|viber|skype|facebook|instagram|twitter|kakao(?:talk)?|"
    "카카오톡|텔레그램|телеграм\\w*|вотсап\\w*|вайбер\\w*|تلگرام|واتساپ|واتس ?اپ|ایتا|سروش"
)
_B = r"[a-z2-7]"
_KINDS = {  # in this order: what is found first hides what lies in it
    "an e-mail address": r"[\w.+-]+ ?(?:@|\(at\)|\[at\]) ?[\w-]+(?:\.| ?(?:\(dot\)|\[dot\]) ?)\w+",
    "an onion address": rf"{_B}*(?:\.\.\.|…)?\.onion|(?<!\w)(?=[a-z2-7]*[2-7]){_B}{{16,}}(?!\w)"
    rf"|(?<!\w)(?={_B}*[2-7]){_B}{{4,}} ?(?:…|\.\.\.|\*{{2,}}) ?{_B}{{4,}}(?!\w)"
    rf"|(?<!\w)(?=[a-z2-7 -]*[2-7])(?:{_B}{{4}}[ -]){{3,}}{_B}{{4}}(?!\w)",
    "a web address": rf"https?:\S+|www\.\S+|(?<![\w.])(?:[\w-]+\.)+(?:{_TOPS})(?!\w)(?:/\S*)?"
    r"|(?<![a-z0-9.])(?:t|wa|m|line|signal)\.me(?:/\S*)?|youtu\.be\S*",
    "an account": rf"(?<![\w.])@[\w.]{{2,}}|(?:{_APPS})(?: ?(?:id|号|號|账号|帳號|아이디|شناسه))? ?[:\uff1a] ?\S+"
    r"|(?:line|signal) ?(?:id|number) ?[:\uff1a]? ?\S+",
    "a phone number": r"(?<![\w.,])(?:\+|00)?\(?\d[\d ()./-]{6,}\d(?![\w])",
}
_KNOWN = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}
_DATE = re.compile(r"\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4}|\d{4} ?[/-] ?\d{4}|\d{1,3}(?: \d{3})+")
_DIGITS_LEAST = 8
_STOPS = " .,;:!?\u3002\uff0c"


class Address(NamedTuple):
    """Something that leads somewhere, and what it looks like."""

    kind: str
    text: str


def addresses(call: Parts) -> Iterator[Finding]:
    """Every address, account and number that stands in a text or a caption."""
    for passage in passages(call):
        for kind, text in find(passage.text):
            said = (
                f"“{text}” ({passage.place}) looks like {kind} written by hand: take it out, "
                "addresses and accounts come from the card only."
            )
            yield Finding("address", passage.file, said)


def find(text: str) -> Iterator[Address]:
    """All that leads somewhere in a text, in whatever digits and widths it is written."""
    left = flat(text)
    for kind, pattern in _KNOWN.items():
        for hit in pattern.finditer(left):
            if kind != "a phone number" or _is_number(hit[0]):
                yield Address(kind, hit[0].strip(_STOPS))
        left = pattern.sub(lambda hit: " " * len(hit[0]), left)


def flat(text: str) -> str:
    """A text in small letters and European digits, without what can't be seen."""
    text = unicodedata.normalize("NFKC", text).lower()
    seen = (letter for letter in text if unicodedata.category(letter) not in ("Cf", "Mn"))
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in seen)


def _is_number(text: str) -> bool:
    digits = sum(letter.isdigit() for letter in text)
    return digits >= _DIGITS_LEAST and not _DATE.fullmatch(text.strip())
