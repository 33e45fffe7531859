"""The error boundary: whatever is raised further in becomes a problem document here."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo.http.exchange import exchange_of
from todo.http.request import prefix_of
from todo.problems import Problem, render

log = structlog.get_logger("todo.errors")


class ErrorBoundary:
    """Renders problems, and everything else as one, without telling anything of the inside."""

    def __init__(self, app: ASGIApp, *, allowed_methods: Callable[[str], str]) -> None:
        """``allowed_methods`` gives the complete ``Allow`` of a path that exists."""
        self._app = app
        self._allowed_methods = allowed_methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; respond with a problem if it raises before the response begins."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            await _respond(self._problem(error, scope), scope, send)

    def _problem(self, error: Exception, scope: Scope) -> Problem:
        if isinstance(error, Problem):
            if error.kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                # The first line only: PostgreSQL quotes the statement in what follows.
                cause = str(error.__cause__ or error.detail).partition("\n")[0]
                log.warning("request.failed", code=error.code, cause=cause)
            return error
        if isinstance(error, HTTPException):  # Starlette's router
            if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                allow = self._allowed_methods(scope["path"])
                return Problem(
                    "method_not_allowed", f"Allowed here: {allow}.", headers={"Allow": allow}
                )
            if error.status_code == HTTPStatus.NOT_FOUND:
                return Problem("not_found", "Resource not found.")
        log.error("request.crashed", exc_info=error)
        return Problem("internal_error", "Something went wrong on the server.")


async def _respond(problem: Problem, scope: Scope, send: Send) -> None:
    exchange_of(scope).code = problem.code
    rendered = render(problem, scope["path"], prefix_of(scope))
    headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in rendered.headers.items()]
    headers.append((b"content-length", b"%d" % len(rendered.body)))
    await send({"type": "http.response.start", "status": rendered.status, "headers": headers})
    await send({"type": "http.response.body", "body": rendered.body})
