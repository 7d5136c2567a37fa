"""The own name stands in each language; nobody else's does."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from outreach.check.conftest import NAME, TODAY

from sottovoce.outreach.check import check, names
from sottovoce.outreach.check.clauses import patterns
from sottovoce.outreach.tongues import TONGUES

TEXT = "We look into how the harbour's contracts were given."
FOREIGN = [
    "Read it in the New York Times.",
    "The CIA reads this.",
    "Ask Amnesty International.",
    "In the name of the state.",
    "Our official channel.",
    "Certified by experts.",
]
OWN = ["Officials took it.", "Who built it?", "They left unseen.", "The icc cable broke."]


def rules(call: Path, tag: str, old: str, new: str) -> list[str]:
    """The rules that find something when a text is changed."""
    path = call / f"texts/{tag}.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    return [each.rule for each in check(call, TODAY) if each.rule != "draft"]


@pytest.mark.parametrize("text", FOREIGN)
def test_anothers_name_or_standing_is_found(call: Path, text: str) -> None:
    assert rules(call, "en", TEXT, text) == ["impersonation"]


@pytest.mark.parametrize("text", OWN)
def test_words_that_look_like_names_are_left_alone(call: Path, text: str) -> None:
    assert rules(call, "en", TEXT, text) == []


@pytest.mark.parametrize(("tag", "number"), [(tag, number) for tag in sorted(TONGUES) for number in (0, -2)])
def test_a_name_that_could_be_anybodys_is_no_name(call: Path, tag: str, number: int) -> None:
    name = patterns(tag).generic[number].replace("[sz]", "s")
    own = tomllib.loads((call / f"texts/{tag}.toml").read_text("utf-8"))["organisation"]
    assert rules(call, tag, own, name)[0] == "organisation"


def test_an_organisation_that_is_on_the_list_may_say_its_own_name(
    call: Path, sign_off: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_others", lambda: [names._other(["Another One", NAME, "港城申诉专员公署"])])
    sign_off(call)
    assert check(call, TODAY) == []
    monkeypatch.setattr(names, "_others", lambda: [names._other(["Another One", "港城申诉专员公署"])])
    assert [each.rule for each in check(call, TODAY)] == ["impersonation"]
