"""The pages for those who make calls show commands that exist, with options that they have."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from sottovoce import cli

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "calls.md", DOCS / "calls-never.md"]
VERBS = {
    "new",
    "check",
    "build",
    "serve",
    "verify",
    "review",
    "approve",
    "certificate",
    "sign",
    "published",
    "withdraw",
}
LINES = re.findall(r"^sottovoce (.+)$|`sottovoce ([^`]+)`", (DOCS / "calls.md").read_text("utf-8"), re.MULTILINE)
COMMANDS = list(dict.fromkeys(first or second for first, second in LINES))


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The verb that words name, and what is left of them."""
    command: click.Command = cli._tree
    while isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"there is no {words[0]}"
        command, words = found, words[1:]
    return command, words


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_on_the_page_exists_and_takes_what_it_is_given(line: str) -> None:
    command, words = command_of(shlex.split(line))
    assert not isinstance(command, click.Group)
    options = {name: param for param in command.params for name in param.opts if isinstance(param, click.Option)}
    left = list(words)
    for word in (word for word in words if word.startswith("--")):
        assert word in options
        at = left.index(word)
        del left[at : at + (1 if getattr(options[word], "is_flag", False) else 2)]
    places = [param.nargs for param in command.params if isinstance(param, click.Argument)]
    assert len(left) == len(places) or (-1 in places and len(left) >= len(places) - 1)


def test_every_verb_of_a_call_is_on_the_page() -> None:
    assert {line.split()[1] for line in COMMANDS if line.startswith("call ")} == VERBS


def test_every_page_is_short_and_its_links_lead_somewhere() -> None:
    for page in PAGES:
        text = page.read_text("utf-8")
        assert len(text.split()) < 1_500
        assert all((DOCS / link).exists() for link in re.findall(r"\]\(([^)]+)\)", text))
    assert len(re.findall(r"^\| [A-Z]", PAGES[1].read_text("utf-8"), re.MULTILINE)) > 15
