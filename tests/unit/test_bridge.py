"""The hop to a thread: `todo.edge.bridge`."""

import asyncio
import threading

import pytest

from todo.edge.bridge import ApiFlask, FlaskBridge


@pytest.fixture
def bridge():
    """A bridge of one thread."""
    return FlaskBridge(ApiFlask("test"), threads=1)


def test_a_thread_whose_client_went_away_is_taken_until_its_work_is_done(bridge):
    begun, over = threading.Event(), threading.Event()
    done = []

    def work() -> None:
        begun.set()
        over.wait(30)
        done.append("first")

    async def leave_and_come_again() -> None:
        first = asyncio.create_task(bridge._hop(work))
        await asyncio.to_thread(begun.wait, 30)
        first.cancel()
        second = asyncio.create_task(bridge._hop(done.append, "second"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert bridge._waiting == 1
        over.set()
        await second

    asyncio.run(leave_and_come_again())

    assert done == ["first", "second"]
    assert not bridge._slots.locked()
