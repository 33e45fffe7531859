"""The adapter from ASGI to Flask: one thread hop, bounded, with a deadline.

Connexion sees it as the application it wraps, and registers the handler of each operation. Routing,
security and validation are done by then, so a handler is called with ready arguments, inside of
Flask's application context, and nothing is routed or parsed again. A handler that is a coroutine
function runs on the event loop, without the hop: liveness works even when every thread is busy.
"""

import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import flask
from connexion.middleware.abstract import ROUTING_CONTEXT, AbstractRoutingAPI, SpecMiddleware
from connexion.operations import AbstractOperation
from starlette.types import Receive, Scope, Send

from todo.database import deadline
from todo.http.asgi.streaming import stream
from todo.http.asgi.threads import Threads
from todo.http.asgi.turns import NOBODY
from todo.http.contract import hints
from todo.http.contract.resolver import Handler
from todo.http.contract.validation import ARGUMENTS
from todo.http.event_stream import EventStream
from todo.http.exchange import exchange_of
from todo.http.reply import Reply, reply_of
from todo.http.request import Request, claims_of
from todo.problems import Problem

SAFE: Final = ("GET", "HEAD")
"""Methods that change nothing (RFC 9110, section 9.2.1)."""


Check = Callable[[Mapping[str, Any]], None]
"""What is asked of the claims of a verified token on the thread, before the handler runs."""


class FlaskAdapter(SpecMiddleware):  # type: ignore[misc]  # Connexion is untyped
    """Serves the operations of the contract inside of a Flask application."""

    def __init__(
        self,
        app: flask.Flask,
        threads: Threads,
        *,
        check: Check | None = None,
        wrote: Callable[[str], None] = lambda _: None,
        admit: Callable[[Scope], Awaitable[None]],
    ) -> None:
        """``check`` raises problems; ``wrote`` is told whose request may have changed something.

        ``admit`` raises a problem for a request that is one too many.
        """
        self._app = app
        self._threads = threads
        self._check = check
        self._wrote = wrote
        self._admit = admit
        self._operations: dict[str, Callable[[Scope], Any]] = {}

    def add_api(self, specification: Any, **kwargs: Any) -> None:
        """Register the operations of ``specification`` (Connexion's own hook)."""
        _FlaskAPI(specification, register=self._register, **kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a routed, authenticated and validated request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        operation = self._operations.get(scope["extensions"][ROUTING_CONTEXT]["operation_id"])
        if operation is None:
            hint = hints.of_path(scope["path"])
            raise Problem("not_found", f"Resource not found{hint or '.'}")
        await self._admit(scope)
        reply: Reply | EventStream = await operation(scope)
        if isinstance(reply, EventStream):
            await stream(reply, scope, receive, send)
            return
        await send(
            {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
        )
        await send({"type": "http.response.body", "body": reply.body})

    def _register(self, method: str, name: str, handler: Handler) -> None:
        if inspect.iscoroutinefunction(handler):

            async def run_operation(scope: Scope) -> Reply | EventStream:
                request = Request(scope)
                if self._check is not None and request.claims is not None:
                    user = _user(scope, method)
                    await self._threads.run(user, self._check, request.claims)
                with self._app.app_context():
                    flask.g.request = request
                    result = await handler(**scope[ARGUMENTS])
                return result if isinstance(result, EventStream) else reply_of(result)

        elif method in SAFE:

            async def run_operation(scope: Scope) -> Reply | EventStream:
                user = _user(scope, method)
                return await self._on_a_thread(user, handler, scope, writes=False)

        else:

            async def run_operation(scope: Scope) -> Reply | EventStream:
                user = _user(scope, method) or NOBODY
                try:
                    return await self._on_a_thread(user, handler, scope, writes=True)
                finally:
                    self._wrote(user)

        self._operations[name] = run_operation

    async def _on_a_thread(
        self, user: str | None, handler: Handler, scope: Scope, *, writes: bool
    ) -> Reply:
        exchange = exchange_of(scope)
        exchange.queued = time.perf_counter()
        reply: Reply = await self._threads.run(
            user, self._run, handler, scope, writes=writes, turned=exchange.turn
        )
        return reply

    def _run(self, handler: Handler, scope: Scope) -> Reply:
        """Run ``handler`` on this thread, in the application context that it is in."""
        exchange = exchange_of(scope)
        exchange.started = time.perf_counter()
        deadline.take_spent()  # what this thread did for nobody's request
        flask.g.request = request = Request(scope)
        try:
            if self._check is not None and request.claims is not None:
                self._check(request.claims)
            return reply_of(handler(**scope[ARGUMENTS]))
        finally:
            exchange.database = deadline.take_spent()


class _FlaskAPI(AbstractRoutingAPI[AbstractOperation]):  # type: ignore[misc]
    """Connexion's walk over the operations of a contract."""

    def __init__(self, *args: Any, register: Callable[..., None], **kwargs: Any) -> None:
        self._register = register
        super().__init__(*args, **kwargs)

    def make_operation(self, operation: AbstractOperation) -> AbstractOperation:
        return operation

    @staticmethod
    def _framework_path_and_name(operation: AbstractOperation, path: str) -> tuple[str, str]:
        return path, operation.operation_id

    def _add_operation_internal(
        self, method: str, path: str, operation: AbstractOperation, name: str | None = None
    ) -> None:
        self._register(method.upper(), name, operation.function)


def _user(scope: Scope, method: str) -> str | None:
    """Whose load the request is: ``None`` for reads that anybody may make, such as readiness."""
    if claims := claims_of(scope):
        return str(claims["sub"])
    return None if method in SAFE else NOBODY


async def _live(receive: Receive, send: Send) -> None:
    """Answer the server's lifespan events. The threads outlive them: test clients come again."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
