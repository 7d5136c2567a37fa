"""Languages and advice by their verbs: from a reviewer's file to what a server offers."""

from __future__ import annotations

import datetime
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.conftest import House, Run
from door.test_pack import LEAVE, LETTERS, OLD, PLACE, changed

from sottovoce.cli.common import today
from sottovoce.cli.offered import offered
from sottovoce.door.errors import TextsError
from sottovoce.door.pack import Pack, hash_of
from sottovoce.trust.published import SignedFolder, write_durably

NEW = changed(LEAVE.replace("Уйти", "Прочь"), PLACE, LETTERS, 'msgid "New."\nmsgstr "Новое."')
Tree = Callable[[Pack], bytes]


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Gives the program's tree a Russian catalogue, or another one."""

    def gave(pack: Pack) -> bytes:
        def pack_of(language: str) -> bytes:
            if language != pack.language:
                raise TextsError(f"This program has no texts in {language}: choose another one.")
            return pack.encode()

        for module in ("language", "offered"):
            monkeypatch.setattr(f"sottovoce.cli.{module}.pack_of", pack_of)
        return pack.encode()

    gave(OLD)
    return gave


@pytest.fixture
def own(house: House, tmp_path: Path) -> House:
    """The house, for tests that change it."""
    folder = tmp_path / "house"
    shutil.copytree(house.folder, folder)
    return House(folder)


def reviewed(run: Run, file: Path) -> str:
    """The six words at the top of a new review of Russian."""
    done = run("language", "review", "ru", "--out", file)
    assert (done.code, done.err) == (0, "")
    found = re.search(r'<p class="words">([a-z ]+)</p>', file.read_text("utf-8"))
    assert found is not None
    assert found[1] in done.out
    return found[1]


def approve(run: Run, house: House, words: str) -> None:
    """Russian is signed off, and published."""
    given = ("--reviewer", "Darya of the clinic", "--hash", words, *house.secret)
    assert run("language", "approve", house.office, "ru", *given).code == 0
    assert run("org", "publish", house.office, house.server).code == 0


def test_a_language_goes_from_its_reviewer_to_the_server(run: Run, own: House, tree: Tree, tmp_path: Path) -> None:
    words = reviewed(run, tmp_path / "review.html")
    server = SignedFolder(own.server / "signed")
    assert [line.language for line in offered(server) if line.offered] == ["en"]
    approve(run, own, words)
    published = server.published(today())
    assert (dict(published.languages), published.card.languages) == ({"ru": hash_of(OLD.encode())}, ["en", "ru"])
    assert server.pack("ru") == OLD.encode()
    assert b"Darya" not in b"".join(path.read_bytes() for path in own.folder.rglob("*") if path.is_file())
    done = run("language", "list", own.office, *own.secret)
    day = datetime.datetime.fromtimestamp(today() * 86_400, datetime.UTC).date()
    assert f"ru        signed off and offered (by Darya of the clinic, {day})\n" in done.out
    assert "ko        not signed off, so not offered\n" in done.out
    assert run("language", "withdraw", own.office, "ru", *own.secret).code == 0
    assert run("org", "publish", own.office, own.server).code == 0
    assert server.pack("ru") is None
    assert "ru        not signed off" in run("language", "list", own.office, *own.secret).out


def test_the_last_signed_texts_are_served_when_strings_change(run: Run, own: House, tree: Tree, tmp_path: Path) -> None:
    approve(run, own, reviewed(run, tmp_path / "review.html"))
    tree(NEW)
    server = SignedFolder(own.server / "signed")
    assert server.pack("ru") == OLD.encode()
    line = next(each for each in offered(server) if each.language == "ru")
    assert (line.offered, line.waiting, line.fault) == (True, 2, "")
    assert line.text == "signed off and offered as it was reviewed; 2 sentences wait for review"
    doctor = run("doctor", own.server).out
    assert f"\nru{' ' * 15}{line.text}\n" in doctor
    assert re.search(r"^Languages +good$", doctor, re.MULTILINE)
    approve(run, own, reviewed(run, tmp_path / "second.html"))
    assert server.pack("ru") == NEW.encode()
    assert all(each.waiting == 0 for each in offered(server))


def test_what_another_reviewer_saw_is_not_signed_off(run: Run, own: House, tree: Tree, tmp_path: Path) -> None:
    words = reviewed(run, tmp_path / "review.html")
    tree(NEW)
    for given in (words, "", "abandon " * 6):
        done = run("language", "approve", own.office, "ru", "--reviewer", "Darya", "--hash", given, *own.secret)
        assert (done.code, done.out) == (1, "")
        assert done.err == "These are not the check words of this program's texts: have exactly these reviewed.\n"
    tree(changed(LEAVE, PLACE, LETTERS, 'msgid "New."\nmsgstr ""'))
    words = reviewed(run, tmp_path / "third.html")
    done = run("language", "approve", own.office, "ru", "--reviewer", "Darya", "--hash", words.upper(), *own.secret)
    assert (done.code, done.err) == (
        1, "ru is not complete, sentences without a translation: 1. Finish it first.\n",
    )  # fmt: skip
    assert SignedFolder(own.office / "signed").get("languages") is None


