"""The end card: whose it is, the whole address, a code that any reader reads, and all of it legible on a phone."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from doubles.calls import ADDRESS, NAME, SAID, make_call
from PIL import Image

from sottovoce.outreach.call import Call, Shape
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.film.camera import STILL
from sottovoce.outreach.film.cards import card_frames
from sottovoce.outreach.film.compose import Composer
from sottovoce.outreach.film.endcard import Card, read_logo
from sottovoce.outreach.film.layout import LAYOUTS, QUIET
from sottovoce.outreach.film.legible import Text, check_legible, contrast, mixed
from sottovoce.outreach.film.paint import Painter, Pixels
from sottovoce.outreach.film.qr import MODULES
from sottovoce.outreach.film.scene import Drawing
from sottovoce.outreach.film.sizes import CREAM, INK, SIZES, TEAL
from sottovoce.outreach.film.storyboard import Layer
from sottovoce.outreach.tongues import TONGUES
from sottovoce.outreach.words import words

SHAPES = list(SIZES)
LANGUAGES = list(SAID)


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    return make_call(tmp_path_factory.mktemp("call") / "call", LANGUAGES)


def card(call: Call, language: str = "en", *, draft: bool = False) -> Card:
    """The card of a film that is acted, with a voice and pictures made by a machine."""
    label = words(language).label(dramatised=True, synthetic=["voice", "picture"])
    return Card.of(call, language, label, draft=draft)


def painted(of: Card, shape: Shape, t: float = 5, size: tuple[int, int] | None = None) -> Pixels:
    """The card's pixels at a time, red first."""
    drawing = Drawing.of(of.svg(shape))
    frame = [Layer(drawing, STILL, drawing.text(t, STILL, shape), 1)]
    return Painter(shape, size).paint(frame)[:, :, 2::-1].copy()


