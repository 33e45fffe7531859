"""Requests whose every byte is the test's own: HTTP clients would mend or refuse them."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx2
from starlette.testclient import TestClient


def send(
    client: TestClient,
    method: str,
    target: str | bytes,
    *,
    headers: Iterable[tuple[str, str | bytes]] = (),
    chunks: Sequence[bytes] = (),
    peer: str = "127.0.0.1",
) -> httpx2.Response:
    """Send one request the way gunicorn would hand it to the application.

    ``target`` is path and query, undecoded; the body arrives in ``chunks``. A Host is added where
    ``headers`` have none. The connection is from the address ``peer``.
    """
    headers = list(headers)
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(_HOST)
    return send_as_it_is(client, method, target, headers=headers, chunks=chunks, peer=peer)


def send_as_it_is(
    client: TestClient,
    method: str,
    target: str | bytes,
    *,
    headers: Iterable[tuple[str, str | bytes]] = (),
    chunks: Sequence[bytes] = (),
    version: str = "1.1",
    peer: str = "127.0.0.1",
) -> httpx2.Response:
    """Send one request with these headers alone."""
    messages = _messages(list(chunks) or [b""])
    messages[-1]["more_body"] = False
    return _response(_call(client, method, target, headers, messages, _GONE, version, peer))


def abandon(
    client: TestClient,
    method: str,
    target: str,
    *,
    headers: Iterable[tuple[str, str | bytes]] = (),
    chunks: Sequence[bytes] = (),
) -> list[dict[str, Any]]:
    """Begin a request and go away before its body is complete; return what was sent anyway."""
    return _call(client, method, target, [*headers, _HOST], _messages(chunks), _GONE)


def stall(
    client: TestClient,
    method: str,
    target: str,
    *,
    headers: Iterable[tuple[str, str | bytes]] = (),
    chunks: Sequence[bytes] = (),
    version: str = "1.1",
) -> httpx2.Response:
    """Begin a request and stay there, but send nothing more."""
    lines = [*headers, _HOST]
    return _response(_call(client, method, target, lines, _messages(chunks), None, version))


_HOST = ("host", "api.example")
_GONE = {"type": "http.disconnect"}


def _messages(chunks: Iterable[bytes]) -> list[dict[str, Any]]:
    return [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]


def _response(sent: list[dict[str, Any]]) -> httpx2.Response:
    head, *rest = sent
    return httpx2.Response(
        head["status"],
        headers=head["headers"],
        content=b"".join(message.get("body", b"") for message in rest),
    )


def _call(
    client: TestClient,
    method: str,
    target: str | bytes,
    headers: Iterable[tuple[str, str | bytes]],
    messages: list[dict[str, Any]],
    last: dict[str, Any] | None,
    version: str = "1.1",
    peer: str = "127.0.0.1",
) -> list[dict[str, Any]]:
    scope = scope_of(method, target, headers, version) | {"client": (peer, 50000)}
    assert client.portal is not None
    return client.portal.call(_converse, client.app, scope, messages, last)


def scope_of(
    method: str,
    target: str | bytes,
    headers: Iterable[tuple[str, str | bytes]],
    version: str = "1.1",
) -> dict[str, Any]:
    """The scope that gunicorn would make of a request."""
    raw = target if isinstance(target, bytes) else target.encode("latin-1")
    path, _, query = raw.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": version,
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", errors="replace"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower().encode(), _bytes(value)) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


async def _converse(
    app: Any, scope: dict[str, Any], messages: list[dict[str, Any]], last: dict[str, Any] | None
) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        return last or await asyncio.Future()  # which nothing ever ends

    async def send_(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send_)
    return sent


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")
