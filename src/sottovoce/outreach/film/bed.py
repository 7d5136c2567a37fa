"""The bed of sound beneath a voice: held chords and struck notes made of sine waves, or a recording."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..call import Chord, Note, Sound
from ..errors import CallError
from .run import run
from .sizes import HZ
from .voice import Samples

_IN, _OUT = 1.4, 1.6  # seconds in which a chord comes and goes; one goes while the next comes
_BESIDE = ((-0.06, 0.3), (0.05, 0.7))  # two strings a key, a little out of tune, left and right of the middle
_RINGS = 3.5  # seconds after which a struck note can't be heard


def make_bed(sound: Sound, folder: Path, seconds: float) -> Samples:
    """Left and right at 48 kHz for a film's whole length; silence where nothing is asked for."""
    made = np.zeros((2, round(seconds * HZ)))
    if sound.bed:
        recorded = _read(folder / sound.bed)[:, : made.shape[1]]
        made[:, : recorded.shape[1]] += recorded
    ends = [later.start + _OUT for _, later in pairwise(sound.chords)] + [seconds]
    for chord, end in zip(sound.chords, ends, strict=False):
        _add(made, _chord(chord, min(end, seconds)), chord.start)
    for note in sound.notes:
        _add(made, _note(note), note.start)
    return made


def _add(to: Samples, part: Samples, start: float) -> None:
    first = round(start * HZ)
    to[:, first : first + part.shape[1]] += part[:, : max(0, to.shape[1] - first)]


def _chord(chord: Chord, end: float) -> Samples:
    t = chord.start + np.arange(max(0, round((end - chord.start) * HZ))) / HZ
    shape = np.clip((t - chord.start) / _IN, 0, 1) * np.clip((end - t) / _OUT, 0, 1)
    made = np.zeros((2, len(t)))
    for number, key in enumerate(chord.keys):
        breath = 1 + 0.15 * np.sin(np.pi * (0.22 + 0.06 * number) * t + number)
        for beside, right in _BESIDE:
            wave = _partials(_hertz(key + beside), t, number) * breath
            made += np.outer((1 - right, right), wave)
    return 0.09 * made * shape * shape * (3 - 2 * shape)


def _partials(hertz: float, t: Samples, phase: int) -> Samples:
    waves = (np.sin(2 * np.pi * hertz * part * t + part * phase) / part**2.1 for part in (1, 2, 3, 4))
    return np.asarray(sum(waves))


def _note(note: Note) -> Samples:
    t = np.arange(round(_RINGS * HZ)) / HZ
    parts: Sequence[int] = (1, 2, 3, 4, 5)
    waves = (
        np.sin(2 * np.pi * _hertz(note.key) * k * (1 + 0.0004 * k * k) * t) * np.exp(-t * k * 1.2) / k**1.5
        for k in parts
    )
    struck = np.asarray(sum(waves)) * np.exp(-t * 1.7) * np.clip(t / 0.006, 0, 1)
    return 0.16 * np.outer((0.55, 0.45), struck)


def _hertz(key: float) -> float:
    return float(440 * 2 ** ((key - 69) / 12))


def _read(path: Path) -> Samples:
    if not path.exists():
        raise CallError(f"{path} is missing: put the recording there, or take `bed` out of the film's sound.")
    command = ("ffmpeg", "-nostdin", "-v", "error", "-i", f"file:{path}", "-map", "0:a:0", "-ac", "2")
    raw = run(*command, "-ar", str(HZ), "-f", "f32le", "-", about=str(path)).stdout
    return np.frombuffer(raw, "<f4").astype(np.float64).reshape(-1, 2).T
