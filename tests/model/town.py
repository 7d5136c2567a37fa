"""What can happen in the model: two sources, two desks, one server, one clock."""

from __future__ import annotations

from pathlib import Path
from random import Random

from model.people import Answered, Form, Member, Writer
from model.road import Fault
from model.server import Clock, Server

from sottovoce.desk.road import SyncReport
from sottovoce.protocol.sizes import ANSWER_EPOCHS, EDITION_SECONDS, EPOCH_SECONDS, QUARTERS

DESKS, SOURCES = ("ana", "ben"), ("reed", "wren")
SIZES = {1: 40, 2: 9_000, 3: 14_000}  # bytes of text that fill so many parts, both ways


class Town:
    """Server, two desks and two sources. `honest`: the server never lied, so that no desk may raise an alarm."""

    def __init__(self, folder: Path, keys: dict[str, bytes], dice: Random) -> None:
        self.clock, self.dice, self.honest = Clock(), dice, True
        self.server = Server(folder, self.clock)
        self.members = [Member(name, folder / name, keys[name], self.server, self.clock, dice) for name in DESKS]
        self.writers = [Writer(name, self.server, self.clock, dice) for name in SOURCES]
        self.newest = self.server.today  # the greatest epoch that the server ever had
        self._texts = 0

    @property
    def org(self) -> bytes:
        """The organisation's name."""
        return self.server.signed.published(self.server.today).root.org

    def close(self) -> None:
        """Gives back what is open."""
        for member in self.members:
            member.vault.close()
        self.server.close()

    def text(self, parts: int) -> str:
        """A text that is nowhere else."""
        self._texts += 1
        return f"<{self._texts}>".ljust(SIZES[parts], "x")

    def write(self, source: int, parts: int, faults: list[str], *, linked: bool) -> Form:
        """A source writes, in a new visit or in the one before."""
        writer = self.writers[source]
        return writer.write(self.text(parts), writer.last() if linked else None, faults)

    def sync(self, member: int, fault: Fault | None = None) -> SyncReport | None:
        """A desk syncs; when that was complete it must show all that was acknowledged before."""
        self.server.turn()
        one = self.members[member]
        alive = self.alive()
        report = one.sync(fault)
        self._note_all_sent(one)
        if report is not None and report.complete:
            one.must_have(alive)
        return report

    def repeat(self, source: int, number: int, faults: list[str], *, other_after: bool) -> None:
        """The `number`-th form of the last five days, those without an acknowledgement first, is sent again."""
        writer = self.writers[source]
        recent = [form for form in reversed(writer.forms) if form.day >= writer.today - 5]
        recent.sort(key=lambda form: form.acknowledged)
        if number < len(recent):
            # A device that forgot what came before sends it so only where it was not there already: see `send`.
            writer.send(recent[number], faults, other_after=other_after and recent[number].acknowledged)

    def sync_replayed(self, member: int) -> None:
        """A desk is shown an edition twice."""
        road = self.members[member].road
        if road.gap(self.server.editions.listed()) is not None:
            self.honest, road.replayed = False, True
            self.sync(member)
            road.replayed = False

    def post_one(self, member: int, fault: Fault | None) -> None:
        """A desk posts one envelope, as a run does."""
        one = self.members[member]
        one.post_one(fault)
        self._note_all_sent(one)

    def answer(self, member: int, source: int, parts: int) -> None:
        """A member answers a conversation that the desk knows."""
        one, writer = self.members[member], self.writers[source]
        if writer.id in one.knows():
            text = self.text(parts)
            one.desk.answer(writer.id.hex(), text)
            one.answers.append(Answered(source, text))

    def _note_all_sent(self, one: Member) -> None:
        for answered in one.answers:
            self._note_sent(one, answered)

    def _note_sent(self, one: Member, answered: Answered) -> None:
        """When a desk says that an answer went, all its parts are in the editions up to the open one."""
        for entry in one.entries(self.writers[answered.source].id):
            here = not entry.incoming and answered.text in entry.text and entry.state in ("sent", "seen")
            if here and (answered.sealed is None or entry.edition != answered.sealed):
                answered.sealed, answered.through = entry.edition, self.server.open_edition

    def time_passes(self, *, editions: int = 0, days: int = 0) -> None:
        """In between the server was off; then it closes what is due."""
        self.clock.time += editions * EDITION_SECONDS + days * EPOCH_SECONDS
        self._turned()

    def jump(self, party: str, days: int) -> None:
        """A clock is set to that many days ahead of the true time."""
        self.clock.skews[party] = days
        self._turned()

    def _turned(self) -> None:
        self.server.turn()
        self.newest = max(self.newest, self.server.today)

    def settle(self) -> None:
        """All clocks are right, and everybody syncs until nobody lacks anything that a colleague can give."""
        self.clock.skews.clear()
        for day in range(2):
            for _ in range(3):
                for number in range(len(self.members)):
                    self.sync(number)
            if not any(one.lacks() for one in self.members):
                return
            if day < 1:
                self.time_passes(days=1)

    def alive(self) -> list[tuple[Writer, Form]]:
        """The acknowledged messages all of whose parts lie where a desk can still fetch them."""
        return [
            (writer, form)
            for writer in self.writers
            for form in writer.forms
            if form.acknowledged
            and all(
                self.server.landed.get(tag, self.server.open_edition) // QUARTERS + ANSWER_EPOCHS >= self.newest
                for tag in form.tags
            )
        ]
