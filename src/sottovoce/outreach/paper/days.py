"""A day in words, as the readers of a language write it."""

from __future__ import annotations

import datetime

from babel.core import Locale
from babel.dates import format_date
from persiantools.jdatetime import MONTH_NAMES_FA, JalaliDate

_BRITISH = "en_GB"  # the day first, as the texts read it aloud
_PERSIAN = {ord("0") + digit: 0x06F0 + digit for digit in range(10)}


def day_in(language: str, day: datetime.date) -> str:
    """The day with its year; in Persian by the calendar of Iran, and by ours in brackets, as on the door."""
    locale = Locale.parse(_BRITISH if language == "en" else language, sep="_" if language == "en" else "-")
    shown = format_date(day, "long", locale=locale)
    if language != "fa":
        return shown
    there = JalaliDate(day)  # type: ignore[no-untyped-call]  # its constructor alone has no types
    return f"{there.day} {MONTH_NAMES_FA[there.month]} {there.year} ({shown})".translate(_PERSIAN)
