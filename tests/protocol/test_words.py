"""The passphrase (spec 2)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.protocol.errors import PhraseError
from sottovoce.protocol.words import Passphrase, parse, word_index, word_list, words_of

LISTS = ["english", "chinese_simplified", "chinese_traditional", "czech", "french", "italian"]
LISTS += ["japanese", "korean", "portuguese", "russian", "spanish", "turkish"]
secrets = st.binary(min_size=16, max_size=16).map(Passphrase)
ZEROS = {"ascii": "0", "arabic": "\u0660", "persian": "\u06f0", "devanagari": "\u0966", "full width": "\uff10"}
FIXED = Passphrase(bytes(range(16)))


@pytest.mark.parametrize("language", LISTS)
@given(phrase=secrets)
@settings(max_examples=25, deadline=None)
def test_2_2_words_of_every_list_come_back(language: str, phrase: Passphrase) -> None:
    assert parse(" ".join(phrase.words(language)), language) == phrase


@pytest.mark.parametrize("language", LISTS)
def test_2_2_every_word_of_a_list_is_found_at_its_place(language: str) -> None:
    assert [word_index(word, language) for word in word_list(language)] == list(range(2_048))


@pytest.mark.parametrize("zero", ZEROS.values(), ids=ZEROS)
@given(phrase=secrets)
@settings(max_examples=25, deadline=None)
def test_2_3_numbers_in_digits_of_any_script_come_back(zero: str, phrase: Passphrase) -> None:
    typed = " ".join(phrase.numbers).translate({ord("0") + n: ord(zero) + n for n in range(10)})
    assert parse(typed, "russian") == phrase


@given(phrase=secrets, mixed=st.lists(st.booleans(), min_size=12, max_size=12))
@settings(max_examples=25, deadline=None)
def test_2_4_3_words_and_numbers_may_be_mixed(phrase: Passphrase, mixed: list[bool]) -> None:
    pairs = zip(mixed, phrase.words(), phrase.numbers, strict=True)
    tokens = [word.upper() if as_word else str(int(number)) for as_word, word, number in pairs]
    assert parse(",\u3000".join(tokens)) == phrase


def test_2_2_words_that_both_chinese_lists_share_are_the_same_key() -> None:
    simplified, traditional = (word_list(f"chinese_{which}") for which in ("simplified", "traditional"))
    places = dict(zip(traditional, range(2_048), strict=True))
    assert all(places.get(word, place) == place for place, word in enumerate(simplified))


@given(count=st.integers(0, 30).filter(lambda count: count != 12))
@settings(max_examples=20, deadline=None)
def test_2_4_2_a_wrong_count_is_said(count: int) -> None:
    with pytest.raises(PhraseError) as caught:
        parse(" ".join((["zoo", "abandon"] * 15)[:count]))
    assert (caught.value.kind, caught.value.count) == ("count", count)
    assert f"There are {count} words" in str(caught.value)


@pytest.mark.parametrize("place", [1, 6, 12])
def test_2_4_3_an_unknown_word_is_said_with_its_place_and_words_like_it(place: int) -> None:
    tokens = list(FIXED.words())
    tokens[place - 1] = "abandom"
    with pytest.raises(PhraseError) as caught:
        parse(" ".join(tokens))
    error = caught.value
    assert (error.kind, error.place, error.word) == ("unknown", place, "abandom")
    assert error.near[0] == "abandon"
    assert len(error.near) <= 2
    assert str(error).startswith(f"Word {place} ")
    assert "abandom" not in str(error)


@pytest.mark.parametrize("typed", ["0", "0000", "2049", "9999", "00001", "1.5", "one two", ""])
def test_2_4_3_no_word_and_no_number(typed: str) -> None:
    assert word_index(typed) is None


@pytest.mark.parametrize(
    ("typed", "index"), [("0001", 0), ("1", 0), ("2048", 2_047), (" Abandon ", 0), ("-1.", 0), ("zoo", 2_047)]
)
def test_2_4_3_one_word_or_number(typed: str, index: int) -> None:
    assert word_index(typed) == index


def test_2_4_3_words_like_an_unknown_one_are_of_the_first_list() -> None:
    tokens = list(FIXED.words("korean"))
    tokens[2] = "\uac00\uacbd"  # no word, and one letter from several
    with pytest.raises(PhraseError) as caught:
        parse(" ".join(tokens), "korean", "english")
    assert caught.value.word == "\uac00\uacbd"
    assert caught.value.near
    assert set(caught.value.near) <= set(word_list("korean"))


def test_2_4_2_twenty_four_other_tokens_are_a_wrong_count() -> None:
    with pytest.raises(PhraseError) as caught:
        parse(" ".join([*FIXED.words(), *FIXED.words()[::-1]]))
    assert (caught.value.kind, caught.value.count) == ("count", 24)


@given(phrase=secrets)
@settings(max_examples=25, deadline=None)
def test_2_4_words_of_any_list_that_is_in_use_are_taken(phrase: Passphrase) -> None:
    used = ("chinese_traditional", "chinese_simplified", "english", "korean", "russian")
    mixed = [phrase.words(used[place % len(used)])[place] for place in range(12)]
    assert parse(" ".join(mixed), *used) == phrase


def test_2_4_the_lists_in_use_have_no_word_at_two_places() -> None:
    used = ("english", "chinese_simplified", "chinese_traditional", "korean", "russian")
    places = {(word, word_index(word, language)) for language in used for word in word_list(language)}
    assert len({word for word, _ in places}) == len(places)


def test_2_4_4_two_words_that_changed_places_are_noticed() -> None:
    tokens = list(FIXED.words())
    tokens[3], tokens[4] = tokens[4], tokens[3]
    with pytest.raises(PhraseError) as caught:
        parse(" ".join(tokens))
    assert caught.value.kind == "checksum"


def test_2_4_of_sixteen_last_words_with_the_same_bits_one_has_the_checksum() -> None:
    start, last = FIXED.indices[:11], FIXED.indices[11] & ~15
    taken = {}
    for checksum in range(16):
        numbers = [index + 1 for index in (*start, last | checksum)]
        with contextlib.suppress(PhraseError):
            taken[checksum] = parse(" ".join(map(str, numbers)))
    assert taken == {FIXED.indices[11] & 15: FIXED}


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_2_1_a_secret_has_sixteen_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Passphrase(bytes(size))


def test_2_1_a_passphrase_does_not_show_itself() -> None:
    assert FIXED.secret.hex() not in repr(FIXED)
    assert repr(FIXED) == "Passphrase()"


@given(digest=st.binary(min_size=32, max_size=32))
@settings(max_examples=25, deadline=None)
def test_2_5_words_of_a_hash_are_its_first_bits(digest: bytes) -> None:
    bits = f"{int.from_bytes(digest, 'big'):0256b}"
    assert words_of(digest, 6) == tuple(word_list()[int(bits[11 * n : 11 * n + 11], 2)] for n in range(6))
