"""The picture that stands for a film: one moment of it, with its overlay's words or, where it has none, its title."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..call import Shape
from .ass import OUTLINED, Inscription, script
from .captions import LOOKS, Burnt
from .encode import still
from .letters import Letters
from .sizes import CRIMSON, SIZES
from .sources import Source
from .wrap import wrap

_LONGER = 1_280  # pixels of the longer side, as platforms ask for
_MOST = 2_000_000  # bytes that they take


@dataclass(frozen=True)
class Thumbnail:
    """A film's moment at `t` seconds in a shape and language; `draft` is the word for one, or ""."""

    source: Source = field(repr=False)
    shape: Shape
    t: float
    burnt: Burnt
    title: str
    organisation: str
    draft: str

    def make(self, name: str, fresh: Path) -> None:
        """Writes it as a PNG file of at most two million bytes."""
        longer = _LONGER
        while True:
            width, height = (side * longer // max(SIZES[self.shape]) // 2 * 2 for side in SIZES[self.shape])
            still(self.source.still(self.shape, self.t), self.t, self.ass(), (width, height), fresh / name)
            if (fresh / name).stat().st_size <= _MOST:
                return
            longer = longer * 3 // 4

    def ass(self) -> str:
        """What is burnt in."""
        events = list(self.burnt.events())
        if not self.burnt.overlay:
            events += (line.shown(0, self.t + 1, self.burnt.rate, OUTLINED) for line in self._title())
        return script(self.shape, [*events, *self._draft()])

    def _title(self) -> Iterator[Inscription]:
        """The title over the lower part, and whose film this is."""
        (width, height), look, letters = SIZES[self.shape], LOOKS[self.shape], Letters(self.burnt.tongue)
        size = look.letter * 1.6
        lines = wrap(self.title, self.burnt.tongue, lambda text: letters.width(text, size), look.widest)
        name = look.letter * 0.75
        yield Inscription(self.organisation, letters, name, width / 2, height - look.below)
        for above, line in enumerate(reversed(lines)):
            yield Inscription(line, letters, size, width / 2, height - look.below - (1.3 + 1.4 * above) * size)

    def _draft(self) -> Iterator[str]:
        if self.draft:
            (width, height), letters = SIZES[self.shape], Letters(self.burnt.tongue)
            size = min(0.8 * width / letters.width(self.draft, 1), 0.4 * height)
            line = Inscription(self.draft, letters, size, width / 2, height / 2, colour=CRIMSON, opacity=0.5)
            yield line.shown(0, self.t + 1, self.burnt.rate, r"\frz18")
