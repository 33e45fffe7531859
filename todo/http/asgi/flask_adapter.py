"""The adapter from ASGI to Flask: one thread hop, bounded, with a deadline.

Connexion sees it as the application it wraps: it registers one Flask view per operation. Routing,
security and validation are done by then, so the view is called with ready arguments and Flask
neither routes nor parses again. A handler that is a coroutine function runs on the event loop,
without the hop: that is how liveness answers even when every thread is busy.
"""

import asyncio
import inspect
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Final

import flask
from connexion.middleware.abstract import ROUTING_CONTEXT, AbstractRoutingAPI, SpecMiddleware
from connexion.operations import AbstractOperation
from starlette.types import Receive, Scope, Send
from werkzeug.routing import Rule

from todo.http.asgi.turns import NOBODY, Turn, Turns
from todo.http.contract import hints
from todo.http.contract.operation import BODY
from todo.http.contract.resolver import Handler, respond
from todo.http.contract.validation import ARGUMENTS
from todo.problems import Problem

SAFE: Final = ("GET", "HEAD")
"""Methods that change nothing (RFC 9110, section 9.2.1)."""


class ApiFlask(flask.Flask):
    """A Flask application that is routed by Connexion: a request comes with its rule."""

    def create_url_adapter(self, request: flask.Request | None) -> None:  # noqa: D102
        return None

    def respond_to(self, scope: Scope, rule: Rule) -> flask.Response:
        """Run the view of ``rule`` for an ASGI request, in a request context of its own."""
        with self.request_context(_environ(scope)) as context:
            context.request.url_rule = rule
            context.request.view_args = scope[ARGUMENTS]
            flask.g.claims = _claims(scope)
            return self.full_dispatch_request()


class FlaskAdapter(SpecMiddleware):  # type: ignore[misc]  # Connexion is untyped
    """Serves the operations of the contract with the views of a Flask application."""

    def __init__(self, app: ApiFlask, *, threads: int, one_writer: bool = False) -> None:
        """``one_writer``: see :class:`todo.http.asgi.turns.Turns`."""
        self._app = app
        self._threads = threads
        self._one_writer = one_writer
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
        response = await operation(scope)
        headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in response.headers]
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": headers}
        )
        await send({"type": "http.response.body", "body": response.get_data()})

    def _register(self, path: str, method: str, name: str, handler: Handler) -> None:
        if inspect.iscoroutinefunction(handler):

            async def run_operation(scope: Scope) -> flask.Response:
                return respond(await handler(**scope[ARGUMENTS]))

        else:

            def view(**arguments: Any) -> flask.Response:
                return respond(handler(**arguments))

            rule = Rule(path.replace("{", "<").replace("}", ">"), methods=[method], endpoint=name)
            self._app.url_map.add(rule)
            self._app.view_functions[name] = view

            async def run_operation(scope: Scope) -> flask.Response:
                user, writes = _user(scope, method), method not in SAFE
                turn = await self._turns.take(user, writes=writes)
                return await self._hop(turn, self._app.respond_to, scope, rule)

        self._operations[name] = run_operation

    @cached_property
    def _turns(self) -> Turns:
        """Made at the first request, in the event loop that it is for."""
        return Turns(self._threads, one_writer=self._one_writer)

    @cached_property
    def _executor(self) -> ThreadPoolExecutor:
        """Made at the first request: one made before the fork hangs the worker."""
        return ThreadPoolExecutor(self._threads, thread_name_prefix="flask")

    async def _hop(
        self, turn: Turn, function: Callable[..., flask.Response], *args: Any
    ) -> flask.Response:
        """Run ``function`` on a thread, and end the ``turn`` when it is done.

        There are as many threads as database connections, so the pool itself never waits.
        """
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._executor, function, *args)
        # Shielded: when the client goes away the thread still works, and its turn goes on.
        work.add_done_callback(lambda _: turn.close())
        return await asyncio.shield(work)


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
        self._register(path, method.upper(), name, operation.function)


def _claims(scope: Scope) -> Any:
    """The claims of the verified token, ``None`` where the operation needs none."""
    return scope["extensions"].get("connexion_context", {}).get("token_info")


def _user(scope: Scope, method: str) -> str | None:
    """Whose load the request is: ``None`` for reads that anybody may make, such as readiness."""
    if claims := _claims(scope):
        return str(claims["sub"])
    return None if method in SAFE else NOBODY


def _environ(scope: Scope) -> dict[str, Any]:
    """Return the WSGI environment (PEP 3333) of a request whose body is already in memory."""
    body: bytes = scope[BODY]
    host, port = scope.get("server") or ("localhost", None)
    client, _ = scope.get("client") or (None, None)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REMOTE_ADDR": client,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        if key == "CONTENT_LENGTH":
            continue
        if key != "CONTENT_TYPE":
            key = f"HTTP_{key}"
        text = value.decode("latin-1")
        # Lines of one name are one list (RFC 9110, section 5.3).
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


async def _live(receive: Receive, send: Send) -> None:
    """Answer the server's lifespan events. The threads outlive them: test clients come again."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
