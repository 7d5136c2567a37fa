"""What 0.1 signed, in today's form. Nothing is signed anew: its one root document is a chain of one, and valid as such.

Each file is replaced whole, or not at all; the root's last, by which a folder of 0.1 is known. Whoever is interrupted
begins again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused

from .mark import is_first_root, write_mark
from .published import write_durably
from .roster import join_roots

_WELCOME_MOST = 262_144


def chain_of(root: bytes) -> bytes:
    """A root's bytes as a chain; one that is a chain already stays as it is."""
    return join_roots([root]) if is_first_root(root) else root


def upgrade_signed(folder: Path) -> None:
    """Brings the root in a folder of signed files to today's form."""
    path = folder / "root.signed"
    if path.exists():
        _replace(path, chain_of(path.read_bytes()))


def upgrade_office(folder: Path, step: Callable[[str], None] = lambda name: None) -> None:
    """Brings an office's folder to today's form. Its secrets stay locked: they have that form already."""
    for path in sorted(folder.glob("welcome-[0-9][0-9]")):
        _replace(path, _welcome(path.read_bytes()))
        step("office.welcome")
    upgrade_signed(folder / "signed")
    step("office.root")
    write_mark(folder)


def _welcome(raw: bytes) -> bytes:
    held = cbor.decode(raw, "roster", _WELCOME_MOST)
    if not (isinstance(held, dict) and isinstance(held.get("root"), bytes)):
        raise Refused("roster", "A file of the office for a new member is damaged: remove it, and admit them anew.")
    return cbor.encode({**held, "root": chain_of(held["root"])})


def _replace(path: Path, raw: bytes) -> None:
    if raw != path.read_bytes():
        write_durably(path, raw)
