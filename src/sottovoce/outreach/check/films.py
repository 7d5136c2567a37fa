"""Films as video.toml describes them: scenes or a master, their files, times and cameras, and what overlays say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from ..call import Scene, Video
from ..errors import CallError
from ..film.endcard import read_logo
from ..film.sizes import CARD_SECONDS
from .finding import Finding
from .lengths import length, seconds_of
from .parts import Parts, is_plain
from .pictures import codes_in, picture_faults, texts_of

_KEY = re.compile(r"\{(\w+)\}")
LABEL = "label"  # the program writes it
_SECONDS_LEAST = 1


def films(call: Parts) -> Iterator[Finding]:
    """What is wrong with each film's description and pictures."""
    for video in call.videos:
        file = call.path(video.folder / "video.toml")
        yield from (Finding("film", file, said) for said in [*_shape(video), *_times(video), *_shots(video)])
        yield from _pictures(call, video)
        yield from _overlay(call, video)


def logo(call: Parts) -> Iterator[Finding]:
    """What is wrong with the organisation's sign."""
    found = list(_picture(call, call.folder, "logo.svg"))
    yield from found
    if not found and (words := texts_of(call.folder / "logo.svg")):
        said = f"“{words[0]}” stands in logo.svg as text, whose letters differ by machine: turn it into shapes."
        yield Finding("picture", "logo.svg", said)
    elif not found:
        try:
            read_logo(call.folder / "logo.svg")
        except CallError as error:
            yield Finding("picture", "logo.svg", str(error).replace(f"{call.folder}/", ""))


def inside(folder: Path, name: str) -> bool:
    """Whether a file that video.toml names lies below the film's folder, also where it is a link."""
    plain = all(is_plain(part) for part in name.split("/"))
    return plain and (folder / name).resolve().is_relative_to(folder.resolve())


def _shape(video: Video) -> Iterator[str]:
    file = video.file
    if bool(file.scenes) == bool(file.master):
        has = "both scenes and a master" if file.master else "neither scenes nor a master"
        yield f"The film has {has}: give it one of the two."
    if file.scenes and file.seconds < _SECONDS_LEAST:
        yield f"The film's `seconds` are {file.seconds:g}: say how long its scenes are shown together."
    seconds = seconds_of(video)
    if seconds and not 0 <= file.thumbnail < seconds:
        yield f"The thumbnail is taken at {file.thumbnail:g} s, the film has {seconds:g}: name a second within it."


def _times(video: Video) -> Iterator[str]:
    scenes, seconds = video.file.scenes, video.file.seconds
    if scenes and scenes[0].start != 0:
        yield f"The first scene begins at {scenes[0].start:g} s: let it begin at 0."
    for number, (first, second) in enumerate(pairwise(scenes), 2):
        if second.start <= first.start:
            yield f"Scene {number} begins at {second.start:g} s, not after scene {number - 1}: put them in order."
    for number, scene in enumerate(scenes, 1):
        if seconds and scene.start >= seconds:
            yield f"Scene {number} begins at {scene.start:g} s, but the film ends at {seconds:g}: begin it earlier."
        if scene.fade < 0 or (number == 1 and scene.fade):
            yield f"Scene {number} has a fade of {scene.fade:g} s that can't be: give it 0."
        yield from _cameras(number, scene)


def _cameras(number: int, scene: Scene) -> Iterator[str]:
    for shape, places in scene.camera.items():
        if any(zoom <= 0 for *_, zoom in places):
            yield f"The camera of scene {number} has a zoom of 0 or less in {shape}: 1 shows the drawing as it is."
        times = [place[0] for place in places]
        if times != sorted(set(times)) or any(time < 0 for time in times):
            yield f"The camera's times of scene {number} in {shape} are not in order: let each be greater than before."


def _shots(video: Video) -> Iterator[str]:
    shots, seconds = video.file.shots, seconds_of(video)
    starts = [shot.start for shot in shots]
    if starts != sorted(set(starts)):
        yield "The shots are not in the order of time: let each begin after the one before."
    for number, shot in enumerate(shots, 1):
        if seconds and not 0 <= shot.start < seconds:
            yield f"Shot {number} begins at {shot.start:g} s, but the film has {seconds:g}: begin it within the film."
        if not (0 <= shot.x <= 1 and 0 <= shot.y <= 1):
            yield f"Shot {number} looks at a place outside the picture: x and y are from 0 to 1."
    if shots and not video.file.master:
        yield "There are shots, but no master film: shots are parts of one, take them out or name it."


