"""What was built, looked at as a stranger would: QR codes, addresses in texts and pictures, what files tell besides.

Every file is read and films are sampled, so this takes minutes: `call check --built` does it.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..call import Call
from ..errors import CallError
from ..film.sizes import CARD_SECONDS
from ..platforms import platforms
from ..proof.evidence import FILMS, PICTURES, TEXTS, Evidence, gather, hash_of
from ..proof.listing import ON_THE_WAY
from ..proof.metadata import traces
from ..proof.onions import others, unlike
from ..proof.qr import codes_of_film
from .finding import Finding
from .lengths import length

PAGE_BYTES = 200_000  # a page that is one file: what a slow line still carries
_SETTLED, _LAST = 1.5, 0.75  # seconds until a card stands whole, and before the end, where no picture may be
_LOOKED_AT = {*FILMS, *PICTURES, *TEXTS, ".pdf", ".zip"}


def check_built(call: Call) -> list[Finding]:
    """All that is wrong with what lies in the call's build folder; copies of a file are looked at once."""
    files = _files(call.built)
    if not files:
        return [Finding("missing", "build", f"Nothing is built: run `sottovoce call build {call.folder}` first.")]
    names = {path: path.relative_to(call.folder).as_posix() for path in files}
    first: dict[bytes, Path] = {}
    for path in files:
        first.setdefault(hash_of(path), path)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = pool.map(lambda path: list(_one(call, path, names[path], first)), first.values())
        looked_at = dict(zip(first.values(), found, strict=True))
    return [
        finding
        for path in files
        for finding in (
            *(Finding("size", names[path], said) for said in _sizes(call, path)), *looked_at.get(path, ()),
        )
    ]  # fmt: skip


def _files(built: Path) -> list[Path]:
    """What leaves this machine, and what stands beside it; not the parts that films are joined from."""
    files = sorted(path for path in built.rglob("*") if path.is_file())
    inside = [(path, path.relative_to(built).parts) for path in files]
    return [path for path, parts in inside if parts[0] not in ON_THE_WAY and not any(p.startswith(".") for p in parts)]


def _one(call: Call, path: Path, name: str, own: Container[bytes]) -> Iterator[Finding]:
    try:
        for trace in traces(path):
            tells = f"{trace.where}: {trace.says}"
            yield Finding("metadata", name, f"{path.name} tells more than it shows ({tells}): build it anew.")
        if path.suffix.lower() in _LOOKED_AT:
            yield from _carried(call, name, path.name, gather(path, own=own))
        if path.suffix.lower() in FILMS:
            yield from (Finding("qr", name, said) for said in _card(call, path))
    except CallError as error:
        yield Finding("form", name, str(error).replace(f"{call.folder}/", ""))


def _carried(call: Call, file: str, name: str, found: Evidence) -> Iterator[Finding]:
    """Codes and addresses that are not the card's, to the letter; in a ZIP, of each file in it."""
    for code in sorted(found.codes - {call.address.upper()}):
        yield Finding("qr", file, f"A QR code in {name} says “{code[:80]}”, not the card's address: build it anew.")
    ours = call.address.removesuffix(".onion")
    read = others(found.read, ours) or {name for each in found.readings for name in unlike(each, ours)}
    strange = found.addresses | read
    for address in sorted(strange - {call.address}):
        yield Finding("address", file, f"{name} shows {address}, which is not on the card: take it out.")
    for inner, part in found.parts.items():
        yield from _carried(call, file, f"{inner} in {name}", part)


def _card(call: Call, path: Path) -> Iterator[str]:
    """What is wrong with the last seconds of a film, which are the card."""
    ends, shown = length(path).seconds, []
    for seconds, codes in codes_of_film(path):  # the end comes first: the rest need not be sampled again
        if ends - CARD_SECONDS + _SETTLED <= seconds <= ends - _LAST:
            shown.append(codes)
        if seconds > ends - _LAST:
            break
    if not shown or not all(any(code.text == call.address.upper() for code in codes) for codes in shown):
        yield f"The last {CARD_SECONDS} s of {path.name} are not the card with its QR code: build it anew."


def _sizes(call: Call, path: Path) -> Iterator[str]:
    size, parts = path.stat().st_size, path.relative_to(call.built).parts
    if parts[0] == "upload" and len(parts) > 1 and parts[1] in platforms() and path.suffix.lower() in FILMS:
        platform = platforms()[parts[1]]
        if platform.bytes_most and size > platform.bytes_most:
            yield f"{path.name} has {size:,} bytes, {platform.name} takes {platform.bytes_most:,}: make it shorter."
    if parts[0] == "pages" and size > PAGE_BYTES:
        yield f"{path.name} has {size:,} bytes, a page that is one file has {PAGE_BYTES:,} at most: shorten its texts."
