"""A language's page that is one file: it passes from hand to hand, opens anywhere, and asks nobody for anything."""

from __future__ import annotations

from collections.abc import Sequence

from sottovoce.outreach.errors import CallError

from .content import Paper
from .guide import Section
from .looks import page

BYTES_MOST = 200_000


def one_file(paper: Paper, guide: Sequence[Section]) -> bytes:
    """The page in UTF-8; CallError where it would be too long to be passed on."""
    made = page("page.html", paper=paper, own=paper.own, guide=guide).encode()
    if len(made) > BYTES_MOST:
        raise CallError(
            f"The page in {paper.lang} has {len(made):,} bytes, {BYTES_MOST:,} are the most: shorten its texts."
        )
    return made
