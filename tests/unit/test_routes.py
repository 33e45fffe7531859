"""What the router's routes say of a path: `todo.http.contract.routes`."""

import pytest
from connexion.middleware.routing import RoutingOperation
from starlette.routing import Router

from todo.http.contract.routes import AllowedMethods, BodyLimits, routes_of


async def serve(scope, receive, send):
    """What the router's endpoints pass a request on to."""


def routes(*operations):
    """The routes of a router as Connexion builds it: one for each operation, under a mount."""
    router, api = Router(), Router()
    for method, path in operations:
        endpoint = RoutingOperation(f"{method} {path}", serve)
        api.add_route(path, endpoint, methods=[method])
    router.mount("", app=api)
    return routes_of(router.routes)


ROUTES = routes(
    ("GET", "/a"),
    ("PUT", "/a/{b}"),
    ("DELETE", "/a/{b}"),
    ("POST", "/a/fixed"),
    ("HEAD", "/a.b"),
    ("PATCH", "/n/{number:int}"),
    ("POST", "/n/text"),
)


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/a", "GET, HEAD"),
        ("/a/anything", "DELETE, PUT"),
        ("/a/é b", "DELETE, PUT"),
        ("/a/fixed", "DELETE, POST, PUT"),
        ("/a.b", "HEAD"),
        ("/a/b/c", ""),
        ("/aXb", ""),
        ("/a/", ""),
        ("/", ""),
        ("/a\n", ""),
        ("/n/7", "PATCH"),
        ("/n/text", "POST"),
    ],
)
def test_allow_names_the_methods_of_every_route_that_fits(path, allow):
    assert AllowedMethods(ROUTES)(path) == allow


DOCUMENT = {
    "paths": {
        "/a/{b}": {
            "put": {"operationId": "PUT /a/{b}", "requestBody": {"x-max-bytes": 9}},
            "delete": {"operationId": "DELETE /a/{b}"},
        },
        "/a/fixed": {"post": {"operationId": "POST /a/fixed", "requestBody": {}}},
    }
}


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("PUT", "/a/x", 9),
        ("PUT", "/a/x/y", 5),
        ("PUT", "/a", 5),
        ("DELETE", "/a/x", 5),
        ("POST", "/a/fixed", 5),
        ("GET", "/", 5),
    ],
)
def test_a_body_has_the_limit_of_its_operation_or_the_default(method, path, limit):
    assert BodyLimits(ROUTES, DOCUMENT, default=5)(method, path) == limit
