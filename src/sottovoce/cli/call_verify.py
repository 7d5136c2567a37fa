"""`call verify`: whether a file found somewhere carries the organisation's address, another one, or none."""

from __future__ import annotations

from pathlib import Path

import click

from sottovoce.outreach.proof.verify import Kind
from sottovoce.outreach.proof.verify import verify as look
from sottovoce.trust.card_file import CardFile
from sottovoce.trust.published import SignedFolder

from .common import PATH, UserError, out, today
from .text import clean

_EXIT: dict[Kind, int] = {"ours": 0, "fake": 3, "none": 4}
_STYLE: dict[Kind, str] = {"ours": "green", "fake": "bold red", "none": "yellow"}


@click.command()
@click.argument("file", metavar="FILE", type=PATH)
@click.option("--card", type=PATH, help="The organisation's card.json, as its onion site shows it at /card.json.")
@click.option("--call", "folder", type=PATH, help="The folder of a call of yours, with what the office signed.")
@click.pass_context
def verify(context: click.Context, file: Path, card: Path | None, folder: Path | None) -> None:
    """Say whether FILE carries the organisation's address, ANOTHER one (a fake), or none.

    FILE is a film, picture, page, leaflet (PDF) or ZIP. Exit code 0: ours, 3: a fake, 4: no address that can be read.
    """
    held = _held(card, folder)
    verdict = look(file, held)
    out.print(f"Compared with {held.card.name}, whose check words are: {' '.join(held.card.check_words)}", markup=False)
    out.print(f"  {held.card.addresses[0]}\n", markup=False)
    out.print(verdict.sentence, style=_STYLE[verdict.kind], markup=False)
    for reason in verdict.reasons:
        out.print(f"  - {' '.join(clean(reason).split())}", markup=False)
    context.exit(_EXIT[verdict.kind])


def _held(card: Path | None, folder: Path | None) -> CardFile:
    if card is not None and folder is None:
        return CardFile.read(card.read_bytes(), today())
    if folder is not None and card is None:
        return CardFile.of(SignedFolder(folder / "signed"), today())
    raise UserError("With what shall it be compared? Name --card FILE or --call FOLDER, one of them.")
