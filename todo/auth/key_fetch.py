"""One fetch of the issuer's JWKS document, over HTTP."""

import asyncio
from typing import Final

import httpx

from todo.auth.key_sets import (
    MAX_BYTES,
    Documents,
    OversizedKeySetError,
    UnusableKeySetError,
    documents_in,
)

FETCH_SECONDS: Final = 2.0
"""How long one fetch may take, from the name's resolution to the last byte."""
FAILURES: Final = (httpx.HTTPError, OSError, TimeoutError, UnusableKeySetError)
"""Everything that a fetch can end with instead of keys."""


def reason(failure: BaseException) -> str:
    """Return one of :data:`FAILURES` in a few words, for people."""
    if isinstance(failure, TimeoutError):
        return f"the response was not complete within {FETCH_SECONDS:.0f} s"
    return (str(failure) or type(failure).__name__)[:200]


def client() -> httpx.AsyncClient:
    """Return a client for :func:`fetch`; it keeps no connection and follows no redirect."""
    return httpx.AsyncClient(
        timeout=FETCH_SECONDS,
        follow_redirects=False,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        limits=httpx.Limits(max_keepalive_connections=0),
    )


async def fetch(client: httpx.AsyncClient, url: str) -> tuple[Documents, str | None]:
    """Return the public keys at ``url``, and the issuer's clock (``Date``).

    Raises :data:`FAILURES`.
    """
    async with asyncio.timeout(FETCH_SECONDS), client.stream("GET", url) as response:
        if response.status_code != httpx.codes.OK:
            raise UnusableKeySetError(f"the response is HTTP {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise UnusableKeySetError("the response is compressed")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                raise OversizedKeySetError
    return documents_in(bytes(body)), response.headers.get("date")
