"""Finds the handler of an operation."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

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
