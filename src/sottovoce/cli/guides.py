"""The door's guides for pages that travel: its texts, rendered and taken apart, without what only the site can do.

They are those that the organisation signed off, where its folder holds them; else this program's own. How to get Tor
Browser where it is blocked goes along while it is fresh, with its day: it ages sooner than the page.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import msgspec

from sottovoce.door import texts
from sottovoce.door.errors import TextsError
from sottovoce.door.pack import Pack, pack_of
from sottovoce.door.pages import Pages
from sottovoce.door.texts import TONGUES
from sottovoce.door.told import CardView, News
from sottovoce.outreach.call import Call
from sottovoce.outreach.check.meaning import contrary
from sottovoce.outreach.check.plain import sentences
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.paper.guide import Part, Section
from sottovoce.outreach.policy import Policy
from sottovoce.trust.languages import Advice, read_advice
from sottovoce.trust.published import SignedFolder

_NEVER_SHOWN = 0  # the hour of the next answers: such parts of the site are left out
_FIRST_DAY = datetime.date(1970, 1, 1)
_LINES = {"p": "paragraph", "li": "list", "h1": "chapter", "h2": "heading", "summary": "heading"}
_LEFT_OUT = ("head", "header", "footer", "nav", "form", "a")
_ON_A_PHONE = "Onion Browser"  # the only way on an iPhone, named alike in all languages
_KEPT = ".guides.json"  # below what is built: to render them takes a second


class _Taken(NamedTuple):
    """A guide of the door, and how many of its sections make sense away from the site."""

    name: str
    sections: int


# Left out: practice, the hours of answers, absences, and the page on the address, whose sentences every paper has.
_GUIDES = (_Taken("guide", 7), _Taken("text", 4), _Taken("when", 1), _Taken("lost", 4), _Taken("worry", 3),
           _Taken("limits", 4))  # fmt: skip


def guides(call: Call, today: int) -> dict[str, list[Section]]:
    """A chapter for each guide, in each language of the call; CallError where there are no texts in one."""
    signed = SignedFolder(call.folder / "signed")
    advice = read_advice(signed.get("advice"), call.root)
    fresh = advice if advice is not None and advice.fresh(today) else None
    packs = {language: _pack(signed, language) for language in call.file.languages}
    recipe = [
        *packs.values(),
        fresh.raw if fresh else b"",
        repr(call.policy).encode(),
        call.card.name.encode(),
        *map(_source, (__file__, texts.__file__)),
    ]
    key = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in recipe)).hexdigest()
    kept = call.built / _KEPT
    with contextlib.suppress(OSError, ValueError):
        held_key, held = msgspec.json.decode(kept.read_bytes(), type=tuple[str, dict[str, list[Section]]])
        if held_key == key:
            return held
    made = {
        language: [
            _by_policy(call.policy, language, each) for each in _chapters(raw, call.card.name, _news(fresh, language))
        ]
        for language, raw in packs.items()
    }
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(msgspec.json.encode((key, made)))
    return made


def _by_policy(policy: Policy, language: str, chapter: Section) -> Section:
    """A chapter without what the policy does not want said; CallError where a sentence of it contradicts the policy."""
    for sentence in (each for part in chapter.parts for text in part.texts for each in sentences(text)):
        for _, what in contrary(policy, language, sentence):
            raise CallError(f"The guide “{chapter.heading}” ({language}): “{sentence}” {what}.")
    parts = [part for part in chapter.parts if policy.phone != "never" or _ON_A_PHONE not in " ".join(part.texts)]
    return replace(chapter, parts=parts, sections=[_by_policy(policy, language, each) for each in chapter.sections])


def _source(path: str) -> bytes:
    return Path(path).read_bytes()


def _news(advice: Advice | None, language: str) -> News:
    if advice is None:
        return News()
    paragraphs = tuple(part for part in advice.texts.get(language, "").split("\n\n") if part)
    return News(advice=paragraphs, verified=_FIRST_DAY + datetime.timedelta(advice.verified))


def _pack(signed: SignedFolder, language: str) -> bytes:
    try:
        return signed.pack(language) or pack_of(language)
    except TextsError as error:
        raise CallError(f"There are no guides in {language}: {error}") from error


def _chapters(raw: bytes, name: str, news: News) -> list[Section]:
    try:
        whole = Pack.read(raw)
    except TextsError as error:
        raise CallError(f"The guides that were signed off can't be read: {error}") from error
    wanted = ("base.html", "parts.html", *(f"{taken.name}.html" for taken in _GUIDES))
    pack = Pack(whole.language, {name: whole.templates[name] for name in wanted}, whole.catalogue)
    pages = Pages.of(pack, CardView(name, None), [TONGUES[pack.language]]).under(news)
    found = []
    for taken in _GUIDES:
        chapter = taken_apart(pages.guide(taken.name, hour=_NEVER_SHOWN).decode())
        found.append(Section(chapter.heading, chapter.parts, chapter.sections[: taken.sections]))
    return found


class _Lines(HTMLParser):
    """The lines of a page in their order: (what it is, its text)."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []
        self._open: list[str] = []
        self._kind = "list"

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in _LEFT_OUT:
            self._open.append(tag)
        elif tag in ("ol", "ul"):
            self._kind = "steps" if tag == "ol" else "list"
            self.lines.append(("begin", ""))
        elif tag in _LINES and not self._open:
            self.lines.append((self._kind if tag == "li" else _LINES[tag], ""))

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag == self._open[-1]:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self.lines and not self._open:
            kind, text = self.lines[-1]
            self.lines[-1] = (kind, text + data)


def taken_apart(page: str) -> Section:
    """A guide's page as one chapter: its title, what stands below it, and its sections."""
    reader = _Lines()
    reader.feed(page)
    blocks = list(_blocks((kind, " ".join(text.split())) for kind, text in reader.lines))
    if not blocks or blocks[0][0] != "chapter":
        raise CallError("A guide of the door has no title: this is a fault of the program, report it.")
    heads = [at for at, block in enumerate(blocks) if block[0] == "heading"] + [len(blocks)]
    sections = [_section(blocks[at:end]) for at, end in itertools.pairwise(heads)]
    first = _section(blocks[: heads[0]])
    return Section(first.heading, first.parts, sections)


def _blocks(lines: Iterator[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Headings and paragraphs alone, the items of one list together."""
    items: list[str] = []
    before = ""
    for kind, text in (*lines, ("begin", "")):
        if items and kind != before:
            yield before, items
            items = []
        if kind in ("list", "steps"):
            items.append(text)
        elif text:
            yield kind, [text]
        before = kind


def _section(blocks: Sequence[tuple[str, Sequence[str]]]) -> Section:
    (_, (heading,)), *rest = blocks
    return Section(heading, [Part(kind, texts) for kind, texts in rest])  # type: ignore[arg-type]  # of _LINES
