"""A call's films, built by the real programs: each ends with its card, nothing is made twice, no maker is named."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import zxingcpp
from doubles.calls import ADDRESS, PLATFORMS, TODAY, make_call, make_master
from PIL import Image

from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.film.join import check_limits
from sottovoce.outreach.film.loudness import LUFS
from sottovoce.outreach.film.renditions import film_steps
from sottovoce.outreach.film.sizes import CARD_SECONDS
from sottovoce.outreach.platforms import Platform, platforms
from sottovoce.outreach.steps import Builder, Done

PLANTED = {
    "title": "Interview with Anna Kowalczyk", "artist": "Anna Kowalczyk", "location": "+51.1079+017.0385/",
    "com.apple.quicktime.make": "Planted Camera 7", "creation_time": "2021-03-04T05:06:07Z", "comment": "serial 4711",
}  # fmt: skip
SECONDS = {"drawn": 3, "filmed": 2}


@dataclass
class Built:
    """A call that was built, and what ffmpeg was asked to do for it."""

    call: Call
    log: Path
    done: list[Done] = field(default_factory=list)

    def build(self) -> list[Done]:
        """Builds what changed; returns the steps that ran."""
        self.log.write_text("", "utf-8")
        self.done = []
        Builder(self.call.built, 2).build(film_steps(self.call), self.done.append)
        return [each for each in self.done if each.ran]

    def encoded(self) -> list[str]:
        """The names of all pictures that were encoded by the last build."""
        return re.findall(r"-an .*? (\S+\.mp4)", self.log.read_text("utf-8").replace(" -map ", "\n-map "))

    @property
    def first(self) -> str:
        """The name of its first film."""
        return self.call.videos[0].name

    def films(self) -> Iterator[tuple[str, str, str, Path]]:
        """Video, platform, language and file of each rendition."""
        for video in self.call.videos:
            for platform in self.call.file.platforms:
                for language in self.call.file.languages:
                    path = self.call.built / "films" / video.name / f"{platform}-{language}.mp4"
                    yield video.name, platform, language, path


def noted(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """A file in which each run of the real ffmpeg leaves a line."""
    log, shim = folder / "ffmpeg.log", folder / "bin" / "ffmpeg"
    shim.parent.mkdir(parents=True)
    shim.write_text(f'#!/bin/sh\necho "$*" >> "{log}"\nPATH="${{PATH#*:}}" exec ffmpeg "$@"\n', "utf-8")
    shim.chmod(0o755)
    patch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    return log


def small_platforms() -> dict[str, Platform]:
    """The platforms, but with pictures of a third of the size: what is tried here doesn't depend on it."""
    sizes = {"16x9": (640, 360), "9x16": (360, 640), "1x1": (360, 360)}
    return {
        name: msgspec.structs.replace(platform, width=sizes[platform.shape][0], height=sizes[platform.shape][1])
        for name, platform in platforms().items()
    }


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sottovoce.outreach.film.renditions.platforms", small_platforms)


@pytest.fixture(scope="module", params=["filmed", pytest.param("drawn filmed", marks=pytest.mark.long)])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """One film or two in two languages for all platforms; the master has planted metadata."""
    folder = tmp_path_factory.mktemp("built")
    call = make_call(folder / "call", ["en", "zh-Hans"], request.param.split())
    words = [word for name, value in PLANTED.items() for word in ("-metadata", f"{name}={value}")]
    make_master(folder / "call/videos/filmed/master.mp4", *words, "-movflags", "use_metadata_tags")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sottovoce.outreach.film.renditions.platforms", small_platforms)
        made = Built(call, noted(folder, patch))
        made.build()
        yield made