def _pictures(call: Parts, video: Video) -> Iterator[Finding]:
    for name in dict.fromkeys(scene.picture for scene in video.file.scenes):
        yield from _picture(call, video.folder, name)
        if inside(video.folder, name) and (words := texts_of(video.folder / name)):
            said = f"“{words[0]}” stands in a scene, where no language can change it: make it a key of the overlay."
            yield Finding("picture", call.path(video.folder / name), said)
    if video.file.overlay:
        yield from _picture(call, video.folder, video.file.overlay)


def _picture(call: Parts, folder: Path, name: str) -> Iterator[Finding]:
    if not inside(folder, name):
        said = f"“{name}” lies outside the film's folder: put the file into it."
        yield Finding("picture", call.path(folder / "video.toml"), said)
        return
    path = folder / name
    try:
        faults = list(picture_faults(path))
    except OSError:
        yield Finding("missing", call.path(path), f"{call.path(path)} is missing: put it there, or take its name out.")
        return
    yield from (Finding("picture", call.path(path), f"{path.name} {fault}.") for fault in faults)
    for text in codes_in(path) if not faults else ():
        said = f"{path.name} shows a QR code (“{text[:80]}”): take it out, the card at the end has the only one."
        yield Finding("address", call.path(path), said)


def _overlay(call: Parts, video: Video) -> Iterator[Finding]:
    """Each word in the picture is a key that each language has, and each language's words are used."""
    if not video.file.overlay or not inside(video.folder, video.file.overlay):
        return
    path = video.folder / video.file.overlay
    texts = texts_of(path)
    for text in texts:
        if not _KEY.fullmatch(text):
            said = f"“{text}” stands in the overlay as it is: write a key, {{name}}, and its words in each language."
            yield Finding("picture", call.path(path), said)
    keys = {text[1:-1] for text in texts if _KEY.fullmatch(text)} - {LABEL}
    for language in call.languages:
        shown = call.texts[language].videos.get(video.name) if language in call.texts else None
        if shown is not None:
            yield from _words(f"texts/{language}.toml", video.name, keys, set(shown.words))


def _words(file: str, video: str, keys: set[str], words: set[str]) -> Iterator[Finding]:
    for key in sorted(keys - words):
        yield Finding("picture", file, f"The words for “{key}” in the picture of {video} are missing: write them.")
    for key in sorted(words - keys):
        said = f"The picture of {video} has no place for the words “{key}”: take them out, or draw one."
        yield Finding("picture", file, said, "warning")


def masters(call: Parts) -> Iterator[Finding]:
    """Master films and sound tracks that are there, can be read, and are long enough."""
    for video in call.videos:
        file = call.path(video.folder / "video.toml")
        for language, own in video.file.own.items():
            if language not in call.languages:
                yield Finding("film", file, f"{language} has something of its own, but is no language of the call.")
            yield from media(call, video, own.master, pictures=True)
            yield from media(call, video, own.sound, pictures=False)
        yield from media(call, video, video.file.master, pictures=True)


def media(call: Parts, video: Video, name: str, *, pictures: bool) -> Iterator[Finding]:
    """What is wrong with a film or a sound that video.toml names; "" names none."""
    if not name:
        return
    path = video.folder / name
    if not inside(video.folder, name):
        said = f"“{name}” lies outside the film's folder: put the file into it."
        yield Finding("film", call.path(video.folder / "video.toml"), said)
    elif not path.exists():
        yield Finding("missing", call.path(path), f"{call.path(path)} is missing: put it there, or take its name out.")
    else:
        yield from (
            Finding("film", call.path(path), f"{path.name} {fault}") for fault in _held(path, pictures=pictures)
        )


def _held(path: Path, *, pictures: bool) -> Iterator[str]:
    try:
        held = length(path)
    except CallError:
        yield "can't be read by ffprobe: export it anew, as MP4 or WAV."
        return
    if not (held.pictures if pictures else held.sound):
        yield f"has no {'pictures' if pictures else 'sound'} in it: export it anew."
    elif held.seconds < _SECONDS_LEAST:
        yield f"has {held.seconds:g} s only: it needs {_SECONDS_LEAST} at least, the card's {CARD_SECONDS} not counted."
