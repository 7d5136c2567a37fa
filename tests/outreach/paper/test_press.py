"""The press page: what is ours, what isn't, and how anybody checks; for people and for machines."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from outreach.paper.conftest import ACCOUNTS, FALSE, FILM

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.paper.content import Paper
from sottovoce.outreach.paper.press import COMMAND, Listed, press_page, publications
from sottovoce.outreach.proof.publications import Publications

OTHER = "p53lf57qovyuvwsc6xnrppyply3vtqm7l6pcobkmyqsiofyeznfu5uqd"


def test_for_machines_it_says_what_is_ours_and_what_is_not(built: Call) -> None:
    said = json.loads((built.built / "press/press.json").read_text("utf-8"))
    assert said["accounts"] == list(ACCOUNTS)
    assert said["not_ours"] == [FALSE]
    assert said["addresses"] == [built.address]
    assert said["check_words"] == list(built.card.check_words)
    assert said["identity"] == built.root.org.hex()
    assert said["valid_until"] == "2027-03-31"
    assert said["valid"]["en"] == "Valid until 31 March 2027. After that day, look for a newer one."
    (film,) = said["films"]
    assert film["titles"]["en"] == "The ledger"
    assert film["published"] == [{"language": "zh-Hans", "address": FILM}]


def test_the_hashes_are_those_of_the_files(built: Call) -> None:
    said = json.loads((built.built / "press/press.json").read_text("utf-8"))
    listed = {each["path"]: each["sha256"] for each in said["files"]}
    folders = ("pages", "leaflets", "pass-on")
    files = {
        path.relative_to(built.built).as_posix(): path for name in folders for path in (built.built / name).iterdir()
    }
    assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    for language in built.file.languages:
        page = (built.built / "press" / f"{language}.html").read_text("utf-8")
        assert [name for name, digest in listed.items() if name not in page or digest not in page] == []


def test_it_names_films_accounts_and_fakes_in_every_language(built: Call) -> None:
    for language in built.file.languages:
        page = (built.built / "press" / f"{language}.html").read_text("utf-8")
        paper = Paper.of(built, language)
        title = paper.texts.videos["ledger"].title
        told = (title, FILM, FALSE, *ACCOUNTS, COMMAND, paper.valid_until, paper.own.not_ours_note, paper.check_words)
        assert [text for text in told if text not in page] == []
        assert (built.built / "mirror/site/press" / f"{language}.html").read_text("utf-8") == page


def test_where_no_fake_is_known_it_says_that_there_may_be_some(call: Call) -> None:
    paper = Paper.of(call, "en")
    page = press_page(call, paper, Publications(), [])
    assert paper.own.not_ours_none in page
    assert paper.own.files not in page
    assert "a/b.mp4" in press_page(call, paper, Publications(), [Listed("a/b.mp4", "0" * 64)])


@pytest.mark.parametrize("text", [f"{OTHER}.onion", f"http://{OTHER}.onion/", "p53l f57q ovyu vwsc … .onion"])
def test_a_false_onion_address_is_not_printed(call: Call, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "harbour"
    shutil.copytree(call.folder, folder, ignore=shutil.ignore_patterns("build"))
    (folder / "published.toml").write_text(f'not_ours = ["{text}"]\n', "utf-8")
    with pytest.raises(CallError, match="never the address itself"):
        publications(replace(call, folder=folder))
