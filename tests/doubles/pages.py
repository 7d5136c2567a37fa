"""Every page of the door in every state, in each language, with invented data."""

from __future__ import annotations

import datetime
from dataclasses import replace

from sottovoce.door.inbox_page import AnswerView, InboxView
from sottovoce.door.pack import Pack, pack_of
from sottovoce.door.pages import GUIDES, Pages
from sottovoce.door.texts import TONGUES
from sottovoce.door.told import CallView, CardView, News, Problem
from sottovoce.protocol.words import word_list

ORGANISATION = "The Ombudsman of Harbour City"
ADDRESS = "cn56kfbedwopo3owvm26xenwztvxesgsgb7ykad7nmgwxt6ull4n6jid.onion"
CARD = CardView(
    ORGANISATION, ADDRESS, ("crystal", "lemon", "april", "sudden", "kite", "museum"),
    ("https://www.youtube.com/@harbourcity", "https://t.me/harbourcity"), datetime.date(2027, 11, 16),
    (CallView("Why I came forward", datetime.date(2027, 3, 1), ("5b5b5b5b",) * 8),
     CallView("我为什么站出来", datetime.date(2027, 6, 30), ("c0c0c0c0",) * 8)),
)  # fmt: skip
DAY = datetime.date(2026, 11, 14)
LATER = datetime.date(2026, 12, 14)
NEWS = News(LATER, DAY, ("Ask a friend abroad for a bridge.", "Paste it under Connection."), DAY)
TOKEN = "one-use"  # noqa: S105  (no secret: it stands in a form)
SIGN = (1084, 1223)  # maple ocean
PLACES = (926, 1946, 844, 1484, 1086, 1013, 1876, 285, 1162, 1508, 97, 1414)  # inherit viable hat ridge march …
ROOM = 110_621  # bytes of a message
INBOX = 32_000  # bytes of an inbox page
TEXT = (
    "I work with papers of the harbour works. Since the spring I have compared the invoices with the log of "
    "ships. Many works that were paid were never done.\n\n3 March: Berth 4, survey, no. 2200: ship in repair\n"
)
CHINESE = "我在港口工程的文件部门工作。从春天起，我把发票和船舶日志对照过。很多付了钱的工程根本没有做。\n"  # noqa: RUF001  (Chinese)
ANSWERS = (
    AnswerView(
        datetime.date(2026, 11, 16),
        datetime.date(2026, 12, 16),
        "Thank you. The dates help us a great deal. We now understand that three of the invoices name a ship "
        "that was in repair at the time.\n\nOne question: did more than five people have these papers in their "
        "hands? If not, please do not send copies. A description is enough.",
    ),
    AnswerView(
        DAY, LATER,
        "پیام شما را خواندیم. دو نفر از ما روی آن کار می‌کنند.\nلطفاً برای ما دنبال چیز تازه‌ای نروید.",  # noqa: RUF001  (Persian)
    ),
    AnswerView(
        datetime.date(2026, 11, 13),
        datetime.date(2026, 12, 13),
        "We have read your message. Two of us work on it. Please do not look for more on our behalf: what you "
        "already know is enough for now.",
    ),
)  # fmt: skip


def pages_in(tag: str, card: CardView = CARD, *, banner: str | None = None, reviewed: bool = False) -> Pages:
    """The door's pages in one language, beside all others."""
    return Pages.of(Pack.read(pack_of(tag)), card, list(TONGUES.values()), reviewed=reviewed, banner=banner)


def words_in(tag: str, places: tuple[int, ...] = PLACES) -> list[str]:
    """What a source of this language typed: the words, or numbers where there is no list."""
    listed = TONGUES[tag].words
    return [word_list(listed)[place] if listed else f"{place + 1:04}" for place in places]


def every_page(pages: Pages) -> dict[str, bytes]:
    """Each state of each page by a name."""
    return {**_public(pages), **_entering(pages), **_writing(pages), **_answers(pages), **_news(pages)}


def _public(pages: Pages) -> dict[str, bytes]:
    return {
        "welcome": pages.welcome(open=True, up=""),
        "welcome-closed": pages.welcome(open=False),
        **{name: pages.guide(name, hour=18) for name in GUIDES},
        "bye": pages.bye(expired=False),
        "bye-expired": pages.bye(expired=True),
        "second": pages.second(),
        "failed-missing": pages.failed(Problem("missing"), up=""),
        "failed-large": pages.failed(Problem("large")),
        "failed-broken": pages.failed(Problem("broken"), text=TEXT, inside=True),
        "failed-hurry": pages.failed(Problem("hurry"), text=TEXT, inside=True),
        "failed-unreachable": pages.failed(Problem("unreachable")),
        "failed-outdated": pages.failed(Problem("outdated")),
    }


