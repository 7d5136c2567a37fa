"""A mirror's folder, and the list of mirrors as RSF's Collateral Freedom keeps it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import msgspec
import pytest
from outreach.paper.conftest import TODAY

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.paper.content import Paper
from sottovoce.outreach.paper.mirror import mirror_steps, sites
from sottovoce.trust.card_file import CardFile

SITE = "https://harbour.example/"


def test_every_language_is_reached_from_the_first_page_by_its_own_name(built: Call) -> None:
    front = (built.built / "mirror/site/index.html").read_text("utf-8")
    for language in built.file.languages:
        paper = Paper.of(built, language)
        assert f'<a href="{language}.html">{paper.tongue.name}</a>' in front
        assert f'<a href="press/{language}.html">{paper.own.press}</a>' in front
        assert paper.valid_until in front


def test_its_pages_are_those_that_are_passed_on(built: Call) -> None:
    for language in built.file.languages:
        page = (built.built / "pages" / f"{language}.html").read_bytes()
        assert (built.built / "mirror/site" / f"{language}.html").read_bytes() == page


def test_its_only_way_to_the_onion_is_the_calls_path_there(built: Call) -> None:
    front = (built.built / "mirror/site/index.html").read_text("utf-8")
    assert re.findall(r'http-equiv="onion-location" content="([^"]+)"', front) == [
        f"http://{built.address}/c/{built.file.name}"
    ]


def test_the_card_is_there_to_be_read_and_to_be_verified(built: Call) -> None:
    site = built.built / "mirror/site"
    assert " ".join(built.card.check_words) in (site / "card.html").read_text("utf-8")
    held = CardFile.read((site / "card.json").read_bytes(), TODAY)
    assert (held.root.raw, held.card.raw) == (built.root.raw, built.card.raw)


def test_the_operator_is_told_what_harms(built: Call) -> None:
    said = (built.built / "mirror/operator.txt").read_text("utf-8")
    for must in ("path", "subdomain", "access logs", "third party", "2027-03-31", *built.file.mirrors):
        assert must in said


def test_the_list_of_mirrors_has_the_form_of_collateral_freedom(built: Call) -> None:
    held = json.loads((built.built / "sites.json").read_text("utf-8"))
    assert held == {SITE: ["guide.cdn.example/harbour", "harbour.mirror.example"]}


def test_without_mirrors_there_is_no_list(call: Call) -> None:
    alone = replace(call, file=msgspec.structs.replace(call.file, mirrors=[]))
    outputs = [output for step in mirror_steps(alone, [Paper.of(call, "en")]) for output in step.outputs]
    assert call.built / "sites.json" not in outputs
    assert call.built / "mirror/site/index.html" in outputs


@pytest.mark.parametrize(
    ("site", "mirror", "said"),
    [
        ("", "a.example", "give `site` as https://"),
        ("http://harbour.example/", "a.example", "give `site` as https://"),
        (SITE, "https://a.example", "write its host and path"),
        (SITE, "a.example/ b", "write its host and path"),
        (SITE, "a.example?x=1", "write its host and path"),
        (SITE, "localhost", "write its host and path"),
        (SITE, "cn56kfbedwopo3owvm26xenwztvxesgsgb7ykad7nmgwxt6ull4n6jid.onion", "write its host and path"),
        (SITE, "b.example", "stands twice"),
    ],
)
def test_what_is_no_mirror_is_refused(site: str, mirror: str, said: str) -> None:
    with pytest.raises(CallError, match=said):
        sites(site, ["b.example", mirror])
