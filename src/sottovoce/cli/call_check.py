"""`call check`: what is wrong with a call, by file, and what this can't see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from sottovoce.outreach.call import read_call
from sottovoce.outreach.check import Finding
from sottovoce.outreach.check import check as find
from sottovoce.outreach.check.built import check_built
from sottovoce.outreach.check.promises import LIMIT
from sottovoce.outreach.errors import CallError

from .common import PATH, out, today
from .text import clean

_STYLES = {"error": "red", "warning": "yellow"}


@click.command()
@click.argument("folder", type=PATH)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--built", is_flag=True, help="Look at every file that was built, too; this takes minutes.")
def check(folder: Path, *, strict: bool, built: bool) -> int:
    """Look for mistakes in the call in FOLDER: policy, promises, names, addresses, captions, pictures, limits."""
    found = find(folder, today())
    if built:
        try:
            found += check_built(read_call(folder, today()))
        except CallError as error:  # what else is wrong is told all the same
            found.append(Finding("form", "build", f"What was built was not looked at: {error}"))
    show(found)
    errors = sum(each.severity == "error" for each in found)
    warnings = len(found) - errors
    out.print(f"Errors: {errors}, warnings: {warnings}. {LIMIT}")
    return 1 if errors or (strict and warnings) else 0


def show(found: Sequence[Finding]) -> None:
    """Prints findings, those of one file together."""
    for file in dict.fromkeys(each.file for each in found):
        out.print(clean(file), style="bold", markup=False)
        for each in (each for each in found if each.file == file):
            out.print(f"  {each.severity:7}", style=_STYLES[each.severity], end="")
            out.print(f"  {each.rule:13} {clean(each.sentence)}", markup=False)
        out.print()