def frames(path: Path, *numbers: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Some of a film's pictures, by their numbers in growing order: which, y, x, and red, green, blue."""
    pictures = probed(path)["streams"][0]
    chosen = "+".join(f"eq(n,{number})" for number in numbers)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vsync", "0", "-f", "rawvideo"]
    command += ["-vf", f"select='{chosen}',scale=in_color_matrix=bt709,format=rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).reshape(len(numbers), pictures["height"], pictures["width"], 3)


def probed(path: Path) -> dict[str, Any]:
    """All that ffprobe knows of a film, frames counted."""
    shown = ["-count_packets", "-show_streams", "-show_format", "-show_chapters", "-of", "json"]
    done = subprocess.run(["ffprobe", "-v", "error", *shown, str(path)], capture_output=True, check=True, timeout=60)
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def zbar(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], folder: Path) -> str:
    """What zbarimg reads in a picture."""
    Image.fromarray(picture).save(folder / "a.png")
    command = ["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", str(folder / "a.png")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout.strip()


def test_every_rendition_ends_with_six_seconds_of_the_card(built: Built, tmp_path: Path) -> None:
    for video, _, _, path in built.films():
        body = SECONDS[video] * 30
        before, first, whole, last = frames(path, body - 1, body, body + 34, body + CARD_SECONDS * 30 - 1).astype(int)
        assert np.ptp(first.reshape(-1, 3), axis=0).max() <= 4  # plain cream
        assert video == "filmed" or abs(first - before).max() <= 8  # out of which the card grows
        assert abs(last - whole).mean() < 1
        assert [found.text for found in zxingcpp.read_barcodes(whole.astype(np.uint8))] == [ADDRESS.upper()]
        assert zbar(last.astype(np.uint8), tmp_path) == ADDRESS.upper()


def test_every_rendition_has_its_frames_exactly_and_what_its_platform_takes(built: Built) -> None:
    for video, name, _, path in built.films():
        pictures, sound = (found := probed(path))["streams"]
        platform = small_platforms()[name]
        assert int(pictures["nb_read_packets"]) == (SECONDS[video] + CARD_SECONDS) * 30
        assert (pictures["codec_name"], sound["codec_name"]) == ("h264", "aac")
        assert (pictures["width"], pictures["height"]) == (platform.width, platform.height)
        assert float(pictures["duration"]) == float(sound["duration"]) == SECONDS[video] + CARD_SECONDS
        assert not platform.bytes_most or path.stat().st_size < platform.bytes_most
        assert found["chapters"] == []


def test_every_step_from_frame_to_frame_is_the_same_and_all_decode(built: Built) -> None:
    for _, _, _, path in built.films():
        command = ["ffmpeg", "-v", "warning", "-i", str(path), "-map", "0:v", "-f", "framecrc", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert done.stderr == ""
        times = [int(line.split(",")[1]) for line in done.stdout.splitlines() if not line.startswith("#")]
        assert times == list(range(len(times)))


def test_every_rendition_is_as_loud_as_platforms_want(built: Built) -> None:
    for path in {path.with_name(path.name.replace("zh-Hans", "en")) for *_, path in built.films()}:
        command = ["ffmpeg", "-nostats", "-i", str(path), "-vn", "-af", "ebur128", "-f", "null", "-"]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr
        loudness = re.search(r"I:\s+(-[\d.]+) LUFS", said[said.rindex("Summary:") :])
        assert loudness is not None
        assert float(loudness[1]) == pytest.approx(LUFS, abs=1)


def test_nothing_is_left_of_a_masters_metadata_nor_of_our_programs(built: Built) -> None:
    master = (built.call.folder / "videos/filmed/master.mp4").read_bytes()
    planted = [value.encode() for name, value in PLANTED.items() if name != "creation_time"]
    assert all(value in master for value in planted)
    tags = {"language", "handler_name", "vendor_id", "major_brand", "minor_version", "compatible_brands"}
    for _, _, _, path in built.films():
        raw, found = path.read_bytes(), probed(path)
        assert not [value for value in (*planted, b"x264", b"Lavf", b"Lavc", b"2021") if value in raw]
        assert {tag for each in (*found["streams"], found["format"]) for tag in each.get("tags", {})} <= tags
        moment = raw.index(b"mvhd") + 8
        assert raw[moment : moment + 8] == bytes(8)  # made and changed


def test_what_is_the_same_is_encoded_once(built: Built) -> None:
    counted = Counter(re.sub(r"-[0-9a-f]{8}(?=\.mp4)", "", name) for name in built.encoded())
    captions = [
        f"{source}-{size}-{tag}-captions.mp4"
        for source in ("drawn", "master")
        if source == "master" or built.first == "drawn"
        for size in ("360x640-18-0", "640x360-23-0")
        for tag in ("en", "zh-Hans")
    ]
    own = [f"drawn-{size}-18-0-{tag}-plain.mp4" for size in ("640x360", "360x360") for tag in ("en", "zh-Hans")]
    own *= built.first == "drawn"
    shared = [f"master-{size}-18-0-en-plain.mp4" for size in ("640x360", "360x360")]
    sizes = ("640x360", "640x360", "360x640", "360x360")  # the first in two qualities
    cards = [f"{tag}-{size}.mp4" for tag in ("en", "zh-Hans") for size in sizes]  # the same for both films
    assert counted == Counter([*captions, *own, *shared, *cards])
    runs = [line for line in built.log.read_text("utf-8").splitlines() if "-c:v libx264" in line]
    # A square is cut out of the wide drawing, but fitted anew from a master.
    assert len(runs) == 2 * (built.first == "drawn") + 3 + len(cards)
    assert len(re.findall(r"-c:a aac .* file:\S*sound-\S+", built.log.read_text("utf-8"))) >= len(built.call.videos)
    assert len(list(built.call.built.rglob("sound-*.m4a"))) == len(built.call.videos)


def test_platforms_that_show_the_same_share_one_file(built: Built) -> None:
    folder = built.call.built / "films" / built.first
    assert (folder / "shorts-en.mp4").samefile(folder / "instagram-en.mp4")
    assert (folder / "shorts-en.png").samefile(folder / "instagram-en.png")
    assert not (folder / "shorts-en.mp4").samefile(folder / "shorts-zh-Hans.mp4")


def test_each_platform_and_language_has_what_it_wants(built: Built) -> None:
    for video in (each.name for each in built.call.videos):
        names = {path.name for path in (built.call.built / "films" / video).iterdir()}
        wanted = {
            f"{platform}-{tag}.{end}" for platform in PLATFORMS for tag in ("en", "zh-Hans") for end in ("mp4", "png")
        }
        assert names == wanted | {f"{video}.{tag}.srt" for tag in ("en", "en_US", "zh-Hans", "zh_CN")}


def test_a_thumbnail_has_its_platforms_shape_and_fits_its_limits(built: Built) -> None:
    for _, name, _, path in built.films():
        platform, thumbnail = platforms()[name], path.with_suffix(".png")
        with Image.open(thumbnail) as picture:
            assert picture.width / picture.height == platform.width / platform.height
            assert max(picture.size) == 1280
            assert picture.info.keys() <= {"aspect"}
        assert thumbnail.stat().st_size <= 2_000_000


def test_captions_beside_a_film_say_that_they_are_a_draft(built: Built) -> None:
    text = (built.call.built / f"films/{built.first}/{built.first}.en.srt").read_text("utf-8")
    assert [line for line in text.splitlines() if "DRAFT" in line] == ["DRAFT · I am an accountant."]


def test_a_second_build_does_nothing(built: Built) -> None:
    assert built.build() == []
    assert built.log.read_text("utf-8") == ""


def test_one_changed_caption_makes_only_what_shows_it(built: Built) -> None:
    captions = built.call.videos[0].captions("zh-Hans")
    source = "drawn" if built.first == "drawn" else "master"
    before = {path: path.stat().st_mtime_ns for *_, path in built.films()}
    captions.write_text(captions.read_text("utf-8").replace("会计", "会计师"), "utf-8")
    ran = built.build()
    assert sorted(built.encoded()) == [
        f"{source}-360x640-18-0-zh-Hans-captions.mp4", f"{source}-640x360-23-0-zh-Hans-captions.mp4",
    ]  # fmt: skip
    changed = {
        path.relative_to(built.call.built / "films")
        for *_, path in built.films()
        if path.stat().st_mtime_ns != before[path]
    }
    assert changed == {Path(built.first, f"{name}-zh-Hans.mp4") for name in ("shorts", "instagram", "forward")}
    assert Counter(each.step.stage for each in ran) == {"pictures": 2, "joining": 2, "captions": 2}


@pytest.mark.long
def test_the_same_inputs_give_the_same_bytes_elsewhere(built: Built, tmp_path: Path) -> None:
    call = make_call(tmp_path / "call", ["en"], [each.name for each in built.call.videos])
    words = [word for name, value in PLANTED.items() for word in ("-metadata", f"{name}={value}")]
    make_master(tmp_path / "call/videos/filmed/master.mp4", *words, "-movflags", "use_metadata_tags")
    (tmp_path / "call/call.toml").write_text(
        (tmp_path / "call/call.toml").read_text("utf-8").replace(json.dumps(PLATFORMS), '["forward"]'), "utf-8"
    )
    again = read_call(tmp_path / "call", TODAY)
    Builder(again.built, 1).build(film_steps(again), lambda _: None)
    for video in (each.name for each in built.call.videos):
        for end in ("mp4", "png"):
            name = f"films/{video}/forward-en.{end}"
            assert (call.built / name).read_bytes() == (built.call.built / name).read_bytes()


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("call.toml", '"shorts"', '"telegraph"', "Nothing is known of the platform telegraph"),
        ("videos/drawn/video.toml", "seconds = 3", "seconds = 0", "has neither a master nor scenes"),
        ("texts/en.toml", "[videos.drawn]", "[videos.other]", "texts/en.toml says nothing on drawn"),
    ],
)
def test_what_can_not_be_built_is_named_before_anything_is(
    file: str, old: str, new: str, sentence: str, tmp_path: Path
) -> None:
    make_call(tmp_path / "call", ["en"])
    text = (tmp_path / "call" / file).read_text("utf-8")
    assert old in text
    (tmp_path / "call" / file).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(CallError, match=sentence):
        film_steps(read_call(tmp_path / "call", TODAY))


def test_a_film_that_a_platform_would_refuse_is_named(built: Built) -> None:
    video, name, _, path = next(built.films())
    known = small_platforms()[name]
    for changed, sentence in (
        ({"seconds_most": 5}, f"lasts {SECONDS[video] + CARD_SECONDS} s with its card, but YouTube takes 1 to 5 s"),
        ({"bytes_most": 1_000}, "but YouTube takes 1,000: shorten the film"),
        ({"width": 1_920}, "has not the size that YouTube wants"),
    ):
        with pytest.raises(CallError, match=sentence):
            check_limits(path, msgspec.structs.replace(known, **changed))
