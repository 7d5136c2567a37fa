"""Onion addresses in texts: exact ones by their own check sum, and what reading by machine makes of them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence

LETTERS = 56  # of a name, without `.onion`
MISREAD_MOST = 4  # letters: more than reading by machine got wrong (at most 3 of 56 were tried)
_FAR = 25  # letters: two names that have nothing to do with each other differ in 40 or more
_PART = 4  # letters in a row that two names share by chance once in four hundred pairs
_LEFT_LEAST = 36  # letters of a strange name that are not ours: who makes one like ours gets ten letters right
_DIGITS_LEAST = 3  # in a name there are ten on average; in a sentence there are none
_PLAIN = re.compile(rf"(?=([a-z2-7]{{{LETTERS}}})\.onion(?!\.?[\w-]))")
_JOINED = re.compile(rf"(?=([a-z2-7]{{{LETTERS}}})\.onion(?!\.[a-z0-9]))")  # words may follow at once, a domain not
_LIKELY = re.compile(rf"([a-z2-7]{{{LETTERS}}})onion")
_BETWEEN = re.compile(r"[\s\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff·|-]+")
_ALIKE = str.maketrans("0189|!", "olbgll")


def is_onion(name: str) -> bool:
    """Whether 56 letters are the name of an onion service of version 3: the check sum within it is right."""
    try:
        raw = base64.b32decode(name.upper())
    except ValueError:
        return False
    public, check, version = raw[:32], raw[32:34], raw[34:]
    return version == b"\3" and hashlib.sha3_256(b".onion checksum" + public + version).digest()[:2] == check


def exact(text: str) -> set[str]:
    """All real addresses in a text, also in capitals or cut into groups: small letters, with `.onion`."""
    small = text.lower()
    found = {*_PLAIN.findall(small), *_JOINED.findall(_BETWEEN.sub("", small))}
    return {f"{name}.onion" for name in found if is_onion(name)}


def host_of(code: str) -> str:
    """Where a QR code leads: the host of a link, or the bare address that it is."""
    rest = re.sub(r"^[a-z][a-z0-9+.-]*://", "", code.strip().lower())
    return re.split(r"[/?#\\]", rest)[0].rpartition("@")[2].partition(":")[0].rstrip(".")


def as_read(text: str) -> str:
    """Only what can be in a name, joined; letters that a machine takes for others are set right."""
    return re.sub(r"[^a-z2-7]", "", text.lower().translate(_ALIKE))


def misread(address: str, read: str) -> int:
    """By how many letters the place of a text (`as_read`) that is most like an address differs from it."""
    wanted = address.removesuffix(".onion")
    row = [0] * (len(read) + 1)
    for place, letter in enumerate(wanted, 1):
        before, row[0] = row[0], place
        for at, got in enumerate(read, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (letter != got))
    return min(row)


def others(reads: Sequence[str], ours: str) -> set[str]:
    """Other addresses in what a machine read (`as_read`): right by their check sum, or read alike twice."""
    likely = [name for read in reads for name in _LIKELY.findall(read)]
    names = [name for name in likely if _is_other(name, ours)]
    sure = {name for name in likely if is_onion(name) and name != ours}
    alike = {one for at, one in enumerate(names) if any(misread(one, two) < _FAR // 2 for two in names[at + 1 :])}
    return {f"{name}.onion" for name in sure or sorted(alike)[:1]}


def unlike(readings: Sequence[str], ours: str) -> set[str]:
    """What looks like an onion address in one picture and isn't ours, even with every letter misread that a machine
    misreads; `readings` are those of the picture in several sizes (`as_read`): each that has an address must have one.
    """
    found = [{name: misread(ours, name) for name in _names(read)} for read in readings]
    strange = [{name for name, letters in names.items() if letters > MISREAD_MOST} for names in found if names]
    return {f"{name[-LETTERS:]}.onion" for name in strange[0]} if strange and all(strange) else set()


def _names(read: str) -> Iterator[str]:
    """What stands before each “onion”, with room for letters that were read twice; a sentence has no digits."""
    for end in re.finditer("onion", read):
        name = read[max(0, end.start() - LETTERS - MISREAD_MOST) : end.start()]
        if len(name) >= LETTERS - MISREAD_MOST and sum(map(str.isdigit, name)) >= _DIGITS_LEAST:
            yield name


def _is_other(name: str, ours: str) -> bool:
    """Whether a likely name is neither ours, nor a part of ours beside other words, nor a sentence."""
    left = name
    for size in range(LETTERS, _PART - 1, -1):
        for at in range(LETTERS - size + 1):
            left = left.replace(ours[at : at + size], "")
    digits = sum(letter.isdigit() for letter in left)
    return misread(ours, name) >= _FAR and len(left) >= _LEFT_LEAST and digits >= _DIGITS_LEAST
