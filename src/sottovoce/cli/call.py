"""Verbs of a call: films, leaflets and pages that ask people to come forward, and the proof of who speaks."""

from __future__ import annotations

import importlib

import click

from .common import UserError

# Each verb's module is read when it is called, so that a verb waits for nothing that it doesn't use.
_VERBS = {
    "new": "call_new",
    "check": "call_check",
    "build": "call_build",
    "serve": "call_serve",
    "review": "call_sign",
    "approve": "call_sign",
    "sign": "call_sign",
    "withdraw": "call_sign",
    "published": "call_sign",
    "certificate": "call_sign",
    "verify": "call_verify",
}


class _Verbs(click.Group):
    def list_commands(self, _: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in _VERBS:
            return None
        try:
            command: click.Command = getattr(importlib.import_module(f".{_VERBS[name]}", __package__), name)
        except ModuleNotFoundError as error:
            raise UserError(f"{error.name} is missing: run `tools/setup call` on this machine first.") from None
        return command


@click.group(cls=_Verbs)
def call() -> None:
    """A call: films, leaflets and pages with your name and your onion address, and the proof that they are yours."""
