"""One house and one phone-sized browser for all journeys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from journeys.browser import Firefox, Page
from journeys.house import House, open_house

PHONE = (390, 844)


@pytest.fixture(scope="session")
def house(private_network: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose door is open, in English."""
    with open_house(tmp_path_factory.mktemp("house"), private_network) as made:
        yield made


@pytest.fixture(scope="session")
def browser(house: House) -> Iterator[Firefox]:
    """A visitor's browser, scripts off, through the visitor's tor."""
    with Firefox(house.visitors) as firefox:
        yield firefox


@pytest.fixture(scope="session")
def phone(browser: Firefox) -> Page:
    """A tab as large as a phone's."""
    return browser.page(*PHONE)
