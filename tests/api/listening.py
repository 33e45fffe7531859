"""A stream of events in this process: what it has said so far, and its end."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.api.raw_asgi import scope_of
from tests.conftest import Caller

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Event:
    """One event as a client parses it; `name` is empty where nothing is to be told."""

    id: str
    name: str
    data: Any


@dataclass
class Stream:
    """What came of one stream."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    ended: bool = False
    stalled: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def events(self) -> list[Event]:
        """The events so far, the last incomplete one left out."""
        blocks = self.text.split("\n\n")[:-1]
        return [event for block in blocks if (event := parsed(block)) is not None]

    @property
    def changes(self) -> list[Any]:
        """The data of the changes so far."""
        return [event.data for event in self.events if event.name == "change"]

    @property
    def place(self) -> str:
        """What a client sends as `Last-Event-ID`."""
        return next((event.id for event in reversed(self.events) if event.id), "")

    def wait_until(self, condition: Any) -> None:
        """Wait until `condition` of this stream is true; fail when it never is."""
        with self._changed:
            met = self._changed.wait_for(lambda: condition(self), PATIENCE_SECONDS)
        assert met, self.text

    def take(self, message: dict[str, Any]) -> None:
        """Take in what the application sent."""
        with self._changed:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                headers = message["headers"]
                self.headers = {name.decode(): value.decode() for name, value in headers}
            else:
                self.text += message.get("body", b"").decode()
            self._changed.notify_all()

    def end(self) -> None:
        """Note that nothing more comes."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()


def parsed(block: str) -> Event | None:
    """The event that a block of lines is; `None` for a comment."""
    lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
    if not lines:
        return None
    data = json.loads(lines["data"]) if "data" in lines else None
    return Event(lines.get("id", ""), lines.get("event", ""), data)


@contextmanager
def listening(
    caller: Caller, query: str = "", last_event_id: str | None = None
) -> Iterator[Stream]:
    """Listen as `caller` until the block ends; a refusal ends the stream by itself."""
    headers = [("host", "api.example"), ("authorization", f"Bearer {caller.token}")]
    if last_event_id is not None:
        headers.append(("last-event-id", last_event_id))
    scope = scope_of("GET", f"/api/me/events{query}", headers)
    stream, leave = Stream(), threading.Event()
    portal = caller.client.portal
    assert portal is not None
    gone: list[asyncio.Event] = []

    async def listen() -> None:
        away = asyncio.Event()
        gone.append(away)
        begun = False

        async def receive() -> dict[str, Any]:
            nonlocal begun
            if not begun:
                begun = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await away.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if stream.stalled:
                await away.wait()
            stream.take(message)

        try:
            await caller.client.app(scope, receive, send)
        finally:
            stream.end()

    future = portal.start_task_soon(listen)
    try:
        stream.wait_until(lambda one: one.text or one.ended)
        yield stream
    finally:
        leave.set()
        if gone:
            portal.call(gone[0].set)
        future.result(PATIENCE_SECONDS)
