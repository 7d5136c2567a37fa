"""A storyboard's frames: which scenes are on the screen at a time, how they blend, and what the camera sees of each."""

from __future__ import annotations

from typing import NamedTuple

from ..call import Shape, Video
from .camera import STILL, View, ease, view
from .overlay import Overlay
from .scene import Drawing, Picture, read_scene
from .sizes import RATE


class Layer(NamedTuple):
    """A scene as it is seen in one frame: its text, and how much of it shows over what lies below (0 to 1)."""

    scene: Drawing | Picture
    seen: View
    text: str
    shown: float


class Storyboard:
    """A film's scenes, read. Not to be shared between threads."""

    def __init__(self, video: Video) -> None:
        self._scenes = video.file.scenes
        self._drawn = [read_scene(video.folder / scene.picture) for scene in self._scenes]
        self._overlay = Overlay(video.folder / video.file.overlay) if video.file.overlay else None

    def frame(self, number: int, shape: Shape) -> list[Layer]:
        """What a frame shows, from the lowest layer to the highest."""
        t = number / RATE
        layers = [self._layer(index, t, shape) for index in range(len(self._scenes)) if self._is_on(index, t)]
        if self._overlay is not None:
            over = self._overlay.drawing
            layers.append(Layer(over, STILL, over.text(t, STILL, shape), 1))
        return layers

    def _is_on(self, index: int, t: float) -> bool:
        after = self._scenes[index + 1] if index + 1 < len(self._scenes) else None
        return self._scenes[index].start <= t and (after is None or t < after.start + after.fade)

    def _layer(self, index: int, t: float, shape: Shape) -> Layer:
        scene, drawn = self._scenes[index], self._drawn[index]
        since = t - scene.start
        shown = ease(min(1, (since + 1 / RATE) / scene.fade)) if scene.fade else 1
        seen = view(scene, shape, since)
        return Layer(drawn, seen, drawn.text(since, seen, shape), shown)
