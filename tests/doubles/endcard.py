"""Small films for tests: some seconds of moving picture, then an end card with an address as text and as QR code."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

CREAM, INK, TEAL = "#f9f5ec", "#16233b", "#0b6573"
_MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf"
_SANS = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def onion(seed: bytes) -> str:
    """A well-formed address that nobody holds the key of."""
    public = hashlib.sha256(seed).digest()
    check = hashlib.sha3_256(b".onion checksum" + public + b"\3").digest()[:2]
    return base64.b32encode(public + check + b"\3").decode().lower() + ".onion"


@dataclass(frozen=True)
class EndCard:
    """What a card shows; "" leaves its text or its code out."""

    text: str
    code: str
    name: str = "The Ombudsman of Harbour City"
    wide: bool = True

    def draw(self) -> Image.Image:
        """The card in 1920 by 1080, or 1080 by 1920."""
        size = (1920, 1080) if self.wide else (1080, 1920)
        card = Image.new("RGB", size, CREAM)
        pen = ImageDraw.Draw(card)
        pen.text((90, 60), self.name, INK, ImageFont.truetype(_SANS, 56))
        pen.text((90, 150), "Type it into Tor Browser", INK, ImageFont.truetype(_SANS, 44))
        self._address(pen)
        if self.code:
            code = self._code(18 if self.wide else 27)
            card.paste(code, (1150, 330) if self.wide else ((size[0] - code.width) // 2, 820))
        pen.text((90, size[1] - 90), "Check words: crystal lemon april sudden", INK, ImageFont.truetype(_SANS, 40))
        return card

    def _address(self, pen: ImageDraw.ImageDraw) -> None:
        mono = ImageFont.truetype(_MONO, 86)
        groups = [self.text[at : at + 4] for at in range(0, len(self.text), 4)]
        for number, group in enumerate(groups):
            place = (90 + number % 4 * 240, 260 + number // 4 * 130)
            pen.text(place, group, INK if (number + number // 4) % 2 == 0 else TEAL, mono)

    def _code(self, module: int) -> Image.Image:
        drawn = io.BytesIO()
        segno.make_qr(self.code, error="l").save(drawn, kind="png", scale=module, border=4, light=CREAM, dark=INK)
        return Image.open(drawn).convert("RGB")


def film(path: Path, card: EndCard | None, seconds: int = 1, height: int = 720) -> Path:
    """A film of so many seconds of something that moves, and six of the card."""
    tall = card is not None and not card.wide
    size = (height * 9 // 32 * 2, height) if tall else (height * 16 // 9, height)
    moving = ["-f", "lavfi", "-i", f"testsrc2=s={size[0]}x{size[1]}:r=10:d={seconds}"]
    encoded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "20", str(path)]
    if card is None:
        ffmpeg(*moving, *encoded)
        return path
    card.draw().resize(size, Image.Resampling.LANCZOS).save(path.with_suffix(".png"))
    still = ["-loop", "1", "-framerate", "10", "-t", "6", "-i", str(path.with_suffix(".png"))]
    joined = "[0:v]setsar=1,format=yuv420p[a];[1:v]setsar=1,format=yuv420p[b];[a][b]concat=n=2:v=1:a=0"
    ffmpeg(*moving, *still, "-filter_complex", joined, *encoded)
    path.with_suffix(".png").unlink()
    return path


def again(source: Path, target: Path, *how: str) -> Path:
    """A film encoded anew, as a platform or a stranger does."""
    ffmpeg("-i", str(source), *how, str(target))
    return target


def ffmpeg(*words: str) -> None:
    """One run of the real ffmpeg, the same each time."""
    exact = ("-fflags", "+bitexact", "-flags", "+bitexact", "-threads", "1")
    subprocess.run(["ffmpeg", "-v", "error", "-y", *words[:-1], *exact, words[-1]], check=True, timeout=120)
