"""What is uploaded and pasted: the whole address as text, the card's accounts only, limits told and never cut."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from doubles.calls import ADDRESS, make_call

from sottovoce.outreach.call import Call
from sottovoce.outreach.platforms import platforms
from sottovoce.outreach.upload import Item, accounts, checklist, over_limits, paste
from sottovoce.outreach.words import words


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    return make_call(tmp_path_factory.mktemp("c"), ("en", "fa"))


def item(call: Call, platform: str = "youtube", language: str = "en") -> Item:
    folder = call.built / "films" / "drawn"
    made = [folder / f"{platform}-{language}.mp4", folder / f"{platform}-{language}.png"]
    return Item(call, call.videos[0], platform, language, made, None, draft=call.draft(language))


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("platform", list(platforms()))
def test_every_text_carries_the_whole_address_and_what_the_film_is(call: Call, platform: str, language: str) -> None:
    texts, own = paste(call, call.videos[0], platforms()[platform], language, draft=False), words(language)
    assert f"\n{ADDRESS}\n" in texts.text
    assert "http" not in texts.text
    assert " ".join(call.card.check_words) in texts.text
    assert call.texts[language].organisation in texts.text
    assert own.note in texts.text
    assert own.dramatised in texts.text
    assert own.synthetic_voice in texts.text
    assert bool(texts.title) == bool(platforms()[platform].title_most)
    assert not over_limits(texts, platforms()[platform])


def test_a_draft_says_so_first(call: Call) -> None:
    texts = paste(call, call.videos[0], platforms()["youtube"], "en", draft=True)
    assert texts.title.startswith("DRAFT · ")
    assert texts.text.startswith("DRAFT · ")
    assert item(call).texts == texts  # nobody signed this call off


def test_what_is_too_long_is_told_and_not_cut(call: Call) -> None:
    texts = paste(call, call.videos[0], platforms()["youtube"], "en", draft=False)
    narrow = msgspec.structs.replace(platforms()["youtube"], title_most=5, text_most=100)
    assert over_limits(texts, narrow) == [
        f"The title has {len(texts.title)} characters for YouTube, which takes 5: shorten it.",
        f"The text has {len(texts.text)} characters for YouTube, which takes 100: shorten it.",
    ]


def test_tags_are_counted_as_youtube_counts_them_and_stand_in_the_text_elsewhere(call: Call) -> None:
    said = call.texts["en"].videos["drawn"]
    said.tags = ["water quality"] * 38
    try:
        (told,) = over_limits(item(call).texts, platforms()["youtube"])
        assert told == "The tags have 607 characters for YouTube, which takes 500: shorten it."
        elsewhere = item(call, "instagram").texts
        assert elsewhere.tags == []
        assert elsewhere.text.endswith("\n\n" + " ".join(["#water_quality"] * 38))
    finally:
        said.tags = []


def test_files_stand_in_the_order_of_upload(call: Call) -> None:
    outputs = [step.outputs[0] for step in item(call).steps()]
    folder = call.built / "upload" / "youtube" / "en"
    names = ["1-1 drawn youtube-en.mp4", "1-2 drawn youtube-en.png", "1 texts.txt", "1 checklist.html"]
    assert outputs == [folder / name for name in names]


def test_a_film_without_a_certificate_is_copied_as_it_is(call: Call, tmp_path: Path) -> None:
    made = item(call)
    made.made[0].parent.mkdir(parents=True, exist_ok=True)
    made.made[0].write_bytes(b"a film")
    next(made.steps()).make(tmp_path)
    assert (tmp_path / made.names[0]).read_bytes() == b"a film"


def test_the_checklist_names_the_cards_accounts_and_no_other(call: Call) -> None:
    own = "https://www.youtube.example/@harbour"
    call.card.accounts = [own, "https://www.facebook.example/harbour"]
    try:
        assert accounts(call, "shorts") == [own]
        page = checklist(item(call))
        assert f"Sign in to {own}." in page
        assert "facebook" not in page
        assert "Altered content: yes" in page
        assert "no account" in checklist(item(call, "instagram"))
        assert "Sign in" not in checklist(item(call, "forward"))
    finally:
        call.card.accounts = []


def test_the_checklist_has_no_script_and_asks_nothing_from_elsewhere(call: Call) -> None:
    for language in ("en", "fa"):
        page = checklist(item(call, "facebook", language))
        assert not [tag for tag in ("<script", "<form", "<input", "<textarea") if tag in page]
        assert "http" not in page.replace("http-equiv", "")
        assert 'dir="auto"' in page
