"""spec/openapi.json describes the calls that the code has: no more, no fewer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from sottovoce.pool.api import PUBLIC_KINDS, member_routes, public_routes
from sottovoce.pool.team_api import team_routes

DESCRIPTION = Path(__file__).parents[2] / "spec" / "openapi.json"
ANY: Any = None  # no route asks for its parts before it is called


def described(tag: str) -> set[tuple[str, str]]:
    """Methods and paths of the calls with a tag."""
    paths = json.loads(DESCRIPTION.read_text("utf-8"))["paths"]
    return {
        (method.upper(), path) for path, calls in paths.items() for method, call in calls.items() if tag in call["tags"]
    }


def served(routes: Iterable[Route]) -> set[tuple[str, str]]:
    """Methods and paths of routes; HEAD comes with each GET."""
    return {(method, route.path_format) for route in routes for method in (route.methods or set()) - {"HEAD"}}


@pytest.mark.parametrize(
    ("tag", "routes"),
    [
        ("public", public_routes(ANY, ANY, ANY, ANY)),
        ("members", [*member_routes(ANY, ANY), *team_routes(ANY, ANY)]),
    ],
)
def test_the_description_has_the_calls_of_the_code(tag: str, routes: list[Route]) -> None:
    assert described(tag) == served(routes)


def test_the_description_names_all_signed_things() -> None:
    (kind,) = json.loads(DESCRIPTION.read_text("utf-8"))["paths"]["/v1/signed/{kind}"]["get"]["parameters"]
    assert kind["schema"]["enum"] == list(PUBLIC_KINDS)