@pytest.mark.parametrize("how", ["missing", "damaged", "another version"])
def test_a_signed_off_language_that_can_not_be_served_is_a_finding(
    run: Run, own: House, tree: Tree, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(run, own, reviewed(run, tmp_path / "review.html"))
    pack = SignedFolder(own.server / "signed").pack_path("ru")
    if how == "missing":
        pack.unlink()
    elif how == "damaged":
        write_durably(pack, OLD.encode() + b"\0")
    else:
        monkeypatch.setattr("sottovoce.door.pack.FORMAT", 2)
        tree(OLD)
    line = next(each for each in offered(SignedFolder(own.server / "signed")) if each.language == "ru")
    assert (line.offered, line.fault.endswith(".")) == (False, True)
    done = run("doctor", own.server)
    assert f"ru: {line.fault}" in done.out
    assert done.code == 1


def test_verbs_for_languages_say_what_is_wrong(run: Run, own: House, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    for words, said in {
        ("review", "tlh", "--out", tmp_path / "a"): "This program has no texts in tlh: choose one of en, fa",
        ("review", "en", "--out", tmp_path / "there"): "exists already",
        ("approve", own.office, "tlh", "--reviewer", "a", "--hash", "a", *own.secret): "has no texts in tlh",
        ("approve", own.office, "en", "--reviewer", "a", "--hash", "a", *own.secret): "needs no sign-off",
        ("withdraw", own.office, "fa", *own.secret): "fa is not signed off",
        ("list", tmp_path, *own.secret): "holds no office",
    }.items():
        done = run("language", *words)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert said in done.err


def advised(run: Run, house: House, file: Path, text: str) -> None:
    """Advice is signed and published."""
    file.write_text(text, "utf-8")
    assert run("advice", "sign", house.office, file, *house.secret).code == 0
    assert run("org", "publish", house.office, house.server).code == 0


def test_advice_is_signed_with_its_day_and_comes_empty(run: Run, own: House, tmp_path: Path) -> None:
    server, file = SignedFolder(own.server / "signed"), tmp_path / "advice.toml"
    assert server.published(today()).advice is None
    assert run("advice", "new", file).code == 0
    assert [line for line in file.read_text("utf-8").splitlines() if line and not line.startswith("#")] == ["[texts]"]
    assert "does not say when" in run("advice", "sign", own.office, file, *own.secret).err
    day = datetime.datetime.fromtimestamp(today() * 86_400, datetime.UTC).date()
    filled = file.read_text("utf-8").replace("# verified = 2026-11-20", f"verified = {day}")
    advised(run, own, file, filled.replace('# en = """\n# …\n# """', 'en = """\nAsk.\n\nTwice.\n"""'))
    advice = server.published(today()).advice
    assert advice is not None
    assert (advice.verified, dict(advice.texts), advice.fresh(today())) == (today(), {"en": "Ask.\n\nTwice."}, True)
    advised(run, own, file, f"verified = {day}")
    advice = server.published(today()).advice
    assert advice is not None
    assert advice.texts == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("verified = ", "is not in the form of TOML"),
        ("", "does not say when"),
        ("verified = '2026-11-20'", "does not say when"),
        ("verified = 2026-11-20T10:00:00Z", "does not say when"),
        ("verified = 1999-01-01", "in the last 56 days"),
        ("verified = TODAY\ntexts = 3", "not in their form"),
        ("verified = TODAY\n[texts]\nen = 3", "not in their form"),
        ("verified = TODAY\n[texts]\nenglish = 'a'", "english is no language's tag"),
        ("verified = TODAY\n[texts]\nen = ''", "1 to 2000 characters"),
    ],
)
def test_advice_that_is_none_is_told_in_one_sentence(
    run: Run, house: House, tmp_path: Path, text: str, said: str
) -> None:
    day = datetime.datetime.fromtimestamp(today() * 86_400, datetime.UTC).date()
    (tmp_path / "advice.toml").write_text(text.replace("TODAY", str(day)), "utf-8")
    done = run("advice", "sign", house.office, tmp_path / "advice.toml", *house.secret)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert said in done.err
    assert SignedFolder(house.office / "signed").get("advice") is None


def test_a_server_made_from_the_offices_backup_has_the_packs(run: Run, own: House, tree: Tree, tmp_path: Path) -> None:
    approve(run, own, reviewed(run, tmp_path / "review.html"))
    assert run("org", "backup", own.office, tmp_path / "backup", *own.secret).code == 0
    assert run("onion", "restore", tmp_path / "backup", tmp_path / "again", *own.secret).code == 0
    assert SignedFolder(tmp_path / "again" / "signed").pack("ru") == OLD.encode()
    assert not list((tmp_path / "again").rglob("reviews*"))
