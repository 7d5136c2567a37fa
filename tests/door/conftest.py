"""For all tests of the door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from doubles.templates import remember_templates


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        remember_templates(patched)
        yield
