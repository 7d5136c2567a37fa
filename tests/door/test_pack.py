"""Text packs: what is signed off is whole, comes back as it was, and says what waits for review."""

from __future__ import annotations

import contextlib
import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, meta, nodes

from sottovoce.door import pack as packs
from sottovoce.door.errors import TextsError
from sottovoce.door.pack import Pack, hash_of, pack_of, waiting
from sottovoce.door.review import check_words, review
from sottovoce.protocol import cbor
from sottovoce.protocol.words import words_of

DOOR = Path(packs.__file__).parent
PAGE = (
    '{% trans %}Leave{% endtrans %} {{ pgettext("place", "Leave") }} '
    "{% trans count=n %}One letter.{% pluralize %}{{ count }} letters.{% endtrans %}"
)


def catalogue(*messages: str) -> str:
    """A small Russian catalogue."""
    forms = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)"
    head = f'msgid ""\nmsgstr ""\n"Language: ru\\n"\n"Plural-Forms: {forms};\\n"\n'
    return "\n\n".join([head + '"Content-Type: text/plain; charset=utf-8\\n"', *messages]) + "\n"


LEAVE = 'msgid "Leave"\nmsgstr "Уйти"'
PLACE = 'msgctxt "place"\nmsgid "Leave"\nmsgstr "Выход"'
LETTERS = (
    'msgid "One letter."\nmsgid_plural "%(count)s letters."\n'
    'msgstr[0] "%(count)s буква."\nmsgstr[1] "%(count)s буквы."\nmsgstr[2] "%(count)s букв."'
)
OLD = Pack("ru", {"base.html": PAGE}, catalogue(LEAVE, PLACE, LETTERS))


def changed(*messages: str) -> Pack:
    """The pack with another catalogue."""
    return Pack("ru", OLD.templates, catalogue(*messages))


def test_the_trees_own_pack_holds_every_template_and_the_whole_catalogue() -> None:
    pack = Pack.read(pack_of("en"))
    assert pack.templates == {path.name: path.read_text("utf-8") for path in (DOOR / "templates").glob("*.html")}
    assert pack.catalogue == (DOOR / "locale/en.po").read_text("utf-8")
    assert pack.missing() == []
    assert pack.encode() == pack_of("en")
    assert hash_of(pack_of("en")) == hashlib.sha256(pack_of("en")).digest()


def test_a_pack_is_the_cbor_that_the_decision_names() -> None:
    assert OLD.encode() == cbor.encode({0: packs.FORMAT, 1: "ru", 2: {"base.html": PAGE}, 3: OLD.catalogue})
    assert Pack.read(OLD.encode()) == OLD


@pytest.mark.parametrize("language", ["tlh", "../en", "", "en.po"])
def test_a_language_that_the_tree_has_not_is_told(language: str) -> None:
    with pytest.raises(TextsError, match="This program has no texts in"):
        pack_of(language)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "no text pack"),
        ([1], "no text pack"),
        ({0: 1, 1: "ru", 2: {}}, "no text pack"),
        ({0: packs.FORMAT + 1, 1: "ru", 2: {}, 3: ""}, "another version"),
        ({0: packs.FORMAT, 1: b"ru", 2: {}, 3: ""}, "damaged"),
        ({0: packs.FORMAT, 1: "ru", 2: {"a": 1}, 3: ""}, "damaged"),
        ({0: packs.FORMAT, 1: "ru", 2: {}, 3: b""}, "damaged"),
        ({0: packs.FORMAT, 1: "ru", 2: {}, 3: 'msgid "a'}, "can't be read"),
        ({0: packs.FORMAT, 1: "no tag", 2: {}, 3: 'msgid ""'}, "can't be read"),
    ],
)
def test_what_is_no_pack_is_told_in_one_sentence(value: object, said: str) -> None:
    with pytest.raises(TextsError, match=said) as caught:
        Pack.read(cbor.encode(value))
    assert str(caught.value).endswith(".")


@given(st.binary(max_size=200))
def test_junk_is_no_pack(raw: bytes) -> None:
    with pytest.raises(TextsError):
        Pack.read(raw)


@given(st.text(max_size=100))
def test_a_catalogue_of_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(TextsError):
        Pack.read(cbor.encode({0: packs.FORMAT, 1: "fa", 2: {}, 3: text})).missing()


