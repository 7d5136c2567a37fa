"""What axe-core finds on every page; a page is loaded without scripts, and its HTML judged where they run."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from doubles.site import Served
from journeys.browser import Firefox, Page

from .conftest import pages

pytestmark = pytest.mark.timeout(300)  # seconds: each test looks at every page

AXE = pathlib.Path(__file__).parent / "node_modules/axe-core/axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag2aaa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OPTIONS = {
    "runOnly": TAGS,
    "rules": {
        "color-contrast": {"enabled": False},  # 4.5:1; the next asks for 7:1
        "color-contrast-enhanced": {"enabled": True},
        "target-size": {"enabled": True},
    },
}
JUDGE = """async options => {
    const {violations, incomplete} = await axe.run(document, JSON.parse(options));
    const faults = [...violations, ...incomplete];
    return JSON.stringify(Object.fromEntries(faults.map(r => [r.id, r.nodes.map(n => n.target.join(" "))])));
}"""
WRITE = "html => { document.open(); document.write(html); document.close() }"  # axe stays, so it is read only once
PLANTED = """<!doctype html><html><title>x</title><main><h1>x</h1><p style="color: #666">5.7:1</p><input>
<p style="line-height: 9px"><a href="/">a</a><br><a href="/">b</a></p></main><p>beside</p></html>"""


class Judge:
    """A page with axe in it."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        page.goto(address)
        page.run(f"() => {{ {AXE.read_text('utf-8')} }}")

    def faults(self, html: str) -> dict[str, list[str]]:
        """What is wrong, or what axe can't decide: the elements by the rule's name."""
        self._page.run(WRITE, html)
        found: dict[str, list[str]] = json.loads(self._page.run(JUDGE, json.dumps(OPTIONS)))
        return found


@pytest.fixture(scope="module", params=pages("en"))  # names, roles and colours are the same in all
def shown(request: pytest.FixtureRequest) -> Any:
    """A language, and whether all states are looked at."""
    return request.param


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Firefox(prefs={"javascript.enabled": True}) as firefox:
        yield Judge(firefox.page(390, 844), "about:blank")


def test_axe_finds_nothing_on_any_page(site: Served, bodies: dict[str, bytes], page: Page, judge: Judge) -> None:
    found = {}
    site.asked.clear()
    for name in bodies:
        page.goto(f"{site.address}/{name}")
        shown = page.eval("e => e.outerHTML", "html").replace("noscript>", "div>")  # what is seen without scripts
        found[name] = judge.faults(f"<!doctype html>{shown}")
    assert {name: faults for name, faults in found.items() if faults} == {}
    assert sorted(site.asked) == sorted(bodies)  # one request a page


def test_axe_finds_what_was_planted(judge: Judge) -> None:
    assert set(judge.faults(PLANTED)) >= {
        "html-has-lang", "label", "color-contrast-enhanced", "target-size", "region",
    }  # fmt: skip
