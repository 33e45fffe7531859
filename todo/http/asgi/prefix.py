"""The prefix: what stands before every path for clients, and in no path in here.

A proxy that takes it off is told of by ``ROOT_PATH``. A server, or an application that this one is
mounted in, names it in ``root_path`` and leaves it in the path (ASGI, "HTTP Connection Scope").
"""

from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send


class Prefix:
    """Takes the prefix off the path, and leaves it in ``root_path`` for whoever makes a link."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        """``prefix`` is the one that requests come without."""
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            if given := scope.get("root_path"):
                _take_off(given, scope)
            else:
                scope["root_path"] = self._prefix
        await self._app(scope, receive, send)


def _take_off(prefix: str, scope: Scope) -> None:
    scope["path"] = scope["path"].removeprefix(prefix) or "/"
    if raw_path := scope.get("raw_path"):
        scope["raw_path"] = raw_path.removeprefix(quote(prefix).encode()) or b"/"
