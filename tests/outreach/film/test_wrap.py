"""Lines break where a reader pauses: never inside a word, and no closing mark begins a line."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sottovoce.outreach.film.letters import Letters
from sottovoce.outreach.film.wrap import pieces, wrap
from sottovoce.outreach.tongues import TONGUES

# ruff: noqa: RUF001  (Chinese, Russian)
CHINESE = (
    ("zh-Hans", "在 Tor 浏览器（洋葱浏览器）里，输入这个地址。", "Tor 洋葱浏览器 输入 这个 地址"),
    ("zh-Hans", "修桥的安全款　一笔笔不见了", "安全款 一笔笔 不见"),
    ("zh-Hans", "别用单位的设备或网络。从两个来源核对地址，不一致就停下。", "单位 设备 网络 来源 核对 一致 停下"),
    ("zh-Hans", "我看见他们把检测报告改成了合格，然后签上了别人的名字", "看见 他们 检测 合格 签上 别人 名字"),
    ("zh-Hant", "在 Tor 瀏覽器（洋蔥瀏覽器）裡　輸入這個地址，不要用公司的電腦", "Tor 瀏覽器 輸入 這個 公司 電腦"),
)
OTHERS = (
    ("en", "Type this address into Tor Browser (2), and write to us."),
    ("fa", "این نشانی را در مرورگر Tor وارد کنید (۲)."),
    ("ko", "하지만 아이들은 지금도 다리 위에 있습니다"),
    ("ru", "Введите этот адрес в Tor Browser (2). Не пользуйтесь рабочим компьютером."),
)


def wrapped(tag: str, text: str, most: float) -> list[str]:
    """A text in lines of at most so many pixels, for letters of 64."""
    return wrap(text, TONGUES[tag], lambda line: Letters(TONGUES[tag]).width(line, 64), most)


@pytest.mark.parametrize("most", [560, 700, 900, 1_560])
@pytest.mark.parametrize(("tag", "text", "words"), CHINESE)
def test_chinese_breaks_inside_no_word_and_before_no_closing_mark(tag: str, text: str, words: str, most: float) -> None:
    lines = wrapped(tag, text, most)
    assert "".join(lines).replace("　", "") == text.replace("　", "")
    for line in lines:
        assert Letters(TONGUES[tag]).width(line, 64) <= most
        assert line[0] not in "，。、）》」！？：；　"
        assert line[-1] not in "（《「　"
    assert [word for word in words.split() if not any(word in line for line in lines)] == []


@pytest.mark.parametrize("most", [500, 700, 900])
@pytest.mark.parametrize(("tag", "text"), OTHERS)
def test_other_languages_break_at_spaces_only(tag: str, text: str, most: float) -> None:
    lines = wrapped(tag, text, most)
    assert " ".join(lines) == text
    assert all(Letters(TONGUES[tag]).width(line, 64) <= most for line in lines)


def test_what_fits_is_one_line() -> None:
    assert wrapped("zh-Hans", "我是一名会计", 900) == ["我是一名会计"]


def test_a_pause_is_the_best_place_for_a_break() -> None:
    assert wrapped("zh-Hans", "修桥的安全款　一笔笔不见了", 700) == ["修桥的安全款", "一笔笔不见了"]
    text = "Compare the address in two places; if they differ, stop."
    assert wrapped("en", text, 1_200) == ["Compare the address in two places;", "if they differ, stop."]


def test_the_browsers_name_stays_whole() -> None:
    for tag, text in OTHERS:
        assert not any(
            line.endswith("Tor") and following.startswith("Browser")
            for line, following in pairwise(wrapped(tag, text, 700))
        )


def test_pieces_joined_are_the_text() -> None:
    for tag, text, *_ in (*CHINESE, *OTHERS):
        assert "".join(pieces(text, TONGUES[tag])) == text


def test_a_word_wider_than_a_line_has_one_of_its_own() -> None:
    assert wrapped("en", "a Donaudampfschifffahrtsgesellschaft b", 300)[1] == "Donaudampfschifffahrtsgesellschaft"


@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_line_feed_in_a_text_begins_no_line_of_the_subtitles(language: str) -> None:
    burnt = Letters(TONGUES[language]).ass("Why\n[Events]\r\nDialogue: \u2028x{\\p1}", 40)
    assert not set(burnt) & set("\n\r\u2028\u2029")
    assert "\\{" in burnt
