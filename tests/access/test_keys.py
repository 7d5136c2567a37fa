"""By keys alone: Tab goes as a page is read, the focus is seen, Enter does what a click does. And keys on a screen."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import NamedTuple

import pytest
from doubles.site import Served
from journeys.browser import ENTER, TAB, Page

NAMES = ("welcome", "guide", "words", "check-both-wrong", "enter-unknown", "write-empty", "inbox-long-2")
LYING = (1180, 820)
WITH_KEYBOARD = (390, 420)  # what a phone's keyboard leaves of a page (interactive-widget=resizes-content)
SLACK = 4  # CSS pixels by which boxes of one line may overlap
WAYS = '() => [...document.querySelectorAll("a[href], button, summary, textarea, input:not([type=hidden])")]'
COUNT = f"() => ({WAYS})().filter(e => e.checkVisibility()).length"
FOCUSED = f"""() => {{
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    return JSON.stringify([
        ({WAYS})().filter(e => e.checkVisibility()).indexOf(e),
        style.outlineStyle == "none" ? 0 : parseFloat(style.outlineWidth),
        box.top < innerHeight && box.bottom > 0,
        box.top + scrollY, box.bottom + scrollY, box.left, box.right]);
}}"""
FIELDS = "() => document.querySelectorAll('textarea, input:not([type=hidden])').length"
TOGETHER = """() => {
    const button = document.querySelector("main form button:not(.quiet)");
    return button.getBoundingClientRect().bottom - document.activeElement.getBoundingClientRect().top;
}"""


class Focused(NamedTuple):
    """What has the focus: its place in the document, its ring's width, whether the view shows some of it, its box."""

    place: int
    ring: float
    is_shown: bool
    top: float
    bottom: float
    left: float
    right: float

    def is_read_before(self, other: Focused, *, rtl: bool) -> bool:
        """Whether the other stands below, or further along on the same line."""
        along = self.left - other.right if rtl else other.left - self.right
        return other.top >= self.bottom - SLACK or (along >= -SLACK and other.bottom > self.top)


@pytest.mark.parametrize("name", NAMES)
def test_tab_goes_through_a_page_as_it_is_read_and_shows_where_it_is(name: str, site: Served, page: Page) -> None:
    page.goto(f"{site.address}/{name}")
    rtl = page.eval("() => document.dir") == "rtl"
    for size in ((390, 844), LYING):
        page.resize(*size)
        walk = _walk(page)
        assert [at.place for at in walk] == list(range(len(walk)))
        assert [at for at in walk if at.ring < 2 or not at.is_shown] == []
        assert [pair for pair in itertools.pairwise(walk) if not pair[0].is_read_before(pair[1], rtl=rtl)] == []


def _walk(page: Page) -> list[Focused]:
    """All that Tab comes to; one press more would leave the page."""
    page.eval("() => document.activeElement.blur()")
    page.eval("() => getSelection().collapse(document.body, 0)")  # where Tab begins
    walk = []
    for _ in range(page.eval(COUNT)):
        page.press(TAB)
        _soon(lambda: _focused(page).is_shown)
        walk.append(_focused(page))
    return walk


def _focused(page: Page) -> Focused:
    return Focused(*json.loads(page.eval(FOCUSED)))


@pytest.mark.parametrize(("name", "field"), [("enter-unknown", "words"), ("write-empty", "text"), ("check-wrong", "a")])
def test_enter_on_an_error_leads_into_its_field(name: str, field: str, site: Served, page: Page) -> None:
    page.goto(f"{site.address}/{name}")
    _tab_to(page, ".error a")
    page.press(ENTER)
    page.wait_for(f"#{field}:focus")


def test_what_is_folded_opens_by_enter_and_by_space(site: Served, page: Page) -> None:
    page.goto(f"{site.address}/guide")
    for number, key in ((2, ENTER), (3, " ")):  # the first is open
        _tab_to(page, f"details:nth-of-type({number}) summary")
        page.press(key)
        page.wait_for(f"details:nth-of-type({number})[open]")


def _tab_to(page: Page, css: str) -> None:
    for _ in range(page.eval(COUNT)):
        page.press(TAB)
        if page.has(f"{css}:focus"):
            return
    raise AssertionError(f"Tab never came to {css}")


@pytest.mark.parametrize("name", ["enter", "enter-unknown", "enter-expired", "write", "write-long", "check-wrong"])
def test_beside_a_keyboard_on_the_screen_is_room_for_a_field_and_its_button(
    name: str, site: Served, page: Page
) -> None:
    page.goto(f"{site.address}/{name}")
    page.resize(*WITH_KEYBOARD)
    for _ in range(page.eval(FIELDS)):
        _tab_to(page, ":is(textarea, input)")
    assert 0 < page.eval(TOGETHER) <= WITH_KEYBOARD[1]


def _soon(done: Callable[[], bool], seconds: float = 2) -> None:
    """Waits until it is true: a browser scrolls to what has the focus a little later."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.02)
