"""What a call costs to build: films from a master beside one ffmpeg command each, and the whole worked example.

`python -m bench.call` prints both, with the seconds of each stage.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from doubles.calls import PLATFORMS, make_call, make_master

from sottovoce.cli.call_new import new
from sottovoce.cli.common import today
from sottovoce.cli.guides import guides
from sottovoce.outreach.build import all_steps
from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.film.renditions import film_steps
from sottovoce.outreach.platforms import Platform, platforms
from sottovoce.outreach.steps import Builder, Done, Step
from sottovoce.outreach.tongues import TONGUES

SECONDS = 10  # of the master film: enough that a start costs little
_QUALITY = {"forward": "23"}  # x264's crf, as ours for the same platform; 18 for the others
_CARD_SECONDS = 6


@dataclass(frozen=True)
class Built:
    """One build: its seconds, and those of its stages (added up over what ran side by side)."""

    seconds: float
    stages: dict[str, float]


def films_beside_by_hand(folder: Path, seconds: float = SECONDS) -> tuple[Built, float]:
    """All films of a call from one master, in six languages for all platforms; and the same by hand, in seconds."""
    call = make_call(folder, tuple(TONGUES), ("filmed",))
    source = call.videos[0].folder / "master.mp4"
    make_master(source, "-vf", "scale=1920:1080", seconds=seconds)
    ours = _timed(call, lambda: film_steps(call))
    names = [(name, language) for name in PLATFORMS for language in TONGUES]
    cards = {name: _card(call, *name, folder) for name in names}
    begun = time.monotonic()
    for name in names:
        _by_hand(call, source, *name, cards[name], folder / "by-hand.mp4")
    return ours, time.monotonic() - begun


def whole_example(folder: Path) -> tuple[Built, float]:
    """The worked example as a newcomer builds it; and the seconds of the command when nothing changed since, of three
    runs those of the one in the middle."""
    command = new.callback
    assert command
    command(folder=folder, office=None)
    call = read_call(folder, today())
    first = _timed(call, lambda: all_steps(call, guides(call, today()), today()))
    return first, statistics.median(_again(folder) for _ in range(3))


def _again(folder: Path) -> float:
    begun = time.monotonic()
    command = [sys.executable, "-m", "sottovoce.cli", "call", "build", str(folder)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def _timed(call: Call, steps: Callable[[], Sequence[Step]]) -> Built:
    begun, done = time.monotonic(), list[Done]()
    Builder(call.built).build(steps(), done.append)
    stages: dict[str, float] = defaultdict(float)
    for each in done:
        stages[each.step.stage] += each.seconds
    return Built(time.monotonic() - begun, dict(stages))


def _card(call: Call, name: str, language: str, folder: Path) -> Path:
    """A film's card as a picture: what a designer would hand to whoever works by hand."""
    film, out = call.built / "films" / "filmed" / f"{name}-{language}.mp4", folder / f"card-{name}-{language}.png"
    _run("-sseof", "-0.5", "-i", film, "-frames:v", "1", out)
    return out


def _by_hand(call: Call, source: Path, name: str, language: str, card: Path, out: Path) -> None:
    """The same film by one command: fitted, captions burnt in, the card joined, loudness settled, all encoded."""
    platform: Platform = platforms()[name]
    size = f"{platform.width}:{platform.height}"
    burnt = f",subtitles={call.videos[0].captions(language)}" if platform.captions == "burnt" else ""
    fit = f"scale={size}:force_original_aspect_ratio=decrease,pad={size}:-1:-1,fps=30,setsar=1,format=yuv420p"
    graph = (
        f"[0:v]{fit}{burnt}[film];[1:v]{fit}[card];[film][card]concat=n=2:v=1:a=0[v];"
        f"[0:a]aformat=channel_layouts=stereo,apad=pad_dur={_CARD_SECONDS},loudnorm=I=-14:TP=-1.5:LRA=11,"
        "aresample=48000[a]"
    )
    _run(
        "-i", source, "-loop", "1", "-framerate", "30", "-t", str(_CARD_SECONDS), "-i", card,
        "-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-preset", "veryfast",
        "-crf", _QUALITY.get(name, "18"), "-c:a", "aac", "-b:a", "128k", out,
    )  # fmt: skip


def _run(*words: str | Path) -> None:
    command: Sequence[str] = ["ffmpeg", "-v", "error", "-y", "-nostdin", *map(str, words)]
    subprocess.run(command, check=True, timeout=600, stdin=subprocess.DEVNULL)


def main() -> None:
    """Prints both."""
    os.umask(0o077)
    with tempfile.TemporaryDirectory() as name:
        ours, hand = films_beside_by_hand(Path(name) / "master")
        print(f"films from a master: {ours.seconds:.1f} s, by hand {hand:.1f} s: {ours.seconds / hand:.2f}")
        example, again = whole_example(Path(name) / "example")
        print(f"the worked example: {example.seconds:.1f} s; again, with nothing changed, {again:.2f} s")
        for stage, seconds in example.stages.items():
            print(f"  {stage:12} {seconds:8.1f} s")


if __name__ == "__main__":
    main()
