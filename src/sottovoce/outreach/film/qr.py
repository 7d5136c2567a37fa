"""The QR code of an onion address: the bare address in capitals, since a link would open outside Tor."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import segno

MODULES = 29  # a side of version 3, which an address of 62 letters takes


def qr_path(address: str, x: int, y: int, module: int) -> str:
    """The dark modules as one path, its corner at x and y. With the least correction, modules are largest."""
    code = segno.make_qr(address.upper(), error="l", boost_error=True)
    return "".join(_runs([list(row) for row in code.matrix], x, y, module))


def _runs(rows: list[list[int]], x: int, y: int, module: int) -> Iterator[str]:
    for row, modules in enumerate(rows):
        column = 0
        for dark, run in groupby(modules):
            length = len(list(run))
            if dark:
                yield f"M{x + column * module} {y + row * module}h{length * module}v{module}h{-length * module}z"
            column += length
