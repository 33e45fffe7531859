"""Finds the handler of an operation, and turns what handlers return into responses."""

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

import flask
import orjson
from connexion.operations import AbstractOperation
from connexion.resolver import Resolution, Resolver

from todo.http.contract import ContractError

PACKAGE: Final = "todo.handlers"

Handler = Callable[..., Any]


class HandlerResolver(Resolver):  # type: ignore[misc]  # Connexion is untyped
    """The first tag of an operation names the module in ``todo.handlers``, its operationId the
    function.
    """

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """Return the plain function behind ``operation``.

        Raises :class:`ContractError` when there is none.
        """
        where = f"{operation.method.upper()} {operation.path}"
        name = operation.operation_id
        tag = next(iter(operation._operation.get("tags", ())), None)
        if not name or not tag:
            raise ContractError(f"{where}: needs an operationId and a tag")
        handler = getattr(_module(f"{PACKAGE}.{tag}"), name, None)
        if handler is None:
            raise ContractError(f"{where}: operationId {name!r} is no function of {PACKAGE}.{tag}")
        return Resolution(handler, name)


def _module(name: str) -> ModuleType | None:
    """Return a module, if there is one; what it imports itself and lacks is an error of its own."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def respond(result: Any) -> flask.Response:
    """Turn what a handler returned into a response.

    ``result`` is a response, or a body, ``(body, status)`` or ``(body, status, headers)``; a body
    of ``None`` is an empty 204, anything else is serialised as JSON, once.
    """
    if isinstance(result, flask.Response):
        return result
    body, status, headers = _unpack(result)
    if body is None:
        response = flask.Response(status=status or 204, headers=headers)
        response.headers.pop("Content-Type", None)
        return response
    return flask.Response(
        orjson.dumps(body), status=status or 200, headers=headers, mimetype="application/json"
    )


def _unpack(result: Any) -> tuple[Any, int | None, Mapping[str, str] | None]:
    if not isinstance(result, tuple):
        return result, None, None
    body, status, headers = (*result, None)[:3]
    return body, status, headers