def test_what_is_new_or_translated_otherwise_waits_for_review() -> None:
    assert waiting(OLD, OLD) == []
    other = LEAVE.replace("Уйти", "Прочь")
    assert waiting(OLD, changed(other, PLACE, LETTERS)) == ["Leave"]
    assert waiting(OLD, changed(LEAVE, PLACE.replace("Выход", "Дверь"), LETTERS)) == ["Leave"]
    assert waiting(OLD, changed(LEAVE, PLACE, LETTERS, 'msgid "New."\nmsgstr "Новое."')) == ["New."]
    assert waiting(OLD, changed(LEAVE, PLACE, LETTERS.replace("букв.", "штук."))) == ["One letter."]
    assert waiting(OLD, changed(LEAVE)) == [], "what is gone waits for nobody"


def test_a_sentence_without_a_whole_translation_is_missing() -> None:
    assert OLD.missing() == []
    empty, fuzzy = LEAVE.replace("Уйти", ""), "#, fuzzy\n" + LEAVE
    for leave in (empty, fuzzy):
        assert changed(leave, PLACE, LETTERS).missing() == ["Leave"]
    assert changed(LEAVE, PLACE, LETTERS.replace("%(count)s букв.", "")).missing() == ["One letter."]


def test_a_reviewer_sees_each_sentence_beside_its_translation() -> None:
    raw = OLD.encode()
    page = review(raw).decode()
    assert " ".join(words_of(hash_of(raw), 6)) == " ".join(check_words(raw))
    assert f'<p class="words">{" ".join(check_words(raw))}</p>' in page
    assert page.count('<td lang="ru" dir="ltr">') == 3
    texts = [page.index(text) for text in ("Уйти", "Выход", "буква.", "буквы.", "букв.")]
    assert texts == sorted(texts)
    assert re.findall(r"for ([\d, ]+) …", page) == ["1, 21, 31, 41", "2, 3, 4, 22", "0, 5, 6, 7"]


def test_the_review_is_one_file_without_script_and_asks_nobody_anything() -> None:
    page = review(pack_of("en")).decode()
    assert not re.search(r"<script|<img|<link|\bsrc=|\bhref=|url\(|@import", page)
    assert "default-src 'none'" in page
    assert "&lt;b&gt;" in page
    assert len(re.findall(r"<tr id=", page)) == len(Pack.read(pack_of("en")).translations())
    assert "Elsewhere" not in page, "every sentence of a template is found on its page"
    assert page.index("welcome.html") < page.index("words.html") < page.index("sent.html")


def test_a_review_from_right_to_left_marks_what_is_not_translated() -> None:
    messages = 'msgid "Leave"\nmsgstr "<b>خروج</b>"', 'msgid "Stay"\nmsgstr ""'
    page = review(
        Pack("fa", {"base.html": PAGE}, catalogue(*messages).replace("Language: ru", "Language: fa")).encode()
    )
    text = page.decode()
    assert text.count('<td lang="fa" dir="rtl">') == 2
    assert "&lt;b&gt;خروج&lt;/b&gt;" in text
    assert text.count("Not translated.") == 1
    assert text.index("base.html") < text.index("Elsewhere") < text.index("Stay")


# What the program hands to templates, as the packs of each format expect it: names and filters, hashed. A signed-off
# pack of an older tree is rendered by today's program, so whoever changes what stands here gives a new format number.
EXPECTED = {1: "f5992da2023a39b4"}


def test_the_format_number_changes_whenever_templates_get_other_variables() -> None:
    environment = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    environment.filters |= dict.fromkeys(("hour", "day", "date", "number"), str)
    used: set[str] = set()
    for name, source in Pack.read(pack_of("en")).templates.items():
        tree = environment.parse(source)
        names = meta.find_undeclared_variables(tree) - {"gettext", "ngettext", "_"}
        filters = {found.name for found in tree.find_all(nodes.Filter)}
        used |= {f"{name}: {each}" for each in names | filters}
    digest = hashlib.sha256("\n".join(sorted(used)).encode()).hexdigest()[:16]
    assert EXPECTED[packs.FORMAT] == digest, "give packs a new format number"
