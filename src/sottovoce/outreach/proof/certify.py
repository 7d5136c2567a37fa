"""A call's certificate: made at the office, laid into the call's folder, its key where git leaves it out."""

from __future__ import annotations

from pathlib import Path

from sottovoce.trust.certificate import issue
from sottovoce.trust.office import Office
from sottovoce.trust.published import write_durably

from .c2pa import CHAIN, KEY


def certify(office: Office, folder: Path, today: int) -> None:
    """Gives a call's folder a certificate of a year; an older one is replaced. Refused where the office has no card."""
    issued = issue(office, today)
    write_durably(folder / KEY.parent / ".gitignore", b"*\n")
    write_durably(folder / KEY, issued.key)
    write_durably(folder / CHAIN, issued.chain)
