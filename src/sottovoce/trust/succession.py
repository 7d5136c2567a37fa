"""A new root key: the one of now hands over to it, and it signs all anew (spec 8.4)."""

from __future__ import annotations

from dataclasses import replace

from sottovoce.protocol.errors import Refused

from .office import ROOT_DAYS, SIGNED, Office
from .office_secrets import Random, Secrets, key_of, public_of
from .published import write_durably
from .roster import ROOTS, UntrustedRoot, join_roots
from .signed import Claim


def begin_succession(office: Office, passphrase: str, random: Random, today: int) -> Secrets:
    """Makes a new root key and signs all anew with it; returns the secrets without the old key, for a backup.

    The office keeps both keys until `end_succession`. Interrupted at any point, it goes on with the same new key when
    it is called again.
    """
    chain = office.read_root()
    if len(chain.documents) >= ROOTS:
        raise Refused("roster", f"There are {ROOTS} root documents already, the most there can be.")
    new = office.secrets.successor or random(32)
    office.keep_secrets(replace(office.secrets, successor=new), passphrase, random)
    if chain.claim.body != public_of(new):
        _hand_over(office, chain, new, today)
    _sign_all_anew(office, today)
    return replace(office.secrets, root=new, successor=None)


def _hand_over(office: Office, chain: UntrustedRoot, new: bytes, today: int) -> None:
    before = chain.claim
    org = office.signed.root(before.issued).org
    claim = Claim("root", org, before.serial + 1, max(today, before.issued), today + ROOT_DAYS, public_of(new))
    raw = claim.sign([office.root_key(), key_of(new)])
    write_durably(office.signed.path("root"), join_roots([*(each.raw for each in chain.documents), raw]))


def _sign_all_anew(office: Office, today: int) -> None:
    serial = office.read_root().claim.serial
    for kind in SIGNED:
        claim = office.claim(kind, roots=2)
        if claim is not None:
            body = [*claim.body[:4], serial, claim.body[5]] if kind == "card" else claim.body
            office.sign_again(claim, today, body)


def end_succession(office: Office, passphrase: str, random: Random) -> None:
    """Destroys the old root key: the office's file holds the new one only from now on."""
    new = office.secrets.successor
    if new is not None:
        office.keep_secrets(replace(office.secrets, root=new, successor=None), passphrase, random)
