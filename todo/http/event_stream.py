"""Server-sent events, as text (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from todo.sync.streams import Event, Listener
from todo.sync.sync_tokens import Place

HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Authorization"),
    (b"x-accel-buffering", b"no"),  # nginx holds a response back until 4 or 8 KB of it are there
]
_COMMENT: Final = b":\n\n"
_RETRY_MS: Final = (1000, 5000)
"""After how long a client comes back: at random, so that all clients do not come at once."""


@dataclass(frozen=True)
class EventStream:
    """A response that does not end: what a listener is told. To be closed."""

    listener: Listener
    since: Place | None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give what is to be sent."""
        retry = b"retry: %d\n" % random.randint(*_RETRY_MS)  # noqa: S311 - no secret
        async for events in self.listener.events(self.since):
            yield retry + text_of(events)
            retry = b""

    def close(self) -> None:
        """Let the listener go."""
        self.listener.close()


def text_of(events: Sequence[Event]) -> bytes:
    """Return ``events`` as text; a comment, if there are none."""
    return b"".join(map(_text, events)) or _COMMENT


def _text(event: Event) -> bytes:
    lines = []
    if event.place is not None:
        lines.append(b"id: " + event.place.token.encode())
    if event.name is not None:
        lines.append(b"event: " + event.name.encode())
    if event.data is not None:
        lines.append(b"data: " + orjson.dumps(event.data))
    return b"\n".join(lines) + b"\n\n"
