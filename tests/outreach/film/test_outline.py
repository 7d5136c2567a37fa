"""Text becomes shapes, in one run for all texts of a drawing, and once for the same text."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.film.camera import STILL
from sottovoce.outreach.film.outline import PATH, SVG, TEXT
from sottovoce.outreach.film.paint import Painter
from sottovoce.outreach.film.scene import Drawing
from sottovoce.outreach.film.storyboard import Layer


def painted(text: str) -> list[tuple[int, int, int]]:
    """By column of 40 pixels, how many pixels are red, green and blue in a drawing of some texts on black."""
    drawing = Drawing.of(f'<svg xmlns="{SVG}">{text}</svg>')
    pixels = Painter("16x9").paint([Layer(drawing, STILL, drawing.text(0, STILL, "16x9"), 1)])
    columns = (pixels[:, :, 2::-1] > 127).reshape(1080, 48, 40, 3).sum(axis=(0, 2))
    return [(int(red), int(green), int(blue)) for red, green, blue in columns]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with one line for each run of rsvg-convert, which is the real one behind a note-taker."""
    log, shim = tmp_path / "log", tmp_path / "bin" / "rsvg-convert"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho run >> "{log}"\nPATH="${{PATH#*:}}" exec rsvg-convert "$@"\n', "utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    return log


def test_texts_are_drawn_where_and_in_which_colour_they_stand() -> None:
    columns = painted(
        '<text x="-800" font-size="90" font-family="Noto Sans" fill="#ff0000">left</text>'
        '<g fill="#0000ff" text-anchor="end"><text x="800" font-size="90" font-family="Noto Sans">right</text></g>'
    )
    assert sum(red for red, _, _ in columns[:12]) > 1_000
    assert sum(blue for _, _, blue in columns[36:]) > 1_000
    assert sum(red for red, _, _ in columns[12:]) == sum(blue for _, _, blue in columns[:36]) == 0


def test_persian_runs_from_right_to_left_and_keeps_a_latin_word_whole() -> None:
    """Its first word stands at the right edge, and a Latin word after it at the left."""
    columns = painted(
        '<text x="900" font-size="90" direction="rtl" font-family="Noto Sans Arabic" fill="#ff0000">نشانی Tor</text>'
    )
    inked = [index for index, (red, _, _) in enumerate(columns) if red]
    assert inked[-1] in (45, 46)  # just left of 900 + 960 pixels
    word = painted('<text x="0" font-size="90" font-family="Noto Sans" fill="#ff0000">Tor</text>')
    assert columns[inked[0] + 1] != (0, 0, 0)
    assert np.ptp(inked) > np.count_nonzero([red for red, _, _ in word]) + 3


def test_all_texts_of_a_drawing_take_one_run_and_the_same_again_none(runs: Path) -> None:
    texts = "".join(
        f'<text y="{y}" font-size="40" font-family="Noto Sans">only here {y}</text>' for y in range(0, 90, 30)
    )
    for _ in range(2):
        made = Drawing.of(f'<svg xmlns="{SVG}">{texts}</svg>')
        root = ET.fromstring(made.text(0, STILL, "16x9"))  # noqa: S314
        assert not list(root.iter(TEXT))
        assert len(list(root.iter(PATH))) >= 3
        assert runs.read_text() == "run\n"


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CallError, match="rsvg-convert is not installed: run `apt-get install librsvg2-bin`"):
        Drawing.of(f'<svg xmlns="{SVG}"><text>never outlined before</text></svg>')
