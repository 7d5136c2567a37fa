"""What WCAG asks of texts at its highest level and can be measured: short lines, air between them, plain English."""

from __future__ import annotations

import html
import json
import re

import pytest
from doubles.pages import every_page, pages_in
from doubles.site import Served
from journeys.browser import Page

WIDEST = (1920, 1080)
LETTERS, CJK_LETTERS = 80, 40  # a line's most (1.4.8); a Chinese or Korean letter is one em wide
SCHOOL_YEARS = 9  # 3.1.5, "lower secondary education"
LINES = """() => JSON.stringify([...document.querySelectorAll("p, li, dd")]
    .filter(e => !e.matches(".name, .row, [dir=auto]") && !e.querySelector("p, li, button, .address"))
    .filter(e => e.checkVisibility())
    .map(e => {
        const style = getComputedStyle(e), size = parseFloat(style.fontSize), range = document.createRange();
        const texts = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
        let longest = 0, count = 0, line = -Infinity;
        while (texts.nextNode()) for (let i = 0; i < texts.currentNode.length; i++) {
            range.setStart(texts.currentNode, i); range.setEnd(texts.currentNode, i + 1);
            const box = range.getBoundingClientRect();
            if (!box.width) continue;
            if (box.top > line + size / 2) { count = 0; line = box.top }
            longest = Math.max(longest, ++count);
        }
        const height = parseFloat(style.lineHeight), wraps = e.clientHeight > 1.8 * height;
        return [e.textContent.slice(0, 60), longest, e.clientWidth / size, wraps ? height / size : 2, style.textAlign];
    }))"""
UNREAD = re.compile(r"<(style|textarea|header|footer|code|title)\b.*?</\1>", re.DOTALL)
ENDS = re.compile(r"</(?:p|li|h\d|dd|dt|a|button|label|summary)>")


def test_lines_are_short_apart_and_never_stretched(
    tag: str, site: Served, bodies: dict[str, bytes], page: Page
) -> None:
    page.resize(*WIDEST)
    found = {}
    for name in (name for name in bodies if "-" not in name):  # one state of each page
        page.goto(f"{site.address}/{name}")
        page.eval("() => { for (const e of document.querySelectorAll('details')) e.open = true }")
        for text, letters, ems, height, align in json.loads(page.eval(LINES)):
            is_long = ems > CJK_LETTERS if tag[:2] in ("zh", "ko") else letters > LETTERS
            if is_long or height < 1.49 or align == "justify":
                found[name, text] = (letters, ems, height, align)
    assert found == {}


@pytest.mark.parametrize(
    "name", ["welcome", "guide", "text", "lost", "worry", "when", "address", "limits", "words", "bye"]
)
def test_the_english_of_a_page_needs_nine_years_of_school_at_most(name: str) -> None:
    assert grade(every_page(pages_in("en"))[name].decode()) <= SCHOOL_YEARS


def test_officialese_needs_more() -> None:
    text = "Information disclosed anonymously necessitates independent verification preceding publication."
    assert grade(f"<p>{text}</p>") > SCHOOL_YEARS


def grade(page: str) -> float:
    """Years of school by Flesch and Kincaid's formula; syllables are groups of vowels, but for a mute e."""
    text = html.unescape(re.sub(r"<[^>]+>", "", ENDS.sub(". ", UNREAD.sub("", page))))
    sentences = [words for part in re.split(r"[.!?]\s", text) if len(words := re.findall(r"[^\W\d]+", part)) > 2]
    words = [word.lower() for sentence in sentences for word in sentence]
    syllables = sum(max(1, len(re.findall("[aeiouy]+", re.sub("(?<=[^aeiouyl])e$", "", word)))) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59
