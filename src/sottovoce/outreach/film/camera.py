"""Where the camera is at a time: its centre in the drawing and its zoom, between the places that a scene names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from ..call import Camera, Scene, Shape


class View(NamedTuple):
    """What the camera sees: centre x and y in the drawing, zoom (1: one unit is one pixel of the full size)."""

    x: float
    y: float
    zoom: float


STILL = View(0, 0, 1)


def ease(u: float) -> float:
    """From 0 to 1, slow at both ends."""
    return u * u * (3 - 2 * u)


def view(scene: Scene, shape: Shape, t: float) -> View:
    """The camera of a scene at `t` seconds since it began; a square sees what the wide shape sees."""
    places = scene.camera.get(shape) or scene.camera.get("16x9") or []
    if not places or t <= places[0][0]:
        return View(*places[0][1:]) if places else STILL
    for a, b in pairwise(places):
        if t < b[0]:
            dive = scene.move == "push" and b is places[-1] and len(places) > 2
            return _dive(a, b, t) if dive else _glide(a, b, _share(a, b, t, smooth=scene.move == "smooth"))
    return View(*places[-1][1:])


def _share(a: Camera, b: Camera, t: float, *, smooth: bool) -> float:
    u = (t - a[0]) / (b[0] - a[0])
    return ease(u) if smooth else u


def _glide(a: Camera, b: Camera, u: float) -> View:
    return View(*(p + (q - p) * u for p, q in zip(a[1:], b[1:], strict=True)))


def _dive(a: Camera, b: Camera, t: float) -> View:
    """The zoom grows by equal factors, and the centre follows it, so that the target moves on a straight line."""
    start, end = a[3], b[3]
    zoom = start * (end / start) ** _share(a, b, t, smooth=True)
    way = (1 - start / zoom) / (1 - start / end) if start != end else 1.0
    return View(*_glide(a, b, way)[:2], zoom)


def moves_alone(scenes: Sequence[Scene], shape: Shape) -> bool:
    """Whether a shape has a camera of its own in any scene."""
    return any(scene.camera.get(shape, scene.camera.get("16x9")) != scene.camera.get("16x9") for scene in scenes)
