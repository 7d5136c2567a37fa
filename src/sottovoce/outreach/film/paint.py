"""Frames as pixels: SVG text drawn by Skia, pictures moved by it, into one buffer of blue, green, red and alpha."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import skia  # type: ignore[import-not-found]  # it has no types

from ..call import Shape
from ..errors import CallError
from .scene import Picture
from .sizes import SIZES
from .storyboard import Layer

Pixels = np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]
_BLACK = 0xFF000000


class Painter:
    """Paints the frames of a shape in a size; frames that look the same are painted once."""

    def __init__(self, shape: Shape, size: tuple[int, int] | None = None) -> None:
        full, (width, height) = SIZES[shape], size or SIZES[shape]
        self._shape: Shape = shape
        self._pixels: Pixels = np.zeros((height, width, 4), np.uint8)
        surface = skia.Surface(self._pixels, colorType=skia.kBGRA_8888_ColorType)
        self._canvas = surface.getCanvas()
        self._surface = surface  # else its canvas is gone
        self._canvas.scale(width / full[0], height / full[1])
        self._images: dict[str, skia.Image] = {}
        self._still: dict[int, tuple[str, skia.Image | None]] = {}
        self._last: list[tuple[str, float]] = []

    def paint(self, layers: Sequence[Layer]) -> Pixels:
        """The pixels of a frame; they are overwritten by the next one."""
        look = [(layer.text, layer.shown) for layer in layers]
        if look != self._last:
            self._canvas.clear(_BLACK)
            for layer in layers:
                self._layer(layer)
            self._last = look
        return self._pixels

    def _layer(self, layer: Layer) -> None:
        if layer.shown < 1:
            self._canvas.saveLayerAlpha(skia.Rect.MakeWH(*SIZES[self._shape]), round(255 * layer.shown))
        if isinstance(layer.scene, Picture):
            self._picture(layer.scene, layer)
        else:
            self._drawing(layer)
        if layer.shown < 1:
            self._canvas.restore()

    def _drawing(self, layer: Layer) -> None:
        """What stands still, as an overlay does, is drawn once and kept as an image."""
        text, image = self._still.get(id(layer.scene), ("", None))
        if text != layer.text:
            self._still[id(layer.scene)] = (layer.text, None)
            drawing(layer.text).render(self._canvas)
            return
        if image is None:
            over = skia.Surface(*SIZES[self._shape])
            drawing(text).render(over.getCanvas())
            image = over.makeImageSnapshot()
            self._still[id(layer.scene)] = (text, image)
        self._canvas.drawImage(image, 0, 0)

    def _picture(self, picture: Picture, layer: Layer) -> None:
        if picture.name not in self._images:
            self._images[picture.name] = skia.Image.fromarray(np.asarray(picture.image.convert("RGBA")))
        x, y, scale = picture.place(layer.seen, self._shape)
        self._canvas.save()
        self._canvas.translate(x, y)
        self._canvas.scale(scale, scale)
        self._canvas.drawImage(self._images[picture.name], 0, 0, skia.SamplingOptions(skia.CubicResampler.Mitchell()))
        self._canvas.restore()


def drawing(text: str) -> skia.SVGDOM:
    """A parsed SVG text; CallError where Skia finds none in it."""
    stream = skia.MemoryStream(text.encode(), True)  # a copy: else the bytes may be gone before they are parsed
    read = skia.SVGDOM.MakeFromStream(stream)
    if read is None:
        raise CallError("A scene's drawing can't be painted: save it as plain SVG, without scripts and filters.")
    return read
