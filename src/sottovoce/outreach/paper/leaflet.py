"""Leaflets as PDF: one sheet of A4, two sides, and one that is folded once to four pages of A5. Fonts are inside."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.steps import Step

from .content import Paper
from .looks import sheet

Shape = Literal["a4", "a5"]
SHAPES: tuple[Shape, ...] = ("a4", "a5")
SIZE = "SIZE"  # where the HTML says how large its letters are
TOO_LONG = 3  # the printing program's status when the content doesn't fit
_PLAIN_PAGES = {"a4": 2, "a5": 4}
_FIXED = {"SOURCE_DATE_EPOCH": "1767225600"}  # 2026-01-01: fonts are stamped with it, the same content: the same bytes
_SECONDS = 300.0
_IN_KOREAN_WORD = re.compile(r"(?<=[\uac00-\ud7a3])(?=[^\s<>])|(?<=[^\s<>])(?=[\uac00-\ud7a3])")


class Leaflet(NamedTuple):
    """One leaflet for the printing program: the HTML as printed, and the same as plain pages, to see if all fits."""

    name: str
    shown: str
    plain: str
    plain_pages: int


def leaflet_step(call: Call, paper: Paper) -> Step:
    """The step that makes a language's leaflets: leaflets/LANGUAGE-a4.pdf and LANGUAGE-a5.pdf."""
    made = [leaflet(paper, call.logo, shape) for shape in SHAPES]
    outputs = tuple(call.built / "leaflets" / each.name for each in made)
    return Step("leaflets", outputs, (), msgspec.json.encode(made).decode(), partial(_print, made))


def leaflet(paper: Paper, logo: Path, shape: Shape) -> Leaflet:
    """A leaflet's HTML. The sheet that is folded has its outside first; it opens to the side to which a language runs.

    CallError where the organisation's sign is missing.
    """
    try:
        picture = base64.b64encode(logo.read_bytes()).decode()
    except FileNotFoundError:
        raise CallError(f"{logo} is missing: put the organisation's sign there, as an SVG drawing.") from None
    values = {"paper": paper, "own": paper.own, "shape": shape, "logo": f"data:image/svg+xml;base64,{picture}"}
    shown, plain = (_kept_whole(paper, sheet("leaflet.html", plain=plain, **values)) for plain in (False, True))
    return Leaflet(f"{paper.lang}-{shape}.pdf", shown, plain, _PLAIN_PAGES[shape])


def _kept_whole(paper: Paper, html: str) -> str:
    """Korean breaks lines between words only; the printing program doesn't know that, and would break within them."""
    if paper.lang != "ko":
        return html
    head, mark, body = html.partition("<body")
    return head + mark + _IN_KOREAN_WORD.sub("\u2060", body)


def _print(made: Sequence[Leaflet], folder: Path) -> None:
    command = [sys.executable, "-m", "sottovoce.outreach.paper.printing", str(folder)]
    done = subprocess.run(  # noqa: S603  (our own program)
        command, input=msgspec.json.encode(made), capture_output=True, env={**os.environ, **_FIXED}, timeout=_SECONDS,
        check=False,
    )  # fmt: skip
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == TOO_LONG:
        language = said.rpartition("-")[0]
        raise CallError(f"{said} doesn't fit on its sheet: shorten lead or body in texts/{language}.toml.")
    if done.returncode:
        raise CallError(f"{made[0].name} can't be printed: {said[-300:] or 'the printing program ended'}.")
