"""Every page on every screen: a finger hits what it means, nothing is cut, and no page is pushed sideways."""

from __future__ import annotations

import json
from typing import Any

import pytest
from doubles.site import Served
from journeys.browser import Page

from .conftest import pages

pytestmark = pytest.mark.timeout(300)  # seconds: each test looks at every page

PHONE = (390, 844)
VIEWS = {
    "a tablet upright": (820, 1180),
    "a tablet lying": (1180, 820),
    "at 400 %": (320, 256),  # of 1280 by 1024
}
OPEN = """() => { for (const e of document.querySelectorAll("details")) e.open = true }"""
SMALL = """() => JSON.stringify(
    [...document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), textarea")]
        .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([_, box]) => Math.min(box.width, box.height) < 44 && box.width)  // CSS pixels
        .map(([html, box]) => `${box.width} by ${box.height}: ${html}`))"""
CUT = """() => JSON.stringify(
    [document.documentElement, ...document.body.querySelectorAll("*")].filter(e => {
        const box = e.getBoundingClientRect();
        const leaves = box.width && (box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5);
        const hides = getComputedStyle(e).overflowX != "visible" || e == document.documentElement;
        return leaves || hides && e.scrollWidth > e.clientWidth;
    }).map(e => e.outerHTML.slice(0, 80)))"""
# What a reader may set (WCAG 1.4.12), element by element, as the policy lets no sheet in.
LOOSE = """() => {
    for (const e of document.body.querySelectorAll("*")) {
        e.style.lineHeight = "1.5"; e.style.letterSpacing = "0.12em"; e.style.wordSpacing = "0.16em";
        if (e.matches("p")) e.style.marginBlockEnd = "2em";
    }
}"""


@pytest.fixture(scope="module", params=pages("fa"))  # the other direction, and long words
def shown(request: pytest.FixtureRequest) -> Any:
    """A language, and whether all states are looked at."""
    return request.param


def test_every_page_fits_every_view_and_every_finger(site: Served, bodies: dict[str, bytes], page: Page) -> None:
    found = {}
    for name in bodies:
        page.resize(*PHONE)
        page.goto(f"{site.address}/{name}")
        found[name] = _faults(page)
    assert {name: faults for name, faults in found.items() if faults} == {}


def _faults(page: Page) -> dict[str, list[str]]:
    """What is too small for a finger on a phone, and what each view cuts."""
    page.eval(OPEN)
    found = {"small": json.loads(page.eval(SMALL)), "a phone": json.loads(page.eval(CUT))}
    for view, size in VIEWS.items():
        page.resize(*size)
        found[view] = json.loads(page.eval(CUT))
    page.eval(LOOSE)
    found["at 400 %, loosely spaced"] = json.loads(page.eval(CUT))
    return {view: faults for view, faults in found.items() if faults}
