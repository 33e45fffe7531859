"""One match for each request finds what Connexion's router finds: `todo.http.contract.routing`."""

import asyncio
from typing import Any

import pytest
from connexion.middleware.abstract import ROUTING_CONTEXT
from connexion.middleware.routing import RoutingMiddleware, RoutingOperation
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.routing import Router

from todo.http.contract.routing import CompiledRouting

OPERATIONS = (
    ("GET", "/"),
    ("GET", "/a"),
    ("POST", "/a/fixed"),
    ("PUT", "/a/{b}"),
    ("GET", "/a/{b}/{number:int}"),
    ("GET", "/a/{b}/x"),
    ("DELETE", "/a/{b}/{c}"),
    ("GET", "/a.b"),
)


def routing_of(kind: type[RoutingMiddleware]) -> Any:
    """A routing layer as Connexion builds it, which passes requests to one that notes them."""
    noted: list[dict[str, Any]] = []

    async def note(scope, receive, send):
        noted.append(scope)

    layer = kind(note)
    api = Router(default=RoutingOperation(None, note))
    for method, path in OPERATIONS:
        api.add_route(path, RoutingOperation(f"{method} {path}", note), methods=[method])
    layer.router.mount("", app=api)

    def route(method: str, path: str, **more: Any) -> Any:
        noted.clear()
        scope = {"type": "http", "method": method, "path": path, "app": None, "headers": [], **more}
        try:
            asyncio.run(layer(scope, None, None))
        except HTTPException as refused:
            return refused.status_code
        [found] = noted
        return found["extensions"][ROUTING_CONTEXT], found.get("path_params", {})

    return route


CONNEXIONS, OURS = routing_of(RoutingMiddleware), routing_of(CompiledRouting)


@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "BREW", "get"]),
    st.lists(
        st.sampled_from(["a", "fixed", "x", "12", "+7", "007", "é b", "a.b", "axb", ""]),
        max_size=4,
    ),
)
def test_any_request_is_routed_as_by_connexion(method, parts):
    # No line feed: a mount of Starlette's takes a path to end there.
    path = "/" + "/".join(parts).rstrip("/")  # an empty segment at the end is refused before

    assert OURS(method, path) == CONNEXIONS(method, path)


@pytest.mark.parametrize("path", ["/a/b/7", "/a/b", "/b"])
def test_a_prefix_is_not_looked_for_in_a_path(path):
    assert OURS("GET", path, root_path="/a") == CONNEXIONS("GET", path)


def test_extensions_of_the_server_stay_with_the_request_and_are_not_shared():
    shared = {"tls": {}}
    routed, _ = OURS("GET", "/a", extensions=shared)

    assert routed == {"api_base_path": "", "operation_id": "GET /a"}
    assert shared == {"tls": {}}
