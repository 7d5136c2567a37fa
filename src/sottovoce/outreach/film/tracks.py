"""Sound tracks: which one a language hears, and the step that makes it. Each is encoded once, whoever needs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from ..call import Video
from ..steps import Step
from .loudness import encode_file, encode_mix, encode_silence
from .run import versions
from .sizes import CARD_SECONDS
from .sources import Filmed, source_of


@dataclass(frozen=True)
class Track:
    """A sound track for a body of some seconds and its card: a file's, or (`file` None) what the video tells."""

    video: Video
    name: str
    file: Path | None
    seconds: float
    kbps: int

    @classmethod
    def of(cls, video: Video, language: str, kbps: int) -> Track:
        """What a language hears: its own sound, that of its master film, or the storyboard's."""
        source, own = source_of(video, language), video.file.own.get(language)
        if own and own.sound:
            return cls(video, f"own-{language}", video.folder / own.sound, source.seconds, kbps)
        heard = source.master.path if isinstance(source, Filmed) and source.master.has_sound else None
        return cls(video, source.name, heard, source.seconds, kbps)

    def step(self, folder: Path) -> Step:
        """The step that makes it."""
        sound = self.video.file.sound
        names = [*(line.file for line in sound.lines), sound.bed]
        inputs = (self.file,) if self.file else tuple(self.video.folder / name for name in dict.fromkeys(names) if name)
        heard = "" if self.file else msgspec.json.encode(sound).decode()
        recipe = "\0".join(["sound", versions(), heard, repr((self.seconds, self.kbps))])
        return Step("sound", (self.path(folder),), inputs, recipe, partial(self._make, self.path(folder).name))

    def path(self, folder: Path) -> Path:
        """Where it lies."""
        return folder / f"sound-{self.name}-{self.kbps}.m4a"

    def _make(self, name: str, fresh: Path) -> None:
        total, sound = self.seconds + CARD_SECONDS, self.video.file.sound
        if self.file is not None:
            ends = total if self.name.startswith("own-") else self.seconds  # it may go on while the card is shown
            encode_file(self.file, ends, total, self.kbps, fresh / name)
        elif sound.lines or sound.chords or sound.notes or sound.bed:
            from .sound import mix  # noqa: PLC0415 as NumPy, which only a mix needs

            encode_mix(mix(sound, self.video.folder, total), self.kbps, fresh / name)
        else:
            encode_silence(total, self.kbps, fresh / name)
