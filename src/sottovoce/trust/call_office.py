"""The office's side of calls: it signs off what a call says, and the list of a call's files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from sottovoce.protocol.errors import Refused

from .call_list import CallList, digest_of
from .calls import CALLS_MOST, SignedCall, UntrustedCallTexts
from .languages import is_tag
from .office import Office
from .office_secrets import Random
from .published import SignedFolder, write_durably
from .reviews import Review, check_reviewer, record
from .signed import Claim

_NEEDED, _WHERE_THERE = ("root", "card"), ("languages", "advice")


def sign_texts(office: Office, passphrase: str, call: Path, said: bytes, review: Review, random: Random) -> None:
    """Signs off all that a call says in a language; `call` is the call's folder of signed files.

    The office's root and card of now go there too, so that the folder is read by the same ones. Refused for other texts
    than those that were reviewed, and for another organisation's call.
    """
    if not is_tag(review.language):
        raise Refused("roster", f"{review.language} is no language: write one as fa or zh-Hans.")
    if review.hash != hashlib.sha256(said).digest():
        raise Refused("roster", "The texts are not those that were reviewed: have them reviewed anew.")
    check_reviewer(review.reviewer)
    bring(office.signed, call, review.epoch)
    record(office, passphrase, review, random)
    root, held = office.root(review.epoch), _held(office, call, review.epoch)
    body = {**(held.body if held is not None else {}), review.language: [review.hash, review.epoch]}
    serial = held.serial + 1 if held is not None else 1
    claim = Claim("texts", root.org, serial, review.epoch, root.claim.expires, body)
    write_durably(call / "texts.signed", claim.sign([office.root_key()]))


def _held(office: Office, call: Path, today: int) -> Claim | None:
    """What is signed off already; None also for what this office's key of now did not sign."""
    raw = SignedFolder(call).get("texts")
    try:
        return UntrustedCallTexts.of(raw).verify(office.root(today)).claim if raw is not None else None
    except Refused:
        return None


def bring(signed: SignedFolder, call: Path, today: int) -> None:
    """Copies what the organisation signed for all into a call's folder of signed files: root, card, guides, advice.

    Refused for another organisation's call, and where there is no root or card.
    """
    there = SignedFolder(call)
    if there.get("root") is not None and there.root(today).org != signed.root(today).org:
        raise Refused("roster", "This call is another organisation's: look at its folder, and at the office's.")
    for kind in (*_NEEDED, *_WHERE_THERE):
        if (raw := signed.get(kind)) is not None:
            write_durably(there.path(kind), raw)
        elif kind in _NEEDED:
            raise Refused("roster", f"{signed.folder} holds no {kind}: name the folder of an office.")
    for tag in signed.languages():
        if (pack := signed.pack(tag)) is not None:
            write_durably(there.pack_path(tag), pack)


def sign_call(office: Office, call: Path, listed: CallList, today: int) -> bytes:
    """Signs a call's list, and leaves both in the call's folder of signed files; returns the list's hash.

    Calls whose last day is over go. Interrupted at any point, it can be done again.
    """
    if listed.until < today:
        raise Refused("roster", "The call's last day is over: give it a later one first.")
    bring(office.signed, call, today)
    raw = listed.encode()
    alive = {name: each for name, each in signed_calls(office).items() if each.until >= today}
    alive[listed.name] = SignedCall(digest_of(raw), listed.until)
    if len(alive) > CALLS_MOST:
        raise Refused("roster", f"{CALLS_MOST} calls are signed, the most there can be: withdraw one first.")
    write_durably(office.signed.list_path(listed.name), raw)
    _sign(office, alive, today)
    write_durably(SignedFolder(call).list_path(listed.name), raw)
    write_durably(SignedFolder(call).path("calls"), office.signed.get("calls") or b"")
    return digest_of(raw)


def withdraw_call(office: Office, name: str, today: int) -> None:
    """Takes a call back: its path is no more, and its files are not vouched for."""
    left = signed_calls(office)
    if name not in left:
        raise Refused("roster", f"No call {name} is signed; these are: {', '.join(sorted(left)) or 'none'}.")
    del left[name]
    _sign(office, left, today)


def signed_calls(office: Office) -> dict[str, SignedCall]:
    """What the office signed last."""
    claim = office.claim("calls")
    return {name: SignedCall(*call) for name, call in claim.body.items()} if claim is not None else {}


def _sign(office: Office, calls: Mapping[str, Sequence[object]], today: int) -> None:
    root = office.root(today)
    office.sign("calls", root.org, today, root.claim.expires, {name: list(call) for name, call in calls.items()})
    for path in office.signed.folder.glob("call-*.list"):
        if path.stem.removeprefix("call-") not in calls:
            path.unlink(missing_ok=True)
