"""The command tree: thin verbs, and the only place where parts are wired together."""

from __future__ import annotations

import importlib
import os
import sys

import click

from sottovoce.desk.errors import DeskError
from sottovoce.door.errors import TextsError
from sottovoce.onion.errors import OnionError
from sottovoce.outreach.errors import CallError
from sottovoce.pool.errors import RoadError
from sottovoce.protocol.errors import PhraseError, Refused
from sottovoce.source.errors import SourceError
from sottovoce.trust.locked import WrongPassphrase

from .common import UserError, say_error

# Each group's module is read when it is called, so that a verb waits for nothing that it doesn't use.
_MODULES = {
    "org": "org",
    "onion": "org",
    "member": "member",
    "language": "language",
    "advice": "language",
    "call": "call",
    "serve": "serve",
    "desk": "desk",
    "source": "source",
    "doctor": "doctor",
    "upgrade": "upgrade",
    "demo": "demo",
}
_KNOWN_ERRORS = (
    UserError, DeskError, SourceError, TextsError, OnionError, RoadError, CallError, Refused, WrongPassphrase,
    PhraseError,
)  # fmt: skip


class _Tree(click.Group):
    def list_commands(self, _: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in _MODULES:
            return None
        module = importlib.import_module(f".{_MODULES[name]}", __name__)
        command: click.Command = getattr(module, name)
        return command


@click.command(cls=_Tree, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sottovoce")
def _tree() -> None:
    """Sottovoce: ask insiders at risk to come forward in public, and let them answer in private."""


def main() -> None:
    """Runs one verb. Every error is one sentence that says what is wrong and what to do; exit code 1 or 2."""
    os.umask(0o077)
    try:
        sys.exit(_tree.main(standalone_mode=False) or 0)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        say_error(error.format_message())
        sys.exit(error.exit_code)
    except _KNOWN_ERRORS as error:
        say_error(str(error))
        sys.exit(1)
    except UnicodeDecodeError:
        say_error("A given file is not text in UTF-8: save it as UTF-8 and try again.")
        sys.exit(1)
    except OSError as error:
        say_error(
            f"{error.strerror or 'A file could not be used'}: {error.filename or 'check the disk and its rights'}."
        )
        sys.exit(1)
