"""What the router's own routes say of a path, where a request is not routed, or not yet.

Connexion builds one route for each operation. The same routes tell which methods a path has, and
how large a body may be, so that nothing but the router decides which paths fit a template.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from connexion.middleware.routing import RoutingOperation
from starlette.convertors import Convertor
from starlette.routing import BaseRoute, Mount, Route

from todo.http.contract.document import Document, operations


class OperationRoute(NamedTuple):
    """The route of one operation: its method, with HEAD beside GET, and the paths that fit."""

    operation_id: str
    methods: frozenset[str]
    paths: re.Pattern[str]
    convertors: Mapping[str, Convertor[Any]]
    """What makes a value of each parameter's text, in the order of the parameters."""


def routes_of(mounts: Iterable[BaseRoute]) -> list[OperationRoute]:
    """Return the routes of Connexion's router, which mounts one router for each contract."""
    routers = [mount for mount in mounts if isinstance(mount, Mount)]
    routes = [route for router in routers for route in router.routes if isinstance(route, Route)]
    return [
        OperationRoute(
            route.endpoint.operation_id,
            frozenset(route.methods),
            route.path_regex,
            route.param_convertors,
        )
        for route in routes
        if isinstance(route.endpoint, RoutingOperation) and route.methods
    ]


class AllowedMethods:
    """Answers which methods a path has, for the ``Allow`` header (RFC 9110, section 10.2.1)."""

    def __init__(self, routes: Iterable[OperationRoute]) -> None:
        self._routes = list(routes)

    def __call__(self, path: str) -> str:
        """Return the methods of every route that ``path`` fits, sorted and comma-separated."""
        fitting = [route.methods for route in self._routes if route.paths.fullmatch(path)]
        return ", ".join(sorted(set().union(*fitting)))


class BodyLimits:
    """Answers how many bytes a body may have: the ``x-max-bytes`` of a path's operation."""

    def __init__(
        self, routes: Iterable[OperationRoute], document: Document, *, default: int
    ) -> None:
        declared: dict[str, int] = {
            operation["operationId"]: operation["requestBody"]["x-max-bytes"]
            for _, _, operation in operations(document)
            if "x-max-bytes" in operation.get("requestBody", ())
        }
        self._default = default
        self._declared = [
            (route, declared[route.operation_id])
            for route in routes
            if route.operation_id in declared
        ]

    def __call__(self, method: str, path: str) -> int:
        """Return the limit of ``method`` on ``path``, the default where none is declared."""
        for route, limit in self._declared:
            if method in route.methods and route.paths.fullmatch(path):
                return limit
        return self._default
