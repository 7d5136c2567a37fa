"""Where each thing stands on an end card, by shape: pixels from the centre, for languages that run to the right.

Nothing lies in the quiet zone, four modules around the QR code. In 9x16 the code, and all that is needed to type the
address, ends above the lowest fifth, which apps cover.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..call import Shape

QUIET = 4  # modules around a QR code that must be empty (ISO/IEC 18004)


@dataclass(frozen=True)
class Layout:
    """Baselines, sizes and widths of an end card; x is the left edge of what stands left."""

    x: int
    width: int
    logo: tuple[int, float]  # middle's y; size of one of its units
    name: tuple[int, int]  # baseline, greatest size; so all pairs below
    second: tuple[int, int]
    rule: int
    type_it: tuple[int, int]
    module: int
    code: tuple[int, int]  # the QR code's corner
    address: tuple[int, int]  # x, first baseline
    size: int
    lead: int
    groups: int  # of four letters in a row
    check: tuple[int, int]
    note: tuple[int, int, int]  # upper edge, lower edge, greatest size
    label: tuple[int, int]
    beside: int | None  # where type_it and check words stand beside the code: their x


LAYOUTS: dict[Shape, Layout] = {
    "16x9": Layout(
        x=-864, width=1_728, logo=(-450, 1.2), name=(-444, 66), second=(-398, 34), rule=-376, type_it=(-262, 54),
        module=18, code=(-864, -294), address=(-240, -150), size=98, lead=106, groups=4, check=(246, 36),
        note=(318, 458, 50), label=(506, 29), beside=-240,
    ),
    "9x16": Layout(
        x=-468, width=936, logo=(-838, 1.2), name=(-834, 64), second=(-788, 32), rule=-762, type_it=(-708, 44),
        module=27, code=(-391, -225), address=(-463, -616), size=86, lead=88, groups=4, check=(706, 29),
        note=(728, 880, 42), label=(926, 27), beside=None,
    ),
    "1x1": Layout(
        x=-480, width=960, logo=(-470, 1.0), name=(-464, 52), second=(-424, 28), rule=-404, type_it=(-346, 46),
        module=15, code=(-480, -270), address=(32, -216), size=56, lead=74, groups=3, check=(264, 29),
        note=(286, 440, 42), label=(490, 27), beside=None,
    ),
}  # fmt: skip
