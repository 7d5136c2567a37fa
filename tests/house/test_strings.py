"""The collector of sentences: a new one is missing in every other language until somebody translates it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
NEW = "A sentence that nobody has translated."
OTHERS = ("fa", "ko", "ru", "zh-Hans", "zh-Hant")


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/strings.py as a module, on a copy of the door with one sentence more."""
    spec = importlib.util.spec_from_file_location("strings", ROOT / "tools/strings.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    door = tmp_path / "door"
    shutil.copytree(ROOT / "src/sottovoce/door", door)
    (door / "templates" / "new.html").write_text(f"{{% trans %}}{NEW}{{% endtrans %}}", "utf-8")
    monkeypatch.setattr(module, "DOOR", door)
    return module


def run(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, *flags: str) -> int:
    monkeypatch.setattr(sys, "argv", ["strings.py", *flags])
    return int(tool.main())


def test_a_new_sentence_is_missing_in_every_other_language(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tool, monkeypatch) == 1
    said = capsys.readouterr().out
    assert said.splitlines() == [f"{tag}.po: “{NEW}” is not translated." for tag in OTHERS]
    assert run(tool, monkeypatch, "--check") == 1


def test_english_in_another_language_is_no_translation(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tool, monkeypatch)
    for tag in OTHERS:
        path = tool.DOOR / "locale" / f"{tag}.po"
        text = path.read_text("utf-8").replace(f'msgid "{NEW}"\nmsgstr ""', f'msgid "{NEW}"\nmsgstr "{NEW}"')
        path.write_text(text, "utf-8")
    capsys.readouterr()
    assert run(tool, monkeypatch, "--check") == 1
    assert capsys.readouterr().out.count("is not translated") == len(OTHERS)
