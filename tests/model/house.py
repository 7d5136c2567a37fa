"""The whole of the model in one object: what can happen, and what must always hold (`check…`)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random

from doubles.organisation import NAME as ORGANISATION
from doubles.organisation import PASSPHRASE
from model.people import Answered, Form, Member, Writer
from model.server import START, Clock, Server

from sottovoce.desk.join import join, welcome
from sottovoce.desk.road import SyncReport
from sottovoce.desk.vault import NAME, Vault, Work
from sottovoce.onion.keys import OnionKey
from sottovoce.protocol.sizes import ANSWER_EPOCHS, EDITION_SECONDS, EPOCH_SECONDS, QUARTERS, epoch_of
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.office import KINDS, Office
from sottovoce.trust.office_secrets import Secrets
from sottovoce.trust.published import write_durably

DESKS, SOURCES = ("ana", "ben"), ("reed", "wren")
QUICK = Work(memory=65_536, passes=3, lanes=1)
SIZES = {1: 40, 2: 9_000, 3: 14_000}  # bytes of text that fill so many parts, both ways


@dataclass(frozen=True)
class Founded:
    """A folder with a server on duty and two vaults, to be copied: a vault and an office cost a passphrase's work."""

    folder: Path
    keys: dict[str, bytes]

    def copy(self, folder: Path, seed: int = 0) -> House:
        """A house of its own in another folder."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return House(folder, self.keys, Random(seed))  # noqa: S311  # so that a run can be repeated


def found(folder: Path) -> Founded:
    """An organisation with two members who synced once each; sources can write."""
    dice, today = Random(1), epoch_of(START)  # noqa: S311  # so that a run can be repeated
    office = Office.create(
        folder / "office", PASSPHRASE, Secrets(*(dice.randbytes(32) for _ in range(3))), dice.randbytes, today
    )
    office.sign_card(ORGANISATION, OnionKey.from_seed(office.secrets.door).address, today)
    members = OnionKey.from_seed(office.secrets.members).address
    root, signed = office.root(today), office.signed
    for name in DESKS:
        made = join(folder / name, root.raw, name, today, org=root.org, work=QUICK, random=dice.randbytes)
        office.admit(JoinRequest.read(made.request.read_bytes()), name, members, dice.randbytes, today)
    things = {kind: raw for kind in KINDS if (raw := signed.get(kind)) is not None}
    for kind, raw in things.items():
        write_durably(folder / "signed" / f"{kind}.signed", raw)
    keys = {}
    for name in DESKS:
        with Vault.open(folder / name / NAME, name) as vault:
            welcome(vault, things, today)
            keys[name] = vault._key
    house = House(folder, keys, dice)
    house.settle()
    house.close()
    return Founded(folder, keys)


class House:
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

    # What happens.

    def write(self, source: int, parts: int, faults: list[str], *, linked: bool) -> Form:
        """A source writes, in a new visit or in the one before."""
        writer = self.writers[source]
        return writer.write(self.text(parts), writer.last() if linked else None, faults)

    def sync(self, member: int, fault: tuple[int, str] | None = None) -> SyncReport | None:
        """A desk syncs, and is checked."""
        self.server.turn()
        one = self.members[member]
        alive = self._alive()
        report = one.sync(fault)
        self._note_all_sent(one)
        if report is not None and report.complete and not one.lacks():
            one.must += [pair for pair in alive if pair not in one.must]
        self.check_desk(one)
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

    def post_one(self, member: int, fault: tuple[int, str] | None) -> None:
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
        for day in range(3):
            for _ in range(3):
                for number in range(len(self.members)):
                    self.sync(number)
            if not any(one.lacks() for one in self.members):
                return
            if day < 2:
                self.time_passes(days=1)

    # What must hold.

    def _alive(self) -> list[tuple[Writer, Form]]:
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

    def check_desk(self, one: Member) -> None:
        """What a desk shows: whole, once, in order, from sources only; and no alarm where nobody lied."""
        assert one.knows() <= {writer.id for writer in self.writers}, "a conversation of nobody"
        for writer in self.writers:
            entries = [entry for entry in one.entries(writer.id) if entry.incoming]
            shown = [entry.text for entry in entries if entry.have == entry.parts]
            assert len(shown) == len(set(shown)), f"{one.name} shows a message twice"
            assert set(shown) <= {form.text for form in writer.forms}, f"{one.name} shows what no source wrote"
            must = [form for each, form in one.must if each is writer]
            assert {form.text for form in must} <= set(shown), f"{one.name} misses a message that was acknowledged"
            self._check_editions(one, writer, shown)
            self._check_visits(one, writer, {entry.text: (entry.edition, at) for at, entry in enumerate(entries)})
        if self.honest:
            assert one.vault.alarms() == [], f"{one.name} raises an alarm, and nobody lied"

    def _check_editions(self, one: Member, writer: Writer, shown: list[str]) -> None:
        """What was sent twice under different names is in two, either of which a desk may find first."""
        places = {form.text: self.server.landed.get(form.tags[0]) for form in writer.forms if form.tags and form.sole}
        known = [place for text in shown if (place := places.get(text)) is not None]
        assert known == sorted(known), f"{one.name} does not keep the order of editions"

    @staticmethod
    def _check_visits(one: Member, writer: Writer, places: dict[str, tuple[int | None, int]]) -> None:
        for form in writer.forms:
            before = form.after
            if before is not None and form.text in places and before.text in places:
                (edition, at), (edition_before, at_before) = places[form.text], places[before.text]
                if edition == edition_before:
                    assert at_before < at, f"{one.name} shows a visit's messages in another order"

    def check_source(self, number: int) -> None:
        """What a source finds: its own answers, once each; all that went and are public."""
        writer = self.writers[number]
        found = [answer.body.text for answer in writer.inbox().answers]
        texts = "\n\n".join(found)
        for one in self.members:
            for answered in one.answers:
                times = texts.count(answered.text)
                assert times <= 1, f"{writer.name} finds an answer {times} times"
                assert not times or answered.source == number, f"{writer.name} finds another source's answer"
                assert times or not self._is_public(answered, number, writer.today), f"{writer.name} misses an answer"

    def _is_public(self, answered: Answered, source: int, today: int) -> bool:
        """Whether it went to this source, lies in closed editions that live, and at a place where it looks."""
        if answered.source != source or answered.sealed is None or answered.through >= self.server.open_edition:
            return False
        epoch = answered.sealed // QUARTERS
        return max(today, self.newest) - ANSWER_EPOCHS <= epoch <= today + 1

    def check_all(self) -> None:
        """At the end everybody has what is alive."""
        self.settle()
        for one in self.members:
            one.must += [pair for pair in self._alive() if pair not in one.must]
            self.check_desk(one)
        self.time_passes(editions=1)
        if self.server.open_edition * EDITION_SECONDS > self.clock.time:  # it ran ahead: until it closes
            self.time_passes(days=1)
        for number in range(len(self.writers)):
            self.check_source(number)
