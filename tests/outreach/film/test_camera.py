"""Where the camera is: on straight lines, evenly or slowly, and diving towards one point."""

from __future__ import annotations

from typing import Literal

import pytest

from sottovoce.outreach.call import Scene, Shape
from sottovoce.outreach.film.camera import STILL, View, moves_alone, view

PLACES = [(0.0, -30.0, 0.0, 1.0), (2.0, 10.0, 20.0, 1.1), (4.0, 150.0, 28.0, 6.0)]


def at(t: float, move: Literal["linear", "smooth", "push"] = "linear", shape: Shape = "16x9") -> View:
    """The camera of a scene with three places, `t` seconds after it began."""
    return view(Scene(picture="a.svg", start=9, camera={"16x9": PLACES}, move=move), shape, t)


def test_a_scene_without_a_camera_stands_still() -> None:
    assert view(Scene(picture="a.svg", start=0), "9x16", 1.5) == STILL == (0, 0, 1)


def test_before_the_first_and_after_the_last_place_it_rests_there() -> None:
    assert at(-1) == at(0) == PLACES[0][1:]
    assert at(4) == at(99) == PLACES[2][1:]


def test_linear_moves_evenly() -> None:
    assert at(1) == pytest.approx((-10, 10, 1.05))
    assert at(1.5) == pytest.approx((0, 15, 1.075))


def test_smooth_is_slow_at_both_ends_and_meets_the_middle() -> None:
    early, middle = at(0.2, "smooth"), at(1, "smooth")
    assert middle == pytest.approx((-10, 10, 1.05))
    assert -30 < early.x < at(0.2).x - 2


def test_push_is_linear_to_the_second_place_and_dives_to_the_third() -> None:
    assert at(1, "push") == at(1)
    assert at(4, "push") == PLACES[2][1:]
    assert at(3, "push").zoom == pytest.approx((1.1 * 6) ** 0.5)  # half of the way is half of the factors


def test_the_target_of_a_dive_moves_in_a_straight_line_on_the_screen() -> None:
    target = PLACES[2][1:3]
    seen = [
        tuple((goal - centre) * each.zoom for goal, centre in zip(target, each[:2], strict=True))
        for each in (at(2 + step / 5, "push") for step in range(11))
    ]
    (x0, y0) = seen[0]
    assert all(x * y0 == pytest.approx(y * x0, abs=1e-6) for x, y in seen)
    assert [x for x, _ in seen] == sorted((x for x, _ in seen), reverse=True)


def test_a_square_sees_what_the_wide_shape_sees_unless_it_has_places_of_its_own() -> None:
    assert at(1, shape="1x1") == at(1)
    shared = Scene(picture="a.svg", start=0, camera={"16x9": PLACES})
    own = Scene(picture="a.svg", start=0, camera={"16x9": PLACES, "1x1": PLACES[:1]})
    assert not moves_alone([shared, Scene(picture="b.svg", start=1)], "1x1")
    assert moves_alone([shared, own], "1x1")
