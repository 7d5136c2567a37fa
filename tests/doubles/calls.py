"""A small call for tests: signed by a real office, a drawn film of three seconds, a master film of two.

Its keys are fixed, so that what is built from it is the same in each run.
"""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from sottovoce.onion.keys import OnionKey
from sottovoce.outreach.call import Call, read_call
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust import locked
from sottovoce.trust.office import Office
from sottovoce.trust.office_secrets import Secrets
from sottovoce.trust.published import write_durably

TODAY = 20_783  # 2026-11-26
_DAYS = 156  # until it ends
PASSPHRASE = "an invented office's"  # noqa: S105  nothing that it locks is worth anything
NAME = "Ombudsman of Harbour City"
SECRETS = Secrets(*(bytes([number]) * 32 for number in (1, 2, 3)))
ADDRESS = OnionKey.from_seed(SECRETS.door).address
PLATFORMS = ("youtube", "shorts", "instagram", "facebook", "forward")
SAID = {  # organisation, title, two captions
    "en": (NAME, "Why I came forward", "I am an accountant.", "Type this address into Tor Browser (2)."),
    "fa": ("دفتر بازرسی شهر بندر", "چرا پا پیش گذاشتم", "من حسابدارم.", "این نشانی را در مرورگر Tor وارد کنید (۲)."),
    "ko": ("항구시 옴부즈만", "내가 나선 이유", "저는 회계사입니다", "Tor 브라우저에 이 주소를 입력하세요 (2)"),
    "ru": ("Омбудсмен города Гавань", "Почему я решился", "Я бухгалтер.", "Введите этот адрес в Tor Browser (2)."),
    "zh-Hans": ("临渡市申诉专员公署", "我为什么站出来", "我是一名会计", "在 Tor 浏览器（洋葱浏览器）里　输入这个地址"),  # noqa: RUF001
    "zh-Hant": ("臨渡市申訴專員公署", "我為什麼站出來", "我是一名會計", "在 Tor 瀏覽器（洋蔥瀏覽器）裡　輸入這個地址"),  # noqa: RUF001
}
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="-50 -50 100 100">
<circle r="44" fill="none" stroke="#16233b" stroke-width="8"/><circle cy="20" r="10" fill="#c9372a"/></svg>
"""
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1150 -1150 2300 2300">'
_SKY = '<g data-depth=".1"><rect x="-1250" y="-1250" width="2500" height="2500" fill="#2a3160"/></g>'
STREET = f"""{_SVG}{_SKY}
<g data-depth="1"><rect x="-900" y="200" width="1800" height="900" fill="#0d1730"/>
<g data-x="0:-100 1.5:100"><circle cy="120" r="60" fill="#f8c07c" data-pulse=".2 1.3"/>
<rect x="-10" y="120" width="20" height="80" fill="#c9372a" data-swing="17 1.15 .5 0 120"/></g></g></svg>
"""
OVERLAY = f"""{_SVG}<g data-opacity="2.3:1 2.6:0" fill="#fff" text-anchor="middle">
<text data-only="16x9" x="-880" y="-470" font-size="30" text-anchor="start" data-fit="600">{{label}}</text>
<text data-only="9x16" y="-800" font-size="30" data-fit="700">{{label}}</text></g>
<g data-opacity=".2:0 .6:1 1.2:1 1.5:0"><rect x="-500" y="-360" width="1000" height="100" fill="#0d1730"/>
<text y="-280" font-size="90" font-weight="700" font-family="serif" fill="#fff1d4" text-anchor="middle"
 data-fit="900">{{title}}</text></g></svg>
"""
TABLET = f"""{_SVG}{_SKY}
<g data-depth="1"><rect x="-160" y="-220" width="320" height="440" rx="20" fill="#02040a" data-tilt="-2.5"/>
<rect x="-140" y="-200" width="280" height="400" fill="#f4ecdc"/></g></svg>
"""
POLICY = """phone = "never"
vpn = "none"
helper = "never"
email = "never"
private_mode = "never"
device = "own"
promises = "none"
"""
_DRAWN = """spoken = "en"
dramatised = true
synthetic = ["voice"]
seconds = 3
thumbnail = 0.8
overlay = "overlay.svg"

