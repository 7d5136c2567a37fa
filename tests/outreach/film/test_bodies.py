"""One step makes all encodings of a shape, yet each only when what it is made from changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from doubles.calls import make_call, make_master

from sottovoce.outreach.film.bodies import Body, body_step
from sottovoce.outreach.film.captions import Burnt
from sottovoce.outreach.film.encode import Cut
from sottovoce.outreach.film.sources import source_of
from sottovoce.outreach.srt import Cue
from sottovoce.outreach.steps import Builder
from sottovoce.outreach.tongues import TONGUES

NAMES = ("en", "ru")


class Bodies:
    """Two encodings of a short master, with captions in two languages."""

    def __init__(self, folder: Path) -> None:
        self.call = make_call(folder / "call", ["en"], ["filmed"])
        make_master(self.call.videos[0].folder / "master.mp4", seconds=0.4)
        self.folder = self.call.built / "parts"
        self.said = dict.fromkeys(NAMES, "One.")

    def bodies(self) -> list[Body]:
        source = source_of(self.call.videos[0], "en")
        return [
            Body(
                source,
                Cut(f"{tag}.mp4", "16x9", (320, 180), 30),
                Burnt(TONGUES[tag], "16x9", 0.8, 30, "", (Cue(0, 300, text),)),
            )
            for tag, text in self.said.items()
        ]

    def made(self) -> set[str]:
        """Which encodings a build makes: those whose file is another one afterwards."""
        before = {tag: self._stamp(tag) for tag in NAMES}
        Builder(self.call.built, 1).build([body_step("16x9", self.bodies(), self.folder)], lambda _: None)
        return {tag for tag in NAMES if self._stamp(tag) != before[tag]}

    def _stamp(self, tag: str) -> tuple[int, int] | None:
        path = self.folder / f"{tag}.mp4"
        return (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None


@pytest.fixture
def bodies(tmp_path: Path) -> Bodies:
    made = Bodies(tmp_path)
    assert made.made() == {"en", "ru"}
    return made


def test_nothing_changed_makes_nothing(bodies: Bodies) -> None:
    assert bodies.made() == set()


def test_a_changed_caption_makes_its_encoding_only(bodies: Bodies) -> None:
    bodies.said["ru"] = "Two."
    assert bodies.made() == {"ru"}
    assert bodies.made() == set()


def test_another_master_makes_all(bodies: Bodies) -> None:
    make_master(bodies.call.videos[0].folder / "master.mp4", "-vf", "negate", seconds=0.4)
    assert bodies.made() == {"en", "ru"}


def test_a_new_typeface_makes_all(bodies: Bodies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Captions are drawn with it, though no file of the call changed."""
    (tmp_path / "font").write_text("new", "utf-8")
    monkeypatch.setattr("sottovoce.outreach.film.bodies.files", lambda: (tmp_path / "font",))
    assert bodies.made() == {"en", "ru"}


def test_an_encoding_that_somebody_changed_is_made_anew(bodies: Bodies) -> None:
    path = bodies.folder / "en.mp4"
    path.write_bytes(path.read_bytes() + b"x")
    assert bodies.made() == {"en"}


def test_a_lost_record_makes_all_anew(bodies: Bodies) -> None:
    next(bodies.folder.glob("*.json")).write_text("no record", "utf-8")
    assert bodies.made() == {"en", "ru"}


def test_a_change_of_quality_is_a_change(bodies: Bodies) -> None:
    first, *others = bodies.bodies()
    step = body_step("16x9", [replace(first, cut=replace(first.cut, crf=40)), *others], bodies.folder)
    before = (bodies.folder / "en.mp4").stat().st_size
    Builder(bodies.call.built, 1).build([step], lambda _: None)
    assert (bodies.folder / "en.mp4").stat().st_size < before
