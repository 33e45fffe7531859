"""The limits of a request: target and body are decoded once, strictly, and bounded, before routing.

What HTTP servers leave open is settled here, so that every layer behind sees the same request:
a request has one host, percent-encoding is UTF-8, a path has one spelling, a body is whole and in
memory.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from todo.http.request import BODY
from todo.problems import Problem

MAX_TARGET: Final = 4096
"""Bytes of path and query. Below the 4,300 digits at which Python's ``int`` gives up."""
MAX_HEADERS: Final = 32_768
"""Bytes of all header lines together. Below what gunicorn takes (``todo/serving.py``), so that the
refusal is a problem document and a page may read it."""
MAX_HEADER_LINES: Final = 100
MAX_NAME: Final = 100
"""Characters of a header's name in an error."""
MAX_BODY: Final = 65_536
"""Bytes of a request body, where the contract does not allow more."""
BODY_SECONDS: Final = 10.0
"""How long a body may take to arrive. It ends before gunicorn's own 30 s, whose response is a bare
500."""

_HOST: Final = re.compile(
    rb"(?:\[[\w.:~%!$&'()*+,;=-]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?"
)
"""``uri-host [ ":" port ]`` (RFC 9110, section 7.2); an empty name is none in http (4.2.1)."""
_FRAMING: Final = (b"content-length", b"transfer-encoding")
"""Without one of these HTTP/1 has no body, and nothing to wait for (RFC 9112, section 6.3)."""
_HTTP_1: Final = ("1.0", "1.1")
_AUTHORITY: Final = re.compile(rb"https?://[^/]+", re.IGNORECASE)


class _DisconnectedError(Exception):
    """The client went away while it was sending."""


class RequestLimits:
    """Refuses what no operation could understand; leaves the body in the scope."""

    def __init__(self, app: ASGIApp, *, limit: Callable[[str, str], int]) -> None:
        """``limit`` gives the bytes that a body may have, for a method and a path."""
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise a 4xx :class:`Problem`, or pass a normalised request on."""
        if scope["type"] == "http":
            _check_headers(scope["headers"])
            _check_target(scope)
            _check_host(scope)
            try:
                limit = self._limit(scope["method"], scope["path"])
                scope[BODY] = await _read_body(scope, receive, limit)
                _check_length(scope)
            except _DisconnectedError:
                return
        await self._app(scope, receive, send)


def _check_headers(headers: list[tuple[bytes, bytes]]) -> None:
    if len(headers) > MAX_HEADER_LINES:
        raise Problem("headers_too_large", f"There are more than {MAX_HEADER_LINES} headers.")
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEADERS:
        largest = max(headers, key=lambda line: len(line[1]))[0].decode("latin-1")
        raise Problem(
            "headers_too_large",
            f"The headers exceed {MAX_HEADERS} bytes; the largest is {largest[:MAX_NAME]!r}.",
        )


def _check_host(scope: Scope) -> None:
    """RFC 9112, section 3.2. HTTP/1.0 has no such header; HTTP/2 servers fill it in."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if not hosts and scope["http_version"] == "1.1":
        raise Problem("malformed_host", "The request has no Host header.")
    if len(hosts) > 1:
        raise Problem("malformed_host", "The request has more than one Host header.")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise Problem("malformed_host", "The Host header does not name a valid host.")


def _check_length(scope: Scope) -> None:
    """Refuse a body that the server has lost: uvicorn does, with httptools and ``Upgrade: h2c``."""
    length = next((v for name, v in scope["headers"] if name == b"content-length"), b"")
    if length.isdigit() and int(length.lstrip(b"0") or b"0") != len(scope[BODY]):
        raise Problem(
            "body_incomplete",
            "The body is shorter than its Content-Length.",
            headers={"Connection": "close"},
        )


def _check_target(scope: Scope) -> None:
    raw_path = scope.get("raw_path") or scope["path"].encode()
    if len(raw_path) + len(scope["query_string"]) > MAX_TARGET:
        scope["path"] = scope["path"][:MAX_TARGET]
        raise Problem("target_too_long", f"Path and query exceed {MAX_TARGET} bytes.")
    # A proxy may send the whole URL (RFC 9112, section 3.2.2): whatever its host, it is this one.
    if authority := _AUTHORITY.match(raw_path):
        raw_path = scope["raw_path"] = raw_path[authority.end() :] or b"/"
    try:
        path = unquote_to_bytes(raw_path).decode("utf-8")
    except UnicodeDecodeError:
        raise Problem("malformed_target", "The path is not percent-encoded UTF-8.") from None
    if "\0" in path:
        raise Problem("malformed_target", "The path contains NUL.")
    scope["path"] = path
    # No redirect, ever: it would lose the Authorization header, and reflect the Host.
    if "//" in path or (path.endswith("/") and path != "/"):
        raise Problem("not_found", "Resource not found: the path has an empty segment.")
    # The router's `$` overlooks a newline at the end, and routes it past security and validation.
    if "\n" in path:
        raise Problem("not_found", "Resource not found.")


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    headers = scope["headers"]
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and _exceeds(value, limit):
            raise _too_large(limit)
    if scope["http_version"] in _HTTP_1 and not any(name in _FRAMING for name, _ in headers):
        return await _receive_all(receive, limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _receive_all(receive, limit)
    except TimeoutError:
        raise Problem(
            "body_timeout",
            f"The body did not arrive within {BODY_SECONDS:.0f} s.",
            headers={"Connection": "close"},
        ) from None


async def _receive_all(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _exceeds(length: bytes, limit: int) -> bool:
    """Compare digits before numbers: Python's ``int`` gives up at 4,300 of them."""
    digits = length.lstrip(b"0")
    return len(digits) > len(str(limit)) or int(digits or b"0") > limit


def _too_large(limit: int) -> Problem:
    return Problem(
        "body_too_large", f"The body exceeds {limit} bytes.", headers={"Connection": "close"}
    )
