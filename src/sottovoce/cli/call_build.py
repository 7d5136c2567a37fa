"""`call build` and `call serve`: everything made, with progress and a table, and everything shown in a browser."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click
import uvicorn
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sottovoce.outreach.build import all_steps
from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.check import Finding
from sottovoce.outreach.check import check as find
from sottovoce.outreach.serve import HOSTS, Gallery, found, next_steps
from sottovoce.outreach.steps import Builder, Done, Step

from .call_check import show
from .common import PATH, UserError, err, out, today
from .guides import guides

_PORT = 8042


@click.command()
@click.argument("folder", type=PATH)
def build(folder: Path) -> int:
    """Make everything of the call in FOLDER below its build/: only what changed since the last time."""
    begun = time.monotonic()
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
    for number, step in enumerate(next_steps(call), 1):
        out.print(f"  {number}. {step}", markup=False)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--port", type=int, default=_PORT, show_default=True, help="Of this machine only.")
def serve(folder: Path, port: int) -> None:
    """Show what was built in FOLDER in a browser on this machine, until Ctrl-C."""
    call, _ = _state(folder)

    def now() -> tuple[Call, Sequence[Finding]]:
        return _state(folder)

    out.print(f"Open http://{HOSTS[0]}:{port}/ in a browser on this machine. Ctrl-C ends it.", markup=False)
    config = uvicorn.Config(Gallery(now).app(call.built), host=HOSTS[0], port=port, log_level="critical")
    server = uvicorn.Server(config)
    try:
        server.run()
    except SystemExit:
        raise UserError(f"Port {port} is taken: choose another one with --port.") from None


def _state(folder: Path) -> tuple[Call, Sequence[Finding]]:
    return read_call(folder, today()), find(folder, today())
