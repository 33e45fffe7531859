"""Sending a response that does not end, to a client that may go away or stop reading."""

import asyncio
from typing import Final

import structlog
from starlette.types import Receive, Scope, Send

from todo.http.event_stream import HEADERS, EventStream
from todo.http.exchange import exchange_of

SLOW_SECONDS: Final = 30.0
"""How long a client may read nothing of what it was sent."""

log = structlog.get_logger("todo.streams")


async def stream(events: EventStream, scope: Scope, receive: Receive, send: Send) -> None:
    """Send ``events`` until they end, the client goes away, or the client reads no more."""
    exchange_of(scope).is_stream = True
    watching = None
    try:
        chunks = events.chunks()
        first = await anext(chunks)  # what fails now is still a problem document
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if scope["method"] != "HEAD":
            watching = asyncio.create_task(_watch(receive, events))
            await _send(first, send)
            async for chunk in chunks:
                await _send(chunk, send)
        await send({"type": "http.response.body", "body": b""})
    except TimeoutError:  # the server closes the connection: the response has no end
        log.info("stream.dropped", reason=f"the client read nothing for {SLOW_SECONDS:.0f} s")
    finally:
        events.close()
        if watching is not None:
            watching.cancel()


async def _send(chunk: bytes, send: Send) -> None:
    async with asyncio.timeout(SLOW_SECONDS):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _watch(receive: Receive, events: EventStream) -> None:
    """End the stream when the client goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    events.listener.end()
