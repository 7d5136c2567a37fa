"""What holds for the tree as a whole."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = sorted(path for path in (ROOT / "src/sottovoce").iterdir() if path.is_dir() and path.name != "__pycache__")
BUILT = {"build", "dist", "__pycache__", "node_modules"}
TRACES = re.compile(
    r"https?://\S+/(?:simple|debian|packages)\b|--(?:extra-)?index-url|--find-links|registry\.\w+\.org"
    r"|(?<![\w.~-])/(?:home|root|work|Users)/\w"
)
LOCKS = ("requirements.lock", "tools/bootstrap.lock")


def files() -> Iterator[Path]:
    """Every file of the tree, without what was built or installed into it."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in BUILT and (name == ".ci" or not name.startswith("."))]
        yield from (Path(folder, name) for name in names if name != ".git")  # a file in a second work tree


def make(*words: str) -> str:
    """What `make` says."""
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def test_no_file_knows_a_registry_or_a_machine() -> None:
    this = Path(__file__)
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in files() if path != this}
    found = {path.relative_to(ROOT): hit[0] for path, text in texts.items() if (hit := TRACES.search(text))}
    assert not found


@pytest.mark.parametrize(
    "planted", ["--index-url x", "see /home/anna/x", "'/Users/y'", "https://packages.example/simple"]
)
def test_a_planted_trace_is_found(planted: str) -> None:
    assert TRACES.search(planted)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_only(lock: str) -> None:
    entries = (ROOT / lock).read_text("utf-8").replace("\\\n", "").splitlines()
    assert entries
    shape = re.compile(r"[a-z0-9.-]+==[\w.+!]+( ; [^/@]+?)?( +--hash=sha256:[0-9a-f]{64})+")
    assert [entry for entry in entries if not shape.fullmatch(entry)] == []


@pytest.mark.parametrize("folder", ["vectors/readers", "tests/access", "tests/outreach/proof/reader"])
def test_a_lock_of_javascript_holds_pins_and_hashes_only(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text("utf-8"))["packages"]
    ours = packages.pop("")
    assert packages
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package
        assert "hasInstallScript" not in package
    pins = {name.removeprefix("node_modules/"): package["version"] for name, package in packages.items()}
    assert {name: pins[name] for name in ours["dependencies"]} == ours["dependencies"]


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_a_room_says_what_it_is_for(room: Path) -> None:
    assert ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8")))


def test_no_file_of_the_program_is_a_maze() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in (ROOT / "src").rglob("*.py")}
    assert {path.name: length for path, length in lengths.items() if length > 400} == {}


def test_a_decision_is_short_and_has_a_title() -> None:
    decisions = {path: path.read_text("utf-8").splitlines() for path in (ROOT / "docs/decisions").glob("*.md")}
    assert decisions
    assert [path.name for path, lines in decisions.items() if len(lines) > 14 or not lines[0].startswith("# ")] == []


def test_make_alone_lists_every_target() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert targets >= {"demo", "test", "test-long", "lint", "bench", "screenshots"}
    assert set(re.findall(r"^  make ([a-z-]+) ", make(), re.MULTILINE)) == targets


def test_ci_runs_the_tests_and_counts_skips() -> None:
    script = (ROOT / ".ci/run").read_text("utf-8")
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "export CI=true" in script
    assert script.rstrip().endswith("make test")
