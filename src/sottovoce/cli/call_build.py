"""`call build`: everything made, with progress, and a table of what took how long."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sottovoce.outreach.build import all_steps
from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.check import check as find
from sottovoce.outreach.film.run import versions
from sottovoce.outreach.outcome import found, next_steps
from sottovoce.outreach.steps import Builder, Done, Step

from .call_check import show
from .common import PATH, err, out, today
from .guides import guides


@click.command()
@click.argument("folder", type=PATH)
def build(folder: Path) -> int:
    """Make everything of the call in FOLDER below its build/: only what changed since the last time."""
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(versions)  # asked while the call is checked; what is missing is told where it is needed
        errors = [each for each in find(folder, today()) if each.severity == "error"]
    if errors:
        show(errors)
        out.print("Nothing was built: mend this first.")
        return 1
    call = read_call(folder, today())
    done = _build(call, all_steps(call, guides(call, today()), today()))
    _tell(call, done, time.monotonic() - begun)
    return 0


def _build(call: Call, steps: Sequence[Step]) -> list[Done]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    done: list[Done] = []
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=len(steps))

        def tell(each: Done) -> None:
            done.append(each)
            progress.update(task, advance=1, description=each.step.stage)

        Builder(call.built).build(steps, tell)
    return done


def _tell(call: Call, done: Sequence[Done], seconds: float) -> None:
    stages: dict[str, list[Done]] = defaultdict(list)
    for each in done:
        stages[each.step.stage].append(each)
    table = Table("stage", "steps", "made now", "seconds", box=None, header_style="bold")
    for stage, of in stages.items():
        made = [each for each in of if each.ran]
        table.add_row(stage, str(len(of)), str(len(made)), f"{sum(each.seconds for each in made):.1f}")
    out.print(table)
    files = found(call.built)
    out.print(f"{len(files)} files, {sum(each.size for each in files) / 1e6:.0f} MB, in {seconds:.1f} s.\n")
    words = " ".join(call.card.check_words)
    out.print(f"All of it carries the address of {call.card.name}:\n  {call.address}\n  {words}\n", markup=False)
    for number, step in enumerate(next_steps(call), 1):
        out.print(f"  {number}. {step}", markup=False)
