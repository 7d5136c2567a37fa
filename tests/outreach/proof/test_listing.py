"""The list of a call's files names all that other people get, and nothing else; the review shows all that is signed."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles.organisation import Organisation
from doubles.signed_call import CALL, CAPTIONS, TEXTS, read, sign_off

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.proof.listing import listed
from sottovoce.outreach.proof.review import check_words, review
from sottovoce.outreach.proof.said import said
from sottovoce.protocol import cbor
from sottovoce.protocol.words import words_of
from sottovoce.trust.call_list import CallList

PERSIAN = "جور در نمی‌آمد"
BUILT = {
    "upload/youtube/fa/1-1 ledger.mp4": b"a film",
    "upload/youtube/fa/1-2 ledger.fa.srt": b"captions",
    "upload/youtube/fa/1 checklist.html": b"for who uploads",
    "upload/youtube/fa/1 texts.txt": b"to paste",
    "leaflet fa.pdf": b"a leaflet",
    "mirror/index.html": b"a page",
    "films/ledger/youtube-fa.mp4": b"on the way",
    ".made.json": b"{}",
    ".fresh/x/ledger.mp4": b"half",
}


def built(folder: Path) -> None:
    """Two languages, and files as they are built."""
    (folder / "call.toml").write_text(CALL.replace('["en"]', '["en", "fa"]'), "utf-8")
    (folder / "texts/fa.toml").write_text(
        TEXTS.replace("The ledger", "دفتر").replace("Why I came forward", "چرا"), "utf-8"
    )
    captions = folder / "videos/ledger/captions/fa.srt"
    captions.write_text(CAPTIONS.replace("The sums never met.", PERSIAN), "utf-8")
    for name, content in BUILT.items():
        (folder / "build" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "build" / name).write_bytes(content)


def test_the_list_names_what_other_people_get_with_its_language_platform_and_film(
    folder: Path, organisation: Organisation
) -> None:
    built(folder)
    call = read(folder, organisation)
    sign_off(call, organisation)
    made = listed(call)
    assert [(each.path, each.language, each.platform, each.title) for each in made.files] == [
        ("leaflet fa.pdf", "fa", "", ""),
        ("mirror/index.html", "", "", ""),
        ("upload/youtube/fa/1-1 ledger.mp4", "fa", "youtube", "دفتر"),
        ("upload/youtube/fa/1-2 ledger.fa.srt", "fa", "youtube", "دفتر"),
    ]
    film = made.find(hashlib.sha256(b"a film").digest())
    assert film is not None
    assert film.size == len(b"a film")
    assert made.texts["fa"].title == "چرا"
    assert made.texts["fa"].digest == hashlib.sha256(said(call, "fa")).digest()
    assert CallList.read(made.encode()) == made


def test_the_same_files_give_the_same_list(folder: Path, organisation: Organisation) -> None:
    built(folder)
    call = read(folder, organisation)
    sign_off(call, organisation)
    assert listed(call).encode() == listed(read(folder, organisation)).encode()


def test_a_draft_or_an_empty_build_is_not_listed(folder: Path, organisation: Organisation) -> None:
    with pytest.raises(CallError, match="Nobody signed off what the call says in en"):
        listed(read(folder, organisation))
    sign_off(read(folder, organisation), organisation)
    with pytest.raises(CallError, match="Nothing is built"):
        listed(read(folder, organisation))


def test_a_call_that_outlives_the_card_is_not_listed(folder: Path, organisation: Organisation) -> None:
    built(folder)
    late = (folder / "call.toml").read_text("utf-8").replace("2026-12-31", "2036-12-31")
    (folder / "call.toml").write_text(late, "utf-8")
    sign_off(read(folder, organisation), organisation)
    with pytest.raises(CallError, match="longer than the organisation's card"):
        listed(read(folder, organisation))


def test_a_review_shows_every_sentence_that_is_signed_beside_the_english_one(
    folder: Path, organisation: Organisation
) -> None:
    built(folder)
    call = read(folder, organisation)
    raw, page = said(call, "fa"), review(call, "fa")
    assert " ".join(words_of(hashlib.sha256(raw).digest(), 6)) == " ".join(check_words(raw))
    assert f'<strong class="words">{" ".join(check_words(raw))}</strong>' in page
    rows = re.findall(r'<tr><td>(\d+)</td><td>(.*?)</td><td lang="fa" dir="rtl">(.*?)</td></tr>', page)
    assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1))
    pairs = {english: text for _, english, text in rows}
    assert pairs["The sums never met."] == PERSIAN
    assert pairs["Why I came forward"] == "چرا"
    assert pairs["Do not use a phone."] not in ("", "Do not use a phone.")
    value = cbor.decode(raw, "body", 65_536)
    signed = [*_strings([value[3], value[4], value[5], value[6], value[8]]), *(sentence for _, sentence in value[7])]
    assert sorted(html.unescape(text) for _, _, text in rows) == sorted(signed)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def test_a_review_asks_nobody_anything_and_is_the_same_twice(folder: Path, organisation: Organisation) -> None:
    page = review(read(folder, organisation), "en")
    assert page == review(read(folder, organisation), "en")
    assert not re.search(r"<script|<img|\bsrc=|url\(|@import|https?://", page)
    assert '<th scope="col">English</th>' in page
    assert page.count('<th scope="col">English</th>') == page.count("<table>"), "there is no second column"
