"""In CI a skipped test fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SKIPS = {
    "a test": "import pytest\n\ndef test_one():\n    pytest.skip('no browser')\n",
    "a marked test": "import pytest\n\n@pytest.mark.skip(reason='no browser')\ndef test_one():\n    pass\n",
    "a whole file": "import pytest\npytest.skip('no browser', allow_module_level=True)\n",
}
EXPECTED = "import pytest\n\n@pytest.mark.xfail(strict=True)\ndef test_one():\n    assert False\n"


def run_pytest(folder: Path, text: str, ci: str) -> subprocess.CompletedProcess[str]:
    """What pytest with our plugin says to one file with this text."""
    (folder / "test_planted.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "plugin_noskip", "-p", "no:cacheprovider", "-c", os.devnull]
    command += ["--rootdir", str(folder), str(folder)]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(TESTS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


@pytest.mark.parametrize("text", SKIPS.values(), ids=list(SKIPS))
def test_a_skip_fails_in_ci(tmp_path: Path, text: str) -> None:
    done = run_pytest(tmp_path, text, ci="true")
    assert done.returncode != 0
    assert "In CI nothing is skipped" in done.stdout
    assert "no browser" in done.stdout


def test_a_skip_is_fine_elsewhere(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, SKIPS["a test"], ci="").returncode == 0


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, EXPECTED, ci="true").returncode == 0
