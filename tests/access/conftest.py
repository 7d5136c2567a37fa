"""The door's pages in a language, served to a browser whose scripts are off; and one that judges."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from doubles.pages import every_page, pages_in
from doubles.site import Served, served
from journeys.browser import Firefox, Page

from sottovoce.door.texts import TONGUES

PHONE = (390, 844)
SOON = ("en", "fa")  # a script of each direction; the others take minutes
# What has its like among the other states: judged with the other languages, where there is time.
LIKE = re.compile(
    "enter-(count|unknown-|unreachable|outdated)|write-(outdated|hurry|full|unreachable|counted-)"
    "|failed-(large|unreachable|outdated)|inbox-(older|odd|long-)"
)


@pytest.fixture(
    scope="module", params=[tag if tag in SOON else pytest.param(tag, marks=pytest.mark.long) for tag in TONGUES]
)
def tag(request: pytest.FixtureRequest) -> str:
    """A language."""
    return str(request.param)


@pytest.fixture(scope="module", params=["a state of each kind", pytest.param("all states", marks=pytest.mark.long)])
def bodies(request: pytest.FixtureRequest, tag: str) -> dict[str, bytes]:
    """The states of every page by their names."""
    found = every_page(pages_in(tag))
    return found if request.param == "all states" else {name: found[name] for name in found if not LIKE.match(name)}


@pytest.fixture(scope="module")
def site(tag: str, bodies: dict[str, bytes]) -> Iterator[Served]:
    """These pages on loopback."""
    with served(bodies, pages_in(tag).csp) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    """A visitor's browser, scripts off."""
    with Firefox() as firefox:
        yield firefox


@pytest.fixture
def page(browser: Firefox) -> Page:
    """A tab as large as a phone's."""
    return browser.page(*PHONE)
