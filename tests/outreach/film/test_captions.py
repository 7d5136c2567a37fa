"""What is burnt in: each language's letters in their own typeface, size and order, and gone before the card."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from doubles.calls import OVERLAY, SAID

from sottovoce.outreach.call import Shape
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.film.captions import LOOKS, Burnt
from sottovoce.outreach.film.fonts import face
from sottovoce.outreach.film.sidecar import sidecar, sidecar_name
from sottovoce.outreach.film.sizes import SIZES
from sottovoce.outreach.platforms import platforms
from sottovoce.outreach.srt import Cue
from sottovoce.outreach.tongues import TONGUES

EVENT = re.compile(r"Dialogue: (\d),([\d:.]+),([\d:.]+),Plain,,0,0,0,,\{(.*?)\}(.*)")


def burnt(tag: str = "en", shape: Shape = "16x9", *cues: Cue, label: str = "", seconds: float = 3) -> Burnt:
    """What is burnt into a film of three seconds."""
    return Burnt(TONGUES[tag], shape, seconds, 30, label, cues)


def events(of: Burnt) -> list[tuple[str, ...]]:
    """Layer, start, end, tags and text of each event."""
    return EVENT.findall(of.ass())


def pixels(of: Burnt, folder: Path, t: float = 1.0) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """How bright each pixel of a mid-grey picture is, with what is burnt in at a time."""
    (folder / "a.ass").write_text(of.ass(), "utf-8")
    width, height = SIZES[of.shape]
    graph = f"color=0x505050:s={width}x{height}:d=4:r=30,format=gray,ass=a.ass"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        graph,
        "-ss",
        str(t),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-",
    ]
    raw = subprocess.run(command, capture_output=True, check=True, cwd=folder, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).reshape(height, width)


def test_a_caption_comes_and_goes_at_whole_frames_and_never_late() -> None:
    ((layer, start, end, tags, text),) = events(burnt("en", "16x9", Cue(210, 1_105, "I am an accountant.")))
    assert (start, end) == ("0:00:00.20", "0:00:01.10")  # frames 6 and 33; 33/30 s is 1.1
    assert text == "I am an accountant."
    assert r"\bord6" in tags
    assert layer == "3"


def test_captions_are_gone_before_the_card_begins() -> None:
    found = events(burnt("en", "16x9", Cue(2_000, 9_000, "Long."), Cue(2_700, 9_000, "On the card.")))
    assert [(end, text) for _, _, end, _, text in found] == [("0:00:02.66", "Long.")]


def test_written_lines_stay_where_they_fit_and_break_anew_where_not() -> None:
    cue = Cue(0, 900, "We asked them twice about the money\nfor the bridge.")
    assert [text for *_, text in events(burnt("en", "16x9", cue))] == cue.text.split("\n")[::-1]
    narrow = [text for *_, text in events(burnt("en", "9x16", cue))]
    assert " ".join(narrow[::-1]) == cue.text.replace("\n", " ")
    assert narrow[::-1] != cue.text.split("\n")


def test_a_caption_with_too_many_lines_is_named() -> None:
    with pytest.raises(CallError, match="Caption 2 in en needs 5 lines in 9x16, where 4 have room: make two of it"):
        burnt("en", "9x16", Cue(0, 1, "a"), Cue(1, 2, " ".join(["accountants"] * 10))).ass()


def test_braces_and_backslashes_of_a_caption_are_shown_not_obeyed() -> None:
    ((*_, text),) = events(burnt("en", "16x9", Cue(0, 900, r"a {\b1} \N b")))
    assert text == "a \\{\\\u2060b1\\} \\\u2060N b"


def test_the_size_for_libass_is_that_of_a_line_in_each_typeface() -> None:
    for tag, family in (("zh-Hans", "Noto Sans CJK SC"), ("ko", "Noto Sans CJK KR"), ("ru", "Noto Sans")):
        ((*_, tags, _),) = events(burnt(tag, "16x9", Cue(0, 900, SAID[tag][2])))
        size = LOOKS["16x9"].letter * sum(face(family, bold=True).reach)
        assert f"\\fn{family}\\fs{size:.1f}\\b1" in tags


def test_persian_lines_run_from_right_to_left_and_latin_words_have_letters_of_their_size() -> None:
    ((*_, text),) = events(burnt("fa", "16x9", Cue(0, 900, SAID["fa"][3])))
    assert text.startswith("\u200f")
    own = LOOKS["16x9"].letter * 1.1
    latin = own * 0.95 * sum(face("Noto Sans", bold=True).reach)
    assert f"{{\\fnNoto Sans\\fs{latin:.1f}}}Tor{{\\fnNoto Sans Arabic\\fs" in text


@pytest.mark.parametrize("shape", list(SIZES))
@pytest.mark.parametrize("tag", ["zh-Hans", "fa", "ko"])
def test_captions_stand_inside_the_picture_and_are_large_enough(tag: str, shape: Shape, tmp_path: Path) -> None:
    shown = pixels(burnt(tag, shape, Cue(0, 2_500, SAID[tag][3])), tmp_path)
    rows, columns = np.nonzero(shown > 215)
    width, height = SIZES[shape]
    assert min(columns) >= 0.05 * width
    assert max(columns) <= 0.95 * width
    assert abs(min(columns) + max(columns) - width) < 0.03 * width  # in the middle
    assert 0.7 < max(rows) / height < (0.8 if shape == "9x16" else 0.96)  # apps cover the lowest fifth
    assert np.ptp(rows) * 360 / width >= 8  # pixels of a phone


def test_persian_brackets_are_as_large_as_its_letters(tmp_path: Path) -> None:
    heights = [
        np.ptp(np.nonzero(pixels(burnt("fa", "16x9", Cue(0, 2_500, text)), tmp_path) > 215)[0])
        for text in ("(۲)", "گذاشتم")
    ]
    assert heights[0] < 1.3 * heights[1]


def test_a_label_stands_above_until_the_card_begins(tmp_path: Path) -> None:
    box, line = events(burnt("en", label="Dramatised"))
    assert (box[1], box[2], line[4]) == ("0:00:00.00", "0:00:02.66", "Dramatised")
    shown = pixels(burnt("en", label="Dramatised"), tmp_path)
    assert shown[66, 60] < 70  # the box
    assert (shown[40:92, 48:400] > 200).any()
    later = pixels(burnt("en", label="Dramatised"), tmp_path, 2.8)
    assert (later == later[0, 0]).all()


class TestOverlay:
    """The words of an overlay are a language's own, and stand where its drawing has room for them."""

    def of(self, folder: Path, tag: str = "en", shape: Shape = "16x9", svg: str = OVERLAY, **words: str) -> Burnt:
        (folder / "overlay.svg").write_text(svg, "utf-8")
        said = tuple({"label": "Dramatised", "title": SAID[tag][1], **words}.items())
        return Burnt(TONGUES[tag], shape, 3, 30, "Dramatised", (), folder / "overlay.svg", said)

    def test_words_come_and_go_with_the_drawing(self, tmp_path: Path) -> None:
        found = [event[1:] for event in events(self.of(tmp_path)) if event[4] == SAID["en"][1]]
        assert [(start, end) for start, end, *_ in found] == [
            ("0:00:00.20", "0:00:00.60"), ("0:00:00.60", "0:00:01.20"), ("0:00:01.20", "0:00:01.50"),
        ]  # fmt: skip
        assert [re.findall(r"\\1a&H(..)&", tags) for _, _, tags, _ in found] == [["FF", "00"], ["00"], ["00", "FF"]]
        assert r"\an2\pos(960.0," in found[0][2]
        assert r"\fnNoto Serif\fs" in found[0][2]

    def test_its_label_takes_the_place_of_the_programs(self, tmp_path: Path) -> None:
        assert [text for *_, text in events(self.of(tmp_path)) if text == "Dramatised"] == [
            "Dramatised"
        ] * 2  # two times
        square = events(self.of(tmp_path, shape="1x1", svg=OVERLAY.replace('data-only="16x9"', 'data-only="1x1"')))
        assert any(r"\pos(-340" in tags or "Dramatised" in text for *_, tags, text in square)

    def test_a_shape_shows_its_own_words(self, tmp_path: Path) -> None:
        tall = [tags for *_, tags, text in events(self.of(tmp_path, shape="9x16")) if text == "Dramatised"]
        assert all(tags.startswith(r"\an2\pos(540.0,") for tags in tall)
        assert tall

    def test_a_long_line_is_made_smaller(self, tmp_path: Path) -> None:
        short, long = (
            float(re.search(r"\\fs([\d.]+)", next(e for e in events(self.of(tmp_path, title=t)) if e[4] == t)[3])[1])  # type: ignore[index]
            for t in ("Why", "Why I came forward after all those years of silence")
        )
        assert long < short

    def test_an_empty_word_is_left_out_and_a_missing_one_named(self, tmp_path: Path) -> None:
        assert len(events(self.of(tmp_path, title=""))) == 2
        burnt = self.of(tmp_path, svg=OVERLAY.replace("{title}", "{subtitle}"))
        with pytest.raises(CallError, match=r"asks for \{subtitle\}: write it in texts/en.toml"):
            burnt.ass()

    @pytest.mark.parametrize(
        ("old", "new", "sentence"),
        [
            ("{title}", "Why I came forward", "must be a key in braces"),
            ('<text y="-280"', '<text data-x="0:0 1:9" y="-280"', "must stay in its place"),
            ('fill="#fff1d4"', 'fill="ivory"', "must have a colour as #fff"),
            ('font-size="90"', 'font-size="large"', "doesn't fit, mend it"),
            ('<g data-opacity=".2:0', '<g transform="scale(2)" data-opacity=".2:0', "must stay in its place"),
        ],
    )
    def test_words_that_are_no_key_or_move_are_named(self, old: str, new: str, sentence: str, tmp_path: Path) -> None:
        assert old in OVERLAY
        with pytest.raises(CallError, match=sentence):
            self.of(tmp_path, svg=OVERLAY.replace(old, new)).ass()


def test_captions_beside_a_film_are_named_as_platforms_want() -> None:
    known = platforms()
    names = [sidecar_name(known[name], "bridge", TONGUES["zh-Hans"]) for name in ("youtube", "facebook")]
    assert names == ["bridge.zh-Hans.srt", "bridge.zh_CN.srt"]
    cues = [Cue(0, 900, "一")]
    assert sidecar("a.srt", cues).startswith("1\n00:00:00,000 --> ")
    assert sidecar("a.vtt", cues).startswith("WEBVTT\n\n00:00:00.000 --> ")
