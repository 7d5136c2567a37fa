"""What a build left: its files, and what is left to do until the call is out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .call import Call
from .proof.c2pa import KEY
from .tongues import TONGUES


@dataclass(frozen=True)
class Shown:
    """One file that was built, as a page names it: its path below build/, its address there, and its size in bytes."""

    name: str
    path: str
    size: int

    @property
    def folder(self) -> str:
        """The first folder of its path; "" where there is none."""
        return self.path.rpartition("/")[0].split("/")[0]

    @property
    def href(self) -> str:
        """Its address on this server."""
        return f"/built/{quote(self.path)}"


def found(built: Path) -> list[Shown]:
    """All files that were built."""
    files = sorted(_files(built))
    return [Shown(path.name, str(path.relative_to(built)), path.stat().st_size) for path in files]


def _files(built: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(built):
        paths = (Path(folder, name) for name in names if not name.startswith("."))
        yield from (path for path in paths if path.is_file())  # and no link that leads nowhere


def next_steps(call: Call) -> Iterator[str]:
    """What is left to do until the call is out, in order; commands stand as they are typed."""
    folder = call.folder
    for name, tag in ((TONGUES[tag].name, tag) for tag in call.file.languages if tag in TONGUES and call.draft(tag)):
        yield f"{name} is not signed off, so DRAFT stands across it. Review it:  sottovoce call review {tag} {folder}"
    if not any(_files(call.built)):
        yield f"Build it:  sottovoce call build {folder}"
        return
    if not call.card.accounts:
        yield "The card names no account: have the office put yours on it, so that people know false ones."
    if not (folder / KEY).exists():
        yield f"Films don't prove yet who made them. Certify them:  sottovoce call certificate OFFICE {folder}"
    yield f"Have every file looked at, which takes minutes:  sottovoce call check {folder} --built"
    yield f"Sign the list of all files at the office:  sottovoce call sign {folder} OFFICE"
    yield "Bring it to the server:  sottovoce org publish OFFICE SERVER"
    yield "Upload what lies in build/upload, one folder a platform and language; each has a checklist."
    yield f"Note where each film went:  sottovoce call published {folder} URL --video NAME --language TAG"
    yield "Build, sign and publish once more, so that the card and the press page name these films."
    yield f"Before {call.file.until}: build, sign and publish anew. After it nobody should trust what was printed."
