"""Runs tests against copies of the program, each in a fork, so that interpreter and libraries start only once.

    python mutants.py < lines of JSON: [folder that holds a copy of the package, test, test, ...]

What pytest says goes to `said` in that folder, its exit status to `status`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

# None of ours: a fork must find the copy. What the tests need of others is loaded before the first fork.
import cbor2  # noqa: F401
import hypothesis.strategies
import mnemonic  # noqa: F401
import pytest
from cryptography.hazmat.primitives import hpke  # noqa: F401
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519  # noqa: F401

AT_ONCE = 2


def run(folder: Path, tests: list[str]) -> None:
    """In a fork: says and ends as pytest does."""
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.path.insert(0, str(folder))
    hypothesis.settings.register_profile("mutants", database=None, derandomize=True, deadline=None)
    options = ["-q", "-x", "--tb=short", "--no-header", "--hypothesis-profile=mutants"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of hypothesis, which was loaded before
    status = pytest.main([*options, *tests])
    (folder / "status").write_text(str(int(status)))
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    """Forks for each line, two at a time."""
    assert "sottovoce" not in sys.modules
    running = 0
    for line in sys.stdin:
        folder, *tests = json.loads(line)
        if running == AT_ONCE:
            os.wait()
            running -= 1
        if os.fork() == 0:
            run(Path(folder), tests)
        running += 1
    for _ in range(running):
        os.wait()


if __name__ == "__main__":
    main()
