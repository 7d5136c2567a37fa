"""Text packs: all that a visitor reads in one language, as one file that an organisation can sign off as a whole.

A pack keeps templates and catalogue together, so that what was reviewed can be served after the tree's strings changed.
It is deterministic CBOR of {0: format, 1: language, 2: {template's name: source}, 3: the catalogue's .po text}.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused

from .errors import TextsError

FORMAT = 1  # another one whenever templates get other variables: older packs can't be rendered then
LANGUAGES: tuple[str, ...] = ("en", "fa", "ko", "ru", "zh-Hans", "zh-Hant")
_MOST = 2 << 20  # bytes of a pack
_FIELDS = [0, 1, 2, 3]

Sentence = tuple[str | None, str]  # a message's context and its English sentence, the singular one where there are two


@dataclass(frozen=True)
class Pack:
    """One language's texts: templates by file name, and the catalogue as the text of a .po file."""

    language: str
    templates: Mapping[str, str] = field(repr=False)
    catalogue: str = field(repr=False)

    @classmethod
    def read(cls, raw: bytes) -> Pack:
        """A pack from its bytes; TextsError when they are none, or made for another version of the program."""
        try:
            value = cbor.decode(raw, "body", _MOST)
        except Refused:
            value = None
        if not isinstance(value, dict) or list(value) != _FIELDS:
            raise TextsError("This is no text pack of a language: take another file.")
        version, language, templates, catalogue = value.values()
        if version != FORMAT:
            raise TextsError("These texts were made for another version of the program: have this one's reviewed.")
        if not isinstance(language, str) or not isinstance(catalogue, str) or not _are_texts(templates):
            raise TextsError("This text pack is damaged: take another copy.")
        pack = cls(language, templates, catalogue)
        pack.messages()
        return pack

    def encode(self) -> bytes:
        """The pack's one encoding."""
        return cbor.encode({0: FORMAT, 1: self.language, 2: dict(self.templates), 3: self.catalogue})

    def messages(self) -> Catalog:
        """The catalogue, taken apart; TextsError when it is none."""
        try:
            return read_po(
                io.BytesIO(self.catalogue.encode()), locale=self.language.replace("-", "_"), abort_invalid=True
            )
        except (PoFileError, ValueError, LookupError):
            raise TextsError(f"The catalogue of {self.language} can't be read: take another copy of it.") from None

    def translations(self) -> dict[Sentence, tuple[str, ...]]:
        """Every sentence and its translation: one, or one for each plural form. Empty ones are missing."""
        return dict(self._translations())

    def _translations(self) -> Iterator[tuple[Sentence, tuple[str, ...]]]:
        for message in self.messages():
            if message.id:
                sentence, forms = _forms(message.id)[0], _forms(message.string)
                yield (message.context, sentence), () if message.fuzzy else forms

    def missing(self) -> list[str]:
        """The English sentences without a whole translation."""
        return [sentence for (_, sentence), forms in self._translations() if not forms or not all(forms)]


def pack_of(language: str) -> bytes:
    """The tree's own texts in a language, as a pack; TextsError where the tree has none."""
    folder = resources.files(__package__)
    catalogue = folder.joinpath("locale", f"{language}.po")
    if language not in LANGUAGES or not catalogue.is_file():
        raise TextsError(f"This program has no texts in {language}: choose one of {', '.join(LANGUAGES)}.")
    files = folder.joinpath("templates").iterdir()
    templates = {file.name: file.read_text("utf-8") for file in files if file.name.endswith(".html")}
    return Pack(language, templates, catalogue.read_text("utf-8")).encode()


def hash_of(raw: bytes) -> bytes:
    """What is signed off: SHA-256 of a pack's bytes."""
    return hashlib.sha256(raw).digest()


def waiting(old: Pack, new: Pack) -> list[str]:
    """The new pack's English sentences that are not in the old one, or translated otherwise: they wait for review."""
    before = old.translations()
    return [key[1] for key, forms in new.translations().items() if before.get(key) != forms]


def _forms(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for pair in value.items() for each in pair)
