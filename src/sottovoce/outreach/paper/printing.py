"""Makes PDFs of leaflets: `python -m sottovoce.outreach.paper.printing FOLDER < LEAFLETS`.

A process of its own: typesetting takes seconds of a core, and what fonts are stamped with comes from the environment
(SOURCE_DATE_EPOCH). LEAFLETS are JSON, a list of `Leaflet`. Ends with the status TOO_LONG, and the name of the first
that doesn't fit on its sheet.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from pathlib import Path

import msgspec
from weasyprint import HTML  # type: ignore[import-untyped]  # it has none
from weasyprint.urls import URLFetcher  # type: ignore[import-untyped]

from .leaflet import SIZE, TOO_LONG, Leaflet

SIZES = ("13.5pt", "12pt", "11pt", "10.5pt", "10pt", "9.5pt", "9pt")


def main() -> int:
    """Writes each into the folder, in the largest letters with which all of it fits: 0, or TOO_LONG."""
    folder = Path(sys.argv[1])
    for leaflet in msgspec.json.decode(sys.stdin.buffer.read(), type=list[Leaflet]):
        place = bisect_left(SIZES, True, key=lambda size: _fits(leaflet, size))
        if place == len(SIZES):
            sys.stderr.write(leaflet.name)
            return TOO_LONG
        (folder / leaflet.name).write_bytes(_html(leaflet.shown, SIZES[place]).write_pdf(pdf_tags=True))
    return 0


def _fits(leaflet: Leaflet, size: str) -> bool:
    return len(_html(leaflet.plain, size).render().pages) <= leaflet.plain_pages


def _html(text: str, size: str) -> HTML:
    """Nothing is fetched, not even a file: what isn't in the text itself as `data:` is left out."""
    return HTML(string=text.replace(SIZE, size), url_fetcher=URLFetcher(allowed_protocols=("data",)))


if __name__ == "__main__":
    raise SystemExit(main())
