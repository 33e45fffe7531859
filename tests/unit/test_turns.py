"""Whose turn it is: `todo.http.asgi.turns`."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from todo.http.asgi import turns
from todo.http.asgi.turns import NOBODY, QUEUE_PER_USER, Turn, Turns, share
from todo.problems import Problem

THREADS = 8


class Crowd:
    """Requests that ask for their turns at one process."""

    def __init__(self, threads: int = THREADS, *, one_writer: bool = False) -> None:
        self.turns = Turns(threads, one_writer=one_writer)
        self.turned: list[str] = []
        self.served: list[str] = []
        self.open: list[Turn] = []

    def asks(self, name: str, user: str | None, *, writes: bool = False) -> asyncio.Task[None]:
        """A request of ``user``; with its turn, its ``name`` is among those that are served."""

        async def ask() -> None:
            tell = functools.partial(self.turned.append, name)
            turn = await self.turns.take(user, writes=writes, turned=tell)
            self.served.append(name)
            self.open.append(turn)

        return asyncio.create_task(ask())

    async def settle(self) -> list[str]:
        """Let everybody come as far as it goes; return who has been served by now."""
        for _ in range(20):
            await asyncio.sleep(0)
        return self.served

    async def end_first(self) -> None:
        """The request that has been on a thread for longest is done."""
        self.open.pop(0).close()


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


def refused(task: asyncio.Task[None]) -> Problem:
    error = task.exception()
    assert isinstance(error, Problem)
    return error


@pytest.mark.parametrize(("threads", "half"), [(1, 1), (2, 1), (3, 2), (8, 4), (16, 8)])
def test_one_users_requests_take_half_of_the_threads_and_leave_the_rest_to_others(threads, half):
    async def scene() -> None:
        crowd = Crowd(threads)
        for number in range(threads):
            crowd.asks(f"alice {number}", "alice")
        assert await crowd.settle() == [f"alice {number}" for number in range(half)]
        crowd.asks("bob", "bob")
        assert ("bob" in await crowd.settle()) == (half < threads)

    assert share(threads) == half
    run(scene)


def test_two_changes_of_one_user_are_on_threads_and_the_others_wait_in_their_order():
    async def scene() -> None:
        crowd = Crowd()
        for number in range(5):
            crowd.asks(f"write {number}", "alice", writes=True)
        crowd.asks("read", "alice")
        assert await crowd.settle() == ["write 0", "write 1", "read"]
        await crowd.end_first()
        assert await crowd.settle() == ["write 0", "write 1", "read", "write 2"]

    run(scene)


def test_the_wait_for_ones_own_requests_ends_before_the_wait_for_a_thread_begins():
    async def scene() -> None:
        crowd = Crowd(2)
        for name, user in (("first", "alice"), ("second", "alice"), ("bob", "bob"), ("c", "carol")):
            crowd.asks(name, user)
        assert await crowd.settle() == ["first", "bob"]
        assert crowd.turned == ["first", "bob", "c"]
        await crowd.end_first()
        assert await crowd.settle() == ["first", "bob", "c"]
        assert crowd.turned == ["first", "bob", "c", "second"]

    run(scene)


def test_a_request_that_finds_as_many_of_its_user_waiting_as_may_is_told_at_once():
    async def scene() -> None:
        crowd = Crowd()
        waiting = [crowd.asks("write", "alice", writes=True) for _ in range(2 + QUEUE_PER_USER)]
        await crowd.settle()
        late = crowd.asks("late", "alice", writes=True)
        others = crowd.asks("bob", "bob", writes=True)
        await crowd.settle()

        assert sum(task.done() for task in waiting) == 2
        assert refused(late).code == "too_many_requests"
        assert refused(late).headers == {"Retry-After": "1"}
        assert others.exception() is None
        for task in waiting:
            task.cancel()

    run(scene)


def test_a_request_whose_turn_does_not_come_in_time_is_told_what_it_waited_for(
    monkeypatch,
):
    monkeypatch.setattr(turns, "QUEUE_SECONDS", 0.01)

    async def scene() -> None:
        crowd = Crowd()
        tasks = [crowd.asks("write", "alice", writes=True) for _ in range(3)]
        await asyncio.wait(tasks)
        assert refused(tasks[2]).code == "busy"
        assert refused(tasks[2]).detail == "The user's earlier requests were not answered in 0 s."

    run(scene)


def test_a_request_that_others_keep_from_a_thread_is_told_that_the_server_is_busy(monkeypatch):
    monkeypatch.setattr(turns, "QUEUE_SECONDS", 0.01)

    async def scene() -> None:
        crowd = Crowd(2)
        tasks = [crowd.asks(user, user) for user in ("alice", "bob", "carol")]
        await asyncio.wait(tasks)
        assert refused(tasks[2]).code == "busy"
        assert refused(tasks[2]).detail == "No thread became free in 0 s."

    run(scene)


def test_who_registers_or_logs_in_shares_two_threads_with_all_who_do():
    async def scene() -> None:
        crowd = Crowd()
        waiting = [crowd.asks("login", NOBODY, writes=True) for _ in range(2 + QUEUE_PER_USER)]
        crowd.asks("readiness", None)
        assert await crowd.settle() == ["login", "login", "readiness"]
        late = crowd.asks("late", NOBODY, writes=True)
        await crowd.settle()
        assert refused(late).code == "busy"  # it is not the caller's own load
        assert refused(late).detail == "Too many requests are waiting."
        for task in waiting:
            task.cancel()

    run(scene)


def test_where_the_database_has_one_writer_all_changes_leave_half_of_the_threads_to_reads():
    async def scene() -> None:
        crowd = Crowd(one_writer=True)
        for number in range(THREADS):
            crowd.asks(f"write {number}", f"user {number}", writes=True)
        crowd.asks("read", "alice")
        assert await crowd.settle() == [*(f"write {number}" for number in range(4)), "read"]

    run(scene)


def test_a_client_that_goes_away_while_it_waits_gives_its_place_to_the_next():
    async def scene() -> None:
        crowd = Crowd()
        tasks = [crowd.asks(f"write {number}", "alice", writes=True) for number in range(4)]
        await crowd.settle()
        tasks[2].cancel()
        await crowd.end_first()
        assert await crowd.settle() == ["write 0", "write 1", "write 3"]

    run(scene)


def test_nothing_is_remembered_of_a_user_whose_requests_are_done(monkeypatch):
    monkeypatch.setattr(turns, "QUEUE_SECONDS", 0.01)

    async def scene() -> None:
        crowd = Crowd()
        tasks = [crowd.asks("write", "alice", writes=True) for _ in range(3)]
        await asyncio.wait(tasks)
        assert refused(tasks[2]).code == "busy"
        for turn in crowd.open:
            turn.close()
        assert crowd.turns._users == {}

    run(scene)
