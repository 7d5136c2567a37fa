"""The desk's verbs that tell all sources something: away, compromise."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sottovoce.desk.notices import check_day, told
from sottovoce.protocol.sizes import epoch_of
from sottovoce.trust.notice import LASTS, Kind

from .common import UserError, err, out, passphrase_option, today
from .desk_group import FOLDER, TORRC_EXTRA, code_of, day, desk, opened, print_findings, reached


class _Day(click.ParamType[int]):
    """A UTC day, as 2026-12-14, to its epoch."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return epoch_of(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
        except ValueError:
            self.fail(f"{value!r} is no day: write it as 2026-12-14.", param, ctx)


@desk.command()
@FOLDER
@click.option("--until", "last", type=_Day(), help="The last day on which nobody reads, as 2026-12-14.")
@click.option("--back", is_flag=True, help="You read again: take the notice back.")
@TORRC_EXTRA
@passphrase_option
def away(folder: Path, last: int | None, back: bool, torrc_extra: Path | None, **given: str | None) -> int:
    """Tell sources that nobody reads until a day: a notice that this device signs, and the door shows.

    Messages are taken meanwhile, if there are duty keys for these days: `desk duty --days 28` makes more of them.
    """
    _one_of(last, back, "--until DAY, or --back")
    check_day("absence", last, today())
    return _announce(folder, "absence", last, torrc_extra, given["passphrase"])


@desk.command()
@FOLDER
@click.option("--since", "first", type=_Day(), help="The first day whose messages may be known to others.")
@click.option("--over", is_flag=True, help="It is mended: take the notice back.")
@click.option("--yes", is_flag=True, help="Don't ask back, for scripts.")
@TORRC_EXTRA
@passphrase_option
def compromise(
    folder: Path, first: int | None, over: bool, yes: bool, torrc_extra: Path | None, **given: str | None
) -> int:
    """Warn all sources that messages may be known to others: a notice that this device alone can sign."""
    _one_of(first, over, "--since DAY, or --over")
    check_day("compromise", first, today())
    if not yes and not click.confirm(_question(first), err=True):
        raise UserError("Nothing was signed.")
    code = _announce(folder, "compromise", first, torrc_extra, given["passphrase"])
    if first is not None:
        out.print("A server in foreign hands may not show it: publish it by other ways too, in print and on your own")
        out.print("pages, and call your colleagues and the office.")
    return code


def _question(first: int | None) -> str:
    if first is None:
        return "Sources will see no warning any more, and can write again. Is all mended, and did colleagues agree?"
    return (
        f"Sources will read on top of every page that messages since {day(first)} may be known to others. They can "
        f"read answers and what to do now, and can't begin or write. It stays for {LASTS['compromise']} days, or until "
        "`desk compromise --over`. Sign and publish it?"
    )


def _one_of(given: int | None, back: bool, which: str) -> None:
    if (given is None) != back:
        raise UserError(f"Say one of two: {which}.")


def _announce(folder: Path, kind: Kind, given: int | None, torrc_extra: Path | None, source: str | None) -> int:
    with (
        opened(folder, source) as (vault, desk_),
        reached(folder, vault, torrc_extra, lambda text: err.print(text, markup=False)) as road,
    ):
        taken, report = desk_.announce(road, kind, given)
        waits = desk_.notices.waiting(kind) is not None
    if taken:
        out.print(f"Signed and handed in: {told(kind, given)}.")
    elif waits:
        out.print(f"Signed, and kept here: the next sync hands it in.  sottovoce desk sync {folder}", markup=False)
    print_findings(report)
    return code_of(report) if taken else 1