def zbar(pixels: Pixels, folder: Path) -> str:
    """What zbarimg reads in a picture."""
    Image.fromarray(pixels).save(folder / "a.png")
    command = ["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", str(folder / "a.png")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout.strip()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("language", ["en", "fa"])
def test_two_readers_read_the_bare_address_in_capitals(call: Call, language: str, shape: Shape, tmp_path: Path) -> None:
    pixels = painted(card(call, language, draft=language == "fa"), shape)
    (found,) = zxingcpp.read_barcodes(pixels)
    assert found.text == zbar(pixels, tmp_path) == ADDRESS.upper()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_can_be_read_on_a_phone_in_every_shape(call: Call, language: str) -> None:
    assert all(card(call, language).svg(shape) for shape in SHAPES)  # else it is refused


@pytest.mark.parametrize("shape", SHAPES)
def test_the_code_has_whole_modules_two_fifths_of_the_height_and_an_empty_zone(call: Call, shape: Shape) -> None:
    layout, (width, height) = LAYOUTS[shape], SIZES[shape]
    for language in ("en", "fa"):  # fa: mirrored
        x, y = Composer(TONGUES[language], shape).code
        left, top, side = x + width // 2, y + height // 2, MODULES * layout.module
        assert side >= 0.4 * height
        pixels, quiet = painted(card(call, language), shape), QUIET * layout.module
        around = pixels[top - quiet : top + side + quiet, left - quiet : left + side + quiet].copy()
        inside = around[quiet:-quiet, quiet:-quiet]
        assert ((inside == rgb(INK)).all(axis=2) | (inside == rgb(CREAM)).all(axis=2)).all()
        modules = inside.reshape(MODULES, layout.module, MODULES, layout.module, 3)
        assert (modules == modules[:, :1, :, :1]).all()
        around[quiet:-quiet, quiet:-quiet] = rgb(CREAM)
        assert (around == rgb(CREAM)).all()


def rgb(colour: str) -> tuple[int, int, int]:
    """A colour's parts."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_card_begins_as_plain_cream_and_stands_still_after_1_1_seconds(call: Call, shape: Shape) -> None:
    of = card(call)
    assert (painted(of, shape, 0) == rgb(CREAM)).all()
    assert (painted(of, shape, 1.1) == painted(of, shape, 6)).all()
    assert len(list(card_frames(of, shape, (SIZES[shape][0] // 3 * 2, SIZES[shape][1] // 3 * 2), 30))) == 34


def test_the_code_is_sharp_in_every_size_or_the_size_is_refused(call: Call) -> None:
    small = painted(card(call), "16x9", size=(1_280, 720))
    x, y = (
        (Composer(TONGUES["en"], "16x9").code[0] + 960) * 2 // 3,
        (Composer(TONGUES["en"], "16x9").code[1] + 540) * 2 // 3,
    )
    inside = small[y : y + 12 * MODULES, x : x + 12 * MODULES].astype(int)
    assert np.minimum(abs(inside - rgb(INK)), abs(inside - rgb(CREAM))).max() <= 1
    with pytest.raises(CallError, match="1000x562 pixels has no sharp QR code"):
        next(card_frames(card(call), "16x9", (1_000, 562), 30))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_address_stands_whole_in_groups_of_four_in_two_colours(language: str, shape: Shape) -> None:
    texts = list(Composer(TONGUES[language], shape).address(ADDRESS))
    assert "".join(text.text for text in texts) == ADDRESS
    assert {len(text.text) for text in texts[:-1]} == {4}
    rows = {text.y: [each for each in texts if each.y == text.y] for text in texts}
    for row in rows.values():
        assert [text.x for text in row] == sorted(text.x for text in row)  # left to right, in Persian too
        inks = [text.fill for text in row if text.text != ".onion"]
        assert all(one != other for one, other in pairwise(inks))
        assert set(inks) <= {INK, TEAL}


def test_persian_is_mirrored_but_not_its_address(call: Call) -> None:
    left, right = (Composer(TONGUES[tag], "16x9").code[0] for tag in ("en", "fa"))
    assert left < 0 < right
    assert right == -left - MODULES * LAYOUTS["16x9"].module


def test_a_card_says_all_that_it_must(call: Call) -> None:
    svg = card(call, "zh-Hans").svg("16x9")
    said = words("zh-Hans")
    for text in (
        SAID["zh-Hans"][0],
        NAME,
        said.type_it,
        said.check_words,
        " ".join(call.card.check_words),
        said.dramatised,
    ):
        assert f">{text}<" in svg or text in svg
    assert card(call, "en").svg("16x9").count(f">{NAME}<") == 1  # the card's own name isn't said twice


@pytest.mark.parametrize("shape", SHAPES)
def test_a_draft_says_so_across_the_card(call: Call, shape: Shape) -> None:
    plain, draft = (painted(card(call, draft=draft), shape) for draft in (False, True))
    changed = np.flatnonzero((plain != draft).any(axis=(0, 2)))
    assert np.ptp(changed) > 0.6 * SIZES[shape][0]


def test_a_name_too_long_for_a_phone_is_refused(call: Call) -> None:
    long = replace(
        card(call),
        name="The Office of the Parliamentary Ombudsman for the Prevention of Corruption in Public Works " * 2,
    )
    with pytest.raises(CallError, match="pixels high on a phone: make it shorter"):
        long.svg("16x9")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (Text("address", "abcd", 0, 0, 80, 200, "x", INK), "would be 15.0 pixels high on a phone"),
        (Text("words", "abcd", 0, 0, 50, 200, "x", "#8a8a8a"), "is too pale on the end card"),
        (Text("words", "abcd", 0, 0, 50, 200, "x", INK, opacity=0.5), "is too pale on the end card"),
        (Text("words", "abcd", 800, 0, 50, 200, "x", INK), "does not fit on the end card"),
        (Text("words", "abcd", -800, 0, 50, 200, "x", INK, rtl=True), "does not fit on the end card"),
        (Text("words", "abcd", 0, 541, 50, 200, "x", INK), "does not fit on the end card"),
    ],
)
def test_what_a_phones_owner_can_not_read_is_refused(text: Text, sentence: str) -> None:
    check_legible([Text("words", "abcd", 0, 0, 50, 200, "x", INK)], "16x9")
    with pytest.raises(CallError, match=sentence):
        check_legible([text], "16x9")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"


def test_a_sign_of_any_size_is_placed_around_its_middle(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" fill="#f00"/>', "utf-8"
    )
    assert 'fill="#f00" transform="scale(0.5) translate(-100 -100)"' in read_logo(tmp_path / "a.svg")
    for content in ("<svg", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0"/>'):
        (tmp_path / "b.svg").write_text(content, "utf-8")
        with pytest.raises(CallError, match="is no SVG drawing"):
            read_logo(tmp_path / "b.svg")
    with pytest.raises(CallError, match="is missing"):
        read_logo(tmp_path / "c.svg")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("second", ["临渡市申诉专员公署", "دفتر بازرسی شهر بندر", "Омбудсмен", "옴부즈만 사무국"])
def test_a_name_in_another_script_stands_beside_the_sign_and_not_on_it(
    shape: Shape, language: str, second: str
) -> None:
    composer = Composer(TONGUES[language], shape)
    own, below = composer.names("Ombudsman", second)
    (middle, _), half = composer.logo, 50 * composer.layout.logo[1]
    for text in (own, below):
        left = text.x - (text.width if text.rtl else 0)
        assert left >= middle + half or left + text.width <= middle - half
