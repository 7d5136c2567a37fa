"""A ZIP a language that people pass on: the page, the sheets, a film if there is one. Its names tell nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sottovoce.outreach.call import Call
from sottovoce.outreach.steps import Step

from .content import Paper
from .looks import text

PAGE, SHEET, FOLD, README = "page.html", "sheet.pdf", "sheet-to-fold.pdf", "README.txt"
_NEVER = (1980, 1, 1, 0, 0, 0)  # the first time that a ZIP can name
_MODE = 0o100644 << 16
_UNIX = 3


def pass_on_step(call: Call, paper: Paper, films: Sequence[Path] = ()) -> Step:
    """The step that makes pass-on/LANGUAGE.zip of the other papers, and of small `films` (MP4) in the language."""
    built = call.built
    parts = {
        PAGE: built / "pages" / f"{paper.lang}.html",
        SHEET: built / "leaflets" / f"{paper.lang}-a4.pdf",
        FOLD: built / "leaflets" / f"{paper.lang}-a5.pdf",
    }
    parts |= {_film(number, len(films)): path for number, path in enumerate(films, 1)}
    said = text("readme.txt", paper=paper, own=paper.own, names=list(parts))
    output = built / "pass-on" / f"{paper.lang}.zip"
    recipe = "\0".join([said, *parts])
    return Step("pass-on", (output,), tuple(parts.values()), recipe, partial(_pack, output.name, said, parts))


def _film(number: int, of: int) -> str:
    return f"film-{number}.mp4" if of > 1 else "film.mp4"


def _pack(name: str, said: str, parts: dict[str, Path], folder: Path) -> None:
    """The same parts give the same bytes: sorted, and without the time and the owner of any file."""
    contents = {README: said.encode(), **{part: path.read_bytes() for part, path in parts.items()}}
    with zipfile.ZipFile(folder / name, "w") as archive:
        for part, content in sorted(contents.items()):
            entry = zipfile.ZipInfo(part, _NEVER)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            is_packed = part.endswith((".mp4", ".pdf"))
            entry.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
