"""The fixed sentences of papers, by language: words/paper-LANGUAGE.toml. Complete, or not offered."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from sottovoce.outreach.form import Form, read


class PaperWords(Form):
    """One language's sentences. Those on comparing and on fakes say the same as the door's page on its address.

    here: above the list of a page's parts           bar: what the browser must show
    careful: above the policy's sentences            site: above the guides that the door has, too
    unread: where nobody signed the language off     *_file: what is in a ZIP, a line each
    checks_steps: `{command}` and `{page}` stand for what is the same in every language
    """

    here: str
    wants: str
    address: str
    bar: str
    check_words: str
    accounts: str
    way: str
    way_steps: list[str]
    careful: str
    compare: str
    compare_steps: list[str]
    fakes: str
    fakes_do: list[str]
    site: str
    site_note: str
    no_intake: str
    danger_file: str
    unread: str
    inside: str
    page_file: str
    sheet_file: str
    fold_file: str
    film_file: str
    press: str
    press_title: str
    press_lead: str
    films: str
    published: str
    files: str
    not_ours: str
    not_ours_note: str
    not_ours_none: str
    checks: str
    checks_steps: list[str]


@cache
def paper_words(language: str) -> PaperWords:
    """The sentences in a language; CallError where the program has none."""
    folder = resources.files("sottovoce.outreach") / "words"
    return read(Path(str(folder / f"paper-{language}.toml")), PaperWords)
