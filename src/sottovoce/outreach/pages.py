"""Pages for who makes a call, rendered from templates/: plain HTML without script, everything in it escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def page(template: str, **values: object) -> str:
    """One page; a value that a template asks for and is not given is a fault of the program."""
    return _environment().get_template(template).render(values)
