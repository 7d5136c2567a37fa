"""What is passed on: a ZIP with neutral names, without times and owners, the same bytes each time."""

from __future__ import annotations

import zipfile
from pathlib import Path

from sottovoce.outreach.call import Call
from sottovoce.outreach.paper.content import Paper
from sottovoce.outreach.paper.pass_on import pass_on_step

PARTS = ["README.txt", "page.html", "sheet-to-fold.pdf", "sheet.pdf"]


def members(path: Path) -> list[zipfile.ZipInfo]:
    """What is in a ZIP, in its order."""
    with zipfile.ZipFile(path) as archive:
        return archive.infolist()


def test_it_holds_the_papers_and_a_film_where_there_is_one(built: Call) -> None:
    for language in built.file.languages:
        names = [each.filename for each in members(built.built / "pass-on" / f"{language}.zip")]
        assert names == sorted([*PARTS, *["film.mp4"] * (language == "fa")])


def test_nothing_tells_when_or_by_whom_it_was_made(built: Call) -> None:
    for each in members(built.built / "pass-on/fa.zip"):
        assert each.date_time == (1980, 1, 1, 0, 0, 0)
        assert (each.create_system, each.external_attr >> 16, each.extra, each.comment) == (3, 0o100644, b"", b"")


def test_the_page_in_it_is_the_one_that_was_built(built: Call) -> None:
    with zipfile.ZipFile(built.built / "pass-on/fa.zip") as archive:
        assert archive.read("page.html") == (built.built / "pages/fa.html").read_bytes()


def test_the_same_parts_give_the_same_bytes(built: Call, tmp_path: Path) -> None:
    pass_on_step(built, Paper.of(built, "en")).make(tmp_path)
    assert (tmp_path / "en.zip").read_bytes() == (built.built / "pass-on/en.zip").read_bytes()


def test_its_first_text_says_what_it_is_until_when_and_what_else_is_in_it(built: Call) -> None:
    for language in built.file.languages:
        with zipfile.ZipFile(built.built / "pass-on" / f"{language}.zip") as archive:
            said = archive.read("README.txt").decode()
            others = set(archive.namelist()) - {"README.txt"}
        paper = Paper.of(built, language)
        told = (paper.texts.organisation, paper.own.danger_file, paper.valid_until, paper.check_words, *others)
        assert [text for text in told if text not in said] == []
        assert " ".join(paper.addresses[0][:4]) in said


def test_several_films_have_numbers_for_names(built: Call, tmp_path: Path) -> None:
    films = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for film in films:
        film.write_bytes(film.name.encode())
    pass_on_step(built, Paper.of(built, "en"), films).make(tmp_path)
    assert [each.filename for each in members(tmp_path / "en.zip") if "film" in each.filename] == [
        "film-1.mp4",
        "film-2.mp4",
    ]
