"""The linter for promises: each language's list bites, and the list of what is allowed holds nothing old."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sottovoce.outreach.check.promises import lists

ROOT = Path(__file__).parents[2]
DATA: dict[str, Any] = tomllib.loads((ROOT / "tools/promises.toml").read_text("utf-8"))
LANGUAGES = ("en", "fa", "ko", "ru", "zh-Hans", "zh-Hant")
PLANTED: dict[str, Any] = tomllib.loads(Path(__file__).with_name("linted_promises.toml").read_text("utf-8"))
EACH = [
    (language, kind, text)
    for language, kinds in PLANTED["promises"].items()
    for kind, texts in kinds.items()
    for text in texts
]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """tools/promises.py as a module."""
    spec = importlib.util.spec_from_file_location("promises", ROOT / "tools/promises.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def faults(tool: ModuleType, folder: Path, language: str, text: str, *allowed: dict[str, Any], msgid: str) -> list[str]:
    """What is found where this is the only sentence of the only catalogue."""
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (folder / f"{language}.po").write_text(f'{head}msgid "{msgid}"\nmsgstr "{text}"\n', "utf-8")
    found: list[str] = tool.faults(folder, {**DATA, "allowed": list(allowed)})
    return found


def test_the_doors_catalogues_promise_nothing_that_is_not_allowed(tool: ModuleType) -> None:
    assert tool.faults(tool.LOCALE, DATA) == []
    assert sorted(lists().words) == sorted(LANGUAGES)


@pytest.mark.parametrize(("language", "kind", "text"), EACH)
def test_a_planted_promise_is_found(tool: ModuleType, tmp_path: Path, language: str, kind: str, text: str) -> None:
    found = faults(tool, tmp_path, language, text, msgid="Hello.")
    assert [each for each in found if each.startswith(f"{language}: “Hello.”") and each.endswith(f"promise {kind}.")]


def test_every_list_has_planted_sentences() -> None:
    assert {(language, kind) for language, kind, _ in EACH} == {
        (language, kind) for language, kinds in lists().words.items() for kind in kinds
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_promises_nothing_is_left_alone(tool: ModuleType, tmp_path: Path, language: str) -> None:
    assert faults(tool, tmp_path, language, PLANTED["plain"][language], msgid="Hello.") == []


def test_a_promise_in_one_plural_form_is_found(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "en.po").write_text(
        'msgid "%(n)s day."\nmsgid_plural "%(n)s days."\nmsgstr[0] "%(n)s day."\nmsgstr[1] "%(n)s safe days."\n',
        "utf-8",
    )
    assert tool.faults(tmp_path, {**DATA, "allowed": []}) == ["en: “%(n)s day.”: “safe” may promise safety."]


def test_an_entry_allows_its_kinds_only_in_all_languages(tool: ModuleType, tmp_path: Path) -> None:
    entry = {"msgid": "Not safe.", "kinds": ["safety"], "why": "It denies."}
    assert faults(tool, tmp_path, "ru", "Это не безопасно.", entry, msgid="Not safe.") == []
    found = faults(tool, tmp_path, "ru", "Это не безопасно, но мы заплатим.", entry, msgid="Not safe.")
    assert found == ["ru: “Not safe.”: “заплатим” may promise money."]


def test_an_old_entry_a_needless_one_and_one_without_a_reason_are_faults(tool: ModuleType, tmp_path: Path) -> None:
    old = {"msgid": "Gone.", "kinds": ["safety"], "why": "It denies."}
    assert faults(tool, tmp_path, "en", "Hello.", old, msgid="Hello.") == [
        "Allowed, but no sentence of the door: “Gone.”."
    ]
    needless = {"msgid": "Hello.", "kinds": ["money"], "why": "It denies."}
    assert faults(tool, tmp_path, "en", "Hello.", needless, msgid="Hello.") == [
        "Allowed, but not needed: money in “Hello.”."
    ]
    bare = {"msgid": "Not safe.", "kinds": ["safety"], "why": ""}
    assert faults(tool, tmp_path, "en", "Not safe.", bare, msgid="Not safe.") == [
        "Allowed without a reason: “Not safe.”."
    ]


def test_a_buttons_name_counts_only_where_the_english_sentence_has_it(tool: ModuleType, tmp_path: Path) -> None:
    assert faults(tool, tmp_path, "zh-Hans", "选择“最安全”。", msgid="Choose Safest.") == []
    assert faults(tool, tmp_path, "zh-Hans", "选择“最安全”。这里很安全。", msgid="Choose Safest.")
    assert faults(tool, tmp_path, "zh-Hans", "这里最安全。", msgid="Welcome.")


def test_a_catalogue_without_a_list_is_a_fault(tool: ModuleType, tmp_path: Path) -> None:
    assert faults(tool, tmp_path, "it", "Ciao.", msgid="Hello.") == ["promises.toml has no words for it: add them."]


def test_it_says_what_it_can_not_see() -> None:
    command = [sys.executable, str(ROOT / "tools/promises.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "Meaning can't be linted" in done.stdout
