"""Who is a member, as the office's folder says without its passphrase: invitations and the list of devices."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sottovoce.protocol.errors import Refused

from .card import UntrustedAccess
from .join import Invitation
from .mark import need_today
from .published import SignedFolder
from .roster import UntrustedRoot, UntrustedRoster


class Device(NamedTuple):
    """A slot that holds a member's device, and its label."""

    slot: int
    label: str


def invitation(office: Path, today: int) -> Invitation:
    """What a person is given who shall join; Refused when the folder holds no office, or what it signed is over."""
    need_today(office)
    signed = SignedFolder(office / "signed")
    root, card = signed.get("root"), signed.get("card")
    if root is None or card is None:
        raise Refused("roster", f"{office} holds no office: check the path.")
    invited = Invitation(root, card)
    invited.verify(today)
    return invited


def devices(office: Path) -> list[Device]:
    """The slots that hold a device, whether or not the roster needs to be renewed."""
    need_today(office)
    signed = SignedFolder(office / "signed")
    root_raw, roster_raw, access_raw = (signed.get(kind) for kind in ("root", "roster", "access"))
    if root_raw is None:
        raise Refused("roster", f"{office} holds no office: check the path.")
    if roster_raw is None or access_raw is None:
        return []
    read = UntrustedRoot.of(root_raw)
    root, access = read.verify(None, read.claim.issued), UntrustedAccess.of(access_raw)
    slots = UntrustedRoster.of(roster_raw).verify_kept(root).slots
    clients = access.verify_kept(root).clients
    return [Device(number, slots[number].label) for number in sorted(clients)]
