"""The request that a handler responds to: what is left of it behind routing and validation.

It is Werkzeug's request without WSGI: headers, conditions and what the client accepts, parsed when
they are asked for. Flask's application context holds it. There is no request context of Flask's,
which would parse the whole request a second time.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import flask
from starlette.types import Scope
from werkzeug.datastructures import Headers
from werkzeug.sansio.request import Request as SansIORequest

BODY: Final = "todo.body"
"""Where the edge leaves the whole request body (bytes) in the ASGI scope."""


class Request(SansIORequest):
    """A request whose ``body`` is in memory, and whose token is verified.

    ``path`` is the contract's; ``prefix`` is what stands before it for the client.
    ``claims`` are those of the token, ``None`` where the operation needs no token.
    """

    def __init__(self, scope: Scope) -> None:
        client, _ = scope.get("client") or (None, None)
        super().__init__(
            scope["method"],
            scope.get("scheme", "http"),
            scope.get("server"),
            "",
            scope["path"],
            scope["query_string"],
            _headers(scope["headers"]),
            client,
        )
        self.prefix = prefix_of(scope)
        self.body: bytes = scope[BODY]
        self.claims = claims_of(scope)


def prefix_of(scope: Scope) -> str:
    """Return what stands before every path for the client, as it is written in a link."""
    return quote(scope.get("root_path", ""))


def claims_of(scope: Scope) -> Mapping[str, Any] | None:
    """Return the claims of the verified token, ``None`` where the operation needs none."""
    claims: Mapping[str, Any] | None
    claims = scope["extensions"].get("connexion_context", {}).get("token_info")
    return claims


def current() -> Request:
    """Return the request that is being responded to; raises ``RuntimeError`` outside of one."""
    request: Request = flask.g.request
    return request


def _headers(lines: list[tuple[bytes, bytes]]) -> Headers:
    """Lines of one name are one list (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for name, value in lines:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return Headers(headers)
