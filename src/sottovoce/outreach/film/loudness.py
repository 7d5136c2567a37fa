"""One loudness for all films, by EBU R128: measured first, then set by one factor; and encoded, once a sound."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .run import FFMPEG, run
from .sizes import HZ

if TYPE_CHECKING:
    from .voice import Samples

LUFS = -14  # what platforms play at: louder is turned down, softer stays soft
PEAK = -1.5  # dBTP in the finished file
_MARGINS = (0.5, 1.5, 2.5)  # dB that encoding may add to a peak: the least that keeps it
_FADE = 0.5


def encode_mix(samples: Samples, kbps: int, out: Path) -> None:
    """A mix of left and right, levelled and encoded."""
    raw = out.with_suffix(".f32")
    raw.write_bytes(samples.T.astype("<f4").tobytes())
    _encode(("-f", "f32le", "-ar", str(HZ), "-ac", "2", "-i", f"file:{raw}"), [], kbps, out)
    raw.unlink()


def encode_file(path: Path, seconds: float, total: float, kbps: int, out: Path) -> None:
    """The sound of a film or recording: it ends with the film after `seconds`, and the card is silent until `total`."""
    fit = [
        f"aresample={HZ}",
        "aformat=sample_fmts=fltp:channel_layouts=stereo",
        f"afade=t=out:st={max(0, seconds - _FADE):.3f}:d={_FADE}",
        "apad",
        f"atrim=end={total:.6f}",
    ]
    _encode(("-i", f"file:{path}", "-map", "0:a:0"), fit, kbps, out)


def encode_silence(total: float, kbps: int, out: Path) -> None:
    """For films without a sound: platforms refuse, or mistrust, what has no sound track."""
    given = ("-f", "lavfi", "-i", f"anullsrc=r={HZ}:cl=stereo:d={total:.6f}")
    _encode(given, [], kbps, out)


def _encode(given: Sequence[str], filters: Sequence[str], kbps: int, out: Path) -> None:
    measured = _measure(given, [*filters, _target(0)])
    if measured["input_i"] == "-inf":
        _write(given, filters, kbps, out)
        return
    for margin in _MARGINS:
        _write(given, [*filters, _loudnorm(measured, margin), f"aresample={HZ}"], kbps, out)
        if float(_measure(("-i", f"file:{out}"), [_target(0)])["input_tp"]) <= PEAK:
            return


def _write(given: Sequence[str], filters: Sequence[str], kbps: int, out: Path) -> None:
    chain = ("-af", ",".join(filters)) if filters else ()
    plain = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact")
    run(*FFMPEG, "-threads", "1", *given, *chain, "-vn", "-sn", "-dn", "-ac", "2", "-c:a", "aac", "-b:a", f"{kbps}k",
        *plain, f"file:{out}", about=given[-1])  # fmt: skip


def _measure(given: Sequence[str], filters: Sequence[str]) -> dict[str, str]:
    chain = f"{','.join(filters)}:print_format=json"
    loud = [word if word != "error" else "info" for word in FFMPEG]  # loudnorm says what it found as information
    said = run(*loud, "-nostats", *given, "-vn", "-af", chain, "-f", "null", "-", about=given[-1]).stderr.decode()
    found: dict[str, str] = json.loads(said[said.rindex("{") : said.rindex("}") + 1])
    return found


def _target(margin: float) -> str:
    return f"loudnorm=I={LUFS}:TP={PEAK - margin}:LRA=11"


def _loudnorm(measured: dict[str, str], margin: float) -> str:
    names = {"I": "input_i", "TP": "input_tp", "LRA": "input_lra", "thresh": "input_thresh"}
    known = ":".join(f"measured_{name}={measured[key]}" for name, key in names.items())
    return f"{_target(margin)}:linear=true:{known}:offset={measured['target_offset']}"
