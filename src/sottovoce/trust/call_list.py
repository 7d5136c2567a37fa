"""The list of a call's files, as one file whose hash the office signs (spec 8.19).

It is deterministic CBOR of {0: form, 1: the call's name, 2: the last day it is meant for, an epoch, 3: files, 4: texts,
5: what was published, 6: what is known not to be ours, 7: the authorities below which its files are signed}.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import HASH

from .calls import is_call_name
from .languages import is_tag
from .signed import is_bytes

LIST_MOST = 1 << 20  # bytes
FILES_MOST = 4_096
_TEXT_MOST = 1_000  # characters of a path, a title, an address
_ANCHORS_MOST, _ANCHOR_MOST = 4, 2_048  # certificates, and bytes of one
_FORM = 1
_KEYS = [0, 1, 2, 3, 4, 5, 6, 7]


class ListedFile(NamedTuple):
    """One file: its path below what was built, size in bytes, SHA-256; "" where it has no language, platform, title."""

    path: str
    size: int
    digest: bytes
    language: str
    platform: str
    title: str


class ListedTexts(NamedTuple):
    """One language's texts: SHA-256 of all that is said in it, and the call's title."""

    digest: bytes
    title: str


@dataclass(frozen=True)
class CallList:
    """What belongs to a call. `published`: each address with the own account that it is on; `not_ours`: fakes.

    `anchors`: certificates of the organisation's own authorities, DER, by which manifests in its files are checked.
    """

    name: str
    until: int
    files: Sequence[ListedFile]
    texts: Mapping[str, ListedTexts]
    published: Sequence[tuple[str, str]] = field(default=())
    not_ours: Sequence[str] = field(default=())
    anchors: Sequence[bytes] = field(default=(), repr=False)

    def encode(self) -> bytes:
        """The list's one encoding; Refused where it is not of the form, so that nobody signs what nobody can read."""
        texts = {tag: list(each) for tag, each in self.texts.items()}
        published = [list(each) for each in self.published]
        files = [list(each) for each in sorted(self.files)]
        fields = (_FORM, self.name, self.until, files, texts, published, list(self.not_ours), list(self.anchors))
        raw = cbor.encode(dict(enumerate(fields)))
        self.read(raw)
        return raw

    @classmethod
    def read(cls, raw: bytes) -> CallList:
        """The list that these bytes are; Refused("roster") when they are none."""
        value = cbor.decode(raw, "roster", LIST_MOST)
        if not (isinstance(value, dict) and list(value) == _KEYS and type(value[0]) is int and value[0] == _FORM):
            raise Refused("roster", "This is no list of a call's files.")
        _, name, until, files, texts, published, not_ours, anchors = value.values()
        if not (is_call_name(name) and type(until) is int and _are_files(files) and _are_texts(texts)):
            raise Refused("roster", "The list of a call's files is not of the form it must have.")
        if not (_are(published, _is_place) and _are(not_ours, _is_line)):
            raise Refused("roster", "The list of a call's files names places that can't be.")
        if not (_are(anchors, _is_anchor) and len(anchors) <= _ANCHORS_MOST):
            raise Refused("roster", "The list of a call's files names authorities that can't be.")
        titles = {tag: ListedTexts(*each) for tag, each in texts.items()}
        places = [(address, account) for address, account in published]
        return cls(name, until, [ListedFile(*each) for each in files], titles, places, not_ours, anchors)

    def find(self, digest: bytes) -> ListedFile | None:
        """The file with this SHA-256."""
        return next((each for each in self.files if each.digest == digest), None)


def digest_of(raw: bytes) -> bytes:
    """What is signed of a list: SHA-256 of its bytes."""
    return hashlib.sha256(raw).digest()


def _are(values: object, fits: Callable[[object], bool]) -> bool:
    return isinstance(values, list) and all(map(fits, values))


def _are_files(values: object) -> bool:
    return isinstance(values, list) and len(values) <= FILES_MOST and all(map(_is_file, values))


def _is_line(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _TEXT_MOST and not any(map(_is_control, value))


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp")


def _is_file(value: object) -> bool:
    match value:
        case [path, int() as size, digest, language, platform, title]:
            lines = all(map(_is_line, (path, language, platform, title)))
            return lines and path != "" and type(size) is int and is_bytes(digest, HASH)
    return False


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(is_tag(tag) and _is_text(each) for tag, each in value.items())


def _is_text(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and is_bytes(value[0], HASH) and _is_line(value[1])


def _is_anchor(value: object) -> bool:
    return isinstance(value, bytes) and 0 < len(value) <= _ANCHOR_MOST


def _is_place(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_line, value))
