"""A new call's folder: the worked example, which builds at once and is then changed into one's own."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from .errors import CallError

DAYS = 300  # how long what the example prints is valid, at most
_IGNORED = "# What is built can be built again; an office never belongs into git.\n/build/\n/office/\n"


def write_example(folder: Path) -> None:
    """Copies the worked example into an empty or new folder; CallError when something is there already."""
    if folder.exists() and any(folder.iterdir()):
        raise CallError(f"{folder} is not empty: choose a new folder for the call.")
    with resources.as_file(resources.files(__package__) / "example") as example:
        shutil.copytree(example, folder, dirs_exist_ok=True)
    (folder / ".gitignore").write_text(_IGNORED, "utf-8")


def end_with(folder: Path, today: datetime.date, ends: datetime.date) -> None:
    """Has a new call end before its card does."""
    until = min(ends, today + datetime.timedelta(days=DAYS))
    path = folder / "call.toml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(_with_until(lines, until)), "utf-8")


def _with_until(lines: Iterable[str], until: datetime.date) -> Iterable[str]:
    return (f"until = {until}\n" if line.startswith("until = ") else line for line in lines)
