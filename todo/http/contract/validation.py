"""The Connexion middleware that checks a request against its operation, after security."""

import inspect
from typing import Any, Final

from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.operations import AbstractOperation
from starlette.types import ASGIApp, Receive, Scope, Send

from todo.http.contract import ContractError
from todo.http.contract.operation import Operation

ARGUMENTS: Final = "todo.arguments"
"""Where the handler's typed arguments lie in the ASGI scope."""


def compile_operation(operation: AbstractOperation) -> Operation:
    """Compile Connexion's view of an operation, whose references it has resolved.

    Raises :class:`ContractError` when it cannot be compiled, and when the handler does not take
    exactly the contract's arguments.
    """
    where = f"{operation.method.upper()} {operation.path}"
    # Connexion appends a path's own parameters once for every middleware that reads it.
    parameters = {(p["in"], p["name"]): p for p in operation.parameters}
    try:
        compiled = Operation(
            operation.path,
            list(parameters.values()),
            operation.request_body,
            secured=bool(operation.security),
            handler=operation.function,
        )
    except ContractError as broken:
        raise ContractError(f"{where}: {broken}") from None
    taken = frozenset(inspect.signature(operation.function).parameters)
    if taken != compiled.argument_names:
        raise ContractError(
            f"{where}: the contract gives {sorted(compiled.argument_names)}, "
            f"but {operation.operation_id} takes {sorted(taken)}"
        )
    return compiled


class _ValidationOperation:
    def __init__(self, next_app: ASGIApp, operation: Operation) -> None:
        self._next = next_app
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ARGUMENTS] = self._operation.arguments(scope)
        await self._next(scope, receive, send)


class _ValidationAPI(RoutedAPI[_ValidationOperation]):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _ValidationOperation:
        return _ValidationOperation(self.next_app, compile_operation(operation))


class ContractValidation(RoutedMiddleware[_ValidationAPI]):  # type: ignore[misc]
    """Stands where Connexion's RequestValidationMiddleware would, with everything compiled."""

    api_cls = _ValidationAPI
