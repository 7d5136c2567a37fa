"""A frame is a text that follows from scene, time, camera and shape alone; the same text, the same pixels."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from doubles.calls import TABLET, make_call
from PIL import Image

from sottovoce.outreach.call import Shape
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.film.camera import STILL, View
from sottovoce.outreach.film.motion import take_motion
from sottovoce.outreach.film.paint import Painter
from sottovoce.outreach.film.scene import Drawing, Picture, read_scene
from sottovoce.outreach.film.storyboard import Layer, Storyboard

HEAD = '<svg xmlns="http://www.w3.org/2000/svg">'
GOLDEN = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="-540 -960 1080 1920" width="1080" height="1920">\
<g transform="scale(1.050000) translate(-1.0000 -0.4000)">\
<rect x="-1250" y="-1250" width="2500" height="2500" fill="#2a3160" /></g>
<g transform="scale(1.500000) translate(-10.0000 -4.0000)">\
<rect x="-160" y="-220" width="320" height="440" rx="20" fill="#02040a" transform="rotate(-2.5)" />
<rect x="-140" y="-200" width="280" height="400" fill="#f4ecdc" /></g></svg>"""


def drawn(inner: str, t: float, shape: Shape = "16x9", view: View = STILL) -> ET.Element:
    """What a drawing of some elements is at a time."""
    return ET.fromstring(Drawing.of(f"{HEAD}{inner}</svg>").text(t, view, shape))  # noqa: S314


def test_the_text_of_a_frame_is_this() -> None:
    assert Drawing.of(TABLET).text(1.0, View(10, 4, 1.5), "9x16") == GOLDEN


def test_a_frame_does_not_depend_on_those_before(tmp_path: Path) -> None:
    video = make_call(tmp_path / "call", ["en"]).videos[0]
    board = Storyboard(video)
    before = [layer.text for layer in board.frame(52, "16x9")]
    for number in (0, 89, 17):
        board.frame(number, "9x16")
    assert [layer.text for layer in board.frame(52, "16x9")] == before
    assert [layer.text for layer in Storyboard(video).frame(52, "16x9")] == before


@pytest.mark.parametrize(
    ("marks", "t", "expected"),
    [
        ('data-x="0:0 2:100"', 0.5, {"transform": "translate(25.0000 0.0000)"}),  # alone: even
        ('data-x="0:0 2:100" data-y="0:0 2:0"', 0.5, {"transform": "translate(15.6250 0.0000)"}),
        ('data-y="1:8 2:4"', 0, {"transform": "translate(0.0000 8.0000)"}),
        ('data-opacity="0:0 1:1"', 0.5, {"opacity": "0.5000"}),
        ('data-opacity="0:0 1:1" opacity=".5"', 1, {"opacity": "0.5000"}),
        ('data-opacity="0:0 1:1"', 1, {}),
        ('data-tilt="-2.5" transform="scale(2)"', 1, {"transform": "rotate(-2.5) scale(2)"}),
        ('data-swing="10 1 .25 3 4"', 0, {"transform": "rotate(10.0000 3 4)"}),
        ('data-wave="6 4"', 1, {"transform": "translate(6.0000 0.0000)"}),
        ('data-pivot="5 6" data-scale="0:1 1:3"', 1, {"transform": "translate(5 6) scale(3.00000) translate(-5 -6)"}),
        ('data-only="9x16"', 0, {"display": "none"}),
        ('data-only="16x9 9x16"', 0, {}),
    ],
)  # fmt: skip
def test_each_movement(marks: str, t: float, expected: dict[str, str]) -> None:
    assert drawn(f"<g {marks}/>", t)[0].attrib == expected


def test_what_is_near_moves_more_than_what_is_far() -> None:
    far, near = drawn('<g data-depth=".1"/><g data-depth="1.5"/>', 0, view=View(10, 0, 2))
    assert far.get("transform") == "scale(1.100000) translate(-1.0000 0.0000)"
    assert near.get("transform") == "scale(2.500000) translate(-15.0000 0.0000)"