[[scenes]]
picture = "street.svg"
start = 0
[scenes.camera]
16x9 = [[0, -20, 0, 1], [2, 20, 0, 1.05]]
9x16 = [[0, -30, 0, 1], [2, 30, 0, 1.1]]

[[scenes]]
picture = "tablet.svg"
start = 1.5
fade = 0.3
move = "push"
[scenes.camera]
16x9 = [[0, 0, 0, 1], [0.5, 0, 0, 1.02], [1.3, 0, 0, 8]]
9x16 = [[0, 0, 0, 1], [0.5, 0, 0, 1.02], [1.3, 0, 0, 8]]

[sound]
voice = "en"
rate = 172
[[sound.lines]]
start = 0.3
say = "I am an accountant."
[[sound.chords]]
start = 0
keys = [45, 57, 60, 64]
[[sound.notes]]
start = 0.5
key = 76
"""
_FILMED = """spoken = "en"
dramatised = true
synthetic = ["voice"]
master = "master.mp4"

[[shots]]
start = 0
fit = "pad"
[[shots]]
start = 1
fit = "crop"
x = 0.7
"""


def make_call(
    folder: Path, languages: Sequence[str] = ("en", "zh-Hans"), videos: Sequence[str] = ("drawn",), today: int = TODAY
) -> Call:
    """A call in a new folder, for all platforms; its videos are some of "drawn" and "filmed"."""
    files = {
        "call.toml": _call_toml(languages, videos, today),
        "policy.toml": POLICY,
        "logo.svg": LOGO,
        **{f"texts/{language}.toml": _texts(language, videos) for language in languages},
        **{f"videos/{video}/captions/{tag}.srt": _captions(tag) for video in videos for tag in languages},
    }
    for name, text in {**files, **(_DRAWN_FILES if "drawn" in videos else {})}.items():
        _write(folder / name, text)
    if "filmed" in videos:
        _write(folder / "videos/filmed/video.toml", _FILMED)
        make_master(folder / "videos/filmed/master.mp4")
    sign(folder, today)
    return read_call(folder, today)


def sign(folder: Path, today: int = TODAY) -> None:
    """Makes the organisation's office beside the call, and copies root and card into the call."""
    with patch.object(locked, "MEMORY", 64), patch.object(locked, "PASSES", 1):  # its strength is tried elsewhere
        office = Office.create(folder / "office", PASSPHRASE, SECRETS, bytes, today)
    office.sign_card(NAME, ADDRESS, today)
    for kind in ("root", "card"):
        write_durably(folder / f"signed/{kind}.signed", office.signed.get(kind) or b"")


def make_master(path: Path, *words: str, seconds: float = 2) -> None:
    """A small moving picture with a tone, as a camera's file; `words` go to ffmpeg before the file's name."""
    picture = f"testsrc2=size=640x360:rate=30:duration={seconds}"
    tone = f"sine=frequency=330:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", *words, str(path)]
    subprocess.run(command, check=True, timeout=60)


def _call_toml(languages: Sequence[str], videos: Sequence[str], today: int) -> str:
    until = datetime.datetime.fromtimestamp(today * EPOCH_SECONDS, datetime.UTC).date() + datetime.timedelta(_DAYS)
    lists = {"languages": languages, "videos": videos, "platforms": PLATFORMS}
    lines = [f"{name} = {json.dumps(values)}" for name, values in lists.items()]  # a list of JSON is one of TOML
    return "\n".join(['name = "harbour"', *lines, f"until = {until}", ""])


def _texts(language: str, videos: Sequence[str]) -> str:
    organisation, title, lead, body = SAID[language]
    about = "".join(
        f'\n[videos.{video}]\ntitle = "{title}"\ndescription = "{lead}"\nwords.title = "{title}"\n' for video in videos
    )
    return f'organisation = "{organisation}"\ntitle = "{title}"\nlead = "{lead}"\nbody = ["{body}"]\n{about}'


def _captions(language: str) -> str:
    first, second = SAID[language][2:]
    return f"1\n00:00:00,200 --> 00:00:01,100\n{first}\n\n2\n00:00:01,200 --> 00:00:02,300\n{second}\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


_DRAWN_FILES = {
    "videos/drawn/video.toml": _DRAWN,
    "videos/drawn/street.svg": STREET,
    "videos/drawn/tablet.svg": TABLET,
    "videos/drawn/overlay.svg": OVERLAY,
}
