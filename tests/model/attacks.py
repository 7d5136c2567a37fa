"""What strangers and a dishonest colleague put into the pool."""

from __future__ import annotations

from dataclasses import replace

from model.house import House
from model.people import Member

from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import TO_DESK, DeskPart, Header, LaterPart, body_hash, decode
from sottovoce.protocol.sealing import binding, seal
from sottovoce.protocol.sizes import ENVELOPE, TAG

CANDIDATES = 3  # forged ones for one part of one message: with four a colleague makes it lost, as spec 7.5.1 says


class Attacker:
    """Puts things into a house's pool; nothing of it may be shown to anybody."""

    def __init__(self, house: House) -> None:
        self._house, self._server, self._dice = house, house.server, house.dice
        self._forged: dict[tuple[bytes, int], int] = {}

    def attack(self, kind: str, member: Member) -> None:
        """One of those below; `member` is the colleague, where it takes one."""
        attack = getattr(self, kind)
        attack(member) if kind in ("reseal", "forge", "forge_later") else attack()

    def _put(self, envelope: bytes) -> None:
        self._server.run(self._server.put(self._server.today, self._dice.randbytes(TAG), envelope))

    def junk(self) -> None:
        """Random bytes."""
        self._put(self._dice.randbytes(ENVELOPE))

    def copy(self) -> None:
        """An envelope that lies there already, under another tag."""
        tags = sorted(self._server.landed)
        envelope = self._server.held(self._dice.choice(tags)) if tags else None
        if envelope is not None:
            self._put(envelope)

    def _seal(self, plaintext: bytes) -> None:
        """Under a new tag, to the day's duty key, as a source would."""
        duty, today = self._server.signed.published(self._server.today).duty, self._server.today
        if duty is None or today not in duty.keys:
            return
        tag = self._dice.randbytes(TAG)
        info = binding(self._house.org, TO_DESK, today, tag)
        self._server.run(self._server.put(today, tag, seal(plaintext, duty.keys[today], info)))

    def orphan(self) -> None:
        """A later part of no message."""
        header = Header(TO_DESK, self._dice.randbytes(TAG), 1, 2)
        self._seal(LaterPart(header, b"nobody's").encode())

    def reseal(self, member: Member) -> None:
        """A colleague seals again exactly what a source wrote."""
        opened = self._opened(member)
        if opened:
            self._seal(self._dice.choice(opened))

    def forge(self, member: Member) -> None:
        """A colleague seals a first part with the source's keys and another text, under the old id or a new one."""
        firsts = [part for raw in self._opened(member) if isinstance(part := decode(raw, TO_DESK), DeskPart)]
        if firsts:
            part, data = self._dice.choice(firsts), Body(self._dice.randbytes(8).hex()).encode()
            name = self._dice.choice([part.header.message_id, self._dice.randbytes(TAG)])
            header = Header(TO_DESK, name, 0, 1)
            self._seal(replace(part, header=header, body=data, body_hash=body_hash(data)).encode())

    def forge_later(self, member: Member) -> None:
        """A colleague seals another later part for a message of several parts."""
        headers = [part.header for raw in self._opened(member) if (part := decode(raw, TO_DESK)).header.parts > 1]
        if not headers:
            return
        header = self._dice.choice(headers)
        number = self._dice.randrange(1, header.parts)
        times = self._forged.get((header.message_id, number), 0)
        if times < CANDIDATES:
            self._forged[header.message_id, number] = times + 1
            self._seal(LaterPart(replace(header, part=number), self._dice.randbytes(40)).encode())

    @staticmethod
    def _opened(member: Member) -> list[bytes]:
        query = "SELECT plaintext FROM plain UNION SELECT plaintext FROM later ORDER BY plaintext"
        return [bytes(raw) for (raw,) in member.vault.rows(query)]
