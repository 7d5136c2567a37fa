"""The card on the door: as a page and as files, and the paths of the calls that the organisation signed."""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import pytest
import zxingcpp
from door.test_app import TODAY, World
from doubles.organisation import NAME, Organisation
from doubles.visitor import Page, Visitor
from outreach.paper.crawler import Own, strange
from PIL import Image

from sottovoce.door.pack import LANGUAGES
from sottovoce.trust.call_list import CallList, ListedFile, ListedTexts, digest_of
from sottovoce.trust.call_office import sign_call
from sottovoce.trust.card_file import CardFile
from sottovoce.trust.published import write_durably

FILE = ListedFile("upload/youtube/fa/1-1 ledger.mp4", 9_000, b"h" * 32, "fa", "youtube", "The ledger")
LIST = CallList(
    "harbour", TODAY + 90, [FILE],
    {"en": ListedTexts(bytes(32), "Why I came forward"), "fa": ListedTexts(bytes(32), "چرا")},
    [("https://www.youtube.com/watch?v=a1B2c3D4_-5", "https://www.youtube.com/@harbour")], ["https://t.me/harb0ur"],
    [b"a certificate"],
)  # fmt: skip


@pytest.fixture(scope="module")
def calling(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """An organisation with a call, whose signed files are on the server."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sottovoce.trust.locked.MEMORY", 64)
        made = Organisation(tmp_path_factory.mktemp("o"), TODAY)
    made.go_on_duty()
    for name in ("harbour", "old-quay"):
        sign_call(made.office, tmp_path_factory.mktemp("call"), replace(LIST, name=name), TODAY)
    for path in (made.office.folder / "signed").glob("call*"):
        write_durably(made.server / "signed" / path.name, path.read_bytes())
    return made


@pytest.fixture
def world(calling: Organisation) -> Iterator[World]:
    shutil.rmtree(calling.server / "pool", ignore_errors=True)
    made = World(calling, unreviewed=True)
    yield made
    made.close()


@pytest.fixture
def visitor(world: World) -> Visitor:
    return Visitor(world)


def test_the_card_is_a_page_in_every_language_with_the_calls_and_their_hashes(visitor: Visitor) -> None:
    digest = "".join(f"<span>{group}</span>" for group in digest_of(LIST.encode()).hex(" ", 4).split())
    for tag in LANGUAGES:
        page = visitor.get(f"/{tag}/card")
        assert (page.status, page.text) == (200, visitor.get(f"/{tag}/address").text)
        assert page.text.count(digest) == 1
        assert all(f'href="../card.{kind}"' in page.text for kind in ("txt", "json", "png"))
    assert "Why I came forward, until" in visitor.get("/en/card").text
    assert "چرا، تا" in visitor.get("/fa/card").text
    assert "Why I came forward" in visitor.get("/ko/card").text, "a call without Korean has its English title"


def test_the_short_path_of_the_card_answers_in_the_browsers_language(visitor: Visitor) -> None:
    page = visitor.ask("GET", "/card", headers={"Accept-Language": "fa"})
    assert (page.status, '<html lang="fa"' in page.text) == (200, True)
    assert 'href="card.txt"' in page.text
    assert 'href="fa/guide"' in page.text


def elsewhere(organisation: Organisation, folder: Path) -> Organisation:
    """The same organisation with another server's folder."""
    made = copy.copy(organisation)
    made.folder = folder
    return made


def files(visitor: Visitor) -> dict[str, Page]:
    """The card's files by their endings."""
    return {kind: visitor.get(f"/card.{kind}") for kind in ("txt", "json", "png")}


def test_the_cards_files_say_the_same_as_the_page(visitor: Visitor, calling: Organisation) -> None:
    got = files(visitor)
    assert {page.status for page in got.values()} == {200}
    kinds = {kind: page.header("content-type") for kind, page in got.items()}
    assert kinds == {"txt": "text/plain; charset=utf-8", "json": "application/json", "png": "image/png"}
    text = got["txt"].text
    assert text.startswith(f"{NAME}\n")
    words = " ".join(CardFile.of(calling.office.signed, TODAY).card.check_words)
    for said in (calling.address, words, "NOT OURS   https://t.me/harb0ur", f"{(b'h' * 32).hex()}  {FILE.path}"):
        assert said in text
    said = json.loads(got["json"].raw)
    assert (said["organisation"], said["address"], " ".join(said["check_words"])) == (NAME, calling.address, words)
    assert said["calls"][0]["files"][0]["sha256"] == (b"h" * 32).hex()
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(got["png"].raw)))
    assert code.text == calling.address.upper()


def test_the_cards_page_and_files_take_nothing_in_and_show_no_other_address(
    visitor: Visitor, calling: Organisation
) -> None:
    got = files(visitor)
    pages = [visitor.get(f"/{tag}/card").text for tag in LANGUAGES]
    assert not [tag for page in pages for tag in re.findall(r"<(?:form|input|textarea|button|script|iframe)\b", page)]
    shown = [re.sub(r"<[^>]*>", " ", page) for page in pages] + [got["txt"].text, got["json"].text]
    assert all(calling.address[:4] in text for text in shown)
    assert [fault for text in shown for fault in strange(text, Own([calling.address]))] == []


