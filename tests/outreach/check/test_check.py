"""The check as a whole: all that can be found at once, and what nobody can except."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from outreach.check.conftest import TODAY

from sottovoce.outreach.check import check
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.platforms import platforms


def test_one_run_finds_what_is_wrong_everywhere(call: Path) -> None:
    (call / "policy.toml").write_text("phone = never\n", "utf-8")
    (call / "texts/ko.toml").write_bytes(b"\xff")
    (call / "videos/ledger/captions/en.srt").unlink()
    (call / "videos/quay/video.toml").write_text("", "utf-8")
    (call / "logo.svg").write_text("<svg/>", "utf-8")
    (call / "signed/card.signed").write_bytes(b"no card")
    found = {(each.rule, each.file) for each in check(call, TODAY)}
    assert found >= {
        ("form", "policy.toml"), ("form", "texts/ko.toml"), ("missing", "videos/ledger/captions/en.srt"),
        ("form", "videos/quay/video.toml"), ("picture", "logo.svg"), ("form", "signed/card.signed"),
    }  # fmt: skip


def test_without_call_toml_the_rest_is_still_checked(call: Path) -> None:
    (call / "call.toml").unlink()
    path = call / "texts/fa.toml"
    path.write_text(path.read_text("utf-8").replace("به هر زبانی بنویسید.", "به ما زنگ بزنید."), "utf-8")
    assert {(each.rule, each.file) for each in check(call, TODAY)} == {
        ("missing", "call.toml"),
        ("phone", "texts/fa.toml"),
    }


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="is no folder: name a call's folder"):
        check(tmp_path / "nothing", TODAY)


def test_a_language_that_nobody_signed_off_is_a_warning(call: Path) -> None:
    found = check(call, TODAY)
    assert {each.rule for each in found} == {"draft"}
    assert {each.severity for each in found} == {"warning"}
    assert [each.file for each in found] == [
        f"texts/{tag}.toml" for tag in ("en", "fa", "ko", "ru", "zh-Hans", "zh-Hant")
    ]


def test_what_nobody_read_for_half_a_year_is_a_warning(call: Path, sign_off: Callable[[Path], None]) -> None:
    sign_off(call)
    oldest = min(platforms()[name].checked for name in ("youtube", "instagram", "forward"))
    later = (oldest - datetime.date(1970, 1, 1)).days + 181
    found = [each for each in check(call, later) if each.rule == "platform"]
    assert {each.severity for each in found} == {"warning"}
    assert "181 days ago" in found[0].sentence
    assert not [each for each in check(call, later - 1) if each.rule == "platform"]


def test_an_allowed_sentence_is_excepted_in_its_language_and_rule_only(
    call: Path, sign_off: Callable[[Path], None]
) -> None:
    path = call / "allow.toml"
    sign_off(call)
    for old, new in (('language = "en"', 'language = "ru"'), ('rule = "promises"', 'rule = "phone"')):
        kept = path.read_text("utf-8")
        path.write_text(kept.replace(old, new), "utf-8")
        assert [each.rule for each in check(call, TODAY)] == ["promises", "allow"]
        path.write_text(kept, "utf-8")
    assert check(call, TODAY) == []


def test_errors_come_first(call: Path) -> None:
    (call / "logo.svg").unlink()
    severities = [each.severity for each in check(call, TODAY)]
    assert severities == sorted(severities)
    assert set(severities) == {"error", "warning"}
