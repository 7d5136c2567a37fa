"""The mark of a data folder: the number of the form that its files have (docs/decisions/mark-of-a-folder.md).

1 is that of "First contact", 0.1, which left no mark; 2 is that since 0.2. A folder without a mark is known by what
lies in it.
"""

from __future__ import annotations

from pathlib import Path

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused

from .published import write_durably
from .signed import LIMIT

FORM = 2
MARK = "form"  # the file's name
OLD_POOL = "pool.sqlite3"  # all envelopes of 0.1; with what follows the name also while they are carried over
_NAMES = {1: "0.1"}


def write_mark(folder: Path) -> None:
    """Says durably that all in this folder has today's form."""
    write_durably(folder / MARK, f"{FORM}\n".encode())


def form_of(folder: Path) -> int:
    """The form of a folder, by its mark or by what lies in it; a vault is not looked into. Refused for a damaged mark.

    While an upgrade is under way it is the old one; also where files of today were copied over those of 0.1.
    """
    try:
        form = read_mark((folder / MARK).read_bytes())
    except FileNotFoundError:
        root = folder / "signed" / "root.signed"
        form = 1 if root.is_file() and is_first_root(root.read_bytes()) else FORM
    return 1 if form == FORM and any((folder / "pool").glob(f"{OLD_POOL}*")) else form


def read_mark(raw: bytes) -> int:
    """The number that a mark holds; Refused when it holds none."""
    text = raw.strip()
    if not (text.isdigit() and len(text) < 9):
        raise Refused("roster", f"The folder's file `{MARK}` is damaged: restore it, or the folder, from a copy.")
    return int(text)


def need_today(folder: Path) -> None:
    """Refused unless the folder's form is today's; says what to do."""
    form = form_of(folder)
    if form < FORM:
        raise Refused("roster", older(folder, _NAMES.get(form, "an older version")))
    refuse_newer(form, folder)


def refuse_newer(form: int, what: object) -> None:
    """Refused when a form is newer than all that this program knows: nothing is changed downwards."""
    if form > FORM:
        raise Refused("roster", newer(what))


def older(what: object, version: str) -> str:
    """What a person is told about the data of an older version."""
    return f"{what} was written by {version}: make a copy of it, then run `sottovoce upgrade {what}`."


def newer(what: object) -> str:
    """What a person is told about the data of a newer version."""
    return (
        f"{what} was written by a newer Sottovoce: install that version, or a newer one. "
        "Nothing is brought back to an older form, since what the newer one added would be lost."
    )


def is_first_root(raw: bytes) -> bool:
    """Whether these are 0.1's bytes of a root: one signed document, not yet a chain of them (spec 8.2, 8.4)."""
    match cbor.decode(raw, "roster", LIMIT):
        case [bytes(), list()]:
            return True
    return False