def test_a_square_shows_what_is_for_the_wide_shape_unless_something_is_for_it_alone() -> None:
    wide = '<g data-only="16x9"/>'
    assert drawn(wide, 0, "1x1")[0].get("display") is None
    both = drawn(f'{wide}<g data-only="1x1"/>', 0, "1x1")
    assert [each.get("display") for each in both] == ["none", None]


@pytest.mark.parametrize(
    "mark", ['data-swing="1 2"', 'data-x="0:0 1"', 'data-x="1:0 0:5"', 'data-dept="1"', 'data-depth="near"']
)
def test_a_movement_that_is_none_is_named(mark: str, tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(f"{HEAD}<g {mark}/></svg>", "utf-8")
    with pytest.raises(CallError, match="doesn't fit, mend it: data-"):
        read_scene(tmp_path / "a.svg")


def test_motion_takes_its_marks_away() -> None:
    element = ET.Element("g", {"id": "a", "data-depth": "1"})
    assert take_motion(element) is not None
    assert element.attrib == {"id": "a"}
    assert take_motion(element) is None


def test_a_crossfade_shows_both_scenes_and_then_one(tmp_path: Path) -> None:
    board = Storyboard(make_call(tmp_path / "call", ["en"]).videos[0])  # the second scene fades in from 1.5 to 1.8 s
    shown = {n: [round(layer.shown, 2) for layer in board.frame(n, "16x9")][:-1] for n in (44, 45, 53, 54)}
    assert shown[44] == [1]
    assert shown[45][0] == 1
    assert 0 < shown[45][1] < 0.1
    assert shown[53] == [1, 1]
    assert shown[54] == [1]


def test_the_same_text_is_painted_once_and_the_pixels_are_right(tmp_path: Path) -> None:
    board, painter = Storyboard(make_call(tmp_path / "call", ["en"]).videos[0]), Painter("9x16")
    first = painter.paint(board.frame(80, "9x16")).copy()
    assert first.shape == (1920, 1080, 4)
    assert tuple(first[960, 540]) == (0xDC, 0xEC, 0xF4, 0xFF)  # the tablet's cream: blue, green, red
    painter.paint(board.frame(10, "9x16"))
    again = painter.paint(board.frame(80, "9x16"))
    assert np.array_equal(first, again)
    again[:] = 7
    assert painter.paint(board.frame(80, "9x16"))[0, 0, 0] == 7  # nothing was painted anew


def test_a_photograph_fills_every_shape_and_the_camera_stays_inside(tmp_path: Path) -> None:
    Image.new("RGB", (640, 480), "#3060a0").save(tmp_path / "a.png")
    picture = read_scene(tmp_path / "a.png")
    assert isinstance(picture, Picture)
    for shape in ("16x9", "9x16", "1x1"):
        for view in (STILL, View(5_000, -5_000, 1.2), View(-300, 20, 0.5)):
            painted = Painter(shape).paint([Layer(picture, view, picture.text(0, view, shape), 1)])
            assert all(tuple(painted[y, x]) == (0xA0, 0x60, 0x30, 0xFF) for x in (0, -1) for y in (0, -1)), (
                shape,
                view,
            )


def test_a_photograph_that_was_taken_upright_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (64, 32)).save(tmp_path / "a.png", exif=exif)
    picture = read_scene(tmp_path / "a.png")
    assert isinstance(picture, Picture)
    assert picture.image.size == (32, 64)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.svg", b"<svg", "is no drawing"),
        ("a.svg", b"\xff\xfe", "is no drawing"),
        ("a.png", b"no picture", "is no picture"),
        ("b.svg", None, "is missing"),
        ("b.png", None, "is missing"),
    ],
)
def test_a_scene_that_can_not_be_read_is_named(name: str, content: bytes | None, sentence: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CallError, match=sentence):
        read_scene(tmp_path / name)
