"""Paths of calls are neutral, few, and the same for everybody."""

from __future__ import annotations

import pytest

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.paper.paths import ALIVE_MOST, check_path, check_paths

NEUTRAL = ("harbour", "bridge", "lighthouse", "spring-tide", "bandar", "gang-kou", "hang-man", "prichal", "new-harbour")
BETRAYING = (  # English, Chinese, Persian, Korean, Russian as they are written in Latin letters
    "leaks", "whistle-blow", "our-source", "tips", "corruption", "secret-door", "cor-ruption", "anonymous", "tor",
    "jubao", "fan-fubai", "mimi", "bao-liao", "neimu", "efsha", "fesad", "khabar-chin", "gozaresh",
    "naebu-gobal", "jebo", "bimil", "noemul", "utechka", "istochnik", "korruptsiya", "korrupciya", "donos", "sliv",
)  # fmt: skip
FOR_ONE = (
    "harbour-1", "harbour-1-2", "h4rbour", "harbour-20261123", "a3f9c2", "deadbeef", "facade-cafe", "xkqzvtp",
    "brtz-harbour", "qwrtzp-bridge", "a", "x-y", "for-anna-who-asked-us-on-the-bridge",
)  # fmt: skip
MALFORMED = ("Harbour", "harbour_spring", "harbour--spring", "-harbour", "hafen-ü", "har bour", "harbour/2", "")


@pytest.mark.parametrize("name", NEUTRAL)
def test_a_neutral_name_is_taken(name: str) -> None:
    check_path(name)


@pytest.mark.parametrize("name", BETRAYING)
def test_a_name_that_betrays_is_refused(name: str) -> None:
    with pytest.raises(CallError, match="whoever sees it knows why somebody came"):
        check_path(name)


@pytest.mark.parametrize("name", FOR_ONE)
def test_a_name_that_looks_made_for_one_person_is_refused(name: str) -> None:
    with pytest.raises(CallError, match=r"one person|no plain name"):
        check_path(name)


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_plain_name_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(CallError) as caught:
        check_path(name)
    assert str(caught.value).startswith(f"The path “{name}” ")
    assert "\n" not in str(caught.value)


def test_at_most_twenty_are_alive() -> None:
    words = [f"{one}-{other}" for one in ("spring", "summer", "autumn", "winter", "harbour", "bridge", "river")
             for other in ("tide", "wind", "light")]  # fmt: skip
    check_paths(words[:ALIVE_MOST])
    with pytest.raises(CallError, match="21 paths are alive, 20 are the most"):
        check_paths(words[: ALIVE_MOST + 1])


def test_names_that_tell_people_apart_are_refused() -> None:
    check_paths(["harbour-one", "harbour-two", "harbour-three", "bridge"])
    with pytest.raises(CallError, match="give all readers one path"):
        check_paths(["harbour-one", "harbour-two", "harbour-three", "harbour-four"])


def test_the_same_name_twice_is_refused() -> None:
    with pytest.raises(CallError, match="is there twice"):
        check_paths(["harbour", "bridge", "harbour"])
