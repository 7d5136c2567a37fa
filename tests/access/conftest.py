"""The door's pages in a language, served to a browser whose scripts are off; and one that judges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from doubles.pages import every_page, pages_in
from doubles.site import Served, served
from journeys.browser import Firefox, Page

from sottovoce.door.texts import TONGUES

PHONE = (390, 844)
SOON = ("en", "fa")  # a script of each direction; the others take minutes


@pytest.fixture(
    scope="module", params=[tag if tag in SOON else pytest.param(tag, marks=pytest.mark.long) for tag in TONGUES]
)
def tag(request: pytest.FixtureRequest) -> str:
    """A language."""
    return str(request.param)


@pytest.fixture(scope="module")
def bodies(tag: str) -> dict[str, bytes]:
    """Every state of every page by its name."""
    return every_page(pages_in(tag))


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
