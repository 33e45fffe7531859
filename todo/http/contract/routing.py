"""Connexion's routing, with one match for each request.

Starlette's router asks one route after the other. Here the routes of a method are one regular
expression, in their order. What none of them fits goes to Connexion's router, which knows why: the
path does not exist, or has other methods.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from connexion.middleware.abstract import ROUTING_CONTEXT
from connexion.middleware.routing import RoutingMiddleware
from starlette.types import Receive, Scope, Send

from todo.http.contract.routes import OperationRoute, routes_of
from todo.http.exchange import exchange_of

_NAMED_GROUP = re.compile(r"\(\?P<\w+>")


class _Routed(NamedTuple):
    """A route inside of the expression: where its parameters are among the groups."""

    operation_id: str
    parameters: tuple[tuple[str, int, Any], ...]


class _Expression:
    """The routes of one method as one regular expression."""

    def __init__(self, routes: Iterable[OperationRoute]) -> None:
        alternatives: list[str] = []
        self._routed: dict[str, _Routed] = {}
        groups = 0
        for number, route in enumerate(routes):
            name = f"route_{number}"
            pattern = _NAMED_GROUP.sub("(", route.paths.pattern.removeprefix("^").removesuffix("$"))
            alternatives.append(f"(?P<{name}>{pattern})")
            places = enumerate(route.convertors.items(), groups + 2)
            parameters = tuple((key, place, convertor) for place, (key, convertor) in places)
            self._routed[name] = _Routed(route.operation_id, parameters)
            groups = groups + 1 + re.compile(pattern).groups
        self._match = re.compile("|".join(alternatives)).fullmatch

    def route(self, path: str) -> tuple[str, dict[str, Any]] | None:
        """Return the operation that ``path`` belongs to, and the values in the path."""
        match = self._match(path)
        if match is None or match.lastgroup is None:
            return None
        operation_id, parameters = self._routed[match.lastgroup]
        return operation_id, {key: by.convert(match[place]) for key, place, by in parameters}


class CompiledRouting(RoutingMiddleware):  # type: ignore[misc]  # Connexion is untyped
    """Stands where Connexion's RoutingMiddleware would."""

    @cached_property
    def routes(self) -> list[OperationRoute]:
        """The router's routes, one for each operation."""
        return routes_of(self.router.routes)

    @cached_property
    def _expressions(self) -> Mapping[str, _Expression]:
        methods = set().union(*(route.methods for route in self.routes))
        return {
            method: _Expression(route for route in self.routes if method in route.methods)
            for method in methods
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell the next layers which operation the request is for."""
        if scope["type"] == "http":
            expression = self._expressions.get(scope["method"])
            routed = expression and expression.route(scope["path"])
            if routed:
                operation_id, scope["path_params"] = routed
                exchange_of(scope).operation = operation_id
                context = {"api_base_path": "", "operation_id": operation_id}
                scope["extensions"] = {**scope.get("extensions", {}), ROUTING_CONTEXT: context}
                await self.app(scope, receive, send)
                return
        # The path of a request has no prefix in it, and Connexion's router would look for one.
        await super().__call__({**scope, "root_path": ""}, receive, send)
