"""What all verbs of the desk share: the group, the open vault, the road, and how things are printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from sottovoce.desk.join import members_onion
from sottovoce.desk.road import Report, Road
from sottovoce.desk.sync import Desk
from sottovoce.desk.trusted import Trusted
from sottovoce.desk.vault import NAME, Vault
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.card import UntrustedCard
from sottovoce.trust.mark import need_today

from . import road as roads
from .common import PATH, UserError, now, out, passphrase, random

FOLDER = click.argument("folder", type=PATH)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
TORRC_EXTRA = click.option(
    "--torrc-extra", type=PATH, help="A file with further lines for tor, as those of a private network."
)


@click.group()
def desk() -> None:
    """The desk: fetch, read and answer. FOLDER is the desk's folder."""


@contextmanager
def opened(folder: Path, source: str | None) -> Iterator[tuple[Vault, Desk]]:
    """The vault in a folder and the desk over it; `source` is where the passphrase comes from."""
    if not (folder / NAME).exists():
        raise UserError(f"{folder} holds no vault: check the path, or join first with `sottovoce member join`.")
    need_today(folder)
    with Vault.open(folder / NAME, passphrase(source, "the vault")) as vault:
        yield vault, Desk(vault, now, random)


@contextmanager
def reached(folder: Path, vault: Vault, torrc_extra: Path | None, say: Callable[[str], None]) -> Iterator[Road]:
    """The road to the server over the desk's own tor, which ends with it."""
    extra = torrc_extra.read_text().splitlines() if torrc_extra else []
    client, members = vault.device_key("onion"), members_onion(vault).address
    with roads.over_tor(folder.absolute() / "tor", extra, client, _door(vault), members, say) as road:
        yield road


def _door(vault: Vault) -> str:
    held = vault.signed("card")
    if not held:
        raise UserError("This device is not admitted yet: take its request to the office, and its answer back here.")
    return str(UntrustedCard.of(held[0]).verify_kept(Trusted(vault).root).addresses[0])


def name_of(opened: Desk, sign: str | None) -> str:
    """The conversation's name as the desk finds it; it may be left out while there is only one."""
    if sign is not None:
        return sign.replace("-", " ")
    conversations = opened.conversations()
    if len(conversations) != 1:
        raise UserError(f"There are {len(conversations)} conversations: name one by its sign, as maple-ocean.")
    return conversations[0].id.hex()


def print_findings(report: Report) -> None:
    """A report's warnings and alarms."""
    for warning in report.warnings:
        out.print(warning, style="yellow", markup=False)
    for alarm in report.alarms:
        out.print(f"ALARM: {alarm}", style="bold red", markup=False)


def code_of(report: Report) -> int:
    """The exit code: 1 where the road broke or something is wrong."""
    return 0 if report.complete and not report.alarms else 1


def day(epoch: int) -> str:
    """A day as it is printed."""
    return datetime.fromtimestamp(epoch * EPOCH_SECONDS, UTC).date().isoformat()


def print_json(value: object) -> None:
    """JSON, as it is; who reads it cleans texts."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
