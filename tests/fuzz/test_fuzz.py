"""Every parser against bytes of all kinds: what fuzzing found before each time, and new bytes for ten minutes."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fuzz.seeds import CORPUS, inputs, seeds
from fuzz.targets import TARGETS

TESTS = Path(__file__).parents[1]
MINUTES = 10  # for all targets, two at a time
SMALL = 2_048  # bytes of a file of the corpus


def fuzz(name: str, seconds: int, folder: Path, engine: str = "atheris") -> subprocess.CompletedProcess[str]:
    """One run of a target."""
    folder.mkdir()
    command = [sys.executable, "-m", "fuzz.run", name, str(seconds), str(folder), engine]
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", TARGETS)
def test_what_fuzzing_found_before_is_taken_or_refused(name: str) -> None:
    for data in [b"", *inputs(name)]:
        TARGETS[name](data)


def test_every_target_has_seeds_and_a_small_corpus() -> None:
    assert seeds().keys() == TARGETS.keys() == {path.name for path in CORPUS.iterdir()}
    assert [path for path in CORPUS.rglob("*") if path.is_file() and path.stat().st_size > SMALL] == []


@pytest.mark.parametrize("engine", ["atheris", "hypothesis"])
def test_a_planted_fault_is_found(tmp_path: Path, engine: str) -> None:
    done = fuzz("planted", 20, tmp_path / "found", engine)
    assert done.returncode != 0
    assert "AssertionError: planted" in done.stdout + done.stderr


@pytest.mark.long
def test_no_parser_fails_on_any_bytes(tmp_path: Path) -> None:
    """Ten minutes in all; what is new stays in the folder of the test, for whoever wants to add it to the corpus."""
    seconds = MINUTES * 60 * 2 // len(TARGETS)
    with ThreadPoolExecutor(2) as pool:
        runs = {name: pool.submit(fuzz, name, seconds, tmp_path / name) for name in TARGETS}
        done = {name: run.result() for name, run in runs.items()}
    failed = {name: run.stdout[-3_000:] + run.stderr[-3_000:] for name, run in done.items() if run.returncode}
    assert failed == {}
