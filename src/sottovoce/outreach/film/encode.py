"""Pictures encoded: one source is drawn or decoded once, and split into all the encodings that are made of it.

Whatever is encoded here can be joined without encoding again: x264's `stitchable` keeps quality out of the headers.
Each encoder works on one thread, since its output depends on how many there are; steps run side by side instead.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ..call import Shape
from .run import FFMPEG, failed, missing
from .sizes import SIZES

if TYPE_CHECKING:
    from .paint import Pixels

_X264 = (
    "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-level:v", "4.0", "-keyint_min", "24", "-bf", "2",
    "-refs", "3", "-sc_threshold", "0", "-x264-params", "stitchable=1:scenecut=0:force-cfr=1", "-threads", "1",
    "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
    "-pix_fmt", "yuv420p", "-an", "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact",
    "-flags:v", "+bitexact",
)  # fmt: skip
FROM_RGB = "scale=in_range=pc:out_range=tv:out_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int"
BUFFER = 2  # seconds by which a ceiling may be exceeded for a while


@dataclass(frozen=True)
class Cut:
    """One encoding of a source: its shape and size in pixels, its quality (x264's crf, less is better), a ceiling in
    kbit/s (0: none), seconds between pictures that stand for themselves, and what is burnt in, as ASS text."""

    name: str
    shape: Shape
    size: tuple[int, int]
    crf: int
    kbps: int = 0
    every: int = 2
    ass: str = field(default="", repr=False)


@dataclass(frozen=True)
class Feed:
    """Pictures of a shape's full size: what ffmpeg reads, the filters that it needs, and frames if they are drawn."""

    shape: Shape
    rate: int
    given: Sequence[str]
    filters: str
    frames: Iterable[Pixels] | None = None

    @classmethod
    def drawn(cls, shape: Shape, rate: int, frames: Iterable[Pixels], size: tuple[int, int] | None = None) -> Feed:
        """Frames as pixels, in the shape's full size or another one."""
        width, height = size or SIZES[shape]
        given = ("-f", "rawvideo", "-pix_fmt", "bgr0", "-s", f"{width}x{height}", "-r", str(rate), "-i", "-")
        return cls(shape, rate, given, f"[0:v]{FROM_RGB},format=yuv420p", frames)


def encode(feed: Feed, cuts: Sequence[Cut], count: int, folder: Path) -> None:
    """Writes all cuts, each exactly `count` frames long, into a folder; CallError when ffmpeg fails."""
    cuts = sorted(cuts, key=lambda cut: (cut.shape, cut.size, cut.name))
    for cut in cuts:
        (folder / f"{cut.name}.ass").write_text(cut.ass, "utf-8")
    command = [*FFMPEG, *feed.given, "-filter_complex", ";".join(_graph(feed, cuts))]
    for number, cut in enumerate(cuts):
        command += ["-map", f"[o{number}]", "-frames:v", str(count), *_quality(cut, feed.rate), cut.name]
    _feed(command, feed.frames, folder)
    for cut in cuts:
        (folder / f"{cut.name}.ass").unlink()


def still(feed: Feed, t: float, ass: str, size: tuple[int, int], out: Path) -> None:
    """Writes the first picture of a feed as PNG, with what is burnt in at `t` seconds."""
    (out.parent / "still.ass").write_text(ass, "utf-8")
    to_rgb = "scale={}:{}:in_color_matrix=bt709:in_range=tv:flags=bicubic+accurate_rnd,format=rgb24".format(*size)
    graph = f"{feed.filters},setpts=PTS-STARTPTS+{t}/TB,ass=still.ass,{to_rgb}[o]"
    plain = ("-frames:v", "1", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-c:v", "png")
    _feed([*FFMPEG, *feed.given, "-filter_complex", graph, "-map", "[o]", *plain, out.name], feed.frames, out.parent)
    (out.parent / "still.ass").unlink()


def _graph(feed: Feed, cuts: Sequence[Cut]) -> Iterator[str]:
    """The source once, each shape and size once, then what is burnt into each cut."""
    groups = [(shape, size, list(of)) for (shape, size), of in groupby(cuts, lambda cut: (cut.shape, cut.size))]
    yield f"{feed.filters},split={len(groups)}{''.join(f'[g{group}]' for group in range(len(groups)))}"
    number = 0
    for group, (shape, size, of) in enumerate(groups):
        ends = "".join(f"[c{number + index}]" for index in range(len(of)))
        yield f"[g{group}]{','.join([*_fit(feed, shape, size), 'setsar=1', f'split={len(of)}'])}{ends}"
        for cut in of:
            yield f"[c{number}]{f'ass={cut.name}.ass' if cut.ass else 'null'}[o{number}]"
            number += 1


def _fit(feed: Feed, shape: Shape, size: tuple[int, int]) -> Iterator[str]:
    """From the source's shape to a cut's: its middle, then another size."""
    if shape != feed.shape:
        width, height = SIZES[shape]
        yield f"crop={width}:{height}"
    if size != SIZES[shape]:
        yield f"scale={size[0]}:{size[1]}:flags=bicubic+accurate_rnd"


def _quality(cut: Cut, rate: int) -> list[str]:
    ceiling = ["-maxrate", f"{cut.kbps}k", "-bufsize", f"{cut.kbps * BUFFER}k"] if cut.kbps else []
    return [*_X264, "-g", str(cut.every * rate), "-crf", str(cut.crf), *ceiling]


def _feed(command: Sequence[str], frames: Iterable[Pixels] | None, folder: Path) -> None:
    """Runs ffmpeg in a folder, and hands it frames one by one."""
    said = folder / "ffmpeg.txt"
    with said.open("wb") as errors:
        try:
            given = subprocess.DEVNULL if frames is None else subprocess.PIPE
            process = subprocess.Popen(command, cwd=folder, stdin=given, stderr=errors)  # noqa: S603 our own choice
        except FileNotFoundError:
            raise missing(command[0]) from None
        try:
            _write(process, frames or ())
            ended = process.wait()
        finally:
            process.kill()
            process.wait()
    if ended != 0:
        raise failed(command[0], said.read_bytes())
    said.unlink()


def _write(process: subprocess.Popen[bytes], frames: Iterable[Pixels]) -> None:
    if process.stdin is None:
        return
    try:
        for pixels in frames:
            process.stdin.write(pixels.data)
        process.stdin.close()
    except BrokenPipeError:
        pass  # ffmpeg ended: it said why
