"""Pages on paper, in colours that the system sets, and for eyes before which nothing may move."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest
from doubles.pages import PLACES
from doubles.site import Served
from journeys.browser import Firefox, Page
from pypdf import PdfReader

OWN_COLOURS = 2  # the system's, whatever a page says
EDGES = """() => JSON.stringify(
    [...document.querySelectorAll(".error, .warn, .banner, textarea, input:not([type=hidden]), .button, button")]
        .map(e => getComputedStyle(e))
        .map(s => [s.borderTopStyle, parseFloat(s.borderTopWidth), s.borderTopColor != s.backgroundColor]))"""
COLOURS = """() => JSON.stringify([...new Set(
    [...document.querySelectorAll("main :not(a, button, .button, textarea, input)")]
        .map(e => getComputedStyle(e).color))])"""


@pytest.fixture(scope="module")
def forced() -> Iterator[Page]:
    """A tab in a browser that forces its own colours on every page."""
    with Firefox(prefs={"browser.display.document_color_use": OWN_COLOURS}) as firefox:
        yield firefox.page(390, 844)


@pytest.mark.parametrize("name", ["enter-unknown", "write-long", "check-both-wrong", "words", "warned-inbox"])
def test_in_forced_colours_fields_buttons_and_warnings_keep_their_edges(name: str, site: Served, forced: Page) -> None:
    forced.goto(f"{site.address}/{name}")
    assert forced.eval("() => matchMedia('(forced-colors: active)').matches")
    edges = json.loads(forced.eval(EDGES))
    assert edges
    assert [edge for edge in edges if edge[0] != "solid" or edge[1] < 2 or not edge[2]] == []
    assert json.loads(forced.eval(COLOURS)) == ["rgb(0, 0, 0)"]  # none is left of ours


def test_the_words_are_printed_on_one_sheet_with_nothing_else(tag: str, site: Served, page: Page) -> None:
    (sheet,) = _printed(page, f"{site.address}/words")
    assert len(sheet.splitlines()) == 13  # and the sign
    if tag != "fa":  # there each digit is a glyph that the PDF doesn't name
        assert [f"{place + 1:04}" for place in PLACES] == re.findall(r"\b\d{4}\b", sheet)


def test_a_guide_is_printed_with_everything_unfolded(site: Served, page: Page) -> None:
    shown = "".join(_printed(page, f"{site.address}/guide"))
    page.eval("() => { for (const e of document.querySelectorAll('details')) e.open = true }")
    unfolded = "".join(_printed(page))
    assert shown == unfolded
    page.eval("() => { for (const e of document.querySelectorAll('details')) e.remove() }")
    assert len("".join(_printed(page))) < len(unfolded) / 2  # most of it is folded


def _printed(page: Page, address: str | None = None) -> list[str]:
    """The text of each sheet."""
    if address is not None:
        page.goto(address)
    return [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.printed())).pages]


def test_nothing_ever_moves(bodies: dict[str, bytes]) -> None:
    moving = re.compile(rb"animation|transition|keyframes|scroll-behavior|<marquee|<blink|http-equiv")
    assert [name for name, body in bodies.items() if moving.search(body)] == []
