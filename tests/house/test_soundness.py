"""spec/SOUNDNESS.md names tests that exist, and the table of who sees what stands in spec/THREATS.md."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NAME = re.compile(r"`(test_\w+|Test\w+)`")
_ROW = re.compile(r"^\| (?!Property|---)[^|]+ \| (.+) \|$", re.MULTILINE)


@functools.cache
def existing() -> frozenset[str]:
    """The names of all tests, and of the cases of stateful models."""
    return frozenset(_existing())


def _existing() -> Iterator[str]:
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name
            elif isinstance(node, ast.Assign):
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def lacking(text: str) -> list[str]:
    """What a text names that is no test."""
    return sorted(set(_NAME.findall(text)) - existing())


def test_every_test_that_soundness_names_exists() -> None:
    text = (ROOT / "spec/SOUNDNESS.md").read_text("utf-8")
    assert len(set(_NAME.findall(text))) > 80
    assert lacking(text) == []


def test_every_property_rests_on_a_test() -> None:
    rows = _ROW.findall((ROOT / "spec/SOUNDNESS.md").read_text("utf-8"))
    assert len(rows) > 30
    assert [row for row in rows if not _NAME.search(row)] == []


def test_a_mark_says_that_a_defence_is_taken_out() -> None:
    mutation = (ROOT / "tests/house/test_mutation.py").read_text("utf-8")
    marked = [line for line in (ROOT / "spec/SOUNDNESS.md").read_text("utf-8").splitlines() if "◆ |" in line]
    assert marked
    unfounded = [line for line in marked if not any(name[5:] in mutation for name in _NAME.findall(line))]
    assert unfounded == []


def test_a_name_of_no_test_is_found() -> None:
    assert lacking("`test_that_nobody_wrote`, `test_a_name_of_no_test_is_found`") == ["test_that_nobody_wrote"]
