"""The listeners of one process: `todo.sync.streams`."""

import asyncio
from contextvars import ContextVar

import pytest

from todo.entities import ENTITIES
from todo.sync import streams
from todo.sync.streams import Streams

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)


def test_what_looks_for_news_of_all_listeners_has_nothing_of_the_request_that_came_first(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0)
    seen: list[str | None] = []

    async def listen() -> None:
        asked = asyncio.Event()

        async def ask(*_: object) -> list[object]:
            seen.append(REQUEST.get())
            asked.set()
            return []

        async def refused(_: object) -> frozenset[str]:
            return frozenset()

        REQUEST.set("first")
        listener = Streams(ENTITIES, ask, refused).open("alice", "token")
        await asked.wait()
        listener.close()

    asyncio.run(listen())
    assert seen
    assert set(seen) == {None}
