"""The way from the event loop to a thread and back, bounded and with a deadline."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cached_property
from typing import Any

import flask

from todo.http.asgi.turns import Turn, Turns


class Threads:
    """The threads of one process, each inside of a Flask application's context while it works."""

    def __init__(self, app: flask.Flask, number: int, *, one_writer: bool = False) -> None:
        """``one_writer``: see :class:`todo.http.asgi.turns.Turns`."""
        self._app = app
        self.number = number
        self._one_writer = one_writer

    async def run(
        self,
        user_id: str | None,
        function: Callable[..., Any],
        *args: Any,
        writes: bool = False,
        turned: Callable[[], None] = lambda: None,
    ) -> Any:
        """Return what ``function`` returns on a thread, when it is the user's turn.

        ``turned``: see :meth:`Turns.take`. Raises what ``function`` and :meth:`Turns.take` raise.
        """
        turn = await self.turns.take(user_id, writes=writes, turned=turned)
        return await self._hop(turn, function, *args)

    @cached_property
    def turns(self) -> Turns:
        """Made at the first request, in the event loop that it is for."""
        return Turns(self.number, one_writer=self._one_writer)

    @cached_property
    def _executor(self) -> ThreadPoolExecutor:
        """Made at the first request: one made before the fork hangs the worker."""
        return ThreadPoolExecutor(self.number, thread_name_prefix="flask")

    async def _hop(self, turn: Turn, function: Callable[..., Any], *args: Any) -> Any:
        """Run ``function`` on a thread, and end the ``turn`` when it is done.

        There are as many threads as database connections, so the pool itself never waits. The
        request's id and its span go along (``contextvars``).
        """
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Any] = loop.create_future()

        def work() -> None:
            settle: Callable[[Any], None]
            outcome: Any
            try:
                with self._app.app_context():
                    settle, outcome = result.set_result, function(*args)
            except BaseException as error:
                settle, outcome = result.set_exception, error
            loop.call_soon_threadsafe(finish, settle, outcome)

        def finish(settle: Callable[[Any], None], outcome: Any) -> None:
            turn.close()
            if not result.done():  # else the client went away, while the thread worked on
                settle(outcome)

        self._executor.submit(copy_context().run, work)
        return await result
