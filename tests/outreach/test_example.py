"""The worked example: it fits the forms, is whole in every language, and its pictures hold no words but keys."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from sottovoce.outreach.call import CallFile, Shape, Texts, VideoFile
from sottovoce.outreach.form import read
from sottovoce.outreach.platforms import platforms
from sottovoce.outreach.policy import Policy
from sottovoce.outreach.srt import read_srt
from sottovoce.outreach.tongues import TONGUES

EXAMPLE = Path(str(resources.files("sottovoce.outreach") / "example"))
CALL = read(EXAMPLE / "call.toml", CallFile)
FILMS = {name: read(EXAMPLE / "videos" / name / "video.toml", VideoFile) for name in CALL.videos}
DRAWINGS = sorted(EXAMPLE.rglob("*.svg"))
CHARACTERS_A_SECOND = {"zh-Hans": 9.0, "zh-Hant": 9.0, "ko": 12.0, "fa": 20.0, "ru": 20.0, "en": 20.0}
SHAPES_AND_PAINT = {
    *("svg", "defs", "g", "path", "rect", "circle", "ellipse", "clipPath"),
    *("linearGradient", "radialGradient", "stop", "text"),
}


def texts(language: str) -> Texts:
    """What the organisation says in a language."""
    return read(EXAMPLE / "texts" / f"{language}.toml", Texts)


def drawing(path: Path) -> ET.Element:
    """A drawing of the example."""
    return ET.parse(path).getroot()  # noqa: S314


def named(element: ET.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.partition("}")[2]


def words(path: Path) -> list[str]:
    """What stands in a drawing as text."""
    return [(element.text or "").strip() for element in drawing(path).iter() if (element.text or "").strip()]


def test_call_and_policy_fit_their_forms() -> None:
    assert set(CALL.languages) == set(TONGUES)
    assert set(CALL.platforms) == set(platforms())
    assert read(EXAMPLE / "policy.toml", Policy).phone == "never"
    assert not (EXAMPLE / "signed").exists()


@pytest.mark.parametrize("name", FILMS)
def test_a_film_says_what_it_is_and_has_a_camera_for_every_shape(name: str) -> None:
    film = FILMS[name]
    starts = [scene.start for scene in film.scenes]
    assert film.dramatised
    assert film.synthetic == ["voice"]
    assert 20 <= film.seconds <= 26
    assert starts == sorted(set(starts))
    assert starts[0] == 0
    assert starts[-1] < film.seconds
    for scene in film.scenes:
        places = {shape: len(camera) for shape, camera in scene.camera.items()}
        assert places == dict.fromkeys(get_args(Shape), 3 if scene.move == "push" else 2)


@pytest.mark.parametrize("name", FILMS)
def test_a_film_uses_all_its_drawings(name: str) -> None:
    folder, film = EXAMPLE / "videos" / name, FILMS[name]
    used = {folder / scene.picture for scene in film.scenes} | {folder / film.overlay}
    assert used == set((folder / "scenes").iterdir())


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_a_drawing_holds_shapes_only_and_nothing_from_outside(path: Path) -> None:
    for element in drawing(path).iter():
        assert named(element) in SHAPES_AND_PAINT
        for key, value in element.attrib.items():
            assert "href" not in key
            assert "style" not in key
            assert re.sub(r"url\(#\w+\)", "", value).count("url(") == 0


@pytest.mark.parametrize("name", FILMS)
def test_scenes_hold_no_words_and_the_overlay_holds_keys_that_every_language_has(name: str) -> None:
    folder, film = EXAMPLE / "videos" / name, FILMS[name]
    assert not [word for scene in film.scenes for word in words(folder / scene.picture)]
    keys = {re.fullmatch(r"\{(\w+)\}", word)[1] for word in words(folder / film.overlay)}  # type: ignore[index]
    assert "label" in keys
    for language in CALL.languages:
        assert set(texts(language).videos[name].words) == keys - {"label"}


@pytest.mark.parametrize("language", CALL.languages)
def test_a_language_tells_of_every_film_within_what_platforms_take(language: str) -> None:
    said = texts(language)
    assert set(said.videos) == set(CALL.videos)
    assert 3 <= len(said.body) <= 4
    assert all(0 < len(video.title) <= 100 and len(video.description) <= 1_024 for video in said.videos.values())


@pytest.mark.parametrize("language", CALL.languages)
def test_nobody_wrote_an_address_or_a_link_by_hand(language: str) -> None:
    files = [EXAMPLE / "texts" / f"{language}.toml", *EXAMPLE.glob(f"videos/*/captions/{language}.srt")]
    assert len(files) == 1 + len(CALL.videos)
    assert not [path for path in files if re.search(r"onion|://|www\.|@|[a-z2-7]{16}", path.read_text("utf-8"))]


@pytest.mark.parametrize("language", CALL.languages)
@pytest.mark.parametrize("name", FILMS)
def test_captions_can_be_read_in_their_time(name: str, language: str) -> None:
    cues = read_srt(EXAMPLE / "videos" / name / "captions" / f"{language}.srt")
    spoken = [line for line in FILMS[name].sound.lines if line.start < FILMS[name].seconds]
    assert len(cues) == len(spoken)
    for cue, line in zip(cues, spoken, strict=True):
        assert abs(cue.start / 1_000 - line.start) <= 0.2
        read_aloud = re.sub(r"[\s　]", "", cue.text) if language.startswith("zh") else cue.text
        assert len(read_aloud) * 1_000 / (cue.end - cue.start) <= CHARACTERS_A_SECOND[language]
        assert cue.end - cue.start >= 1_400
    assert all(this.end + 66 <= after.start for this, after in pairwise(cues))
    assert cues[-1].end <= FILMS[name].seconds * 1_000 - 600
