"""What is planted in films, pictures, PDF, drawings, pages and ZIPs is found; where nothing is left, nothing is."""

from __future__ import annotations

import base64
import io
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from weasyprint import HTML  # type: ignore[import-untyped]

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.proof.metadata import Trace, traces

EXACT = ("-fflags", "+bitexact", "-flags", "+bitexact", "-threads", "1")
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg"{}><rect width="9" height="9"/>{}</svg>'


def film(path: Path, *words: str) -> Path:
    """A small film by the real ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=s=64x64:d=1:r=5", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, *EXACT, *words, path], check=True, timeout=60)
    return path


def picture(kind: str, **more: object) -> bytes:
    """A small picture by Pillow."""
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(made, kind, **more)
    return made.getvalue()


def exif() -> Image.Exif:
    """A camera's name, a place, a time."""
    made = Image.Exif()
    made[0x0110], made[0x0132], made[0x8825] = "PlantedPhone 7", "2026:11:26 10:11:12", {1: "N", 2: (1.0, 2.0, 3.0)}
    return made


def texts() -> PngImagePlugin.PngInfo:
    """A text in a PNG."""
    made = PngImagePlugin.PngInfo()
    made.add_text("Author", "Planted Person")
    return made


def packed(path: Path, name: str, content: bytes, when: tuple[int, int, int, int, int, int]) -> Path:
    """A ZIP with one file."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, when), content)
    return path


def written(path: Path, content: bytes | str) -> Path:
    """A file."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def appended(path: Path, content: bytes) -> Path:
    """The file with more at its end, as a reader doesn't mind in a PDF."""
    return written(path, path.read_bytes() + content)


def pdf(path: Path, html: str) -> Path:
    """A PDF by WeasyPrint."""
    HTML(string=html).write_pdf(path)
    return path


def inline(raw: bytes) -> str:
    """A page with a JPEG in it."""
    return f'<!doctype html><p><img alt="" src="data:image/jpeg;base64,{base64.b64encode(raw).decode()}">'


CLEAN: dict[str, Callable[[Path], Path]] = {
    "mp4": film,
    "png": lambda path: written(path, picture("PNG")),
    "jpg": lambda path: written(path, picture("JPEG")),
    "pdf": lambda path: pdf(path, f"<title>The ledger</title>{inline(picture('JPEG'))}"),
    "svg": lambda path: written(path, DRAWING.format("", "")),
    "html": lambda path: written(path, inline(picture("JPEG"))),
    "zip": lambda path: packed(path, "page.svg", DRAWING.format("", "").encode(), (2026, 11, 26, 0, 0, 0)),
    "srt": lambda path: written(path, "1\n00:00:01,000 --> 00:00:02,000\nA word\n"),
}


def of_film(*words: str) -> Callable[[Path], Path]:
    """Makes a film with these words to ffmpeg."""
    return lambda path: film(path, *words)


def of(content: bytes | str) -> Callable[[Path], Path]:
    """Makes a file of this content."""
    return lambda path: written(path, content)


def of_pdf(html: str) -> Callable[[Path], Path]:
    """Makes a PDF of a page."""
    return lambda path: pdf(path, html)


def of_zip(name: str, content: bytes, hour: int = 0) -> Callable[[Path], Path]:
    """Makes a ZIP with one file."""
    return lambda path: packed(path, name, content, (2026, 11, 26, hour, 0, 0))


TAGS = ("-movflags", "use_metadata_tags", "-metadata")
PHOTO = picture("JPEG", exif=exif())
PLANTED: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "a film's place": ("mp4", of_film("-metadata", "location=+35.0+51.0/"), "+35.0000+051"),
    "a film's time": ("mp4", of_film("-metadata", "creation_time=2026-11-26T10:11:12Z"), "2026-11-26T10"),
    "a film's device": ("mp4", of_film(*TAGS, "com.apple.quicktime.model=PlantedPhone"), "PlantedPhone"),
    "a name at a film's stream": ("mp4", of_film("-metadata:s:v", "handler_name=Anna's cut"), "Anna's cut"),
    "a film's title": ("mov", of_film("-metadata", "title=Planted"), "Planted"),
    "a JPEG's Exif": ("jpg", of(PHOTO), "PlantedPhone 7"),
    "a JPEG's comment": ("jpeg", of(picture("JPEG", comment=b"Planted")), "Planted"),
    "a JPEG's XMP": ("jpg", of(picture("JPEG", xmp=b"<x:xmpmeta>Planted")), "Planted"),
    "a PNG's text": ("png", of(picture("PNG", pnginfo=texts())), "Planted Person"),
    "a PNG's Exif": ("png", of(picture("PNG", exif=exif())), "PlantedPhone 7"),
    "a PDF's author": ("pdf", of_pdf('<meta name="author" content="Planted Person">'), "Planted Person"),
    "a PDF's time": ("pdf", of_pdf('<meta name="dcterms.created" content="2026-11-26T10:11:12Z">'), "10:11:12"),
    "Exif in a PDF's picture": ("pdf", lambda path: appended(pdf(path, "<p>a</p>"), PHOTO), "Exif"),
    "a drawing's editor": ("svg", of(DRAWING.format(' inkscape:export-filename="/anna/x"', "")), "/anna/x"),
    "a drawing's RDF": ("svg", of(DRAWING.format("", "<metadata><rdf:RDF/></metadata>")), "metadata"),
    "a drawing's comment": ("svg", of(DRAWING.format("", "<!-- by Planted -->")), "by Planted"),
    "a page's author": ("html", of('<meta name="author" content="Planted">'), "Planted"),
    "Exif in a page's picture": ("html", of(inline(PHOTO)), "PlantedPhone 7"),
    "a ZIP's time": ("zip", of_zip("a.txt", b"", 10), "2026-11-26 10:00:00"),
    "Exif in a ZIP's picture": ("zip", of_zip("a.jpg", PHOTO), "PlantedPhone 7"),
}


@pytest.mark.parametrize("kind", CLEAN)
def test_where_nothing_is_left_nothing_is_found(tmp_path: Path, kind: str) -> None:
    assert traces(CLEAN[kind](tmp_path / f"clean.{kind}")) == []


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_is_found(tmp_path: Path, what: str) -> None:
    kind, make, says = PLANTED[what]
    found = traces(make(tmp_path / f"planted.{kind}"))
    assert [trace for trace in found if says in trace.says], found


def test_a_stream_that_no_player_shows_is_found(tmp_path: Path) -> None:
    clock = film(tmp_path / "clock.mov", "-timecode", "10:11:12:00")
    assert "a stream of data, which no player shows" in [trace.says for trace in traces(clock)]


def test_a_value_is_shown_short(tmp_path: Path) -> None:
    (found,) = traces(written(tmp_path / "long.jpg", picture("JPEG", comment=b"x" * 9_000)))
    assert found == Trace("comment", "x" * 80)


@pytest.mark.parametrize("kind", ["mp4", "png", "jpg", "pdf", "zip"])
def test_a_file_that_is_not_of_its_kind_is_told_in_one_sentence(tmp_path: Path, kind: str) -> None:
    with pytest.raises(CallError) as caught:
        traces(written(tmp_path / f"false.{kind}", b"nothing of the kind"))
    assert str(caught.value).endswith(".")
