#!/usr/bin/env python3
"""Collect the door's sentences into its catalogues; with --check, only say whether they are current and complete.

The English sentence is the msgid. `door.pot` is the list of all; every `<language>.po` beside it keeps its
translations, and the English one is filled with the sentences themselves. Nothing in the files depends on the
day, on line numbers or on the version of a tool, so they change only when a sentence does.
"""

from __future__ import annotations

import argparse
import copy
import io
import pathlib
import re
import sys
from collections.abc import Iterator

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

DOOR = pathlib.Path(__file__).parent.parent / "src/sottovoce/door"
SOURCE_LANGUAGE = "en"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false",
                                 "trim_blocks": "true", "lstrip_blocks": "true"}}  # fmt: skip
_VOLATILE = re.compile(
    r'^"(?:Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date'
    r"|Last-Translator|Language-Team|Generated-By):.*\n",
    re.MULTILINE,
)
_FIXED_PARTS = re.compile(r"</?\w+>|%\(\w+\)s")


def main() -> int:
    """Write the catalogues, or check them; 1 and a sentence per fault when something is to be done."""
    parser = argparse.ArgumentParser(description="Collect the door's sentences into its catalogues.")
    parser.add_argument("--check", action="store_true", help="change nothing, fail when a catalogue is not current")
    check = parser.parse_args().check
    template = _extracted()
    faults = list(_settle(DOOR / "locale/door.pot", template, check=check))
    for path in sorted((DOOR / "locale").glob("*.po")):
        catalogue = _updated(path, template)
        faults += _settle(path, catalogue, check=check)
        faults += [
            f"{path.name}: {fault}"
            for message in catalogue
            if message.id
            for fault in _faults(message, catalogue.num_plurals, source=path.stem == SOURCE_LANGUAGE)
        ]
    print("\n".join(faults) or f"{len(template)} sentences, current and complete.")
    return bool(faults)


def _extracted() -> Catalog:
    catalogue = Catalog(charset="utf-8", header_comment="# The sentences of Sottovoce's door.", fuzzy=False)
    for file, _line, message, comments, context in extract_from_dir(DOOR, METHODS, OPTIONS):
        catalogue.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    return catalogue


def _updated(path: pathlib.Path, template: Catalog) -> Catalog:
    """The catalogue with today's sentences, its own translations, and none of yesterday's."""
    with path.open("rb") as source:
        catalogue = read_po(source, locale=path.stem.replace("-", "_"))
    catalogue.header_comment = template.header_comment
    catalogue.fuzzy = False
    catalogue.update(copy.deepcopy(template), no_fuzzy_matching=True)  # it takes over the messages themselves
    catalogue.obsolete.clear()
    if path.stem == SOURCE_LANGUAGE:
        for message in catalogue:
            if message.id:
                message.string = message.id
    return catalogue


def _settle(path: pathlib.Path, catalogue: Catalog, *, check: bool) -> Iterator[str]:
    text = io.BytesIO()
    write_po(text, catalogue, width=100, sort_by_file=True, include_lineno=False)
    wanted = _VOLATILE.sub("", text.getvalue().decode())
    if path.exists() and path.read_text("utf-8") == wanted:
        return
    if check:
        yield f"{path.name} is not current: run tools/strings.py."
    else:
        path.write_text(wanted, "utf-8")


def _faults(message: Message, plurals: int, *, source: bool) -> Iterator[str]:
    """What a translation lacks: all forms, and the English mark-up and variables, no more and no less."""
    ids = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
    strings = message.string if isinstance(message.string, (list, tuple)) else (message.string or "",)
    if len(ids) > 1 and len(strings) != plurals:
        yield f"“{ids[0]}” has not its {plurals} plural forms."
    wanted = {part for text in ids for part in _FIXED_PARTS.findall(text)}
    for text in strings:
        found = set(_FIXED_PARTS.findall(text))
        if not text or message.fuzzy or (text in ids and not source):
            yield f"“{ids[0]}” is not translated."
        elif (
            not found <= wanted or (len(ids) == 1 and found != wanted) or re.search('["<]', _FIXED_PARTS.sub("", text))
        ):
            yield f"“{ids[0]}” has other mark-up or variables in its translation."


if __name__ == "__main__":
    sys.exit(main())
