"""Finds steps of spec/PROTOCOL.md that no code or no test names, and numbers in code that are no steps.

A step is a bold number (**7.2**), or a number in a list below one (7.2.3). Code names steps as "(spec 7.2, 7.4)" or
"(spec 8.4 to 8.8)"; tests in a function's name (test_7_2_... or
test_7_2_1_to_7_2_3_...) or docstring. Each bold step must be in both; of the
lists, each step that refuses must be in a test. Who names 7.2.3 names 7.2 too.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_NUMBER = r"\d+(?:\.\d+){1,2}"
_LIST = rf"{_NUMBER}(?:(?:, | and | to ){_NUMBER})*"
_IN_CODE = re.compile(rf"\bspec:? ({_LIST})")
_IN_DOCSTRING = re.compile(rf"(?<![\d.])({_LIST})(?![\d])")
_IN_NAME = re.compile(r"(?<=_)\d+_\d+(?:_\d+)?(?:_to_\d+_\d+(?:_\d+)?)?(?=_|$)")
_STEP = re.compile(r"\*\*(\d+\.\d+)\b")
_ITEM = re.compile(r"(\d+)\. ")
NOT_IN_CODE = {
    "1.1": "notation",
    "6.3": "names keys that later versions use; a reader ignores them",
}
NOT_IN_TESTS = {"1.1": "notation"}


class Step(NamedTuple):
    """A step's number, its text as it stands, and whether it is a number in a list."""

    number: str
    text: str
    listed: bool


def steps(spec: str) -> list[Step]:
    """The steps of the text, in its order."""
    found: list[Step] = []
    for line in spec.splitlines():
        if match := _STEP.match(line):
            found.append(Step(match[1], line, listed=False))
        elif line.startswith("## "):
            found.append(Step("", "", listed=False))  # what follows a heading belongs to no step
        elif found and found[-1].number and (match := _ITEM.match(line)):
            found.append(Step(f"{_bold(found[-1])}.{match[1]}", line, listed=True))
        elif found:
            found[-1] = Step(found[-1].number, f"{found[-1].text}\n{line}", found[-1].listed)
    return [step for step in found if step.number]


def _bold(step: Step) -> str:
    return ".".join(step.number.split(".")[:2])


def refusing(all_steps: Iterable[Step]) -> list[str]:
    """Of the lists, the steps that refuse: each that says so, all where the bold step says it for all."""
    every = {step.number for step in all_steps if not step.listed and "All refuse" in step.text}
    says = re.compile(r"[Rr]efused:|error \*")
    return [step.number for step in all_steps if step.listed and (_bold(step) in every or says.search(step.text))]


def expanded(mention: str) -> Iterator[str]:
    """Every number of a list such as "3.1, 8.4 to 8.6", and the bold step of each."""
    for part in re.split(r", | and ", mention):
        first, _, last = part.partition(" to ")
        yield from (first, ".".join(first.split(".")[:2]))
        if last:
            yield from _between(first, last)


def _between(first: str, last: str) -> Iterator[str]:
    *before, begin = first.split(".")
    *same, end = last.split(".")
    if before == same:
        yield from (".".join([*before, str(number)]) for number in range(int(begin), int(end) + 1))


def in_code(folder: Path) -> set[str]:
    """The steps that code below `folder` names."""
    texts = (" ".join(path.read_text("utf-8").split()) for path in folder.rglob("*.py"))
    return {number for text in texts for match in _IN_CODE.finditer(text) for number in expanded(match[1])}


def in_tests(folder: Path) -> set[str]:
    """The steps that functions in test files below `folder` name."""
    return {number for path in folder.rglob("test_*.py") for number in _named(ast.parse(path.read_text("utf-8")))}


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            numbers = [match[1] for match in _IN_DOCSTRING.finditer(ast.get_docstring(node) or "")]
            numbers += [name.replace("_to_", " to ").replace("_", ".") for name in _IN_NAME.findall(node.name)]
            yield from (each for number in numbers for each in expanded(number))


def faults(root: Path) -> list[str]:
    """A sentence for each step that code or tests don't name."""
    found = steps((root / "spec/PROTOCOL.md").read_text("utf-8"))
    bold = [step.number for step in found if not step.listed]
    code, tests = in_code(root / "src"), in_tests(root / "tests")
    said = [f"{number}: no code names it" for number in bold if number not in code | NOT_IN_CODE.keys()]
    tested = [*bold, *refusing(found)]
    said += [f"{number}: no test names it" for number in tested if number not in tests | NOT_IN_TESTS.keys()]
    unknown = code - {step.number for step in found}
    said += [f"{number}: code names it, the text has no such step" for number in sorted(unknown)]
    stale = (NOT_IN_CODE.keys() | NOT_IN_TESTS.keys()) - set(bold)
    return said + [f"{number}: the list of exceptions names it, the text has no such step" for number in sorted(stale)]


def main() -> int:
    """Prints what is missing; 1 when something is."""
    said = faults(ROOT)
    print(*said, sep="\n", end="\n" if said else "")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
