"""The door's pages in a language, served to a browser whose scripts are off; and one that judges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from doubles.pages import every_page, pages_in
from doubles.site import Served, served
from journeys.browser import Firefox, Page

from sottovoce.door.texts import TONGUES

PHONE = (390, 844)
# What has its like among the other states: judged with the other languages, where there is time.
LIKE = re.compile(
    "enter-(count|unknown-|unreachable|outdated)|write-(outdated|hurry|full|unreachable|counted-)"
    "|failed-(large|unreachable|outdated)|inbox-(older|odd|long-)"
)


def pages(*soon: str) -> list[Any]:
    """Of these languages a state of each kind of page; all states of all languages take minutes, and are long."""
    kinds = [pytest.param((tag, False), id=f"{tag}-a state of each kind") for tag in soon]
    return kinds + [pytest.param((tag, True), id=f"{tag}-all states", marks=pytest.mark.long) for tag in TONGUES]


@pytest.fixture(scope="module", params=pages("en", "fa"))  # a script of each direction
def shown(request: pytest.FixtureRequest) -> Any:
    """A language, and whether all states are looked at."""
    return request.param


@pytest.fixture(scope="module")
def tag(shown: tuple[str, bool]) -> str:
    """The language."""
    return shown[0]


@pytest.fixture(scope="module")
def bodies(shown: tuple[str, bool]) -> dict[str, bytes]:
    """The states of every page by their names."""
    found = every_page(pages_in(shown[0]))
    return found if shown[1] else {name: found[name] for name in found if not LIKE.match(name)}


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
