"""A communications person has a call vouched for, builds it, looks, changes a caption, and tells a fake apart."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from doubles.calls import PASSPHRASE, make_call
from outreach.paper.crawler import Own, crawl
from outreach.proof.test_c2pa import by_another

from sottovoce.cli.common import today
from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.platforms import platforms
from sottovoce.outreach.proof.c2pa import authority_of, read
from sottovoce.outreach.proof.metadata import traces

LANGUAGES = ("en", "fa")
SHORT, EXAMPLE = "one short film, two languages", "the worked example"  # two films, six languages: many minutes
CAPTIONS = {"en": "I am an accountant.", "fa": "من حسابدارم."}

pytestmark = pytest.mark.timeout(2_400)


class Person:
    """Whoever works on a call, with the program's verbs only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def says(self, *words: str | Path, code: int = 0) -> str:
        """What a verb prints; it must end with that code."""
        command = [sys.executable, "-m", "sottovoce.cli", "call", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2_400, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def made(self, printed: str) -> dict[str, int]:
        """By stage, how many steps a build made now."""
        rows = re.findall(r"^ *([\w-]+) +\d+ +(\d+) +[\d.]+ *$", printed, re.MULTILINE)
        return {stage: int(made) for stage, made in rows}

    @property
    def call(self) -> Call:
        return read_call(self.folder, today())

    def take_platforms(self, *names: str) -> None:
        """Leaves the other platforms out."""
        path, listed = self.folder / "call.toml", ", ".join(f'"{name}"' for name in names)
        text = re.sub(
            r"^platforms = \[[^\]]*\]", f"platforms = [{listed}]", path.read_text("utf-8"), flags=re.MULTILINE
        )
        path.write_text(text, "utf-8")
        assert self.call.file.platforms == list(names)

    def vouch(self) -> None:
        """Has a reviewer's six words approved at the office for each language, and asks for a certificate."""
        office = self.folder / "office"
        (office / "PASSPHRASE").write_text(PASSPHRASE, "utf-8")
        passphrase = ("--passphrase-file", office / "PASSPHRASE")
        for language in LANGUAGES:
            page = self.folder.with_name(f"{language}.html")
            words = self.says("review", language, self.folder, "--out", page).splitlines()[-1].strip()
            given = ("--reviewer", "a test", "--hash", words, *passphrase)
            self.says("approve", language, self.folder, office, *given)
        self.says("certificate", office, self.folder, *passphrase)

    def again(self, folder: Path) -> Person:
        """The same call in another folder, for messengers alone, built there."""
        other = Person(Path(shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("build"))))
        other.take_platforms("forward")
        other.says("build", other.folder)
        return other

    def films(self) -> list[Path]:
        """Every film as it is uploaded."""
        return sorted((self.folder / "build/upload").rglob("*.mp4"))


