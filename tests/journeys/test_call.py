"""A communications person makes the worked example, builds, looks, changes a caption, signs, and tells a fake apart."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from doubles.leaks import in_files

from sottovoce.cli.common import today
from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.platforms import platforms
from sottovoce.outreach.proof.c2pa import authority_of, read
from sottovoce.outreach.proof.metadata import traces

FILM, LANGUAGES = "bridge", ("zh-Hans", "fa")
WHOLE = pytest.mark.long  # both films, six languages, all formats: many minutes

pytestmark = [pytest.mark.timeout(1_200), pytest.mark.long]


class Person:
    """Whoever works on a call, with the program's verbs only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def says(self, *words: str | Path, code: int = 0) -> str:
        """What a verb prints; it must end with that code."""
        command = [sys.executable, "-m", "sottovoce.cli", "call", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1_200, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def made(self, printed: str) -> dict[str, int]:
        """By stage, how many steps a build made now."""
        return {name: int(made) for name, made in re.findall(r"^(\w+) +\d+ +(\d+) +[\d.]+ *$", printed, re.MULTILINE)}

    @property
    def call(self) -> Call:
        return read_call(self.folder, today())

    def only(self, videos: Sequence[str], languages: Sequence[str]) -> None:
        """Leaves the rest of the example out."""
        path = self.folder / "call.toml"
        text = path.read_text("utf-8")
        for key, values in (("videos", videos), ("languages", languages)):
            listed = ", ".join(f'"{value}"' for value in values)
            text = re.sub(rf"^{key} = \[[^\]]*\]", f"{key} = [{listed}]", text, flags=re.MULTILINE)
        path.write_text(text, "utf-8")

    def films(self) -> list[Path]:
        """Every film as it is uploaded."""
        return sorted((self.folder / "build/upload").rglob("*.mp4"))


def ffmpeg(*words: str | Path) -> None:
    """As somebody would use it by hand."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    made = Person(tmp_path_factory.mktemp("call") / "demo")
    made.says("new", made.folder)
    made.only([FILM], LANGUAGES)
    made.says("build", made.folder)
    return made


def test_every_rendition_is_there_and_within_its_platforms_limits(person: Person) -> None:
    films = person.films()
    assert len(films) == len(LANGUAGES) * len(platforms())
    for film in films:
        platform = platforms()[film.parent.parent.name]
        asked = (
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=width,height:format=duration,size",
            "-of",
            "csv=p=0",
        )
        said = subprocess.run(
            ["ffprobe", "-v", "error", *asked, film], capture_output=True, text=True, check=True
        ).stdout
        width, height, seconds, size = re.split(r"[,\n]", said.strip())
        assert (int(width), int(height)) == (platform.width, platform.height)
        assert platform.seconds_least <= float(seconds) <= platform.seconds_most
        assert not platform.bytes_most or int(size) <= platform.bytes_most
        assert float(seconds) == pytest.approx(26, abs=0.1)


def test_codes_cards_addresses_and_traces_are_right_in_everything_that_was_built(person: Person) -> None:
    assert "Errors: 0, warnings: 0." in person.says("check", person.folder, "--built", "--strict")
    assert not [trace for film in person.films() for trace in traces(film)]


def test_another_reader_of_codes_reads_the_address_in_the_last_seconds(person: Person, tmp_path: Path) -> None:
    for film in person.films():
        for back in ("-4.5", "-0.2"):
            shot = tmp_path / "shot.png"
            subprocess.run(
                ["ffmpeg", "-v", "error", "-y", "-sseof", back, "-i", film, "-frames:v", "1", shot], check=True
            )
            code = subprocess.run(["zbarimg", "-q", "--raw", shot], capture_output=True, text=True, check=True).stdout
            assert code.strip() == person.call.address.upper()


def test_each_film_carries_the_organisations_manifest(person: Person) -> None:
    anchor = authority_of(person.folder)
    assert anchor
    for film in person.films():
        found = read(film, [anchor])
        assert (found.state, found.manifest and found.manifest.source) == ("ours", "compositeSynthetic")
        assert found.manifest
        assert found.manifest.language == film.parent.name


def test_a_build_with_nothing_changed_makes_nothing(person: Person) -> None:
    assert set(person.made(person.says("build", person.folder)).values()) == {0}


def test_one_changed_caption_makes_only_what_depends_on_it(person: Person) -> None:
    path = person.folder / "videos" / FILM / "captions" / "fa.srt"
    kept = path.read_text("utf-8")
    before = {film: film.stat().st_mtime_ns for film in person.films()}
    path.write_text(kept.replace("حسابدارم", "حسابدار هستم", 1), "utf-8")
    assert path.read_text("utf-8") != kept
    made = person.made(person.says("build", person.folder))
    changed = {film.parent for film in person.films() if before[film] != film.stat().st_mtime_ns}
    assert {each.name for each in changed} == {"fa"}
    assert made["cards"] > 0  # the changed language is a draft now, and its cards say so
    assert made["sound"] == 0


def test_a_copy_of_a_film_is_ours_and_one_with_another_address_is_a_fake(person: Person, tmp_path: Path) -> None:
    film = next(each for each in person.films() if "youtube" in each.parts)
    copy, cut = tmp_path / "copy.mp4", tmp_path / "cut.mp4"
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "34", "-an"]
    ffmpeg("-i", film, "-vf", "crop=iw*0.96:ih*0.96,scale=-2:360", *encode, copy)
    ffmpeg("-t", "10", "-i", film, *encode, cut)
    assert "carries our address" in person.says("verify", copy, "--call", person.folder)
    person.says("verify", cut, "--call", person.folder, code=4)
    stranger = Person(tmp_path / "other")
    stranger.says("new", stranger.folder)
    person.says("verify", film, "--call", stranger.folder, code=3)


def test_no_secret_of_the_call_lies_in_what_goes_out(person: Person) -> None:
    keys = [line for line in (person.folder / "secret/provenance.key").read_text().splitlines() if "-" not in line]
    for place, raw in in_files(person.folder / "build"):
        assert not any(line.encode() in raw for line in keys), place
        assert str(person.folder).encode() not in raw or place.endswith(".made.json")


@WHOLE
def test_the_whole_example_builds_the_same_bytes_twice_but_for_signatures(tmp_path: Path) -> None:
    one = Person(tmp_path / "one")
    one.says("new", one.folder)
    other = Person(tmp_path / "other")
    shutil.copytree(one.folder, other.folder)
    for each in (one, other):
        each.says("build", each.folder)
    assert len(one.films()) == 2 * 6 * len(platforms())
    for part in ("films", "leaflets", "pages"):
        files = [path for path in (one.folder / "build" / part).rglob("*") if path.is_file()]
        assert files
        for path in files:
            assert path.read_bytes() == (other.folder / path.relative_to(one.folder)).read_bytes(), path
    assert "Errors: 0, warnings: 0." in one.says("check", one.folder, "--built", "--strict")
