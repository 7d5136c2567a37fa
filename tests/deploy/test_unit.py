"""The unit is one that systemd understands, and gives the service little. That it runs under systemd is not tried."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

UNIT = (Path(__file__).parents[2] / "deploy/sottovoce.service").read_text("utf-8")
MOST = 20  # systemd's exposure, of 100; 15 when this was written


def analyze(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says of the unit; a program that is here stands for ours."""
    file = folder / "sottovoce.service"
    file.write_text(UNIT.replace("/usr/local/bin/sottovoce", "/bin/true"), "utf-8")
    command = ["systemd-analyze", *words, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    done = analyze(tmp_path, "verify")
    assert "sottovoce" not in done.stderr, done.stderr


def test_the_service_is_exposed_little(tmp_path: Path) -> None:
    done = analyze(tmp_path, "security", "--offline=true", f"--threshold={MOST}")
    assert done.returncode == 0, done.stdout


def test_a_loose_unit_is_told(tmp_path: Path) -> None:
    loose = re.sub(r"^(Protect|Private|Restrict|System|Capability).*\n", "", UNIT, flags=re.MULTILINE)
    (tmp_path / "loose.service").write_text(loose.replace("/usr/local/bin/sottovoce", "/bin/true"), "utf-8")
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST}", str(tmp_path / "loose.service")]
    assert subprocess.run(command, capture_output=True, check=False, timeout=30).returncode != 0


def test_what_memory_held_reaches_no_disk() -> None:
    lines = set(UNIT.splitlines())
    assert {"LimitCORE=0", "MemorySwapMax=0", "UMask=0077", "PrivateTmp=yes", "NoNewPrivileges=yes"} <= lines
    assert {"User=sottovoce", "WantedBy=multi-user.target", "StateDirectoryMode=0700"} <= lines
