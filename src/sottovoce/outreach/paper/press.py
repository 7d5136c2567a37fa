"""The press page: which accounts, films and files are the organisation's, which known ones are not, how anybody checks.

It answers the charge of disinformation with proof, in every language and as JSON. Who signs the list is another part.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.proof.publications import Publications, checked_publications
from sottovoce.outreach.steps import Step

from .content import Paper
from .looks import page

COMMAND = "sottovoce call verify FILE --card card.json"
SIGNED_AT = "/card"  # on the door
_JSON = "press.json"


class Listed(NamedTuple):
    """A file of the call, by its path below what is built, and its SHA-256 in hexadecimal."""

    path: str
    sha256: str


def press_steps(call: Call, papers: Sequence[Paper], files: Sequence[Path]) -> Iterator[Step]:
    """The steps of press/LANGUAGE.html and press/press.json, and of the same below mirror/site/.

    `files` are what is listed with its hash: outputs of other steps, below what is built.
    """
    known = publications(call)
    folder, mirrored = call.built / "press", call.built / "mirror/site/press"
    outputs = tuple(folder / name for name in _made(call, papers, known, []))
    recipe = "\0".join([*_made(call, papers, known, []).values(), *(_path(call, file) for file in files)])
    yield Step("press", outputs, tuple(files), recipe, partial(_make, call, papers, known, files))
    for output in outputs:
        yield Step("press", (mirrored / output.name,), (output,), "copied", partial(_copy, output))


def publications(call: Call) -> Publications:
    """What was published, and what isn't ours; CallError for what can't be printed: a false onion, an unnamed film."""
    known = checked_publications(call.folder, call.card.accounts)
    if unknown := [each.address for each in known.ours if each.video not in call.file.videos]:
        raise CallError(f"published.toml doesn't say which film is at {unknown[0]}: add its name there, as video.")
    return known


def press_page(call: Call, paper: Paper, known: Publications, files: Sequence[Listed]) -> str:
    """The page in one language."""
    filled = {"command": _code(COMMAND), "page": _code(SIGNED_AT)}
    checks = [Markup(str(escape(step))).format(**filled) for step in paper.own.checks_steps]  # noqa: S704  (escaped)
    films = [
        (video, paper.texts.videos[video.name].title, [each.address for each in known.ours if each.video == video.name])
        for video in call.videos
    ]
    return page(
        "press.html", paper=paper, own=paper.own, checks=checks, films=films, not_ours=known.not_ours, files=files
    )  # fmt: skip


def _code(text: str) -> Markup:
    return Markup('<code lang="en" dir="ltr">{}</code>').format(text)


def press_json(call: Call, papers: Sequence[Paper], known: Publications, files: Sequence[Listed]) -> str:
    """The same for machines; `valid` says in each language until when it holds."""
    said = {
        "organisation": call.card.name,
        "identity": call.root.org.hex(),
        "check_words": list(call.card.check_words),
        "addresses": list(call.card.addresses),
        "accounts": list(call.card.accounts),
        "films": [_film(call, papers, known, place) for place in range(len(call.videos))],
        "files": [each._asdict() for each in files],
        "not_ours": known.not_ours,
        "check": {"command": COMMAND, "signed_list": SIGNED_AT},
        "valid_until": call.file.until.isoformat(),
        "valid": {paper.lang: paper.valid_until for paper in papers},
        "drafts": [paper.lang for paper in papers if paper.draft],
    }
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


def _film(call: Call, papers: Sequence[Paper], known: Publications, place: int) -> dict[str, Any]:
    video = call.videos[place]
    return {
        "name": video.name,
        "titles": {paper.lang: paper.texts.videos[video.name].title for paper in papers},
        "dramatised": video.file.dramatised,
        "synthetic": list(video.file.synthetic),
        "published": [
            {"language": each.language, "address": each.address} for each in known.ours if each.video == video.name
        ],
    }


def _made(call: Call, papers: Sequence[Paper], known: Publications, files: Sequence[Listed]) -> dict[str, str]:
    pages = {f"{paper.lang}.html": press_page(call, paper, known, files) for paper in papers}
    return {**pages, _JSON: press_json(call, papers, known, files)}


def _path(call: Call, file: Path) -> str:
    return file.relative_to(call.built).as_posix()


def _make(call: Call, papers: Sequence[Paper], known: Publications, files: Sequence[Path], folder: Path) -> None:
    listed = [Listed(_path(call, file), _hash(file)) for file in sorted(files)]
    for name, content in _made(call, papers, known, listed).items():
        (folder / name).write_text(content, "utf-8")


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _copy(source: Path, folder: Path) -> None:
    shutil.copyfile(source, folder / source.name)
