"""Verbs of the desk: sync, list, read, answer, status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click
from rich.padding import Padding
from rich.table import Table

from sottovoce.desk.join import members_onion
from sottovoce.desk.letters import Conversation, Entry
from sottovoce.desk.road import SyncReport
from sottovoce.desk.sync import Desk
from sottovoce.desk.trusted import Trusted
from sottovoce.desk.vault import NAME, Vault
from sottovoce.protocol.sizes import EDITION_SECONDS, EPOCH_SECONDS
from sottovoce.trust.card import UntrustedCard

from .common import PATH, UserError, err, now, out, passphrase, passphrase_option, random
from .road import over_tor
from .text import clean

_FOLDER = click.argument("folder", type=PATH)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


@click.group()
def desk() -> None:
    """The desk: fetch, read and answer. FOLDER is the desk's folder."""


@contextmanager
def _opened(folder: Path, source: str | None) -> Iterator[tuple[Vault, Desk]]:
    if not (folder / NAME).exists():
        raise UserError(f"{folder} holds no vault: check the path, or join first with `sottovoce member join`.")
    with Vault.open(folder / NAME, passphrase(source, "the vault")) as vault:
        yield vault, Desk(vault, now, random)


def _door(vault: Vault) -> str:
    held = vault.signed("card")
    if not held:
        raise UserError("This device is not admitted yet: take its request to the office, and its answer back here.")
    read = UntrustedCard.of(held[0])
    return str(read.verify(Trusted(vault).root, read.claim.issued).addresses[0])


@desk.command()
@_FOLDER
@click.option("--torrc-extra", type=PATH, help="A file with further lines for tor, as those of a private network.")
@_JSON
@passphrase_option
def sync(folder: Path, torrc_extra: Path | None, as_json: bool, **given: str | None) -> int:
    """Fetch what is pending, renew the duty keys, send what waits; over Tor."""
    extra = torrc_extra.read_text().splitlines() if torrc_extra else []
    with _opened(folder, given["passphrase"]) as (vault, opened):
        client, members = vault.device_key("onion"), members_onion(vault).address
        say = (lambda _: None) if as_json else (lambda text: err.print(text, markup=False))
        with over_tor(folder.absolute() / "tor", extra, client, _door(vault), members, say) as road:
            report = opened.sync(road)
    _print_json(_report(report)) if as_json else _print_report(report)
    return 0 if report.complete and not report.alarms else 1


def _report(report: SyncReport) -> dict[str, Any]:
    waits = [{"conversation": each.conversation.hex(), "hour": each.hour} for each in report.waits]
    return {**asdict(report), "waits": waits}


def _print_report(report: SyncReport) -> None:
    out.print(f"{report.messages} new messages, {report.sent} answers sent, {report.waiting} waiting.")
    if report.duty_published:
        out.print("The duty keys of the coming days are renewed.")
    for wait in report.waits:
        out.print(f"Waits for the next edition, from {wait.hour:02}:00 UTC: sync again then.")
    for layer, count in report.refused.items():
        out.print(f"{count} envelopes were refused ({layer}): nobody's fault here, nothing to do.", style="dim")
    for warning in report.warnings:
        out.print(warning, style="yellow", markup=False)
    for alarm in report.alarms:
        out.print(f"ALARM: {alarm}", style="bold red", markup=False)


@desk.command("list")
@_FOLDER
@_JSON
@passphrase_option
def list_(folder: Path, as_json: bool, **given: str | None) -> None:
    """List the conversations by their sign, the newest last."""
    with _opened(folder, given["passphrase"]) as (_, opened):
        conversations = opened.conversations()
    if as_json:
        _print_json([_as_json(each) for each in conversations])
        return
    table = Table("Sign", "Messages", "Unread", "Waiting", "Newest", box=None, pad_edge=False)
    for each in conversations:
        counts = (str(each.messages), str(each.unread or ""), str(each.waiting or ""))
        table.add_row(" ".join(each.sign), *counts, _day(each.newest), style="bold" if each.unread else "")
    out.print(table if conversations else "No conversation yet.")


def _as_json(each: Conversation) -> dict[str, Any]:
    return {**asdict(each), "id": each.id.hex(), "sign": list(each.sign), "newest": _day(each.newest)}


@desk.command()
@_FOLDER
@click.argument("sign", required=False)
@_JSON
@passphrase_option
def read(folder: Path, sign: str | None, as_json: bool, **given: str | None) -> None:
    """Read the conversation with SIGN, as maple-ocean; needless while there is only one."""
    with _opened(folder, given["passphrase"]) as (_, opened):
        entries = opened.read(_name(opened, sign))
    if as_json:
        _print_json([asdict(entry) for entry in entries])
        return
    for entry in entries:
        _print_entry(entry)


def _print_entry(entry: Entry) -> None:
    when = _day(entry.edition * EDITION_SECONDS // EPOCH_SECONDS) if entry.edition is not None else "not sent yet"
    out.print(
        f"{'Source' if entry.incoming else 'Us'}, {when} ({entry.state})",
        style="bold cyan" if entry.incoming else "bold",
    )
    out.print(Padding(clean(entry.text), (0, 0, 1, 2)), markup=False)


@desk.command()
@_FOLDER
@click.argument("sign", required=False)
@click.option(
    "--text-file",
    required=True,
    type=click.File(encoding="utf-8"),
    help='Read the answer from a file, or "-" for standard input.',
)
@passphrase_option
def answer(folder: Path, sign: str | None, text_file: TextIO, **given: str | None) -> None:
    """Answer the conversation with SIGN; the next sync sends it."""
    with _opened(folder, given["passphrase"]) as (_, opened):
        name = _name(opened, sign)
        hour = opened.answer(name, text_file.read().rstrip("\n"))
    if hour is None:
        out.print(f"Queued. It goes out with the next sync:  sottovoce desk sync {folder}", markup=False)
    else:
        out.print(f"Queued. One answer goes out in six hours: this one with a sync after {hour:02}:00 UTC.")


def _name(opened: Desk, sign: str | None) -> str:
    if sign is not None:
        return sign.replace("-", " ")
    conversations = opened.conversations()
    if len(conversations) != 1:
        raise UserError(f"There are {len(conversations)} conversations: name one by its sign, as maple-ocean.")
    return conversations[0].id.hex()


@desk.command()
@_FOLDER
@_JSON
@passphrase_option
def status(folder: Path, as_json: bool, **given: str | None) -> None:
    """How long the keys last, and what waits."""
    with _opened(folder, given["passphrase"]) as (_, opened):
        found = opened.status()
    if as_json:
        _print_json(asdict(found))
        return
    last = _day(found.last_sync) if found.last_sync is not None else "never"
    out.print(f"Slot {found.slot}   duty keys for {found.duty_days} days   roster for {found.roster_days} days")
    out.print(f"{found.unread} unread   {found.waiting} waiting   last sync {last}")
    for warning in found.warnings:
        out.print(warning, style="yellow", markup=False)


def _day(epoch: int) -> str:
    return datetime.fromtimestamp(epoch * EPOCH_SECONDS, UTC).date().isoformat()


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
