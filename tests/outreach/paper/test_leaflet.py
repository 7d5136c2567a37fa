"""Leaflets: what is on them, where, in which fonts, and the same bytes each time."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import zxingcpp
from doubles.site import served
from PIL import Image, ImageChops

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.paper.content import Paper
from sottovoce.outreach.paper.leaflet import SHAPES, leaflet_step
from sottovoce.outreach.tongues import TONGUES

DPI = 150
MM = 25.4 / DPI
POINT = 25.4 / 72
FONTS = {"en": "Noto-Sans", "fa": "Noto-Sans-Arabic", "zh-Hans": "Noto-Sans-CJK-SC"}


class Word(NamedTuple):
    """A word of a PDF: its page, and its edges in millimetres."""

    page: int
    text: str
    left: float
    right: float
    top: float
    bottom: float


def words_of(pdf: Path) -> list[Word]:
    """All words, in the order of the file."""
    said = _run("pdftotext", "-bbox", str(pdf), "-")
    found, page = [], 0
    for line in said.splitlines():
        page += "<page " in line
        if edges := re.search(r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*)</word>', line):
            left, top, right, bottom = (float(edge) * POINT for edge in edges.groups()[:4])
            found.append(Word(page, edges[5], left, right, top, bottom))
    return found


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout


def pages_of(pdf: Path, folder: Path) -> list[Image.Image]:
    """The pages as pictures."""
    _run("pdftoppm", "-r", str(DPI), "-png", str(pdf), str(folder / pdf.stem))
    return [Image.open(path) for path in sorted(folder.glob(f"{pdf.stem}-*.png"))]


def text_of(pdf: Path) -> str:
    """All its letters without spaces: a line may break anywhere."""
    return re.sub(r"\s", "", _run("pdftotext", "-raw", str(pdf), "-"))


@pytest.fixture(scope="module")
def sheets(built: Call) -> Mapping[str, tuple[Path, Path]]:
    """The two leaflets of each language."""
    folder = built.built / "leaflets"
    return {tag: (folder / f"{tag}-a4.pdf", folder / f"{tag}-a5.pdf") for tag in built.file.languages}


def test_each_is_one_sheet_with_two_sides(sheets: Mapping[str, tuple[Path, Path]]) -> None:
    for flat, folded in sheets.values():
        shown = [
            re.search(r"Pages:\s+(\d+).*Page size:\s+([\d.]+) x ([\d.]+)", _run("pdfinfo", str(pdf)), re.DOTALL)
            for pdf in (flat, folded)
        ]
        assert [match and (match[1], round(float(match[2])), round(float(match[3]))) for match in shown] == [
            ("2", 595, 842), ("2", 842, 595),
        ]  # fmt: skip


def test_each_says_whose_it_is_that_it_may_be_dangerous_and_until_when(
    built: Call, sheets: Mapping[str, tuple[Path, Path]]
) -> None:
    for language, pdfs in sheets.items():
        if language == "fa":
            continue  # what a PDF gives back of Arabic letters depends on who reads it; pictures show it
        paper = Paper.of(built, language)
        told = (paper.texts.organisation, paper.words.danger, paper.valid_until, paper.check_words, *paper.advice)
        for pdf in pdfs:
            shown = text_of(pdf)
            assert [sentence for sentence in told if re.sub(r"\s", "", sentence) not in shown] == []
            assert "".join(part for groups in paper.addresses for part in groups) in shown


def test_the_code_is_at_least_forty_millimetres_wide_and_the_bare_address(
    built: Call, sheets: Mapping[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    for pdfs in sheets.values():
        for pdf in pdfs:
            found = [code for picture in pages_of(pdf, tmp_path) for code in zxingcpp.read_barcodes(picture)]
            assert [code.text for code in found] == [built.address.upper()]
            edges = found[0].position
            assert (edges.top_right.x - edges.top_left.x) * MM >= 40


def test_nothing_leaves_its_half_of_the_sheet(sheets: Mapping[str, tuple[Path, Path]]) -> None:
    for flat, folded in sheets.values():
        assert [word for word in words_of(flat) if not 10 <= word.left <= word.right <= 200 or word.bottom > 287] == []
        for word in words_of(folded):
            assert word.bottom <= 200
            assert 10 <= word.left <= word.right <= 138.5 or 158.5 <= word.left <= word.right <= 287


def test_the_folded_sheet_opens_to_the_side_to_which_its_language_runs(
    built: Call, sheets: Mapping[str, tuple[Path, Path]]
) -> None:
    for language, (_, folded) in sheets.items():
        words, first = words_of(folded), Paper.of(built, language).addresses[0][0]
        address = [word for word in words if word.text == first]
        assert [word.page for word in address] == [2]
        is_right = address[0].left > 148.5  # the page that is read second, beside the first one inside
        assert is_right == (language != "fa")
        largest = max((word for word in words if word.page == 1), key=lambda word: word.bottom - word.top)
        assert (largest.left > 148.5) == (language != "fa")  # the title is on the front


def test_every_font_is_inside_and_the_languages_own(sheets: Mapping[str, tuple[Path, Path]]) -> None:
    for language, pdfs in sheets.items():
        for pdf in pdfs:
            rows = [line.split() for line in _run("pdffonts", str(pdf)).splitlines()[2:]]
            assert rows
            assert all(row[-5] == "yes" for row in rows), rows  # the column "emb"
            names = {row[0].partition("+")[2] for row in rows}
            assert any(name.startswith(FONTS.get(language, "Noto-")) for name in names), names
            assert any(name.startswith("DejaVu-Sans-Mono") for name in names), names


@pytest.mark.long
def test_the_same_content_gives_the_same_bytes(built: Call, tmp_path: Path) -> None:
    leaflet_step(built, Paper.of(built, "fa")).make(tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (built.built / "leaflets" / path.name).read_bytes()


def test_a_draft_says_so_on_every_page(drafted: Call, tmp_path: Path) -> None:
    paper = Paper.of(drafted, "zh-Hans")
    leaflet_step(drafted, paper).make(tmp_path)
    said = [text_of(tmp_path / f"zh-Hans-{shape}.pdf").count(paper.words.draft) for shape in SHAPES]
    assert said == [2, 4]


@pytest.mark.long
def test_a_draft_that_runs_to_the_left_says_so_too(
    drafted: Call, sheets: Mapping[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    leaflet_step(drafted, Paper.of(drafted, "fa")).make(tmp_path)
    for plain, draft in zip(sheets["fa"], (tmp_path / f"fa-{shape}.pdf" for shape in SHAPES), strict=True):
        (tmp_path / "plain").mkdir(exist_ok=True)
        pages = zip(pages_of(plain, tmp_path / "plain"), pages_of(draft, tmp_path), strict=True)
        assert all(ImageChops.difference(before, after).getbbox() for before, after in pages)


def test_a_text_that_is_too_long_is_told_and_nothing_is_cut(call: Call, tmp_path: Path) -> None:
    paper = Paper.of(call, "en")
    texts = msgspec.structs.replace(paper.texts, body=["We look into all of it. " * 20] * 12)
    with pytest.raises(CallError, match=r"en-a4.pdf doesn't fit on its sheet: shorten lead or body in texts/en.toml"):
        leaflet_step(call, replace(paper, texts=texts)).make(tmp_path)


def test_a_sign_that_asks_for_something_elsewhere_gets_nothing(call: Call, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (9, 9)).save(secret)
    with served({}, "") as site:
        asks = "".join(
            f'<image href="{url}" width="9" height="9"/>' for url in (f"{site.address}/x.png", secret.as_uri())
        )
        (tmp_path / "logo.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-50 -50 100 100">{asks}</svg>'
        )
        leaflet_step(replace(call, folder=tmp_path), Paper.of(call, "en")).make(tmp_path)
        assert site.asked == []
    pictures = _run("pdfimages", "-list", str(tmp_path / "en-a4.pdf")).splitlines()[2:]
    assert len(pictures) == 1  # the QR code


def test_a_missing_sign_is_told(call: Call, tmp_path: Path) -> None:
    with pytest.raises(CallError, match=r"logo.svg is missing"):
        leaflet_step(replace(call, folder=tmp_path), Paper.of(call, "en"))


def test_every_language_that_is_known_has_its_fonts() -> None:
    listed = _run("fc-list", ":", "family")
    assert [tongue.sans for tongue in TONGUES.values() if tongue.sans not in listed] == []
