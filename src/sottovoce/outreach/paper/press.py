"""The press page: which accounts, films and files are the organisation's, which known ones are not, how anybody checks.

It answers the charge of disinformation with proof, in every language and as JSON. Who signs the list is another part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup, escape

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.steps import Step

from .content import Paper
from .looks import page

COMMAND = "sottovoce call verify FILE"
SIGNED_AT = "/card"  # on the door
_ONION = re.compile(r"[a-z2-7.…]{8,}\.?onion", re.IGNORECASE)
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class Listed(NamedTuple):
    """A file of the call and its SHA-256 in hexadecimal."""

    path: str
    sha256: str


class Published(NamedTuple):
    """Where a film went, as the organisation noted it."""

    video: str
    language: str
    platform: str
    url: str


def press_steps(
    call: Call, papers: Sequence[Paper], hashes: Path, published: Sequence[Published] = ()
) -> Iterator[Step]:
    """The steps of press/LANGUAGE.html and press/press.json, the same in mirror/site/press/.

    `hashes` lists the call's files as sha256sum does; it is read when they are made.
    """
    check_not_ours(call)
    for folder in (call.built / "press", call.built / "mirror/site/press"):
        for paper in papers:
            output = folder / f"{paper.lang}.html"
            recipe = press_page(call, paper, [], published)
            yield Step(
                "press", (output,), (hashes,), recipe, partial(_page, call, paper, hashes, published, output.name)
            )
        output = folder / "press.json"
        recipe = press_json(call, papers, [], published)
        yield Step("press", (output,), (hashes,), recipe, partial(_json, call, papers, hashes, published, output.name))


def check_not_ours(call: Call) -> None:
    """CallError where call.toml would print a false onion address: somebody would type it."""
    for text in call.file.not_ours:
        if _ONION.search(re.sub(r"\s", "", text)):
            raise CallError(
                f"not_ours in call.toml says “{text[:60]}”: name the page or account that shows a false onion address,"
                " never the address itself."
            )


def press_page(call: Call, paper: Paper, files: Sequence[Listed], published: Sequence[Published] = ()) -> str:
    """The page in one language."""
    filled = {"command": _code(COMMAND), "page": _code(SIGNED_AT)}
    checks = [Markup(str(escape(step))).format(**filled) for step in paper.own.checks_steps]  # noqa: S704  (escaped)
    films = [
        (video, paper.texts.videos[video.name].title, [each for each in published if each.video == video.name])
        for video in call.videos
    ]
    return page("press.html", call=call, paper=paper, own=paper.own, checks=checks, films=films, files=files)


def _code(text: str) -> Markup:
    return Markup('<code dir="ltr">{}</code>').format(text)


def press_json(
    call: Call, papers: Sequence[Paper], files: Sequence[Listed], published: Sequence[Published] = ()
) -> str:
    """The same for machines; `valid` says in each language until when it holds."""
    films = [
        {
            "name": video.name,
            "titles": {paper.lang: paper.texts.videos[video.name].title for paper in papers},
            "dramatised": video.file.dramatised,
            "synthetic": list(video.file.synthetic),
            "published": [
                {"platform": each.platform, "language": each.language, "url": each.url}
                for each in published
                if each.video == video.name
            ],
        }
        for video in call.videos
    ]
    said = {
        "organisation": call.card.name,
        "identity": call.root.org.hex(),
        "check_words": list(call.card.check_words),
        "addresses": list(call.card.addresses),
        "accounts": list(call.card.accounts),
        "films": films,
        "files": [{"path": each.path, "sha256": each.sha256} for each in files],
        "not_ours": call.file.not_ours,
        "check": {"command": COMMAND, "signed_list": SIGNED_AT, "c2pa": True},
        "valid_until": call.file.until.isoformat(),
        "valid": {paper.lang: paper.valid_until for paper in papers},
        "drafts": [paper.lang for paper in papers if paper.draft],
    }
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


def read_hashes(path: Path) -> list[Listed]:
    """A list as sha256sum writes it; CallError with the line that is none."""
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if (match := _LINE.fullmatch(line)) is None:
            raise CallError(f"{path}: line {number} is no hash and path, as sha256sum writes them: build it anew.")
        found.append(Listed(match[2], match[1]))
    return found


def _page(call: Call, paper: Paper, hashes: Path, published: Sequence[Published], name: str, folder: Path) -> None:
    (folder / name).write_text(press_page(call, paper, read_hashes(hashes), published), "utf-8")


def _json(
    call: Call, papers: Sequence[Paper], hashes: Path, published: Sequence[Published], name: str, folder: Path
) -> None:
    (folder / name).write_text(press_json(call, papers, read_hashes(hashes), published), "utf-8")
