"""What a call says in a language is a draft until the office signed off exactly that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from doubles.organisation import Organisation
from doubles.signed_call import CAPTIONS, read, sign_off, sign_off_claim
from trust.test_signed import STRANGER

from sottovoce.outreach.proof.said import said
from sottovoce.protocol import cbor


def test_8_18_texts_are_a_draft_until_the_root_signed_them_off(folder: Path, organisation: Organisation) -> None:
    call = read(folder, organisation)
    assert call.draft("en")
    sign_off(call, organisation)
    assert not call.draft("en")
    sign_off(call, organisation, en=bytes(32))
    assert call.draft("en")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("texts/en.toml", "what you saw", "what you did not see"),
        ("videos/ledger/captions/en.srt", "never met", "always met"),
        ("videos/ledger/video.toml", "never met", "always met"),
        ("policy.toml", 'phone = "never"', 'phone = "own"'),
        ("call.toml", 'name = "harbour"', 'name = "bridge"'),
    ],
)
def test_any_other_sentence_is_a_draft_again(
    folder: Path, organisation: Organisation, file: str, old: str, new: str
) -> None:
    sign_off(read(folder, organisation), organisation)
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), "utf-8")
    assert read(folder, organisation).draft("en")


def test_when_a_caption_stands_and_how_a_file_is_laid_out_ask_for_no_new_review(
    folder: Path, organisation: Organisation
) -> None:
    sign_off(read(folder, organisation), organisation)
    captions, texts = folder / "videos/ledger/captions/en.srt", folder / "texts/en.toml"
    captions.write_text(CAPTIONS.replace("00,500", "00,700").replace("\n", "\r\n"), "utf-8")
    texts.write_text("# A comment.\n" + texts.read_text("utf-8"), "utf-8")
    assert not read(folder, organisation).draft("en")


def test_missing_captions_are_said_as_none_and_are_a_draft(folder: Path, organisation: Organisation) -> None:
    sign_off(read(folder, organisation), organisation)
    (folder / "videos/ledger/captions/en.srt").unlink()
    assert read(folder, organisation).draft("en")


def test_the_same_folder_gives_the_same_bytes(folder: Path, organisation: Organisation) -> None:
    first, second = (said(read(folder, organisation), "en") for _ in range(2))
    assert first == second
    assert cbor.decode(first, "body", 65_536)[4] == {"ledger": ["The sums never met."]}


def test_8_18_a_damaged_or_strangers_sign_off_is_as_none(folder: Path, organisation: Organisation) -> None:
    call = read(folder, organisation)
    claim = sign_off_claim(call)
    key = organisation.office.root_key()
    others = [
        b"", b"junk", claim.sign([STRANGER]), replace(claim, kind="languages").sign([key]),
        replace(claim, org=bytes(32)).sign([key]), replace(claim, body={"en": claim.body["en"][:1]}).sign([key]),
    ]  # fmt: skip
    for raw in others:
        (folder / "signed/texts.signed").write_bytes(raw)
        assert call.draft("en")
    (folder / "signed/texts.signed").write_bytes(claim.sign([key]))
    assert not call.draft("en"), "the same one, signed by the root, is taken"
