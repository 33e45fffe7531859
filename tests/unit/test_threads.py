"""The hop to a thread: `todo.http.asgi.threads`."""

import asyncio
import threading

import flask
import pytest

from todo.http.asgi.threads import Threads


@pytest.fixture
def one_thread():
    return Threads(flask.Flask("test"), 1)


def test_a_thread_whose_client_went_away_is_taken_until_its_work_is_done(one_thread):
    begun, over = threading.Event(), threading.Event()
    done = []

    def work() -> None:
        begun.set()
        over.wait(30)
        done.append("first")

    async def hop(function) -> None:
        await one_thread.run("alice", function, writes=True)

    async def leave_and_come_again() -> None:
        first = asyncio.create_task(hop(work))
        await asyncio.to_thread(begun.wait, 30)
        first.cancel()
        second = asyncio.create_task(hop(lambda: done.append("second")))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not second.done()
        assert done == []
        over.set()
        await second

    asyncio.run(leave_and_come_again())

    assert done == ["first", "second"]
