"""A master film: fitted shot by shot, at its own rate, with nothing left of who made it, where and when."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from doubles.calls import TODAY, make_call, make_master

from sottovoce.outreach.call import Shape, Shot, read_call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.film.encode import Cut, encode
from sottovoce.outreach.film.master import Master, read_master
from sottovoce.outreach.film.renditions import film_steps
from sottovoce.outreach.film.sizes import INK, SIZES

RED_LEFT = "color=red:s=320x180:r=30:d=2,drawbox=x=160:w=160:h=180:color=blue:t=fill"


def make(path: Path, picture: str = RED_LEFT, *words: str) -> Master:
    """A film of a drawn picture, without sound, read."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        picture,
        *words,
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
    ]
    subprocess.run([*command, "-preset", "ultrafast", str(path)], check=True, timeout=60)
    return read_master(path)


def pictures(
    master: Master, shots: list[Shot], shape: Shape, folder: Path
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The frames of a master in a shape, small: time, y, x, and red, green, blue."""
    small = (SIZES[shape][0] // 12, SIZES[shape][1] // 12)
    encode(master.feed(shots, shape), [Cut("a.mp4", shape, small, 18)], round(master.seconds * master.rate), folder)
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        "a.mp4",
        "-vf",
        "scale=in_color_matrix=bt709,format=rgb24",
        "-f",
        "rawvideo",
        "-",
    ]
    raw = subprocess.run(command, capture_output=True, check=True, cwd=folder, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, small[1], small[0], 3)


def colour(pixel: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    """The nearest of the colours that these pictures have."""
    known = {"red": (255, 0, 0), "blue": (0, 0, 255), "edge": tuple(int(INK[at : at + 2], 16) for at in (1, 3, 5))}
    return min(known, key=lambda name: sum(abs(int(a) - b) for a, b in zip(pixel, known[name], strict=True)))


def test_each_shot_is_fitted_in_its_own_way(tmp_path: Path) -> None:
    shots = [Shot(), Shot(start=0.5, fit="crop", x=0.1), Shot(start=1, fit="crop", x=0.9)]
    seen = pictures(make(tmp_path / "m.mp4"), shots, "9x16", tmp_path)
    assert len(seen) == 60
    edges = [(colour(frame[4, 40]), colour(frame[80, 10]), colour(frame[80, 80])) for frame in seen]
    assert set(edges[:15]) == {("edge", "red", "blue")}
    assert set(edges[15:30]) == {("red", "red", "red")}
    assert set(edges[30:]) == {("blue", "blue", "blue")}


def test_a_film_in_the_same_shape_is_shown_whole(tmp_path: Path) -> None:
    frame = pictures(make(tmp_path / "m.mp4"), [], "16x9", tmp_path)[30]
    assert [colour(frame[y, x]) for y in (1, -2) for x in (1, -2)] == ["red", "blue"] * 2


def test_pixels_that_are_not_square_become_square(tmp_path: Path) -> None:
    master = make(tmp_path / "m.mp4", "color=red:s=320x360:r=30:d=0.2,setsar=2")
    frame = pictures(master, [], "16x9", tmp_path)[0]
    assert [colour(frame[y, x]) for y in (1, -2) for x in (1, -2)] == ["red"] * 4


@pytest.mark.parametrize(
    ("rate", "made"), [("24", 24), ("24000/1001", 24), ("25", 25), ("50", 25), ("30", 30), ("60", 30), ("15", 30)]
)
def test_a_rate_is_kept_or_halved_so_that_nothing_stumbles(rate: str, made: int, tmp_path: Path) -> None:
    master = make(tmp_path / "m.mp4", f"color=red:s=64x64:r={rate}:d=1.2")
    assert master.rate == made
    assert master.seconds == pytest.approx(1.2, abs=0.05)
    assert (master.seconds * master.rate) % 1 == pytest.approx(0, abs=1e-9)


def test_a_master_knows_whether_it_has_a_sound(tmp_path: Path) -> None:
    make_master(tmp_path / "m.mp4")
    assert read_master(tmp_path / "m.mp4").has_sound
    assert not make(tmp_path / "s.mp4").has_sound


def test_what_is_no_master_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no film", "utf-8")
    make_master(tmp_path / "m.mp4")
    sound = ["ffmpeg", "-v", "error", "-i", str(tmp_path / "m.mp4"), "-vn", "-c", "copy", str(tmp_path / "s.m4a")]
    subprocess.run(sound, check=True, timeout=60)
    with pytest.raises(CallError, match="is an HDR film"):
        make(tmp_path / "h.mp4", RED_LEFT, "-color_trc", "smpte2084")
    for name, sentence in (
        ("gone.mp4", "is missing: put the master film there"),
        ("a.mp4", "ffprobe failed with .*a.mp4"),
        ("s.m4a", "holds no moving pictures"),
    ):
        with pytest.raises(CallError, match=sentence):
            read_master(tmp_path / name)


def test_a_list_of_other_files_or_a_text_is_no_master(tmp_path: Path) -> None:
    make_master(tmp_path / "private.mp4")
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXTINF:2,\n{tmp_path}/private.mp4\n#EXT-X-ENDLIST\n", "utf-8")
    (tmp_path / "notes.txt").write_text("What nobody shall see.\n", "utf-8")
    for name in ("list.mp4", "notes.txt"):
        with pytest.raises(CallError):
            read_master(tmp_path / name)


def test_a_master_is_read_from_wherever_its_call_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_call(tmp_path / "call", ["en"], ["filmed"])
    monkeypatch.chdir(tmp_path)
    call = read_call(Path("call"), TODAY)
    (thumbnail, *_) = [step for step in film_steps(call) if step.stage == "thumbnails"]
    (tmp_path / "fresh").mkdir()
    thumbnail.make(tmp_path / "fresh")
    assert list((tmp_path / "fresh").glob("*.png"))
