"""A film keeps within a platform's bytes, whatever it shows."""

from __future__ import annotations

import msgspec
import pytest

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.film.quality import quality
from sottovoce.outreach.film.sizes import CARD_SECONDS
from sottovoce.outreach.platforms import platforms

FORWARD = platforms()["forward"]


def test_where_bytes_do_not_count_films_are_fine() -> None:
    assert quality(platforms()["youtube"], 30) == quality(platforms()["instagram"], 30) == (18, 0, 128)


@pytest.mark.parametrize("seconds", [20, 60, 180, 420, 594])
def test_a_forwardable_cut_fits_at_its_ceilings(seconds: float) -> None:
    crf, kbps, sound = quality(FORWARD, seconds)
    most = kbps * (seconds + 2) + sound * (seconds + CARD_SECONDS) + 1_600  # kbit; 2 s: what x264 may save up
    assert crf == 23
    assert 0 < most * 125 < 0.95 * FORWARD.bytes_most
    assert kbps > 100


def test_a_film_too_long_for_its_bytes_is_named() -> None:
    with pytest.raises(
        CallError, match="A film of 1500 s is too long for To pass on by messengers, which takes 16,000,000"
    ):
        quality(FORWARD, 1_500)


def test_a_large_limit_is_kept_by_long_films() -> None:
    reels = msgspec.structs.replace(platforms()["instagram"], bytes_most=300_000_000)
    crf, kbps, sound = quality(reels, 890)
    assert (crf, sound) == (18, 128)
    assert 0 < (kbps * 892 + sound * 896) * 125 < 300_000_000
