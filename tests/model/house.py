"""What must always hold in the model (`check…`), and the folder from which each of its runs begins."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random

from doubles.organisation import NAME as ORGANISATION
from doubles.organisation import PASSPHRASE
from model.people import Answered, Member, Writer
from model.road import Fault
from model.server import START
from model.town import DESKS, Town

from sottovoce.desk.join import join, welcome
from sottovoce.desk.road import SyncReport
from sottovoce.desk.vault import NAME, Vault, Work
from sottovoce.onion.keys import OnionKey
from sottovoce.protocol.sizes import ANSWER_EPOCHS, EDITION_SECONDS, QUARTERS, epoch_of
from sottovoce.trust.join import JoinRequest
from sottovoce.trust.office import KINDS, Office
from sottovoce.trust.office_secrets import Secrets
from sottovoce.trust.published import write_durably

QUICK = Work(memory=65_536, passes=3, lanes=1)


class House(Town):
    """The town, with its promises."""

    def sync(self, member: int, fault: Fault | None = None) -> SyncReport | None:
        """A desk syncs, and is checked."""
        report = super().sync(member, fault)
        self.check_desk(self.members[member])
        return report

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
            if before is not None and form.sole and form.text in places and before.text in places:
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
            one.must += [pair for pair in self.alive() if pair not in one.must]
            self.check_desk(one)
        self.time_passes(editions=1)
        if self.server.open_edition * EDITION_SECONDS > self.clock.time:  # it ran ahead: until it closes
            self.time_passes(days=1)
        for number in range(len(self.writers)):
            self.check_source(number)


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
    dice = Random(1)  # noqa: S311  # so that a run can be repeated
    things = _admit(folder, dice)
    for kind, raw in things.items():
        write_durably(folder / "signed" / f"{kind}.signed", raw)
    keys = {}
    for name in DESKS:
        with Vault.open(folder / name / NAME, name) as vault:
            welcome(vault, things, epoch_of(START))
            keys[name] = vault._key
    house = House(folder, keys, dice)
    house.settle()
    house.close()
    return Founded(folder, keys)


def _admit(folder: Path, dice: Random) -> dict[str, bytes]:
    """Makes office and vaults; what the office signs when both members are admitted, by kind."""
    secrets, today, random = Secrets(*(dice.randbytes(32) for _ in range(3))), epoch_of(START), dice.randbytes
    office = Office.create(folder / "office", PASSPHRASE, secrets, random, today)
    office.sign_card(ORGANISATION, OnionKey.from_seed(secrets.door).address, today)
    members, root = OnionKey.from_seed(secrets.members).address, office.root(today)
    for name in DESKS:
        made = join(folder / name, root.raw, name, today, org=root.org, work=QUICK, random=random)
        office.admit(JoinRequest.read(made.request.read_bytes()), name, members, random, today)
    return {kind: raw for kind in KINDS if (raw := office.signed.get(kind)) is not None}
