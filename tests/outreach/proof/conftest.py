"""An organisation and a call of it, for tests of the proof."""

from __future__ import annotations

from pathlib import Path

import pytest
from doubles.organisation import Organisation
from doubles.signed_call import write_call

TODAY = 20_780


@pytest.fixture(scope="session")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """Tests leave it as it is."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sottovoce.trust.locked.MEMORY", 64)  # its strength is tried elsewhere
        patched.setattr("sottovoce.trust.locked.PASSES", 1)
        return Organisation(tmp_path_factory.mktemp("organisation"), TODAY)


@pytest.fixture
def folder(tmp_path: Path, organisation: Organisation) -> Path:
    """A call's folder, for one test."""
    return write_call(tmp_path / "call", organisation.office.folder)