def ffmpeg(*words: str | Path) -> None:
    """As somebody would use it by hand."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True)


@pytest.fixture(scope="module", params=[SHORT, pytest.param(EXAMPLE, marks=pytest.mark.long)])
def person(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Person:
    made = Person(tmp_path_factory.mktemp("call") / "demo")
    if request.param == SHORT:
        make_call(made.folder, LANGUAGES, today=today())
        for language, text in CAPTIONS.items():
            path = made.folder / "videos/drawn/captions" / f"{language}.srt"
            path.write_text(f"1\n00:00:00,200 --> 00:00:02,300\n{text}\n", "utf-8")
        made.take_platforms("forward")
        made.vouch()
    else:
        made.says("new", made.folder)
    made.says("build", made.folder)
    return made


@pytest.fixture(scope="module")
def passed_on(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """The call for messengers alone: the short one as it is, the example built again."""
    alone = person.call.file.platforms == ["forward"]
    return person if alone else person.again(tmp_path_factory.mktemp("passed on") / "demo")


def test_every_rendition_is_there_and_within_its_platforms_limits(person: Person) -> None:
    films = person.films()
    file = person.call.file
    assert len(films) == len(file.videos) * len(file.languages) * len(file.platforms) > 0
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
        assert float(seconds) in [pytest.approx(video.file.seconds + 6, abs=0.1) for video in person.call.videos]


def test_codes_cards_addresses_and_traces_are_right_in_everything_that_was_built(person: Person) -> None:
    assert "Errors: 0, warnings: 0." in person.says("check", person.folder, "--built", "--strict")
    assert not [trace for film in person.films() for trace in traces(film)]


def test_no_text_page_or_paper_takes_in_runs_fetches_or_leads_elsewhere(person: Person) -> None:
    call, built = person.call, person.folder / "build"
    paths = [path for path in built.rglob("[!.]*") if path.is_file() and "parts" not in path.parts]
    files = {path.relative_to(built).as_posix(): path for path in paths if path.suffix not in (".mp4", ".png")}
    assert {".html", ".json", ".pdf", ".txt", ".zip"} <= {path.suffix for path in files.values()}
    location = f"http://{call.address}/c/{call.file.name}"
    own = Own(call.card.addresses, [*call.card.accounts, call.file.site, "https://example.org/PATH/"], location)
    assert crawl({name: path.read_bytes() for name, path in files.items()}, own) == []


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
    assert all(said["valid"] for said in by_another(*person.films()))  # a program that this one didn't write


def test_a_build_with_nothing_changed_makes_nothing(person: Person) -> None:
    assert set(person.made(person.says("build", person.folder)).values()) == {0}


@pytest.mark.long
def test_the_same_call_builds_the_same_bytes_twice_but_for_signatures(
    person: Person, passed_on: Person, tmp_path: Path
) -> None:
    other = person.again(tmp_path / "other") if passed_on is person else passed_on
    for part in ("films", "leaflets", "pages"):
        files = [path for path in (other.folder / "build" / part).rglob("*") if path.is_file()]
        assert files
        for path in files:
            assert path.read_bytes() == (person.folder / path.relative_to(other.folder)).read_bytes(), path


def test_one_changed_caption_makes_only_what_depends_on_it(passed_on: Person) -> None:
    path = passed_on.call.videos[0].captions("fa")
    kept = path.read_text("utf-8")
    before = {film: film.stat().st_mtime_ns for film in passed_on.films()}
    path.write_text(kept.replace("حسابدارم", "حسابدار هستم", 1), "utf-8")
    assert path.read_text("utf-8") != kept
    made = passed_on.made(passed_on.says("build", passed_on.folder))
    changed = {film.parent for film in passed_on.films() if before[film] != film.stat().st_mtime_ns}
    assert {each.name for each in changed} == {"fa"}
    assert made["cards"] > 0  # the changed language is a draft now, and its cards say so
    assert made["sound"] == 0


def test_a_copy_of_a_film_is_ours_and_its_scenes_are_nobodys(person: Person, tmp_path: Path) -> None:
    film = next(each for each in person.films() if "forward" in each.parts)
    copy, scene = tmp_path / "copy.mp4", tmp_path / "scene.png"
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "34", "-an"]
    ffmpeg("-i", film, "-vf", "crop=iw*0.96:ih*0.96,scale=-2:360", *encode, copy)
    ffmpeg("-ss", "1", "-i", film, "-frames:v", "1", scene)
    assert "carries our address" in person.says("verify", copy, "--call", person.folder)
    person.says("verify", scene, "--call", person.folder, code=4)


@pytest.mark.long
def test_to_the_call_of_another_organisation_it_is_a_fake(person: Person, tmp_path: Path) -> None:
    stranger, shown = Person(tmp_path / "other"), tmp_path / "card.png"
    stranger.says("new", stranger.folder)
    ffmpeg("-sseof", "-2", "-i", person.films()[0], "-frames:v", "1", shown)
    stranger.says("verify", shown, "--call", stranger.folder, code=3)


def test_no_secret_of_the_call_lies_in_what_goes_out(person: Person) -> None:
    keys = [line for line in (person.folder / "secret/provenance.key").read_text().splitlines() if "-" not in line]
    searched = [line.encode() for line in (*keys, str(person.folder))]
    looked_at = 0
    for path in (person.folder / "build").rglob("[!.]*"):  # what a build remembers stays with whoever builds
        if path.is_file():
            raw = path.read_bytes()
            assert not any(each in raw for each in searched), path
            looked_at += 1
    assert looked_at > len(person.films())
