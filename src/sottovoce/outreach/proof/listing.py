"""The list of all files of a built call, with their hashes: what the office signs and the door shows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.trust.call_list import CallList, ListedFile, ListedTexts

from .c2pa import authority_of
from .publications import checked_publications
from .said import said

_FIRST_DAY = date(1970, 1, 1)
_FOR_OURSELVES = ("checklist.html", "texts.txt")  # who uploads needs them, nobody else gets them
ON_THE_WAY = ("parts", "films")  # folders of what is only built on the way


def listed(call: Call) -> CallList:
    """The list of what was built; CallError where nothing was, or a language is still a draft."""
    if drafts := [language for language in call.file.languages if call.draft(language)]:
        raise CallError(
            f"Nobody signed off what the call says in {', '.join(drafts)}: have it reviewed, then `call approve` it."
        )
    files = [_file(call, path) for path in handed_on(call.built)]
    if not files:
        raise CallError(f"Nothing is built in {call.built}: run `sottovoce call build {call.folder}` first.")
    texts = {
        language: ListedTexts(hashlib.sha256(said(call, language)).digest(), text.title)
        for language, text in call.texts.items()
    }
    known = checked_publications(call.folder, call.card.accounts)
    published = [(each.address, each.account) for each in known.ours]
    until = (call.file.until - _FIRST_DAY).days
    if until > call.card.claim.expires:
        raise CallError("The call shall hold longer than the organisation's card: name an earlier day in call.toml.")
    authority = authority_of(call.folder)
    anchors = [authority] if authority is not None else []
    return CallList(call.file.name, until, files, texts, published, known.not_ours, anchors)


def handed_on(built: Path) -> Iterator[Path]:
    """The files that other people get, in order."""
    for path in sorted(built.rglob("*")):
        inside = path.relative_to(built)
        hidden = any(part.startswith(".") for part in inside.parts) or inside.parts[0] in ON_THE_WAY
        if path.is_file() and not hidden and not path.name.endswith(_FOR_OURSELVES):
            yield path


def _file(call: Call, path: Path) -> ListedFile:
    inside = path.relative_to(call.built).as_posix()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    language = _named(inside, call.file.languages)
    platform = next((part for part in inside.split("/")[:-1] if part in call.file.platforms), "")
    video = _named(inside, call.file.videos)
    title = call.texts[language or call.file.languages[0]].videos[video].title if video else ""
    return ListedFile(inside, path.stat().st_size, digest, language, platform, title)


def _named(path: str, names: list[str]) -> str:
    """Which of the names stands in a path as a word of its own, the longest first; "" where none does."""
    for name in sorted(names, key=len, reverse=True):
        if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9]|-[A-Za-z0-9])", path):
            return name
    return ""
