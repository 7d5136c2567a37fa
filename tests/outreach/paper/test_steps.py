"""All papers as steps: built once, built anew only where something changed, refused where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import pytest

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.paper.guide import Section
from sottovoce.outreach.paper.steps import paper_steps
from sottovoce.outreach.steps import Builder, Done

Guide = Mapping[str, Sequence[Section]]


def ran(call: Call, guide: Guide) -> set[str]:
    """The first output of each step that was run."""
    done: list[Done] = []
    film = call.folder / "small.mp4"
    Builder(call.built).build(paper_steps(call, guide, films={"fa": [film]}), done.append)
    return {each.step.outputs[0].relative_to(call.built).as_posix() for each in done if each.ran}


def test_a_second_build_makes_nothing(built: Call, guide: Guide) -> None:
    assert ran(built, guide) == set()


def test_another_guide_makes_its_pages_anew_and_no_leaflet(built: Call, guide: Guide) -> None:
    changed = {**guide, "fa": guide["fa"][:-1]}
    made = ran(built, changed)
    assert made == {
        "pages/fa.html", "pass-on/fa.zip", "mirror/site/fa.html", "press/en.html",
        *(f"mirror/site/press/{language}.html" for language in built.file.languages), "mirror/site/press/press.json",
    }  # fmt: skip
    assert ran(built, guide) == made


@pytest.mark.parametrize("name", ["leaks", "harbour-1"])
def test_nothing_is_built_for_a_path_that_is_not_neutral(built: Call, guide: Guide, name: str) -> None:
    renamed = replace(built, file=msgspec.structs.replace(built.file, name=name))
    with pytest.raises(CallError, match=f"The path “{name}”"):
        paper_steps(renamed, guide)
