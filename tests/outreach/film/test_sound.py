"""What is heard: the same for the same input, at one loudness, and no line is lost."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from doubles.calls import make_master

from sottovoce.outreach.call import Chord, Line, Note, Sound
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.film.bed import make_bed
from sottovoce.outreach.film.loudness import LUFS, PEAK, encode_file, encode_mix, encode_silence
from sottovoce.outreach.film.sizes import HZ
from sottovoce.outreach.film.sound import mix
from sottovoce.outreach.film.voice import resampled, speak

VOICE = Sound(voice="en", lines=[Line(start=0.5, say="I am an accountant."), Line(start=3, say="Nobody answered.")])
BED = Sound(chords=[Chord(start=0, keys=[45, 57]), Chord(start=2, keys=[41, 60])], notes=[Note(start=1, key=76)])


def heard(path: Path) -> tuple[float, float, float]:
    """Integrated loudness in LUFS, true peak in dBTP, and seconds of a file, as ffmpeg measures them."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr
    summary = said[said.rindex("Summary:") :]
    loudness, peak = (float(re.search(rf"{name}:\s+(\S+)", summary)[1]) for name in ("I", "Peak"))  # type: ignore[index]
    minutes, seconds = re.search(r"Duration: 00:(\d+):([\d.]+)", said).groups()  # type: ignore[union-attr]
    return loudness, peak, int(minutes) * 60 + float(seconds)


def test_a_mix_is_the_same_twice_and_at_the_loudness_that_platforms_want(tmp_path: Path) -> None:
    both = Sound(voice="en", lines=VOICE.lines, chords=BED.chords, notes=BED.notes)
    for name in ("a.m4a", "b.m4a"):
        encode_mix(mix(both, tmp_path, 9), 128, tmp_path / name)
    loudness, peak, seconds = heard(tmp_path / "a.m4a")
    assert loudness == pytest.approx(LUFS, abs=1)
    assert peak <= PEAK + 0.1
    assert seconds == 9
    assert (tmp_path / "a.m4a").read_bytes() == (tmp_path / "b.m4a").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.m4a", "b.m4a"]


def test_the_bed_steps_back_while_somebody_speaks(tmp_path: Path) -> None:
    quiet = Sound(voice="en", lines=VOICE.lines[1:], chords=[Chord(start=0, keys=[57])])
    made = mix(quiet, tmp_path, 8) - mix(Sound(voice="en", lines=VOICE.lines[1:]), tmp_path, 8)
    loud = [float(np.sqrt(np.mean(made[:, int(t * HZ) : int((t + 0.5) * HZ)] ** 2))) for t in (2, 3.2)]
    assert loud[1] < 0.75 * loud[0]


def test_a_line_that_outlasts_the_card_is_named_and_not_cut(tmp_path: Path) -> None:
    late = Sound(voice="en", lines=[Line(start=8.5, say="This takes more than half a second.")])
    with pytest.raises(CallError, match=r"The line at 8.5 s ends at \d+.\d s, but the film with its card at 9.0 s"):
        mix(late, tmp_path, 9)


def test_a_recorded_line_is_heard_where_it_belongs(tmp_path: Path) -> None:
    make_master(tmp_path / "tone.mp4", seconds=1)
    made = mix(Sound(lines=[Line(start=2, file="tone.mp4")]), tmp_path, 6)
    loud = [float(np.abs(made[:, int(t * HZ) : int((t + 0.4) * HZ)]).max()) for t in (1, 2.3, 4.5)]
    assert loud[0] < 0.001
    assert loud[1] > 0.1
    assert loud[2] < 0.01


@pytest.mark.parametrize(
    ("line", "voice", "sentence"),
    [
        (Line(start=1, file="gone.wav"), "", "gone.wav is missing: put the recording there"),
        (Line(start=1, say="Hello."), "xx-none", 'espeak-ng failed with the voice "xx-none"'),
        (Line(start=1, say="..."), "en", "The line at 1.0 s is silent"),
    ],
)
def test_a_line_that_can_not_be_spoken_is_named(line: Line, voice: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CallError, match=sentence):
        speak(Sound(voice=voice), line, tmp_path)


def test_words_of_a_line_are_read_and_never_obeyed(tmp_path: Path) -> None:
    plain, marked = (speak(VOICE, Line(start=0, say=say), tmp_path) for say in ("a b", 'a <break time="3s"/> b'))
    assert len(marked) > 0
    assert len(plain) < 2 * HZ


def test_mandarin_is_spoken_with_wider_tones(tmp_path: Path) -> None:
    line = Line(start=0, say="wo3 shi4 yi4ming2 kuai4ji4.")
    wide, other = (speak(Sound(voice=voice), line, tmp_path) for voice in ("cmn-latn-pinyin", "en"))
    assert len(wide) != len(other)
    assert 0.5 * HZ < len(wide) < 4 * HZ


def test_a_bed_may_be_a_recording_and_is_silence_where_nothing_is_asked_for(tmp_path: Path) -> None:
    make_master(tmp_path / "tone.mp4", seconds=1)
    bed = make_bed(Sound(bed="tone.mp4"), tmp_path, 3)
    assert bed.shape == (2, 3 * HZ)
    assert np.abs(bed[:, : HZ // 2]).max() > 0.05
    assert not np.abs(bed[:, 2 * HZ :]).any()
    assert not make_bed(Sound(), tmp_path, 1).any()
    with pytest.raises(CallError, match=r"gone\.mp3 is missing"):
        make_bed(Sound(bed="gone.mp3"), tmp_path, 1)


def test_a_note_has_its_pitch() -> None:
    struck = make_bed(Sound(notes=[Note(start=0, key=69)]), Path(), 2)[0, : 2 * HZ]
    loudest = np.argmax(np.abs(np.fft.rfft(struck))) / 2
    assert loudest == pytest.approx(440, abs=2)


def test_resampling_keeps_pitch_and_length() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(22_050) / 22_050)
    made = resampled(tone, 22_050)
    assert len(made) == HZ
    assert np.argmax(np.abs(np.fft.rfft(made))) == 500


def test_a_films_own_sound_ends_with_it_and_the_card_is_silent(tmp_path: Path) -> None:
    make_master(tmp_path / "m.mp4", seconds=4)
    encode_file(tmp_path / "m.mp4", 4, 10, 128, tmp_path / "a.m4a")
    loudness, peak, seconds = heard(tmp_path / "a.m4a")
    assert seconds == 10
    assert loudness == pytest.approx(LUFS, abs=1)
    assert peak <= PEAK + 0.1
    command = ["ffmpeg", "-v", "error", "-ss", "4.2", "-i", str(tmp_path / "a.m4a"), "-f", "f32le", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert np.abs(np.frombuffer(raw, "<f4")).max() < 0.001


def test_a_film_without_a_sound_has_a_silent_track(tmp_path: Path) -> None:
    encode_silence(8, 128, tmp_path / "a.m4a")
    loudness, _, seconds = heard(tmp_path / "a.m4a")
    assert seconds == 8
    assert loudness <= -70
