"""The whole sound of a storyboard: its lines in a small room, over a bed that steps back while somebody speaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..call import Sound
from ..errors import CallError
from .bed import make_bed
from .sizes import HZ
from .voice import Samples, speak

_VOICE, _BED = 0.16, 0.05  # loudness, root mean square of full scale: the bed is 10 dB below the voice
_DUCKED = 0.5  # of the bed's loudness, while somebody speaks
_ROOM_SECONDS, _ROOM = 0.55, 0.14  # how long a small room sounds after, and how loud
_LOUD, _SOFTER = 0.09, 0.45  # what is louder than this is made softer: else -14 LUFS would need clipped peaks
_FADE = 1.2  # seconds in which all ends


def mix(sound: Sound, folder: Path, seconds: float) -> Samples:
    """Left and right at 48 kHz for a film of so many seconds, its card included; the same for the same input."""
    voice, spoken = _voice(sound, folder, seconds)
    bed = make_bed(sound, folder, seconds)
    t = np.arange(bed.shape[1]) / HZ
    bed = _level(bed, _BED) * _ducked(spoken) * np.clip((seconds - t) / _FADE, 0, 1)
    both = np.stack([_in_room(voice, seed) for seed in (1, 2)])
    return _evened(_level(both, _VOICE) + bed)


def _voice(sound: Sound, folder: Path, seconds: float) -> tuple[Samples, Samples]:
    """All lines on one track, and 1 where somebody speaks."""
    voice, spoken = np.zeros(round(seconds * HZ)), np.zeros(round(seconds * HZ))
    for line in sound.lines:
        said, first = speak(sound, line, folder), round(line.start * HZ)
        if first + len(said) > len(voice):
            ends = (first + len(said)) / HZ
            raise CallError(
                f"The line at {line.start:.1f} s ends at {ends:.1f} s, but the film with its card at {seconds:.1f} s: "
                "shorten it, or let it begin earlier."
            )
        voice[first : first + len(said)] += said / np.sqrt(np.mean(said[np.abs(said) > 0.01] ** 2))
        spoken[max(0, first - int(0.15 * HZ)) : first + len(said) + int(0.2 * HZ)] = 1
    return voice, spoken


def _ducked(spoken: Samples) -> Samples:
    return _smooth(1 - (1 - _DUCKED) * spoken, 0.25)


def _smooth(samples: Samples, seconds: float) -> Samples:
    """A moving mean; at both ends the first and the last value go on."""
    width = int(seconds * HZ)
    padded = np.pad(samples, (width // 2, width - width // 2), mode="edge")
    total = np.cumsum(padded)
    return (total[width:] - total[:-width]) / width


def _level(samples: Samples, to: float) -> Samples:
    """At a loudness, measured where there is sound."""
    heard = samples[np.abs(samples) > 0.01 * np.max(np.abs(samples), initial=0)]
    return samples * (to / np.sqrt(np.mean(heard**2))) if heard.size else samples


def _in_room(voice: Samples, seed: int) -> Samples:
    """With what a small room sends back: noise that dies away, another one for each ear."""
    t = np.arange(int(_ROOM_SECONDS * HZ)) / HZ
    echo = np.random.default_rng(seed).normal(size=len(t)) * np.exp(-11 * t)
    size = 1 << (len(voice) + len(echo)).bit_length()
    back = np.fft.irfft(np.fft.rfft(voice, size) * np.fft.rfft(echo / np.sqrt(np.sum(echo**2)), size), size)
    return np.asarray(voice + _ROOM * back[: len(voice)])


def _evened(both: Samples) -> Samples:
    """Softly compressed, and no sample beyond full scale."""
    loudness = _smooth(np.max(np.abs(both), axis=0), 0.02) + 1e-4
    factor = np.where(loudness > _LOUD, (_LOUD / loudness) ** _SOFTER, 1)
    return np.tanh(1.6 * both * _smooth(factor, 0.03))