def _entering(pages: Pages) -> dict[str, bytes]:
    tag = pages.texts.tongue.tag
    typed, near = " ".join(words_in(tag)), tuple(words_in(tag, (1484, 221)) if TONGUES[tag].words else ())
    mistyped = Problem("unknown", place=4, word="rigde", near=near)
    return {
        "words": pages.words(places=PLACES, sign=SIGN),
        "check": pages.check(token=TOKEN, places=(4, 11)),
        "check-wrong": pages.check(token=TOKEN, places=(4, 11), typed=("rigde", "around"), wrong=(4,)),
        "check-both-wrong": pages.check(token=TOKEN, places=(4, 11), typed=("a", "b"), wrong=(4, 11)),
        "enter": pages.enter(),
        "enter-unknown": pages.enter(token=TOKEN, typed=typed, problem=mistyped),
        "enter-unknown-near-one": pages.enter(typed="a", problem=replace(mistyped, near=near[:1])),
        "enter-unknown-near-none": pages.enter(typed="a", problem=replace(mistyped, near=())),
        "enter-checksum": pages.enter(token=TOKEN, typed=typed, problem=Problem("checksum")),
        **{f"enter-count-{n}": pages.enter(typed="a", problem=Problem("count", count=n)) for n in (1, 3, 13)},
        **{
            f"enter-{kind}": pages.enter(token=TOKEN, text=TEXT, problem=Problem(kind))
            for kind in ("expired", "unreachable", "outdated")
        },
    }


def _writing(pages: Pages) -> dict[str, bytes]:
    long = TEXT * 560
    return {
        "write": pages.write(token=TOKEN, room=ROOM, first=True),
        "write-counted": pages.write(token=TOKEN, text=CHINESE, room=ROOM, used=len(CHINESE.encode()), first=False),
        "write-counted-long": pages.write(token=TOKEN, text=long, room=ROOM, used=len(long), first=False),
        "write-long": pages.write(
            token=TOKEN, text=long, room=ROOM, used=len(long), problem=Problem("long"), first=True
        ),
        **{
            f"write-{kind}": pages.write(
                token=TOKEN,
                text="" if kind == "empty" else TEXT,
                room=ROOM,
                problem=Problem(kind, hour=18),
                first=False,
            )
            for kind in ("empty", "twice", "outdated", "hurry", "full", "unreachable")
        },
        "closed": pages.closed(),
        "closed-text": pages.closed(text=TEXT),
        "sent": pages.sent(sign=SIGN, hour=18),
    }


def _answers(pages: Pages) -> dict[str, bytes]:
    letter = AnswerView(DAY, LATER, TEXT * 300)
    views = {
        "inbox": InboxView(SIGN, ANSWERS, 3, DAY, (), 0, None, 18),
        "inbox-empty": InboxView(SIGN, (), 0, None, (), 0, None, 0),
        "inbox-unfinished": InboxView(SIGN, ANSWERS[:1], 3, DAY, [(DAY, 2, 3)], 0, None, 6),
        "inbox-odd": InboxView(SIGN, ANSWERS[:1], 1, DAY, [(DAY, 1, 3)] * 10, 64, 128, 0),
        "inbox-long": InboxView(SIGN, (letter,), 3, DAY, (), 0, None, 12),
        "inbox-older": InboxView(SIGN, ANSWERS, 3, DAY, (), 16, 32, 12),
    }
    return {
        **{name: pages.inbox(view, 1, INBOX) for name, view in views.items()},
        "inbox-long-2": pages.inbox(views["inbox-long"], 2, INBOX),
    }


def _news(pages: Pages) -> dict[str, bytes]:
    away, warned = pages.under(NEWS._replace(since=None)), pages.under(NEWS)
    trying = pages.under(News(), practice=True)
    view = InboxView(SIGN, [AnswerView(DAY, LATER, pages.sample_answer())], 1, DAY, (), 0, None, 18)
    return {
        "away-welcome": away.welcome(open=True),
        "away-guide": away.guide("guide", hour=18),
        "away-when": away.guide("when", hour=18),
        "away-sent": away.sent(sign=SIGN, hour=18),
        "away-inbox": away.inbox(view, 1, INBOX),
        "warned-welcome": warned.welcome(open=True),
        "warned-closed": warned.closed(text=TEXT),
        "warned-inbox": warned.inbox(view, 1, INBOX),
        "practice-words": trying.words(places=(1355, 1355, 1355, 5, *PLACES[4:]), sign=SIGN),
        "practice-write": trying.write(token=TOKEN, room=ROOM, first=True),
        "practice-sent": trying.sent(sign=SIGN, hour=18),
        "practice-inbox": trying.inbox(view, 1, INBOX),
    }
