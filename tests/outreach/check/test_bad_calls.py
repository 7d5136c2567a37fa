"""Each planted mistake is found, by one clear sentence, and nothing else is."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from outreach.check.conftest import TODAY

from sottovoce.outreach.check import check

BAD = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(Path(__file__).with_name("bad").iterdir())}
POLICY = ("phone", "vpn", "helper", "email", "private_mode", "device", "promises")
LANGUAGES = ("en", "fa", "ko", "ru", "zh-Hans", "zh-Hant")


def spoil(folder: Path, changes: list[dict[str, Any]]) -> None:
    """Changes files of a call: `replace` is put `by` another text, or a file gets `content`, `base64`, or is gone."""
    for change in changes:
        path = folder / change["file"]
        if "replace" in change:
            text = path.read_text("utf-8")
            assert text.count(change["replace"]) == 1, f"“{change['replace']}” stands not once in {path.name}"
            path.write_text(text.replace(change["replace"], change["by"]), "utf-8")
        elif "content" in change:
            path.write_text(change["content"], "utf-8")
        elif "base64" in change:
            path.write_bytes(base64.b64decode(change["base64"]))
        else:
            assert change["gone"]
            path.unlink()


def test_the_good_call_is_good(call: Path, sign_off: Callable[[Path], None]) -> None:
    sign_off(call)
    assert check(call, TODAY) == []


@pytest.mark.parametrize("name", BAD)
def test_a_planted_mistake_is_found_and_nothing_else(name: str, call: Path, sign_off: Callable[[Path], None]) -> None:
    bad = BAD[name]
    spoil(call, bad["change"])
    sign_off(call)
    found = [(each.rule, each.file, each.severity, each.sentence) for each in check(call, TODAY)]
    assert found == [(bad["rule"], bad["file"], bad.get("severity", "error"), bad["sentence"])]


def test_the_corpus_has_every_clause_in_every_language() -> None:
    said = {(bad["rule"], bad["change"][0]["file"].split("/")[-1].split(".")[0]) for bad in BAD.values()}
    assert {(clause, tag) for clause in POLICY for tag in LANGUAGES} <= said


def test_every_sentence_is_one_and_says_what_to_do() -> None:
    for bad in BAD.values():
        sentence = bad["sentence"]
        assert sentence.endswith(".")
        assert ": " in sentence
        assert "\n" not in sentence
