"""Replies: what handlers return, as ASGI sends it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import flask
import orjson

_JSON: Final = (b"content-type", b"application/json")
_NAMES: Final = 100
"""Names of headers that are kept as bytes; handlers use far fewer."""


class Reply(NamedTuple):
    """A status, headers and a body, ready to be sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def reply_of(result: Any) -> Reply:
    """Return the reply for what a handler returned.

    ``result`` is a response of Flask's, or a body, ``(body, status)`` or ``(body, status,
    headers)``; a body of ``None`` is an empty 204, anything else is serialised as JSON, once.
    """
    if isinstance(result, flask.Response):
        return Reply(result.status_code, _encoded(result.headers.items()), result.get_data())
    body, status, headers = _unpack(result)
    encoded = _encoded((headers or {}).items())
    if body is None:
        return Reply(status or 204, encoded, b"")
    text = orjson.dumps(body)
    return Reply(status or 200, [_JSON, (b"content-length", b"%d" % len(text)), *encoded], text)


def _unpack(result: Any) -> tuple[Any, int | None, Mapping[str, str] | None]:
    if not isinstance(result, tuple):
        return result, None, None
    body, status, headers = (*result, None)[:3]
    return body, status, headers


def _encoded(headers: Any) -> list[tuple[bytes, bytes]]:
    return [(_name(name), value.encode("latin-1")) for name, value in headers]


@lru_cache(maxsize=_NAMES)
def _name(name: str) -> bytes:
    return name.lower().encode()
