"""Every step of the spec is named in code and in a test, and a step without either is found."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SPEC = """# A protocol

## 1. Notation

**1.1** Joins bytes.

## 6. Bodies

**6.3** More keys.

## 7. Opening

**7.1** Seal.

**7.2** Open, in this order:

1. Open (5.7). Refused: seal.
2. Read the
   header. Refused: header.
3. Show it.

## 8. Signed things

**8.3** Checks. All refuse.

1. The form.
"""
CODE = '"""Sealing (spec 7.1)."""\n\n\ndef opened() -> None:\n    """Opens (spec 7.1 to 7.2,\n    8.3)."""\n'
TESTS = '''def test_7_1_seals() -> None:
    """Also 7.2.1."""


def test_7_2_2_and_8_3_1_to_8_3_2_refuse() -> None: ...
'''
MORE = "\ndef test_6_3_keeps() -> None: ...\n"


@pytest.fixture(scope="module")
def steps() -> ModuleType:
    """tools/steps.py as a module."""
    spec = importlib.util.spec_from_file_location("steps", ROOT / "tools/steps.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def faults(steps: ModuleType, folder: Path, spec: str = SPEC, code: str = CODE, tests: str = TESTS) -> list[str]:
    """What is found in a tree with these three files."""
    files = {"spec/PROTOCOL.md": spec, "src/sealing.py": code, "tests/test_sealing.py": tests}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    found: list[str] = steps.faults(folder)
    return found


def test_every_step_of_the_protocol_is_named_in_code_and_in_a_test(steps: ModuleType) -> None:
    assert steps.faults(ROOT) == []


def test_nothing_is_found_where_all_are_named(steps: ModuleType, tmp_path: Path) -> None:
    assert faults(steps, tmp_path, tests=TESTS + MORE) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("**7.1** Seal.", "**7.1** Seal.\n\n**7.4** New.", ["7.4: no code names it", "7.4: no test names it"]),
        ("3. Show it.", "3. Show it.\n4. Refused: body.", ["7.2.4: no test names it"]),
        ("1. The form.", "1. The form.\n2. The kind.\n3. The day.", ["8.3.3: no test names it"]),
        ("**1.1** Joins bytes.", "", ["1.1: the list of exceptions names it, the text has no such step"]),
    ],
    ids=["a step", "a step of a list", "a step of a list that refuses as a whole", "an exception of old times"],
)
def test_a_step_without_either_is_found(
    steps: ModuleType, tmp_path: Path, old: str, new: str, expected: list[str]
) -> None:
    tests = TESTS + MORE
    assert faults(steps, tmp_path, SPEC.replace(old, new), tests=tests) == expected


def test_a_lost_mention_is_found(steps: ModuleType, tmp_path: Path) -> None:
    tests = TESTS.replace("test_7_2_2_", "test_").replace("7.2.1", "13.11") + MORE
    found = faults(steps, tmp_path, code=CODE.replace("(spec 7.1)", "(spec 7.9)").replace("8.3", "8"), tests=tests)
    assert found == [
        "8.3: no code names it",
        "7.2: no test names it",
        "7.2.1: no test names it",
        "7.2.2: no test names it",
        "7.9: code names it, the text has no such step",
    ]
