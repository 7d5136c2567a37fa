"""What several verbs share: the clock, dice, prompts and printing."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console

from sottovoce.protocol.sizes import EDITION_SECONDS, epoch_of

random = secrets.token_bytes
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
PATH = click.Path(path_type=Path)
DEMO_CLOCK = "SOTTOVOCE_DEMO_CLOCK"  # a DemoClock's `text`, set by the demo for all its processes
_SHORTEST = 12  # characters: below that, guessing on stolen hardware gets cheap even with Argon2id


class UserError(Exception):
    """What was asked for can't be done; the text says why, and what to do."""


def say_error(text: str) -> None:
    """One sentence for what went wrong."""
    err.print(text, style="red", markup=False)


class DemoClock(NamedTuple):
    """A protocol clock that said `then` at the real time `base`, and since runs `factor` times as fast."""

    factor: float
    base: float
    then: float

    @property
    def pace(self) -> str:
        """How fast it is, in words."""
        seconds = round(EDITION_SECONDS / self.factor)
        return f"six hours pass here in {'one minute' if seconds == 60 else f'{seconds} seconds'}"

    @property
    def text(self) -> str:
        """As it stands in the environment."""
        return f"{self.factor}:{self.base}:{self.then}"


def demo_clock() -> DemoClock | None:
    """The demo's clock, when this is one of its processes; nobody else has one."""
    text = os.environ.get(DEMO_CLOCK)
    if not text:
        return None
    try:
        factor, base, then = map(float, text.split(":"))
    except ValueError:
        raise UserError(f"{DEMO_CLOCK} is no clock: unset it; only the demo sets it.") from None
    return DemoClock(factor, base, then)


def now() -> float:
    """The protocol's time in Unix seconds: the real one, but for the demo. Visits and deadlines ask `time` itself."""
    clock = demo_clock()
    return time.time() if clock is None else clock.then + (time.time() - clock.base) * clock.factor


def today() -> int:
    """The epoch."""
    return epoch_of(now())


def passphrase_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--passphrase-file`: the first line of a file, or of standard input ("-"); without it, a prompt asks."""
    option = click.option(
        "--passphrase-file", "passphrase", metavar="FILE", help="Read the passphrase from FILE's first line."
    )
    return option(command)


def passphrase(source: str | None, what: str, *, new: bool = False) -> str:
    """The passphrase, from a file or a hidden prompt; a new one is asked for twice and must not be short."""
    if source is not None:
        with click.open_file(source, encoding="utf-8") as file:
            given = file.readline().rstrip("\n")
    else:
        given = click.prompt(f"Passphrase of {what}", hide_input=True, confirmation_prompt=new, err=True)
    if new and len(given) < _SHORTEST:
        raise UserError(f"The passphrase is too short: take at least {_SHORTEST} characters, best six random words.")
    return str(given)
