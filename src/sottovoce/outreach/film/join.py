"""Body, card and sound as one finished file: none of them is encoded again, and no word says how it was made."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CallError
from ..platforms import Platform
from .run import FFMPEG, probe, run

_NOTES = 6  # NAL units of H.264 that hold words of an encoder (SEI)


def join(body: Path, card: Path, sound: Path, out: Path) -> None:
    """Writes the film; CallError where body and card have different headers, which no player would forgive."""
    if _header(body) != _header(card):
        raise CallError("A film and its end card were encoded differently: this is a fault of the program, report it.")
    parts = {out.with_suffix(".body.mp4"): body, out.with_suffix(".card.mp4"): card}
    for near, part in parts.items():
        os.link(part, near)  # under a name that needs no quotes in ffmpeg's list
    listed = out.with_suffix(".txt")
    listed.write_text("".join(f"file {near.name}\n" for near in parts), "utf-8")
    given = ("-f", "concat", "-safe", "0", "-i", f"file:{listed}", "-i", f"file:{sound}", "-map", "0:v", "-map", "1:a")
    plain = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags", "+bitexact")
    run(*FFMPEG, *given, "-c", "copy", "-bsf:v", f"filter_units=remove_types={_NOTES}", *plain,
        "-movflags", "+faststart", f"file:{out}")  # fmt: skip
    for path in (*parts, listed):
        path.unlink()


def _header(path: Path) -> str:
    """The hash of the parameter sets (SPS and PPS) by which a player decodes all that follows."""
    asked = ("-select_streams", "v:0", "-show_entries", "stream=extradata_hash", "-show_data_hash", "sha256")
    return run("ffprobe", "-v", "error", *asked, "-of", "csv=p=0", f"file:{path}").stdout.decode()


def check_limits(path: Path, platform: Platform) -> None:
    """CallError where a platform would refuse the file: size in pixels, seconds, bytes."""
    found = probe(path)
    size, seconds = int(found["format"]["size"]), float(found["format"]["duration"])
    pictures = next(stream for stream in found["streams"] if stream["codec_type"] == "video")
    if (pictures["width"], pictures["height"]) != (platform.width, platform.height):
        raise CallError(f"{path.name} has not the size that {platform.name} wants: this is a fault of the program.")
    least, most = platform.seconds_least, platform.seconds_most
    if not least <= seconds <= most:
        raise CallError(
            f"{path.name} lasts {seconds:.0f} s with its card, but {platform.name} takes {least:.0f} to {most:.0f} s: "
            "change the film, or take the platform out of the call."
        )
    if platform.bytes_most and size > platform.bytes_most:
        raise CallError(
            f"{path.name} has {size:,} bytes, but {platform.name} takes {platform.bytes_most:,}: shorten the film."
        )
