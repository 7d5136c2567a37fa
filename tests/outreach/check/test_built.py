"""What was built is looked at as a stranger would: codes, addresses, traces, sizes."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import segno
from doubles.endcard import EndCard
from outreach.check.conftest import SECRETS, TODAY
from PIL import Image, PngImagePlugin

from sottovoce.onion.keys import OnionKey
from sottovoce.outreach.call import read_call
from sottovoce.outreach.check.built import check_built
from sottovoce.outreach.check.finding import Finding

OURS = OnionKey.from_seed(SECRETS.door).address
STRANGE = OnionKey.from_seed(SECRETS.members).address


def picture(text: str | None) -> bytes:
    """A card with a code, or a bare one, as PNG."""
    card, file = Image.new("RGB", (640, 360), "#f4ecdc"), io.BytesIO()
    if text is not None:
        code = io.BytesIO()
        segno.make(text, error="l", micro=False).save(code, kind="png", scale=6, border=4)
        card.paste(Image.open(code).convert("RGB"), (40, 30))
    card.save(file, "png")
    return file.getvalue()


def film(path: Path, text: str | None, *words: str) -> None:
    """Two seconds of something, then six of a card."""
    path.parent.mkdir(parents=True, exist_ok=True)
    card = path.with_suffix(".png")
    card.write_bytes(picture(text))
    scene = "testsrc2=size=640x360:rate=10:duration=2"
    joined = "[0:v][1:v]concat=n=2:v=1,format=yuv420p"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", scene]
    command += ["-loop", "1", "-framerate", "10", "-t", "6", "-i", str(card), "-filter_complex", joined]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-map_metadata", "-1", "-fflags", "+bitexact"]
    subprocess.run([*command, "-flags:v", "+bitexact", *words, str(path)], check=True, timeout=60)
    card.unlink()


def found(call: Path) -> list[Finding]:
    """What the check finds in what was built."""
    return check_built(read_call(call, TODAY))


def test_what_carries_the_cards_address_is_right(call: Path) -> None:
    film(call / "build/upload/youtube/en/1-1 ledger.mp4", OURS.upper())
    (call / "build/card.png").write_bytes(picture(OURS.upper()))
    (call / "build/logo.png").write_bytes(picture(None))
    (call / "build/pages").mkdir()
    (call / "build/pages/en.html").write_text(f"<p>{OURS}</p>", "utf-8")
    assert found(call) == []


@pytest.mark.parametrize(
    "text", [STRANGE.upper(), None, *(pytest.param(text, marks=pytest.mark.long) for text in (f"http://{OURS}", OURS))]
)
def test_a_film_whose_end_is_not_the_card_is_found(call: Path, text: str | None) -> None:
    film(call / "build/upload/youtube/en/1-1 ledger.mp4", text)
    sentences = [each.sentence for each in found(call) if each.rule == "qr"]
    assert "The last 6 s of 1-1 ledger.mp4 are not the card with its QR code: build it anew." in sentences
    assert len(sentences) == (1 if text is None else 2)


def test_a_picture_and_a_zip_with_anothers_code_are_found(call: Path) -> None:
    (call / "build").mkdir()
    (call / "build/card.png").write_bytes(picture(STRANGE.upper()))
    with zipfile.ZipFile(call / "build/pass-on.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("guide.html", (2026, 1, 1, 0, 0, 0)), f"<p>{STRANGE}</p>")
    assert {(each.rule, each.file) for each in found(call)} == {
        ("qr", "build/card.png"),
        ("address", "build/pass-on.zip"),
    }


@pytest.mark.parametrize(("changed", "is_told"), [(0, False), (6, True), (20, True)])
def test_a_picture_whose_address_has_other_letters_than_the_card_is_found(
    call: Path, changed: int, is_told: bool
) -> None:
    (call / "build").mkdir()
    other = str.maketrans("abcdefghijklmnopqrstuvwxyz234567", "hijklmnopqrstuvwxyzabcdefg567234")
    shown = OURS[:4] + OURS[4 : 4 + changed].translate(other) + OURS[4 + changed :]
    EndCard(shown, OURS.upper()).draw().resize((1280, 720)).save(call / "build/card.png")
    said = [(each.rule, each.file) for each in found(call)]
    assert said == [("address", "build/card.png")] * is_told


def test_traces_and_sizes_are_found_and_copies_are_looked_at_once(call: Path) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", "Anna")
    (call / "build/pages").mkdir(parents=True)
    Image.new("L", (9, 9)).save(call / "build/thumbnail.png", pnginfo=told)
    shutil.copy(call / "build/thumbnail.png", call / "build/thumbnail-again.png")
    (call / "build/pages/en.html").write_text("x" * 200_001, "utf-8")
    film(call / "build/upload/forward/en/1-1 ledger.mp4", OURS.upper())
    with (call / "build/upload/forward/en/1-1 ledger.mp4").open("r+b") as file:
        file.truncate(16_000_001)
    assert sorted((each.rule, each.file) for each in found(call)) == [
        ("metadata", "build/thumbnail-again.png"),
        ("size", "build/pages/en.html"),
        ("size", "build/upload/forward/en/1-1 ledger.mp4"),
    ]


def test_parts_that_films_are_joined_from_are_left_alone(call: Path) -> None:
    film(call / "build/parts/body.mp4", None)
    (call / "build/page.html").write_text(f"<p>{OURS}</p>", "utf-8")
    assert found(call) == []


def test_nothing_built_is_no_good_news(call: Path) -> None:
    sentence = f"Nothing is built: run `sottovoce call build {call}` first."
    assert found(call) == [Finding("missing", "build", sentence)]


def test_a_damaged_film_is_a_finding_and_not_the_end(call: Path) -> None:
    (call / "build").mkdir()
    (call / "build/a.mp4").write_bytes(b"no film")
    (call / "build/card.png").write_bytes(picture(STRANGE.upper()))
    assert [(each.rule, each.file) for each in found(call)] == [("form", "build/a.mp4"), ("qr", "build/card.png")]
