"""Templates and their style sheets: every page is one file, with a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup


def page(name: str, /, **values: object) -> str:
    """An HTML page from its template and paper.css: nothing is fetched, nothing runs, nothing is sent."""
    style = _sheet("paper.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'none'; base-uri 'none'"
    return text(name, style=Markup(style), policy=policy, **values)  # noqa: S704  (the sheet is ours)


def sheet(name: str, /, **values: object) -> str:
    """A leaflet's HTML from its template and print.css, for the program that makes PDFs of it."""
    return text(name, style=Markup(_sheet("print.css")), **values)  # noqa: S704  (the sheet is ours)


def text(name: str, /, **values: object) -> str:
    """A template, filled in; what is HTML by its name is escaped."""
    return _environment().get_template(name).render(values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(__package__, "templates"), autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip


@cache
def _sheet(name: str) -> str:
    style = resources.files(__package__).joinpath("templates", name).read_text("utf-8")
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)).strip()
