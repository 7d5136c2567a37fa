"""`call check` as it is typed: what it prints, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from outreach.check.conftest import TODAY

from sottovoce.cli.call_check import check
from sottovoce.outreach.errors import CallError


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Types the verb on the day of the tests: its exit code, and what it says."""
    monkeypatch.setattr("sottovoce.cli.call_check.today", lambda: TODAY)

    def run(*words: str) -> tuple[int, str]:
        code = check.main(list(words), standalone_mode=False)
        return code, capsys.readouterr().out

    return run


def test_a_good_call_ends_well_and_says_what_cant_be_seen(
    call: Path, sign_off: Callable[[Path], None], typed: Callable[..., tuple[int, str]]
) -> None:
    sign_off(call)
    code, said = typed(str(call), "--strict")
    assert code == 0
    assert said.startswith("Errors: 0, warnings: 0. Meaning can't be linted")


def test_warnings_fail_only_where_that_is_asked_for(call: Path, typed: Callable[..., tuple[int, str]]) -> None:
    code, said = typed(str(call))
    assert code == 0
    assert "Errors: 0, warnings: 6." in said
    assert typed(str(call), "--strict")[0] == 1


def test_an_error_stands_below_its_file_and_can_not_write_to_the_terminal(
    call: Path, typed: Callable[..., tuple[int, str]]
) -> None:
    path = call / "texts/en.toml"
    path.write_text(
        path.read_text("utf-8").replace("harbour's contracts", "\\u001b[2J\\u202eoffice phone: call us"), "utf-8"
    )
    code, said = typed(str(call))
    assert code == 1
    head, line = said.splitlines()[:2]
    assert head == "texts/en.toml"
    assert line.split()[0] == "error"
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_what_was_built_is_looked_at_where_that_is_asked_for(
    call: Path, sign_off: Callable[[Path], None], typed: Callable[..., tuple[int, str]]
) -> None:
    sign_off(call)
    (call / "build/pages").mkdir(parents=True)
    (call / "build/pages/en.html").write_text("x" * 200_001, "utf-8")
    assert typed(str(call))[0] == 0
    code, said = typed(str(call), "--built")
    assert code == 1
    assert "en.html has 200,001 bytes" in said


def test_a_folder_that_is_none_is_the_callers_error(tmp_path: Path, typed: Callable[..., tuple[int, str]]) -> None:
    with pytest.raises(CallError, match="is no folder"):
        typed(str(tmp_path / "nothing"))
