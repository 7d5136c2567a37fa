"""The import rules of pyproject.toml bite: each is broken once in a copy of the tree, and import-linter says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NAMES = {rule["id"]: rule["name"] for rule in CONFIG["tool"]["importlinter"]["contracts"]}
PLANTED = {  # rule: the room, and the line that it must not hold
    "floors": ("trust", "import sottovoce.pool"),
    "desk": ("desk", "import sottovoce.source"),
    "outreach": ("outreach", "import sottovoce.pool"),
    "pool": ("pool", "from sottovoce.protocol import keys"),
    "pure": ("protocol", "import time"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package that a test may spoil."""
    shutil.copytree(ROOT / "src/sottovoce", tmp_path / "sottovoce", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def lint(folder: Path) -> str:
    """What import-linter says about the package in this folder, by the rules of pyproject.toml."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [str(program), "--no-logo", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("rule", NAMES)
def test_a_planted_import_breaks_its_rule(copy: Path, rule: str) -> None:
    room, line = PLANTED[rule]
    (copy / "sottovoce" / room / "planted.py").write_text(f"{line}\n")
    assert f"{NAMES[rule]} BROKEN" in lint(copy)


def test_a_room_without_a_floor_is_refused(copy: Path) -> None:
    (copy / "sottovoce/cellar.py").write_text("")
    assert "sottovoce.cellar" in lint(copy)


def test_without_a_planted_import_all_is_kept(copy: Path) -> None:
    assert " 0 broken" in lint(copy)
