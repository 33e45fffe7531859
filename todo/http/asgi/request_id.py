"""What every response carries: a request id, cache rules for private data, and no body on HEAD.

This is the edge: the first to see a request and the last to see its response. So it tells the
watchers (the access log, the metrics) of each exchange when the exchange is over, however it ended.
"""

import os
import re
import time
from collections.abc import Sequence
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo.http.exchange import Exchange, Watcher, exchange_of

REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
"""What is accepted as an ``X-Request-ID``: nothing that could break a log line or a header."""
TRACEPARENT: Final = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
"""``traceparent`` of any version (https://www.w3.org/TR/trace-context/#traceparent-header)."""
TRACEPARENT_BYTES: Final = 55
"""Bytes of the first version; a later one begins like it, and only that much of it is kept."""

_NAME: Final = b"x-request-id"
_TRACE: Final = b"traceparent"
_PRIVATE: Final = [(b"cache-control", b"private, no-cache"), (b"vary", b"Authorization")]
_ALWAYS: Final = [(b"x-content-type-options", b"nosniff")]


class RequestIdMiddleware:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, *, watchers: Sequence[Watcher] = ()) -> None:
        self._app = app
        self._watchers = tuple(watchers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; complete the response's headers on its way out."""
        if scope["type"] == "websocket":  # closed before it is accepted: servers answer 403
            await receive()
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        request_id = _read_headers(scope["headers"], exchange)
        head = scope["method"] == "HEAD"
        structlog.contextvars.bind_contextvars(request_id=exchange.request_id)

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = message["headers"] = list(message["headers"])
                headers.append((_NAME, request_id))
                headers += _ALWAYS
                if not any(name == b"cache-control" for name, _ in headers):
                    headers += _PRIVATE
            elif head:
                message = {**message, "body": b""}
            else:
                exchange.sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, complete)
        finally:
            exchange.ended = time.perf_counter()
            for watch in self._watchers:
                watch(scope, exchange)
            structlog.contextvars.clear_contextvars()


def _read_headers(headers: list[tuple[bytes, bytes]], exchange: Exchange) -> bytes:
    """Note the request's id and its trace; return the id.

    The id is the caller's if it may be echoed, else a new one of 128 random bits. A trace that is
    against the grammar, or sent twice, is none (W3C Trace Context, section 3.2).
    """
    request_id, traces = b"", []
    for name, value in headers:
        if name == _NAME and not request_id and REQUEST_ID.fullmatch(value):
            request_id = value
        elif name == _TRACE:
            traces.append(value)
    if len(traces) == 1:
        exchange.traceparent = _trace(traces[0])
    request_id = request_id or os.urandom(16).hex().encode()
    exchange.request_id = request_id.decode()
    return request_id


def _trace(value: bytes) -> str | None:
    match = TRACEPARENT.fullmatch(value)
    if match is None or (match[1] == b"00" and len(value) > TRACEPARENT_BYTES):
        return None
    return value[:TRACEPARENT_BYTES].decode()
