"""Plays the story and writes the table of who sees what into spec/THREATS.md: `PYTHONPATH=tests python -m who`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from who.case import Case
from who.story import Story
from who.table import THREATS, placed, table

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder))
        story.play()
        THREATS.write_text(placed(THREATS.read_text("utf-8"), table(Case(story))), "utf-8")
