"""What is made of a call's films, as steps: bodies, cards and sounds that films share, then one file a platform.

build/parts/            sounds, bodies and cards: each made once, whoever needs it
build/films/VIDEO/      PLATFORM-LANGUAGE.mp4 and .png, and captions under the names that platforms want
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from ..call import Call
from ..errors import CallError
from ..platforms import Platform, platforms
from ..srt import Cue
from ..steps import Step
from ..tongues import TONGUES
from ..words import words
from .bodies import Body, body_step
from .cards import CardFilm
from .encode import Cut
from .fonts import files
from .join import check_limits, join
from .quality import Quality, quality
from .run import versions
from .sidecar import sidecar, sidecar_name
from .thumbnail import Thumbnail
from .tracks import Track
from .version import Version

T = TypeVar("T")


@dataclass(frozen=True)
class Film:
    """One film for one platform in one language."""

    version: Version
    name: str

    @property
    def platform(self) -> Platform:
        """The platform; CallError where nothing is known of it."""
        known = platforms()
        if self.name not in known:
            raise CallError(f"Nothing is known of the platform {self.name}: write one of {', '.join(known)}.")
        return known[self.name]

    @cached_property
    def quality(self) -> Quality:
        """How finely it is encoded."""
        return quality(self.platform, self.version.source.seconds)

    @cached_property
    def body(self) -> Body:
        """Its pictures without the card."""
        burnt = self.version.burnt(self.platform.shape, captions=self.platform.captions == "burnt")
        size = (self.platform.width, self.platform.height)
        crf, kbps, _ = self.quality
        what = "captions" if self.platform.captions == "burnt" else "plain"
        name = f"{self.version.source.name}-{size[0]}x{size[1]}-{crf}-{kbps}-{burnt.tongue.tag}-{what}.mp4"
        return Body(self.version.source, Cut(name, self.platform.shape, size, crf, kbps), burnt)

    @cached_property
    def card(self) -> CardFilm:
        """The end card that is joined to it."""
        cut, version = self.body.cut, self.version
        return CardFilm(version.call, version.card, cut.shape, cut.size, cut.crf, version.source.rate)

    @cached_property
    def track(self) -> Track:
        """Its sound."""
        return Track.of(self.version.video, self.version.language, self.quality.sound)

    @property
    def parts(self) -> Path:
        """Where the parts of its video lie."""
        return self.version.call.built / "parts" / self.version.video.name

    @property
    def folder(self) -> Path:
        """Where it lies when it is finished."""
        return self.version.call.built / "films" / self.version.video.name

    @property
    def needs(self) -> tuple[Path, Path, Path]:
        """Body, card and sound."""
        return self.parts / self.body.cut.name, self.card.path, self.track.path(self.parts)

    def finished(self, ending: str) -> Path:
        """The finished file with an ending."""
        return self.folder / f"{self.name}-{self.version.language}.{ending}"


def film_steps(call: Call) -> list[Step]:
    """All steps for all films of a call; CallError for what can't be built. What is finished lies in build/films/."""
    drafts = {language: call.draft(language) for language in call.file.languages}
    versions_of = [Version(call, video, tag, draft) for video in call.videos for tag, draft in drafts.items()]
    films = [Film(version, name) for version in versions_of for name in call.file.platforms]
    return [*_parts(films), *_joins(films), *_thumbnails(films), *_sidecars(films)]


def _parts(films: Sequence[Film]) -> Iterator[Step]:
    """What several films share. The longest work comes first."""

    def drawing(film: Film) -> Hashable:
        return film.parts, film.version.source.name, film.version.source.drawn_as(film.platform.shape)

    for of in _grouped(films, drawing):
        shape = of[0].version.source.drawn_as(of[0].platform.shape)
        bodies = {film.body.cut.name: film.body for film in of}
        yield body_step(shape, list(bodies.values()), of[0].parts)
    yield from (of[0].track.step(of[0].parts) for of in _grouped(films, lambda film: film.track.path(film.parts)))
    yield from (of[0].card.step() for of in _grouped(films, lambda film: film.card.path))


def _joins(films: Sequence[Film]) -> Iterator[Step]:
    """One file a platform and language; platforms that show the same share the work."""
    for of in _grouped(films, lambda film: (film.needs, film.version.language)):
        outputs = tuple(film.finished("mp4") for film in of)
        recipe = "\0".join(["join", versions(), *(repr(film.platform) for film in of)])
        yield Step("joining", outputs, of[0].needs, recipe, partial(_join, of))


def _join(films: Sequence[Film], fresh: Path) -> None:
    first, *others = (fresh / film.finished("mp4").name for film in films)
    join(*films[0].needs, first)
    for other in others:
        os.link(first, other)
    for film in films:
        check_limits(fresh / film.finished("mp4").name, film.platform)


def _thumbnails(films: Sequence[Film]) -> Iterator[Step]:
    for of in _grouped(films, lambda film: (film.folder, film.version.language, film.platform.shape)):
        version, shape = of[0].version, of[0].platform.shape
        source, own = version.source, version.call.texts[version.language].organisation
        t = min(version.video.file.thumbnail, source.seconds - 1 / source.rate)
        draft = words(version.language).draft if version.draft else ""
        burnt = version.burnt(shape, captions=False, own=True)
        thumbnail = Thumbnail(source, shape, t, burnt, version.texts.title, own, draft)
        names = [film.finished("png") for film in of]
        recipe = "\0".join(["thumbnail", versions(), source.recipe, repr(thumbnail)])
        inputs = tuple(dict.fromkeys((*source.inputs, *files())))
        yield Step("thumbnails", tuple(names), inputs, recipe, partial(_thumbnail, thumbnail, names))


def _thumbnail(thumbnail: Thumbnail, names: Sequence[Path], fresh: Path) -> None:
    first, *others = (fresh / name.name for name in names)
    thumbnail.make(first.name, fresh)
    for other in others:
        os.link(first, other)


def _sidecars(films: Sequence[Film]) -> Iterator[Step]:
    aside = [film for film in films if film.platform.captions == "sidecar"]

    def path(film: Film) -> Path:
        return film.folder / sidecar_name(film.platform, film.version.video.name, TONGUES[film.version.language])

    for of in _grouped(aside, path):
        text = sidecar(path(of[0]).name, _marked(of[0].version))
        yield Step("captions", (path(of[0]),), (), f"captions\0{text}", partial(_write, path(of[0]).name, text))


def _marked(version: Version) -> list[Cue]:
    """Captions beside a film: those of a draft begin with that word."""
    cues = list(version.cues)
    if version.draft and cues:
        cues[0] = replace(cues[0], text=f"{words(version.language).draft} · {cues[0].text}")
    return cues


def _write(name: str, text: str, fresh: Path) -> None:
    (fresh / name).write_text(text, "utf-8")


def _grouped(values: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Values with the same key together, in the order of their first ones."""
    groups: dict[Hashable, list[T]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return list(groups.values())