def test_the_lines_of_the_text_are_those_that_sha256sum_takes(visitor: Visitor, tmp_path: Path) -> None:
    lines = re.findall(r"^[0-9a-f]{64}  .+$", files(visitor)["txt"].text, re.MULTILINE)
    assert lines == [f"{(b'h' * 32).hex()}  {FILE.path}"] * 2


def test_the_json_can_be_verified_with_nothing_else_and_not_when_it_was_changed(
    visitor: Visitor, calling: Organisation
) -> None:
    raw = files(visitor)["json"].raw
    read = CardFile.read(raw, TODAY)
    assert (read.root.org, read.card.addresses) == (calling.org, [calling.address])
    assert read.lists == {"harbour": LIST, "old-quay": replace(LIST, name="old-quay")}
    assert CardFile.read(raw.replace(NAME.encode(), b"Somebody else"), TODAY).card.name == NAME
    said = json.loads(raw)
    said["signed"]["lists"]["harbour"] = base64.b64encode(replace(LIST, files=[]).encode()).decode()
    assert CardFile.read(json.dumps(said).encode(), TODAY).lists.keys() == {"old-quay"}
    said["signed"]["calls"] = said["signed"]["card"]
    assert CardFile.read(json.dumps(said).encode(), TODAY).lists == {}


def test_the_files_have_the_strict_headers_of_every_page(visitor: Visitor) -> None:
    page = visitor.get("/")
    different = {"content-type", "content-length", "content-security-policy"}
    wanted = {(name, value) for name, value in page.headers if name not in different}
    for file in files(visitor).values():
        assert {(name, value) for name, value in file.headers if name not in different} == wanted
        assert (file.header("content-security-policy") or "").startswith("default-src 'none'; base-uri")


def test_a_calls_path_shows_the_first_page_and_needs_no_cookie(visitor: Visitor) -> None:
    page = visitor.ask("GET", "/c/harbour", headers={"Accept-Language": "ru"})
    assert (page.status, '<html lang="ru"' in page.text) == (200, True)
    assert visitor.cookie is None
    assert page.header("set-cookie") is None
    links = set(re.findall(r'(?:href|action)="([^"#]+)', page.text)) - {"data:,"}
    assert links
    assert all(link.startswith("../") for link in links), "all are relative to the site's top"
    assert {visitor.get(urljoin("/c/harbour", link)).status for link in links if "begin" not in link} == {200}
    assert page.text.replace("../", "") == visitor.ask("GET", "/", headers={"Accept-Language": "ru"}).text
    assert "harbour" not in page.text.replace(NAME, "")


def test_a_visit_that_begins_at_a_calls_path_goes_on_as_every_other(visitor: Visitor) -> None:
    assert visitor.get("/c/old-quay").status == 200
    assert visitor.post("begin").header("location") == "words"


@pytest.mark.parametrize("path", ["/c/none", "/c/", "/c", "/c/harbour/", "/c/Harbour", "/en/c/harbour", "/c/..%2fcard"])
def test_an_unknown_path_of_a_call_is_the_calm_page_of_every_unknown_path(visitor: Visitor, path: str) -> None:
    page, other = visitor.get(path), visitor.get(path.replace("c", "x"))
    assert (page.status, page.text) == (404, other.text)
    assert "There is no such page" in page.text


def test_without_a_signed_call_there_is_a_card_and_no_path(calling: Organisation, tmp_path: Path) -> None:
    bare = tmp_path / "server"
    shutil.copytree(calling.server, bare, ignore=shutil.ignore_patterns("call*", "pool", "run"))
    world = World(elsewhere(calling, tmp_path))
    try:
        visitor = Visitor(world)
        assert visitor.get("/c/harbour").status == 404
        assert "SHA-256" not in visitor.get("/en/card").text
        assert json.loads(visitor.get("/card.json").raw)["calls"] == []
    finally:
        world.close()


def test_a_damaged_list_takes_nothing_away_but_itself(calling: Organisation, tmp_path: Path) -> None:
    shutil.copytree(calling.server, tmp_path / "server", ignore=shutil.ignore_patterns("pool", "run"))
    (tmp_path / "server/signed/call-harbour.list").write_bytes(b"junk")
    world = World(elsewhere(calling, tmp_path))
    try:
        visitor = Visitor(world)
        assert (visitor.get("/").status, visitor.get("/c/harbour").status) == (200, 200)
        assert [call["name"] for call in json.loads(visitor.get("/card.json").raw)["calls"]] == ["old-quay"]
    finally:
        world.close()


def test_the_same_card_gives_the_same_bytes(calling: Organisation) -> None:
    held = CardFile.of(calling.office.signed, TODAY)
    first, second = (hashlib.sha256(held.write(calling.office.signed)).hexdigest() for _ in range(2))
    assert first == second
