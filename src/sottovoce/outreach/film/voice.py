"""Spoken lines: read by espeak-ng, or recorded; each as samples without the silence around it."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from ..call import Line, Sound
from ..errors import CallError
from .run import run
from .sizes import HZ

Samples = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
_QUIET = 0.006  # of the loudest possible: what is softer is no speech
_BEFORE, _AFTER = 0.01, 0.04  # seconds kept around the speech
_HEADER = 44  # bytes of a WAV file before its samples
_TONES = '<prosody range="+100%" pitch="+30%">{}</prosody>'  # Mandarin's tones span four semitones else: flat


def speak(sound: Sound, line: Line, folder: Path) -> Samples:
    """One line, mono at 48 kHz; CallError where its voice or file can't be used."""
    spoken = _read(folder / line.file) if line.file else _band(_synthetic(sound, line.say))
    loud = np.nonzero(np.abs(spoken) > _QUIET)[0]
    if not loud.size:
        raise CallError(f"The line at {line.start:.1f} s is silent: give it words to say, or a recording with a voice.")
    return spoken[max(0, loud[0] - int(_BEFORE * HZ)) : loud[-1] + int(_AFTER * HZ)]


def _synthetic(sound: Sound, words: str) -> Samples:
    text = escape(words)
    marked = _TONES.format(text) if sound.voice.startswith("cmn") else text
    command = ("espeak-ng", "-m", "-v", sound.voice, "-s", str(sound.rate), "-a", "120", "--stdout", "--stdin")
    raw = run(*command, given=marked.encode(), about=f'the voice "{sound.voice}"').stdout
    hz = int.from_bytes(raw[24:28], "little")
    return resampled(np.frombuffer(raw[_HEADER : len(raw) // 2 * 2], "<i2") / 32_768, hz)


def _read(path: Path) -> Samples:
    if not path.exists():
        raise CallError(f"{path} is missing: put the recording there, or let a synthetic voice say the line.")
    command = ("ffmpeg", "-nostdin", "-v", "error", "-i", f"file:{path}", "-map", "0:a:0", "-ac", "1")
    raw = run(*command, "-ar", str(HZ), "-f", "f32le", "-", about=str(path)).stdout
    return np.frombuffer(raw, "<f4").astype(np.float64)


def resampled(samples: Samples, hz: int) -> Samples:
    """The same sound at 48 kHz."""
    size = len(samples) * HZ // hz
    spectrum = np.zeros(size // 2 + 1, complex)
    heard = np.fft.rfft(samples)[: len(spectrum)]
    spectrum[: len(heard)] = heard
    return np.asarray(np.fft.irfft(spectrum, size) * size / len(samples))


def _band(samples: Samples) -> Samples:
    """A synthetic voice without rumble and buzz, a little fuller: below 90 Hz and above 6.5 kHz it only disturbs."""
    spectrum, hz = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / HZ)
    low = (hz / 90) ** 2
    spectrum *= low / (1 + low) / np.sqrt(1 + (hz / 6_500) ** 8)
    spectrum *= 1 + 0.35 * np.exp(-(np.log2((hz + 1) / 220) ** 2))
    spectrum *= 1 - 0.35 * np.exp(-((2 * np.log2((hz + 1) / 3_200)) ** 2))
    return np.asarray(np.fft.irfft(spectrum, len(samples)))
