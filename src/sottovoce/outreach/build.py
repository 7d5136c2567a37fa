"""All that is built of a call, as steps: films, what is uploaded, leaflets, pages, mirrors, the press page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .call import Call, Video
from .film.renditions import film_steps
from .film.sidecar import sidecar_name
from .paper.guide import Section
from .paper.steps import paper_steps
from .platforms import platforms
from .proof.c2pa import KEY, Signer
from .steps import Step
from .tongues import TONGUES
from .upload import Item

PASSED_ON = "forward"  # the platform whose films are small enough for messengers, and go into the ZIPs


def all_steps(call: Call, guides: Mapping[str, Sequence[Section]], today: int) -> list[Step]:
    """Every step of a call's build; `guides` are the chapters of each language's page. CallError for what can't be."""
    signer = Signer.of(call.folder, today) if (call.folder / KEY).exists() else None
    items = list(_items(call, signer))
    uploads = [step for item in items for step in item.steps()]
    small = {tag: [each.film for each in items if each.platform == PASSED_ON and each.language == tag]
             for tag in call.file.languages}  # fmt: skip
    papers = paper_steps(call, guides, films=small, files=[item.film for item in items])
    return [*film_steps(call), *uploads, *papers]


def _items(call: Call, signer: Signer | None) -> Iterator[Item]:
    for language in call.file.languages:
        draft = call.draft(language)
        for name in call.file.platforms:
            for video in call.videos:
                yield Item(call, video, name, language, _made(call, video, name, language), signer, draft)


def _made(call: Call, video: Video, name: str, language: str) -> list[Path]:
    """What the films' steps leave for one platform and language."""
    folder, platform = call.built / "films" / video.name, platforms()[name]
    files = [f"{name}-{language}.mp4", f"{name}-{language}.png"]
    if platform.captions == "sidecar":
        files.append(sidecar_name(platform, video.name, TONGUES[language]))
    return [folder / file for file in files]
