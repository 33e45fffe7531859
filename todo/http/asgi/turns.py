"""Whose turn it is: how many requests of one user may be on threads, and how many may wait.

A thread that waits for a user's row, or scans a user's tasks, is one that nobody else has. So a
user's requests take at most half of the threads, and those that write at most two: PostgreSQL makes
them one after the other anyway. All others wait on the event loop, in their order, where waiting
costs nobody anything.

Everything here runs on the event loop.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from todo.problems import Problem

QUEUE_SECONDS: Final = 3.0
"""How long a request may wait for its turn and for a thread together."""
QUEUE_PER_THREAD: Final = 32
"""Requests that may wait for each thread; more are turned away at once."""
QUEUE_PER_USER: Final = 100
"""Requests of one user that may wait for the user's other requests; more are turned away at once.
A browser that sends a change for each of many tasks at once waits in line and succeeds."""
WRITES_PER_USER: Final = 2
"""Requests of one user that may change something on threads at once: one that holds the user's row,
and the next, which is ready when the row is free."""

NOBODY: Final = ""
"""Who sends a request that has no token and works: all who register or log in count as one."""


def share(threads: int) -> int:
    """Return how many of so many ``threads`` one user's requests may take at once."""
    return (threads + 1) // 2


class Turn:
    """What a request holds while it is on a thread, until ``close``."""

    def __init__(self) -> None:
        self._ends: list[Callable[[], object]] = []

    def ends_with(self, end: Callable[[], object]) -> None:
        """Call ``end`` when the turn is closed; what was taken last is given back first."""
        self._ends.append(end)

    def close(self) -> None:
        """Give everything back."""
        while self._ends:
            self._ends.pop()()


@dataclass
class _Queue:
    """What so many requests may have at once; the others wait in their order."""

    places: asyncio.Semaphore
    longest: int
    overcrowded: Callable[[], Problem]
    late: str
    waiting: int = 0
    taken: int = 0

    async def enter(self, turn: Turn, *, until: float) -> None:
        """Take a place that is given back with ``turn``; raise a problem when there is none."""
        if self.places.locked():
            await self._wait(until)
        else:
            await self.places.acquire()
        self.taken += 1
        turn.ends_with(self._leave)

    def _leave(self) -> None:
        self.taken -= 1
        self.places.release()

    async def _wait(self, until: float) -> None:
        if self.waiting >= self.longest:
            raise self.overcrowded()
        self.waiting += 1
        try:
            async with asyncio.timeout_at(until):
                await self.places.acquire()
        except TimeoutError:
            raise Problem("busy", f"{self.late} in {QUEUE_SECONDS:.0f} s.") from None
        finally:
            self.waiting -= 1


@dataclass
class _User:
    """One user's queues; it is forgotten with the user's last request."""

    writes: _Queue
    all: _Queue
    requests: int = 0


class Turns:
    """The queues for the threads of one process."""

    def __init__(self, threads: int, *, one_writer: bool) -> None:
        """``one_writer``: the database has one writer at a time, whoever it is (SQLite).

        There all users' changes together take no more threads than one user's requests.
        """
        self._share = share(threads)
        self._users: dict[str, _User] = {}
        self._threads = self._everybodys(threads, threads * QUEUE_PER_THREAD)
        writers = self._share if one_writer else threads
        self._writers = self._everybodys(writers, threads * QUEUE_PER_THREAD)

    @property
    def taken(self) -> int:
        """The threads that turns hold."""
        return self._threads.taken

    @property
    def waiting_for_thread(self) -> int:
        """The requests that wait for a thread, or for another writer."""
        return self._threads.waiting + self._writers.waiting

    @property
    def waiting_for_own(self) -> int:
        """The requests that wait for others of the same user."""
        return sum(user.writes.waiting + user.all.waiting for user in self._users.values())

    async def take(
        self, user: str | None, *, writes: bool, turned: Callable[[], None] = lambda: None
    ) -> Turn:
        """Wait for a thread; return the turn, to be closed when the thread has done its work.

        ``user`` is ``None`` for what the server does for no user. ``turned`` is called when the
        request has waited for those of its user, and waits for a thread alone. Raises
        :class:`Problem`: ``too_many_requests`` when too many of the user's own requests wait
        already, ``busy`` when too many of all users do, and when no turn comes in time, for
        whatever reason.
        """
        until = asyncio.get_running_loop().time() + QUEUE_SECONDS
        turn = Turn()
        try:
            if user is not None:
                queues = self._of(user, turn)
                if writes:
                    await queues.writes.enter(turn, until=until)
                await queues.all.enter(turn, until=until)
            turned()
            if writes:
                await self._writers.enter(turn, until=until)
            await self._threads.enter(turn, until=until)
        except BaseException:  # the client went away, too
            turn.close()
            raise
        return turn

    def _of(self, user: str, turn: Turn) -> _User:
        queues = self._users.get(user) or self._new(user)
        queues.requests += 1
        turn.ends_with(lambda: self._forget(user))
        return queues

    def _new(self, user: str) -> _User:
        def queue(places: int) -> _Queue:
            if user == NOBODY:
                return self._everybodys(places, QUEUE_PER_USER)
            late = "The user's earlier requests were not answered"
            return _Queue(asyncio.Semaphore(places), QUEUE_PER_USER, _too_many_of_yours, late)

        writes = min(WRITES_PER_USER, self._share)
        self._users[user] = queues = _User(writes=queue(writes), all=queue(self._share))
        return queues

    @staticmethod
    def _everybodys(places: int, longest: int) -> _Queue:
        return _Queue(asyncio.Semaphore(places), longest, _too_many_wait, "No thread became free")

    def _forget(self, user: str) -> None:
        queues = self._users[user]
        queues.requests -= 1
        if not queues.requests:
            del self._users[user]


def _too_many_wait() -> Problem:
    return Problem("busy", "Too many requests are waiting.")


def _too_many_of_yours() -> Problem:
    return Problem(
        "too_many_requests", f"{QUEUE_PER_USER} requests of this user are waiting already."
    )
