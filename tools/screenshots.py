#!/usr/bin/env python3
"""Take a picture of every page of the door in every language, at three widths, in a real Firefox with scripts off.

    tools/screenshots.py [FOLDER] [--width PIXELS ...] [--language TAG ...] [--only NAME ...]

The pages hold invented data and come from a server on loopback, with the door's own content security policy.
Each language has a folder with the pages, their pictures, and one contact sheet.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Mapping, Sequence

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the pages' states and the browser's driver lie beside the tests that use them

from doubles.pages import every_page, pages_in  # noqa: E402  (needs the path above)
from doubles.site import served  # noqa: E402
from journeys.browser import BrowserError, Firefox, Page  # noqa: E402

from sottovoce.door.pages import Pages  # noqa: E402
from sottovoce.door.texts import TONGUES  # noqa: E402

WIDTHS = (390, 820, 1280)
HEIGHT = 900
_SHEET = """<!doctype html><meta charset="utf-8"><title>Pages</title><style>
body {{ font: 14px sans-serif; margin: 1rem; display: grid; grid-template-columns: 1fr 1fr; gap: 1rem 2rem }}
figure {{ margin: 0 }} figure div {{ display: flex; gap: 8px; align-items: start }}
img {{ max-height: 620px; object-fit: cover; object-position: top; border: 1px solid #999 }}
</style>{figures}"""


def main() -> int:
    """Write the pictures; 1 and a sentence when Firefox can't be driven, or a page is wider than its view."""
    parser = argparse.ArgumentParser(description="Take a picture of every page of the door.")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / "build/screenshots")
    parser.add_argument("--width", type=int, nargs="+", default=WIDTHS)
    parser.add_argument("--language", nargs="+", choices=TONGUES, default=list(TONGUES))
    parser.add_argument("--only", nargs="+", help="names of pages, such as words or write-long")
    chosen = parser.parse_args()
    try:
        with Firefox() as browser:
            page = browser.page(chosen.width[0], HEIGHT)
            for tag in chosen.language:
                pages = pages_in(tag)
                bodies = {name: body for name, body in every_page(pages).items() if name in (chosen.only or (name,))}
                _take(page, pages, bodies, chosen.folder / tag, chosen.width)
                print(f"{len(bodies)} pages in {tag} at {len(chosen.width)} widths are in {chosen.folder / tag}.")
    except BrowserError as error:
        print(error)
        return 1
    return 0


def _take(page: Page, pages: Pages, bodies: Mapping[str, bytes], folder: pathlib.Path, widths: Sequence[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (folder / f"{name}.html").write_bytes(body)
    with served({f"{name}.html": body for name, body in bodies.items()}, pages.csp) as site:
        for width in widths:
            page.resize(width, HEIGHT)
            for name in bodies:
                page.goto(f"{site.address}/{name}.html")
                page.screenshot(folder / f"{name}-{width}.png", whole=True)
                _refuse_sideways(page, name, width)
    sheet = folder / "all.html"
    sheet.write_text(_contact_sheet(list(bodies), widths), "utf-8")
    page.resize(1900, HEIGHT)
    page.goto(sheet.absolute().as_uri())
    page.screenshot(sheet.with_suffix(".png"), whole=True)


def _refuse_sideways(page: Page, name: str, width: int) -> None:
    """A page wider than its view has to be pushed sideways to be read."""
    wide = int(page.eval("e => e.scrollWidth - e.clientWidth", "html"))
    if wide > 0:
        raise BrowserError(f"{name} is {wide} pixels wider than a view of {width}: find what can't wrap.")


def _contact_sheet(names: Sequence[str], widths: Sequence[int]) -> str:
    figures = (
        f"<figure><figcaption>{name}</figcaption><div>"
        + "".join(f'<img src="{name}-{width}.png" width="{120 + width // 6}" alt="">' for width in widths)
        + "</div></figure>"
        for name in names
    )
    return _SHEET.format(figures="".join(figures))


if __name__ == "__main__":
    sys.exit(main())
