"""A folder for any web space: mirror/site/ is what the public sees, the rest is for who puts it there.

Instructions only: nothing on a mirror takes anything in. It stands below a path, needs no server of its own, and leads
to the onion site in one way only: one Onion-Location, as a tag of the first page. Two headers would be merged and
break, and Tor Browser heeds the tag before a header, so none that a web space adds can spoil it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.steps import Step
from sottovoce.trust.card_file import CardFile
from sottovoce.trust.published import SignedFolder

from .content import Paper
from .looks import page, text

_CARD = ("root", "card")
_MIRROR = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(/[A-Za-z0-9._~-]+)*/?")
_SITE = re.compile(rf"https://{_MIRROR.pattern}")


def mirror_steps(call: Call, papers: Sequence[Paper]) -> Iterator[Step]:
    """mirror/site/ but for its press pages, mirror/operator.txt; sites.json where call.toml names mirrors."""
    folder, site = call.built / "mirror", call.built / "mirror/site"
    for paper in papers:
        yield _copied(call.built / "pages" / f"{paper.lang}.html", site / f"{paper.lang}.html")
    location = f"http://{call.address}/c/{call.file.name}"
    front = page("index.html", papers=papers, card=call.card, location=location)
    yield written(site / "index.html", front)
    yield written(site / "card.html", page("card.html", papers=papers, card=call.card))
    signed = tuple(call.folder / "signed" / f"{kind}.signed" for kind in _CARD)
    yield Step("mirror", (site / "card.json",), signed, "card", partial(_card, call, signed))
    until = call.file.until.isoformat()
    yield written(
        folder / "operator.txt", text("operator.txt", until=until, name=call.card.name, mirrors=call.file.mirrors)
    )
    if call.file.mirrors:
        yield written(call.built / "sites.json", sites(call.file.site, call.file.mirrors))


def sites(site: str, mirrors: Sequence[str]) -> str:
    """The mirrors of a site as RSF's Collateral Freedom lists them: {"https://site/": ["host", "host/path"]}.

    CallError where the site is no address with https, or a mirror is one.
    """
    if not _SITE.fullmatch(site):
        raise CallError(f"call.toml names mirrors of “{site}”: give `site` as https://…, the site that they stand for.")
    for mirror in mirrors:
        if not _MIRROR.fullmatch(mirror) or ".onion" in mirror:
            raise CallError(f"The mirror “{mirror}” is none: write its host and path, as harbour.example/guide.")
    if len(set(mirrors)) < len(mirrors):
        raise CallError("A mirror stands twice in call.toml: take one out.")
    return json.dumps({site: list(mirrors)}, indent=2) + "\n"


def written(output: Path, content: str) -> Step:
    """A step that writes a text; it is its own recipe."""
    return Step("mirror", (output,), (), content, partial(_write, output.name, content))


def _write(name: str, content: str, folder: Path) -> None:
    (folder / name).write_text(content, "utf-8")


def _card(call: Call, signed: Sequence[Path], folder: Path) -> None:
    """The card alone, as `call verify` takes it: a list of the call's files would have to hold this one's hash."""
    for path in signed:
        shutil.copyfile(path, folder / path.name)
    (folder / "card.json").write_bytes(CardFile(call.root, call.card, {}).write(SignedFolder(folder)))


def _copied(source: Path, output: Path) -> Step:
    return Step("mirror", (output,), (source,), "copied", partial(_copy, source, output.name))


def _copy(source: Path, name: str, folder: Path) -> None:
    shutil.copyfile(source, folder / name)
