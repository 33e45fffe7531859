"""CORS: which pages on other origins a browser lets in (https://fetch.spec.whatwg.org)."""

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

EXPOSED_HEADERS: Final = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
    "Idempotency-Replayed",
    "RateLimit",
    "RateLimit-Policy",
    "Revision",
)
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
MAX_AGE_SECONDS: Final = 600
MAX_ORIGIN: Final = 200
"""Characters of an origin in a refusal."""


class Cors(CORSMiddleware):
    """Starlette's, whose refusal says what to set.

    A page on an allowed origin may send any header, for tracing tools and HTTP clients add their
    own, and may come from the internet to a server on the local network. Neither gives anything
    away: cookies are never read, and what a request may do is up to its token.
    """

    def __init__(self, app: ASGIApp, *, origins: tuple[str, ...]) -> None:
        """``origins`` are those of ``CORS_ORIGINS``, exact."""
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=["*"],
            allow_credentials=True,
            allow_private_network=True,
            expose_headers=EXPOSED_HEADERS,
            max_age=MAX_AGE_SECONDS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the response to a preflight: 200, or 400 with the reason as text."""
        response = super().preflight_response(request_headers)
        origin = request_headers["origin"]
        if not self.is_allowed_origin(origin):
            reason = f"; CORS_ORIGINS does not contain {origin[:MAX_ORIGIN]!r}"
            response.body = bytes(response.body) + reason.encode()
            response.headers["Content-Length"] = str(len(response.body))
        return response
