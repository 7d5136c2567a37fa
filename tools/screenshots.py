#!/usr/bin/env python3
"""Take a picture of every page of the door, at three widths, in a real Firefox with scripts off.

    tools/screenshots.py [FOLDER] [--width PIXELS ...] [--only NAME ...]

The pages hold invented data and come from a server on loopback, with the door's own content security policy.
The folder also gets the pages themselves, and a contact sheet per width.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import http.server
import pathlib
import sys
import threading
from collections.abc import Iterator, Sequence

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the browser's driver lives beside the journeys that use it

from journeys.browser import BrowserError, Firefox, Page  # noqa: E402  (needs the path above)

from sottovoce.door.inbox_page import AnswerView, InboxView  # noqa: E402
from sottovoce.door.pages import Pages, Problem  # noqa: E402
from sottovoce.source.conversation import ROOM  # noqa: E402

WIDTHS = (390, 820, 1280)
HEIGHT = 900
INBOX = 32_000  # bytes of an inbox page
TOKEN = "one-use"  # noqa: S105  (no secret: it stands in a form)
SIGN = ("maple", "ocean")
ADDRESS = "cn56kfbedwopo3owvm26xenwztvxesgsgb7ykad7nmgwxt6ull4n6jid.onion"
WORDS = ("inherit", "viable", "hat", "ridge", "march", "leaf", "tunnel", "casual", "mule", "route", "around", "radio")
NUMBERS = ("0927", "1947", "0845", "1485", "1087", "1014", "1877", "0286", "1163", "1509", "0098", "1415")
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
        datetime.date(2026, 11, 14),
        datetime.date(2026, 12, 14),
        "پیام شما را خواندیم. دو نفر از ما روی آن کار می‌کنند.\nلطفاً برای ما دنبال چیز تازه‌ای نروید.",  # noqa: RUF001  (Persian)
    ),
    AnswerView(
        datetime.date(2026, 11, 13),
        datetime.date(2026, 12, 13),
        "We have read your message. Two of us work on it. Please do not look for more on our behalf: what you "
        "already know is enough for now.",
    ),
)


def every_page(pages: Pages) -> dict[str, bytes]:
    """Each state of each page by a name, with invented data."""
    long = TEXT * 560
    day = datetime.date(2026, 11, 14)
    letter = AnswerView(day, datetime.date(2026, 12, 14), TEXT * 300)
    views = {
        "inbox": InboxView(SIGN, ANSWERS, 3, day, (), 0, None, 18),
        "inbox-empty": InboxView(SIGN, (), 0, None, (), 0, None, 0),
        "inbox-unfinished": InboxView(SIGN, ANSWERS[:1], 3, day, [(day, 2, 3)], 0, None, 6),
        "inbox-long": InboxView(SIGN, (letter,), 3, day, (), 0, None, 12),
        "inbox-older": InboxView(SIGN, ANSWERS, 3, day, (), 16, 32, 12),
    }
    unknown = Problem("unknown", place=4, word="rigde", near=("ridge", "bridge"))
    mistyped = " ".join(WORDS).replace("ridge", "rigde")
    banner = Pages("The Ombudsman of Harbour City", None, "Development without Tor: everyone on the way sees you.")
    return {
        "welcome": pages.welcome(open=True),
        "welcome-closed": pages.welcome(open=False),
        "welcome-banner": banner.welcome(open=True),
        "words": pages.words(words=WORDS, numbers=NUMBERS, sign=SIGN),
        "check": pages.check(token=TOKEN, places=(4, 11)),
        "check-wrong": pages.check(token=TOKEN, places=(4, 11), typed=("rigde", "around"), wrong=(4,)),
        "enter": pages.enter(),
        "enter-unknown": pages.enter(token=TOKEN, typed=mistyped, problem=unknown),
        "enter-checksum": pages.enter(token=TOKEN, typed=" ".join(WORDS), problem=Problem("checksum")),
        "enter-count": pages.enter(token=TOKEN, typed="inherit viable", problem=Problem("count", count=2)),
        "enter-expired": pages.enter(token=TOKEN, text=TEXT, problem=Problem("expired")),
        "write": pages.write(token=TOKEN, room=ROOM, first=True),
        "write-counted": pages.write(token=TOKEN, text=CHINESE, room=ROOM, used=len(CHINESE.encode()), first=False),
        "write-long": pages.write(
            token=TOKEN, text=long, room=ROOM, used=len(long), problem=Problem("long"), first=True
        ),
        "write-empty": pages.write(token=TOKEN, room=ROOM, problem=Problem("empty"), first=False),
        "write-twice": pages.write(token=TOKEN, text=TEXT, room=ROOM, problem=Problem("twice"), first=False),
        "write-full": pages.write(token=TOKEN, text=TEXT, room=ROOM, problem=Problem("full", hour=18), first=False),
        "closed": pages.closed(text=TEXT),
        "sent": pages.sent(sign=SIGN, hour=18),
        **{name: pages.inbox(view, 1, INBOX) for name, view in views.items()},
        "inbox-long-2": pages.inbox(views["inbox-long"], 2, INBOX),
        "bye": pages.bye(expired=False),
        "bye-expired": pages.bye(expired=True),
        "guide": pages.guide(),
        "failed-missing": pages.failed(Problem("missing")),
        "failed-broken": pages.failed(Problem("broken"), text=TEXT, inside=True),
        "failed-hurry": pages.failed(Problem("hurry"), text=TEXT, inside=True),
    }


def main() -> int:
    """Write the pictures; 1 and a sentence when Firefox can't be driven."""
    parser = argparse.ArgumentParser(description="Take a picture of every page of the door.")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / "build/screenshots")
    parser.add_argument("--width", type=int, nargs="+", default=WIDTHS)
    parser.add_argument("--only", nargs="+", help="names of pages, such as words or write-long")
    chosen = parser.parse_args()
    pages = Pages("The Ombudsman of Harbour City", ADDRESS)
    bodies = {f"{name}.html": body for name, body in every_page(pages).items() if name in (chosen.only or (name,))}
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (chosen.folder / name).write_bytes(body)
    try:
        with _served(bodies, pages.csp) as site, Firefox() as browser:
            _take(browser.page(chosen.width[0], HEIGHT), site, list(bodies), chosen.folder, chosen.width)
    except BrowserError as error:
        print(error)
        return 1
    print(f"{len(bodies)} pages at {len(chosen.width)} widths are in {chosen.folder}.")
    return 0


