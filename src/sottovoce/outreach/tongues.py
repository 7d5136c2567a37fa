"""The languages of calls: how each is named, which way it runs, its typefaces, and how platforms call it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tongue:
    """One language. `sans` and `serif` are families of Debian's Noto packages; `locale` is a platform's name for it."""

    tag: str
    name: str
    sans: str
    serif: str
    locale: str
    rtl: bool = False


TONGUES = {
    tongue.tag: tongue
    for tongue in (
        Tongue("en", "English", "Noto Sans", "Noto Serif", "en_US"),
        Tongue("fa", "فارسی", "Noto Sans Arabic", "Noto Naskh Arabic", "fa_IR", rtl=True),
        Tongue("ko", "한국어", "Noto Sans CJK KR", "Noto Serif CJK KR", "ko_KR"),
        Tongue("ru", "Русский", "Noto Sans", "Noto Serif", "ru_RU"),
        Tongue("zh-Hans", "简体中文", "Noto Sans CJK SC", "Noto Serif CJK SC", "zh_CN"),
        Tongue("zh-Hant", "繁體中文", "Noto Sans CJK TC", "Noto Serif CJK TC", "zh_TW"),
    )
}
