"""What is served to the public: the door's pages and the pool's public API, and the listener that both sides use."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp

from sottovoce.door.app import App
from sottovoce.door.card import card_routes
from sottovoce.door.door import ENVELOPES, WORK, Door
from sottovoce.door.pages import Pages
from sottovoce.door.session import Visits
from sottovoce.door.texts import TONGUES
from sottovoce.door.told import CallView, CardView, News
from sottovoce.onion.budget import ENVELOPES as ENVELOPE_RATE
from sottovoce.onion.budget import PAGES as PAGE_RATE
from sottovoce.onion.budget import WORK as WORK_RATE
from sottovoce.onion.budget import Budgets, Rate
from sottovoce.onion.circuit import LoopbackProtocol
from sottovoce.pool.api import public_routes
from sottovoce.pool.editions import Editions
from sottovoce.pool.store import Pool
from sottovoce.protocol.sizes import EPOCH_SECONDS, epoch_of
from sottovoce.source.conversation import Source
from sottovoce.trust.call_list import CallList, digest_of
from sottovoce.trust.card_file import CardFile
from sottovoce.trust.published import Published, SignedFolder

from .common import random
from .offered import texts
from .pace import PAGES, Paced, circuit_of

_EDITIONS = "editions"
_LATELY_SECONDS = 0.2
RATES: Mapping[str, Rate] = {
    ENVELOPES: ENVELOPE_RATE,
    WORK: WORK_RATE,
    _EDITIONS: Rate(burst=160, per_second=0.2),  # all that are alive at once, and every new one
    PAGES: PAGE_RATE,
}


class Listener(uvicorn.Server):
    """A uvicorn that leaves signals to us, since several of them share a loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield

    def hurry(self) -> None:
        """Asks again for all connections to end: one may have come while the first asking went round."""
        if self.should_exit:
            for connection in list(self.server_state.connections):
                connection.shutdown()


def listener(site: ASGIApp, protocol: type[LoopbackProtocol], **where: object) -> Listener:
    """A server of `site`: where it listens is `uds`, or the sockets that its `serve` gets."""
    config = uvicorn.Config(
        site,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # a traceback could hold what a visitor typed
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=120,  # a circuit's next page comes without a new connection
        timeout_graceful_shutdown=5,
        **where,  # type: ignore[arg-type]
    )
    return Listener(config)


class Lately:
    """What the organisation says today, looked up a few times a second at most: each page asks several times."""

    def __init__(self, signed: SignedFolder, now: Callable[[], float]) -> None:
        self._signed, self._now = signed, now
        self._held: tuple[int, float, Published] | None = None

    def __call__(self) -> Published:
        """As it was at most 0.2 seconds ago; Refused as the folder."""
        today, moment = epoch_of(self._now()), time.monotonic()
        if self._held is None or self._held[0] != today or moment > self._held[1]:
            self._held = today, moment + _LATELY_SECONDS, self._signed.published(today)
        return self._held[2]


class NewsOf:
    """What the pages of one language heed of what the organisation says; worked out once for each thing it says."""

    def __init__(self, published: Callable[[], Published], now: Callable[[], float], language: str) -> None:
        self._published, self._now, self._language = published, now, language
        self._held: tuple[Published, int, News] | None = None

    def __call__(self) -> News:
        """As of this moment."""
        published, today = self._published(), epoch_of(self._now())
        if self._held is None or self._held[0] is not published or self._held[1] != today:
            self._held = published, today, self._news(published, today)
        return self._held[2]

    def _news(self, published: Published, today: int) -> News:
        advice, text = published.advice, ""
        if advice is not None and advice.fresh(today):
            text = advice.texts.get(self._language, "")
        verified = advice.verified if advice is not None else None
        days = (published.notices.away_until, published.notices.compromised_since, verified)
        away, since, checked = (_day(epoch) if epoch is not None else None for epoch in days)
        return News(away, since, tuple(filter(None, text.split("\n"))), checked)


def _calls(held: CardFile, language: str) -> tuple[CallView, ...]:
    """The signed calls as the pages of a language show them; a call without texts in it has its title in another."""
    return tuple(_call(listed, language) for listed in held.lists.values())


def _call(listed: CallList, language: str) -> CallView:
    texts = listed.texts.get(language) or listed.texts.get("en") or next(iter(listed.texts.values()), None)
    title = texts.title if texts is not None else listed.name
    shown = digest_of(listed.encode()).hex(" ", 4)
    return CallView(title, _day(listed.until), tuple(shown.split()))


def _day(epoch: int) -> date:
    return datetime.fromtimestamp(epoch * EPOCH_SECONDS, UTC).date()


@dataclass(frozen=True)
class Site:
    """All parts of the public side in one process; `now` is the protocol's clock."""

    signed: SignedFolder
    pool: Pool
    editions: Editions
    visits: Visits
    now: Callable[[], float]
    unreviewed: bool = False  # whether languages are offered that nobody signed off, as in the demo
    budgets: Budgets | None = field(default_factory=lambda: Budgets(time.monotonic, RATES))  # None: no circuits here

    def app(self, banner: str | None = None) -> ASGIApp:
        """The pages and the API; `banner` is a line of alarm on every page."""
        published = Lately(self.signed, self.now)
        source, held = Source(self.pool, published, self.now, random), CardFile.of(self.signed, epoch_of(self.now()))
        doors = {
            pages.texts.tongue.tag: Door(
                source,
                pages,
                NewsOf(published, self.now, pages.texts.tongue.tag),
                self.visits,
                self.now,
                random,
                self._allow,
            )
            for pages in self._pages(held, banner)
        }
        public = public_routes(self.pool, self.editions, self.signed, self.now, self._allow_api)
        site = App(doors, [*public, *card_routes(held, held.write(self.signed))], self.signed.calls())
        return Paced(site, self.budgets) if self.budgets is not None else site

    def _pages(self, held: CardFile, banner: str | None) -> list[Pages]:
        offered, card = texts(self.signed, unreviewed=self.unreviewed), held.card
        tongues = [TONGUES[pack.language] for pack, _ in offered]
        view = CardView(card.name, card.addresses[0], card.check_words, tuple(card.accounts), _day(card.claim.expires))
        views = [view._replace(calls=_calls(held, tongue.tag)) for tongue in tongues]
        return [
            Pages.of(pack, view, tongues, reviewed=reviewed, banner=banner)
            for (pack, reviewed), view in zip(offered, views, strict=True)
        ]

    def _allow(self, request: Request, kind: str, amount: float) -> bool:
        return self.budgets is None or self.budgets.take(circuit_of(request), kind, amount)

    def _allow_api(self, request: Request) -> bool:
        return self._allow(request, ENVELOPES if request.method == "POST" else _EDITIONS, 1)
