"""A day in words, as each language writes it."""

from __future__ import annotations

import datetime

import pytest

from sottovoce.outreach.paper.days import day_in


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "31 March 2027"),
        ("fa", "۱۱ فروردین ۱۴۰۶ (۳۱ مارس ۲۰۲۷)"),  # noqa: RUF001  (Persian)
        ("ko", "2027년 3월 31일"),
        ("ru", "31 марта 2027\u202fг."),  # noqa: RUF001  (Russian)
        ("zh-Hans", "2027年3月31日"),
        ("zh-Hant", "2027年3月31日"),
    ],
)
def test_a_day_is_in_the_languages_own_words(language: str, shown: str) -> None:
    assert day_in(language, datetime.date(2027, 3, 31)) == shown