def _take(page: Page, site: str, names: Sequence[str], folder: pathlib.Path, widths: Sequence[int]) -> None:
    for width in widths:
        page.resize(width, HEIGHT)
        for name in names:
            page.goto(f"{site}/{name}")
            page.screenshot(folder / f"{pathlib.Path(name).stem}-{width}.png", whole=True)
            _refuse_sideways(page, name, width)
        sheet = folder / f"all-{width}.html"
        sheet.write_text(_contact_sheet(names, width), "utf-8")
        page.resize(1600, HEIGHT)
        page.goto(sheet.absolute().as_uri())
        page.screenshot(sheet.with_suffix(".png"), whole=True)


def _refuse_sideways(page: Page, name: str, width: int) -> None:
    """A page wider than its view has to be pushed sideways to be read."""
    wide = int(page.eval("e => e.scrollWidth - e.clientWidth", "html"))
    if wide > 0:
        raise BrowserError(f"{name} is {wide} pixels wider than a view of {width}: find what can't wrap.")


def _contact_sheet(names: Sequence[str], width: int) -> str:
    shots = (f"{pathlib.Path(name).stem}-{width}.png" for name in names)
    figures = "".join(f"<figure><img src={shot}><figcaption>{shot}</figcaption></figure>" for shot in shots)
    look = "body{font:14px sans-serif;columns:6}figure{margin:0 0 1em;break-inside:avoid}img{width:100%}"
    return f"<!doctype html><meta charset=utf-8><title>All pages, {width}</title><style>{look}</style>{figures}"


@contextlib.contextmanager
def _served(bodies: dict[str, bytes], csp: str) -> Iterator[str]:
    """The pages on a free loopback port, under the policy that the door sends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = bodies.get(self.path.removeprefix("/"))
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", csp)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the pictures are the result."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
