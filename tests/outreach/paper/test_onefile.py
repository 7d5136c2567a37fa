"""The page that is one file: small, whole, sharp on a phone and on paper, and it asks nobody for anything."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources

import pytest
import zxingcpp
from doubles.site import Served, served
from journeys.browser import Firefox, Page
from outreach.paper.conftest import DRAFTS
from PIL import Image

from sottovoce.outreach.call import Call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.paper.content import Paper
from sottovoce.outreach.paper.guide import Part, Section
from sottovoce.outreach.paper.onefile import BYTES_MOST, one_file
from sottovoce.outreach.tongues import TONGUES

SIZES = ((390, 844), (1280, 900), (320, 256))  # a phone, a desk, and that desk at 400 %
CUT = """() => JSON.stringify(
    [document.documentElement, ...document.body.querySelectorAll("*:not(.draft)")].filter(e => {
        const box = e.getBoundingClientRect();
        const leaves = box.width && (box.left < -0.5 || box.right > document.documentElement.clientWidth + 0.5);
        return leaves || e == document.documentElement && e.scrollWidth > e.clientWidth;
    }).map(e => e.outerHTML.slice(0, 80)))"""
SMALL = """() => JSON.stringify([...document.querySelectorAll("a")].map(e => e.getBoundingClientRect())
    .filter(box => Math.min(box.width, box.height) < 44).map(box => `${box.width} by ${box.height}`))"""
COLOUR = re.compile(r"--(\w+): (#[0-9a-f]{3,6})")
in_each_language = pytest.mark.parametrize("language", sorted(TONGUES))
Guide = Mapping[str, Sequence[Section]]


def page_of(call: Call, guide: Guide, language: str) -> str:
    """The page in a language."""
    return one_file(Paper.of(call, language), guide[language]).decode()


@pytest.fixture(scope="module")
def site(call: Call, drafted: Call, guide: Guide) -> Iterator[Served]:
    """The pages on loopback, some as drafts."""
    pages = {language: page_of(call, guide, language).encode() for language in TONGUES}
    pages |= {f"draft-{language}": page_of(drafted, guide, language).encode() for language in DRAFTS}
    with served(pages, "default-src 'none'; style-src 'unsafe-inline'; img-src data:") as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    """A visitor's browser, scripts and drawings off."""
    with Firefox() as firefox:
        yield firefox


@pytest.fixture
def page(browser: Firefox) -> Page:
    """A tab as large as a phone's."""
    return browser.page(*SIZES[0])


@in_each_language
def test_it_is_small_and_says_all_that_it_must(call: Call, guide: Guide, language: str) -> None:
    text, paper = page_of(call, guide, language), Paper.of(call, language)
    assert len(text.encode()) < BYTES_MOST / 4
    told = [
        paper.texts.organisation, paper.texts.title, paper.texts.lead, *paper.texts.body, *paper.advice,
        *paper.own.compare_steps, *paper.own.fakes_do, paper.own.danger_file, paper.valid_until, paper.check_words,
        *paper.accounts, paper.words.type_it, *(chapter.heading for chapter in guide[language]),
    ]  # fmt: skip
    shown = text.replace("&#39;", "'")
    assert [sentence for sentence in told if sentence not in shown] == []
    assert f'lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}"' in text


@in_each_language
def test_its_code_is_the_bare_address_in_capitals(call: Call, guide: Guide, language: str) -> None:
    (picture,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page_of(call, guide, language))
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(picture))))
    assert [code.text for code in found] == [call.address.upper()]


def test_the_same_content_gives_the_same_bytes(call: Call, guide: Guide) -> None:
    assert page_of(call, guide, "fa") == page_of(call, guide, "fa")


def test_a_page_that_is_too_long_is_refused(call: Call) -> None:
    long = Section("Long", [Part("paragraph", ["word " * (BYTES_MOST // 5)])])
    with pytest.raises(CallError, match="200,000 are the most: shorten its texts"):
        one_file(Paper.of(call, "en"), [long])


@pytest.mark.timeout(240)
def test_on_every_screen_nothing_is_cut_and_the_browser_asks_for_the_page_alone(site: Served, page: Page) -> None:
    found: dict[tuple[str, object], list[str]] = {}
    names = [*TONGUES, *(f"draft-{language}" for language in DRAFTS)]
    for name in names:
        page.goto(f"{site.address}/{name}")
        for size in SIZES:
            page.resize(*size)
            found[name, size] = json.loads(page.eval(CUT))
        page.resize(*SIZES[0])
        found[name, "links"] = json.loads(page.eval(SMALL))
    assert {place: faults for place, faults in found.items() if faults} == {}
    assert site.asked == names


def test_a_draft_says_so_across_the_page(site: Served, page: Page, drafted: Call) -> None:
    for language in DRAFTS:
        page.goto(f"{site.address}/draft-{language}")
        paper = Paper.of(drafted, language)
        assert page.text(".draft") == paper.words.draft
        assert paper.own.unread in page.text(".band")
        page.goto(f"{site.address}/{language}")
        assert not page.has(".draft")


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    lights = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * lights[0] + 0.7152 * lights[1] + 0.0722 * lights[2]


@pytest.mark.parametrize("part", [0, 1], ids=["light", "dark"])
def test_every_colour_of_text_has_a_contrast_of_seven(part: int) -> None:
    style = resources.files("sottovoce.outreach.paper").joinpath("templates/paper.css").read_text("utf-8")
    colours = dict(COLOUR.findall(re.findall(r":root \{(.*?)\}", style, re.DOTALL)[part]))
    for text in ("ink", "soft", "accent", "stop"):
        for ground in ("ground", "paper"):
            dim, bright = sorted((_luminance(colours[text]), _luminance(colours[ground])))
            assert (bright + 0.05) / (dim + 0.05) >= 7, (text, ground)
