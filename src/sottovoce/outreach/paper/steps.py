"""All that travels where sites are blocked, as steps of a call's build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from sottovoce.outreach.call import Call
from sottovoce.outreach.steps import Step

from .content import Paper
from .guide import Section
from .leaflet import leaflet_step
from .mirror import mirror_steps
from .onefile import one_file
from .pass_on import pass_on_step
from .paths import check_path
from .press import press_steps


def paper_steps(
    call: Call,
    guides: Mapping[str, Sequence[Section]],
    *,
    films: Mapping[str, Sequence[Path]] | None = None,
    files: Sequence[Path] = (),
) -> list[Step]:
    """Pages, leaflets, ZIPs, the mirror, the press pages: all below what the call builds.

    `guides`: the chapters of each language's page. `films`: small cuts by language, for the ZIPs. `files`: outputs of
    other steps, which the press pages list with their hashes beside these papers. CallError where a text is too long
    for its paper, or something would be told that must not be.
    """
    check_path(call.file.name)
    papers = [Paper.of(call, language) for language in call.file.languages]
    handed: list[Step] = []
    for paper in papers:
        handed += [_page_step(call, paper, guides[paper.lang]), leaflet_step(call, paper)]
        handed.append(pass_on_step(call, paper, (films or {}).get(paper.lang, ())))
    listed = [*files, *(output for step in handed for output in step.outputs)]
    return [*handed, *mirror_steps(call, papers), *press_steps(call, papers, listed)]


def _page_step(call: Call, paper: Paper, guide: Sequence[Section]) -> Step:
    content = one_file(paper, guide)
    output = call.built / "pages" / f"{paper.lang}.html"
    return Step("pages", (output,), (), content.decode(), partial(_write, output.name, content))


def _write(name: str, content: bytes, folder: Path) -> None:
    (folder / name).write_bytes(content)
