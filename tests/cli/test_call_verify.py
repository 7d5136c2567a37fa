"""`call verify` says in plain words what a file carries, and by its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import House, Run
from doubles.endcard import EndCard, onion
from doubles.signed_call import write_call

from sottovoce.cli.common import today
from sottovoce.trust.card_file import CardFile
from sottovoce.trust.published import SignedFolder

THEIRS = onion(b"a stranger's")


@pytest.fixture
def card(house: House, tmp_path: Path) -> Path:
    """What somebody took from the door at /card.json."""
    signed = SignedFolder(house.server / "signed")
    (tmp_path / "card.json").write_bytes(CardFile.of(signed, today()).write(signed))
    return tmp_path / "card.json"


def ours(house: House) -> str:
    """The organisation's address."""
    return str(CardFile.of(SignedFolder(house.server / "signed"), today()).card.addresses[0])


def page(tmp_path: Path, address: str) -> Path:
    """A page that was found."""
    (tmp_path / "page.html").write_text(f"<p>Type it: {address}</p>", "utf-8")
    return tmp_path / "page.html"


def test_each_verdict_has_its_sentence_its_reasons_and_its_exit_code(
    run: Run, house: House, card: Path, tmp_path: Path
) -> None:
    own = run("call", "verify", page(tmp_path, ours(house)), "--card", card)
    assert (own.code, own.err) == (0, "")
    assert "This carries our address.\n  - Our address stands there as text.\n" in own.out
    fake = run("call", "verify", page(tmp_path, THEIRS), "--card", card)
    assert (fake.code, fake.err) == (3, "")
    assert "This carries ANOTHER address: a fake. Do not pass it on.\n" in fake.out
    assert THEIRS in fake.out
    none = run("call", "verify", page(tmp_path, "nothing"), "--card", card)
    assert (none.code, none.err) == (4, "")
    assert none.out.endswith("This carries no address that can be read.\n")


def test_the_check_words_are_shown_since_the_card_came_from_somewhere(
    run: Run, house: House, card: Path, tmp_path: Path
) -> None:
    done = run("call", "verify", page(tmp_path, ours(house)), "--card", card)
    words = json.loads(card.read_bytes())["check_words"]
    assert f"whose check words are: {' '.join(words)}\n  {ours(house)}\n" in done.out


def test_a_picture_is_compared_with_the_folder_of_ones_own_call(run: Run, house: House, tmp_path: Path) -> None:
    call = write_call(tmp_path / "call", house.office)
    EndCard("", ours(house).upper()).draw().save(tmp_path / "own.png")
    assert run("call", "verify", tmp_path / "own.png", "--call", call).code == 0
    EndCard("", THEIRS.upper()).draw().save(tmp_path / "fake.png")
    assert run("call", "verify", tmp_path / "fake.png", "--call", call).code == 3


def test_a_card_that_was_changed_or_is_none_is_refused(run: Run, house: House, card: Path, tmp_path: Path) -> None:
    found = page(tmp_path, ours(house))
    said = json.loads(card.read_bytes())
    changed = [
        b"", b"[]", b'{"signed": 1}', b'{"signed": {"root": "x"}}', json.dumps({**said, "signed": {}}).encode(),
        json.dumps({**said, "signed": {**said["signed"], "card": said["signed"]["root"]}}).encode(),
    ]  # fmt: skip
    for raw in changed:
        card.write_bytes(raw)
        done = run("call", "verify", found, "--card", card)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)


def test_what_is_missing_is_told_in_one_sentence(run: Run, card: Path, tmp_path: Path) -> None:
    found = page(tmp_path, "nothing")
    for words in ((found,), (found, "--card", card, "--call", tmp_path), (tmp_path / "none.html", "--card", card)):
        done = run("call", "verify", *words)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert done.err.endswith(".\n")
