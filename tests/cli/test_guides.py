"""The door's guides for pages that travel: as they were signed off, without what only the site can do."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from doubles.organisation import PASSPHRASE, Organisation
from doubles.signed_call import write_call

from sottovoce.cli.guides import guides, taken_apart
from sottovoce.door.pack import LANGUAGES, Pack, hash_of, pack_of
from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.check.meaning import contrary
from sottovoce.outreach.check.plain import sentences
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.paper.guide import Part, Section
from sottovoce.trust.reviews import Review, approve, sign_advice

TODAY = 20_780


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    return Organisation(tmp_path_factory.mktemp("organisation"), TODAY)


@pytest.fixture
def call(organisation: Organisation, tmp_path: Path) -> Call:
    """A call in all languages of the door; only what guides need of it."""
    return in_languages(read_call(write_call(tmp_path / "call", organisation.office.folder), TODAY), *LANGUAGES)


def in_languages(call: Call, *languages: str) -> Call:
    """The call in these languages."""
    return replace(call, file=msgspec.structs.replace(call.file, languages=list(languages)))


def all_texts(sections: list[Section]) -> list[str]:
    """Everything that the chapters say."""
    found = []
    for chapter in sections:
        for each in (chapter, *chapter.sections):
            found += [each.heading, *(text for part in each.parts for text in part.texts)]
    return found


def test_each_language_has_the_same_chapters_and_says_something_in_each(call: Call) -> None:
    made = guides(call, TODAY)
    shapes = {
        tag: [(len(chapter.parts), [len(each.parts) for each in chapter.sections]) for chapter in made[tag]]
        for tag in LANGUAGES
    }
    assert [len(sections) for _, sections in shapes["en"]] == [7, 4, 1, 4, 3, 4]
    assert {str(shape) for shape in shapes.values()} == {str(shapes["en"])}
    assert all(all(all_texts(made[tag])) for tag in LANGUAGES)
    assert made["en"][0].heading == "Before you write"
    assert made["fa"][0].heading == "پیش از نوشتن"
    assert made["en"][0].sections[3].parts[0] == Part(
        "steps",
        [
            "Press the shield beside the address.",
            "Choose Settings, then Change.",
            "Choose Safest. The browser starts again.",
        ],
    )


def test_what_only_the_site_can_do_is_left_out(call: Call) -> None:
    said = " ".join(all_texts(guides(call, TODAY)["en"]))
    for other in ("Begin the practice", "Try it first", "world time", "First page", "More about sentences"):
        assert other not in said


def test_a_language_that_was_signed_off_is_as_it_was_then(call: Call, organisation: Organisation) -> None:
    old = Pack.read(pack_of("ko"))
    raw = replace(old, catalogue=old.catalogue.replace('msgstr "쓰기 전에"', 'msgstr "옛 제목"')).encode()
    assert raw != pack_of("ko")
    approve(organisation.office, PASSPHRASE, raw, Review("ko", TODAY, hash_of(raw), "A reader"), bytes)
    for name in ("languages.signed", "language-ko.pack"):
        shutil.copy(organisation.office.signed.folder / name, call.folder / "signed")
    assert guides(call, TODAY)["ko"][0].heading == "옛 제목"


def test_fresh_advice_goes_along_with_its_day_and_old_advice_does_not(call: Call, organisation: Organisation) -> None:
    sign_advice(organisation.office, TODAY - 3, {"en": "Ask a friend for a bridge.\n\nPaste it."}, TODAY)
    shutil.copy(organisation.office.signed.path("advice"), call.folder / "signed")
    fresh = all_texts(guides(call, TODAY)["en"])
    assert {"Ask a friend for a bridge.", "Paste it.", "Last verified: 20 November 2026."} <= set(fresh)
    old = all_texts(guides(call, TODAY + 60)["en"])
    assert "Ask a friend for a bridge." not in old


@pytest.mark.parametrize(("phone", "named"), [("never", set()), ("own", set(LANGUAGES))])
def test_a_guide_names_a_way_by_telephone_only_where_the_policy_allows_one(
    call: Call, phone: str, named: set[str]
) -> None:
    chosen = replace(call, policy=msgspec.structs.replace(call.policy, phone=phone))
    made = guides(chosen, TODAY)
    assert {tag for tag in LANGUAGES if "Onion Browser" in " ".join(all_texts(made[tag]))} == named


def test_the_programs_own_guides_contradict_no_policy(call: Call) -> None:
    strict, loose = {"phone": "never", "vpn": "none", "helper": "never"}, {"vpn": "before", "helper": "trusted"}
    policies = [msgspec.structs.replace(call.policy, **answers) for answers in (strict, loose)]
    texts = {tag: all_texts(made) for tag, made in guides(call, TODAY).items()}
    said = [(tag, each) for tag, found in texts.items() for text in found for each in sentences(text)]
    assert len(said) > 100 * len(LANGUAGES)
    assert not [each for each in said for policy in policies for _ in contrary(policy, *each)]


def test_advice_that_contradicts_the_policy_is_named_by_its_clause(call: Call, organisation: Organisation) -> None:
    sign_advice(organisation.office, TODAY - 2, {"en": "Start Tor Browser.\n\nUse a VPN first."}, TODAY)
    shutil.copy(organisation.office.signed.path("advice"), call.folder / "signed")
    assert call.policy.vpn == "none"
    with pytest.raises(CallError, match=r"“Use a VPN first.” says .* the policy has vpn = “none”"):
        guides(call, TODAY)


def test_they_are_kept_until_something_changes(call: Call) -> None:
    made = guides(call, TODAY)
    kept = call.built / ".guides.json"
    kept.write_bytes(kept.read_bytes().replace(b"Before you write", b"Kept as it was"))
    assert guides(call, TODAY)["en"][0].heading == "Kept as it was"
    kept.write_bytes(b"broken")
    assert guides(call, TODAY) == made


def test_a_language_without_texts_is_told(call: Call) -> None:
    with pytest.raises(CallError, match="There are no guides in it"):
        guides(in_languages(call, "it"), TODAY)


def test_a_page_without_a_title_is_a_fault_of_the_program() -> None:
    with pytest.raises(CallError, match="has no title"):
        taken_apart("<p>x</p>")
