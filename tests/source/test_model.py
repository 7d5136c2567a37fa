"""A model of one conversation: what was acknowledged is read once, whatever is lost, repeated, full or late."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from doubles.world import PHRASE, TODAY, World, make_world, organisation, run
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.pool.store import Pool
from sottovoce.protocol.answer import Place
from sottovoce.protocol.sizes import EDITION_SECONDS, QUARTERS, edition_of

SIZES = st.sampled_from([10, 9_000, 20_000])  # bytes: one, two and three parts
FAULTS = st.lists(st.sampled_from(["", "", "before", "after", "full"]), max_size=4)
SAFE = (PutResult.STORED, PutResult.KNOWN)


@dataclass
class Faulty:
    """A pool that fails as the next of `faults` says, then works."""

    inner: Pool
    faults: list[str] = field(default_factory=list)

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise RoadError("The connection to the server broke: try again.")
        if fault == "full":
            return Reply(PutResult.FULL, TODAY, 0)
        reply = await self.inner.put(epoch, tag, envelope)
        if fault == "after":
            raise RoadError("The connection to the server broke: try again.")
        return reply

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        return await self.inner.find(tags)


@dataclass
class Form:
    """One form that the source sent, perhaps more than once."""

    text: str
    seed: bytes
    after: bytes | None
    acknowledged: bool = False


@dataclass
class Posted:
    """One answer: which of its envelopes lie in which edition."""

    text: str
    place: Place
    waiting: list[tuple[bytes, bytes]]
    editions: list[int] = field(default_factory=list)


class Conversation(RuleBasedStateMachine):
    """A source that writes on a bad road, a member that answers in parts, editions that close."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = ExitStack()
        folder = self.ends.enter_context(tempfile.TemporaryDirectory())
        self.world: World = make_world(organisation(), Path(folder) / "pool")
        self.ends.callback(self.world.pool.close)
        self.pool = Faulty(self.world.source.pool)
        self.world.source = replace(self.world.source, pool=self.pool)
        self.forms: list[Form] = []
        self.answers: dict[Place, Posted] = {}

    def _send(self, form: Form, faults: list[str]) -> None:
        with self._faults(faults), suppress(RoadError):
            source = self.world.source
            sent = source.write(PHRASE, form.text, first=len(self.forms) < 2, seed=form.seed, after=form.after)
            form.acknowledged |= run(sent).result in SAFE

    @contextmanager
    def _faults(self, faults: list[str]) -> Iterator[None]:
        self.pool.faults = list(faults)
        yield
        self.pool.faults = []

    @rule(size=SIZES, faults=FAULTS)
    def write(self, size: int, faults: list[str]) -> None:
        """The source sends a form."""
        self.forms.append(Form(secrets.token_hex(4).ljust(size, "x"), secrets.token_bytes(32), None))
        self._send(self.forms[-1], faults)

    @precondition(lambda self: self.forms)
    @rule(number=st.integers(0, 20), faults=FAULTS, data=st.booleans())
    def repeat(self, number: int, faults: list[str], data: bool) -> None:
        """The source sends a form again, acknowledged or not, perhaps with another memory of what came before."""
        form = self.forms[number % len(self.forms)]
        self._send(replace(form, after=bytes(16)) if data and form.acknowledged else form, faults)

    @rule(size=SIZES, late=st.integers(0, 2))
    def answer(self, size: int, late: int) -> None:
        """The member answers; the last parts to go, of which part 0 is one, wait."""
        edition = edition_of(self.world.now)
        place = Place(edition // QUARTERS, self.world.org.slot, edition % QUARTERS)
        if place in self.answers:
            return
        text = secrets.token_hex(4).ljust(size, "y")
        self.answers[place] = Posted(text, place, list(reversed(self.world.seal(text, place))))
        self._post(self.answers[place], late)

    @rule()
    def post(self) -> None:
        """The member's desk sends what waits."""
        for posted in self.answers.values():
            self._post(posted, 0)

    def _post(self, posted: Posted, late: int) -> None:
        while len(posted.waiting) > late:
            self.world.put(*posted.waiting.pop(0))
            posted.editions.append(edition_of(self.world.now))

    @rule()
    def close(self) -> None:
        """An edition closes."""
        if self.world.now < (TODAY + 5) * 86_400:  # duty keys last so long
            self.world.close(EDITION_SECONDS)

    @invariant()
    def what_is_whole_and_public_is_found(self) -> None:
        """And nothing else, newest first."""
        now = edition_of(self.world.now)
        public = [each for each in self.answers.values() if not each.waiting and max(each.editions) < now]
        newest = sorted(public, key=lambda each: (each.place.epoch, each.place.n), reverse=True)
        assert self.world.texts() == [each.text for each in newest]

    def teardown(self) -> None:
        """The member reads all: each acknowledged text once, and no text twice or that was never written."""
        with self.ends:
            read = [message.body.text for message in self.world.read()]
            assert len(read) == len(set(read))
            assert set(read) <= {form.text for form in self.forms}
            assert {form.text for form in self.forms if form.acknowledged} <= set(read)


TestConversation = Conversation.TestCase
TestConversation.settings = settings(
    max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
