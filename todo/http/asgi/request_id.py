"""What every response carries: a request id, cache rules for private data, and no body on HEAD."""

import os
import re
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
"""What is accepted as an ``X-Request-ID``: nothing that could break a log line or a header."""

_NAME: Final = b"x-request-id"
_PRIVATE: Final = [(b"cache-control", b"private, no-cache"), (b"vary", b"Authorization")]
_ALWAYS: Final = [(b"x-content-type-options", b"nosniff")]


class RequestIdMiddleware:
    """The outermost layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; complete the response's headers on its way out."""
        if scope["type"] == "websocket":  # closed before it is accepted: servers answer 403
            await receive()
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope["headers"])
        head = scope["method"] == "HEAD"
        structlog.contextvars.bind_contextvars(request_id=request_id.decode())

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = list(message["headers"])
                headers.append((_NAME, request_id))
                headers += _ALWAYS
                if not any(name == b"cache-control" for name, _ in headers):
                    headers += _PRIVATE
            elif head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, complete)
        finally:
            structlog.contextvars.clear_contextvars()


def _request_id(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return the caller's request id if it may be echoed, else a new one of 128 random bits."""
    for name, value in headers:
        if name == _NAME and REQUEST_ID.fullmatch(value):
            return value
    return os.urandom(16).hex().encode()
