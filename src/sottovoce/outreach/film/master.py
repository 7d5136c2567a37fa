"""A master film: what it is, and how it becomes a source of pictures in another shape, shot by shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

from ..call import Shape, Shot
from ..errors import CallError
from .encode import Feed
from .run import probe
from .sizes import INK, SIZES, frames

_RATES = {24: 24, 25: 25, 50: 25}  # by what a master has: its own or half of it, so nothing stumbles; else 30
_SQUARE = "scale='trunc(iw*sar/2)*2':ih:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p"  # its pixels
_BRIGHT = {"smpte2084", "arib-std-b67"}  # HDR


@dataclass(frozen=True)
class Master:
    """A film as a camera or studio made it: seconds, frames a second that are made of it, whether it has a sound."""

    path: Path
    seconds: float
    rate: int
    has_sound: bool

    def feed(self, shots: Sequence[Shot], shape: Shape) -> Feed:
        """Its pictures in a shape, each shot fitted in its own way; metadata and other streams stay behind."""
        return Feed(shape, self.rate, ("-i", f"file:{self.path}"), ";".join(self._filters(shots or [Shot()], shape)))

    def still(self, shots: Sequence[Shot], shape: Shape, t: float) -> Feed:
        """Its picture at a time, in a shape."""
        shot = [each for each in shots if each.start <= t or each is shots[0]] or [Shot()]
        given = ("-ss", f"{t:.3f}", "-i", f"file:{self.path}")
        return Feed(shape, self.rate, given, f"[0:v:0]{_SQUARE},{fit(shot[-1], shape)}")

    def _filters(self, shots: Sequence[Shot], shape: Shape) -> list[str]:
        starts = [0, *(frames(shot.start, self.rate) for shot in shots[1:])]
        ends = "".join(f"[s{number}]" for number in range(len(shots)))
        made = [f"[0:v:0]fps={self.rate},{_SQUARE},split={len(shots)}{ends}"]
        for number, (shot, (start, end)) in enumerate(zip(shots, pairwise([*starts, None]), strict=True)):
            until = f":end_frame={end}" if end is not None else ""
            part = f"trim=start_frame={start}{until},setpts=PTS-STARTPTS,{fit(shot, shape)}"
            made.append(f"[s{number}]{part}[f{number}]")
        joined = "".join(f"[f{number}]" for number in range(len(shots)))
        return [*made, f"{joined}concat=n={len(shots)},tpad=stop_mode=clone:stop={self.rate}"]


def fit(shot: Shot, shape: Shape) -> str:
    """The filters that fit a shot into a shape: with an edge around it, or cut around what matters."""
    width, height = SIZES[shape]
    if shot.fit == "pad":
        inside = f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        return f"{inside},pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:color=0x{INK[1:]},setsar=1"
    over = f"scale={width}:{height}:force_original_aspect_ratio=increase:force_divisible_by=2"
    x, y = f"clip({shot.x}*iw-ow/2,0,iw-ow)", f"clip({shot.y}*ih-oh/2,0,ih-oh)"
    return f"{over},crop={width}:{height}:x='{x}':y='{y}',setsar=1"


def read_master(path: Path) -> Master:
    """A master film, looked at; CallError where it is missing, has no pictures, or too bright ones."""
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        raise CallError(f"{path} is missing: put the master film there, or take its name out of the video.") from None
    return _read(path, changed)


@cache
def _read(path: Path, _changed: int) -> Master:
    found = probe(path)
    streams = found.get("streams", [])
    pictures = next((stream for stream in streams if stream["codec_type"] == "video"), None)
    if pictures is None or not Fraction(pictures.get("avg_frame_rate", "0/1").replace("/0", "/1")):
        raise CallError(f"{path} holds no moving pictures: take another file.")
    if pictures.get("color_transfer") in _BRIGHT:
        raise CallError(f"{path} is an HDR film, which most screens show wrongly: export it in SDR (Rec. 709).")
    seconds = float(pictures.get("duration") or found["format"]["duration"])
    rate = _RATES.get(round(Fraction(pictures["avg_frame_rate"])), 30)
    return Master(path, int(seconds * rate + 0.01) / rate, rate, any(each["codec_type"] == "audio" for each in streams))
