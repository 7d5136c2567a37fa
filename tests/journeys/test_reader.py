"""The test of the screen reader's way: what would lead somebody astray is found, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from journeys.browser import SYSTEM, Firefox, Page
from journeys.reader import Reader, faults, inside

GOOD = (
    "<header><p>Name</p><nav aria-label='Way'><a href='#x'>First page</a></nav></header>"
    "<main><h1>Head</h1><h2>Below</h2><div style='display:flex'><p>one</p><p>two</p></div>"
    "<label for='x'>Word</label><input id='x' aria-describedby='y'><p id='y'>Why</p><button>Go</button></main>"
    "<footer><p>End</p></footer>"
)
BAD = {
    "no main": ("main>", "div>", "landmarks: ['banner', 'contentinfo']"),
    "a jump": ("h2>", "h3>", "levels of headings: [1, 3]"),
    "no label": ("<label for='x'>", "<label>", "a entry without a name"),
    "no name": (" aria-label='Way'", "", "a landmark without a name"),
    "turned round": (
        "display:flex",
        "display:flex;flex-direction:row-reverse",
        "'two' is read after 'one', but shown before it",
    ),
    "moved up": (
        "<footer>",
        "<footer style='position:absolute;top:0;left:0'>",
        "'End' is read after 'Go', but shown before it",
    ),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    with Firefox(options=[SYSTEM]) as firefox:
        yield firefox


@pytest.fixture(scope="module")
def page(browser: Firefox) -> Page:
    return browser.page(390, 844)


def show(page: Page, folder: Path, body: str) -> None:
    file = folder / "page.html"
    file.write_text(f"<!doctype html><html lang=en><title>A page</title>{body}", "utf-8")
    page.goto(file.as_uri())


def test_a_good_page_has_no_fault(browser: Firefox, page: Page, tmp_path: Path) -> None:
    show(page, tmp_path, GOOD)
    heard = Reader(browser).read(page)
    assert list(faults(heard)) == []
    assert [each.name for each in inside(heard, "contentinfo") if each.role == "text leaf"] == ["End"]
    assert [(each.name, each.says) for each in heard if each.role == "entry"] == [("Word", "Why")]


@pytest.mark.parametrize("kind", BAD)
def test_a_fault_is_found(browser: Firefox, page: Page, tmp_path: Path, kind: str) -> None:
    before, after, fault = BAD[kind]
    show(page, tmp_path, GOOD.replace(before, after))
    assert list(faults(Reader(browser).read(page))) == [fault]


def test_a_page_from_right_to_left_is_read_so(browser: Firefox, page: Page, tmp_path: Path) -> None:
    show(page, tmp_path, "<div dir=rtl lang=fa>" + GOOD.replace("one", "یک").replace("two", "دو") + "</div>")
    heard = Reader(browser).read(page)
    assert "'دو' is read after 'یک', but shown before it" not in list(faults(heard, rtl=True))
    assert "'دو' is read after 'یک', but shown before it" in list(faults(heard))
    assert {each.language for each in heard if each.name == "یک"} == {"fa"}
