"""``RATE_LIMIT``: how many requests a user may send, and an address from which no user is known.

A request counts once. The user counts when the token is verified. The address counts for an
operation that needs no token, before it is run, and for a request that is refused before its user
is known: a bad token, an unknown path.
"""

import asyncio
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Final

from limits import RateLimitItem
from starlette.types import ASGIApp, Receive, Scope, Send

from todo.problems import Problem
from todo.rate_limits.counters import Count, Counters
from todo.values.addresses import subscriber

THREADS: Final = 4
"""Threads that wait for Redis in one process."""
WAIT_SECONDS: Final = 1.0
"""How long a request waits to be counted: then it passes."""

_COUNTED: Final = "todo.counted"
"""What the ASGI scope has of a limited request: a list, empty until the request has counted."""


class RateLimits:
    """Counts requests in the edge."""

    def __init__(self, counters: Counters, limits: Sequence[RateLimitItem]) -> None:
        """Without any ``limits`` nothing is counted."""
        self._counters = counters
        self._limits = limits

    def layer(self, app: ASGIApp, *, free: Collection[str]) -> ASGIApp:
        """Return the layer around ``app`` that limits requests to all paths but ``free``."""
        return _Layer(app, self, free) if self._limits else app

    async def count_user(self, scope: Scope, user_id: str) -> None:
        """Count the request for its verified user; raises :class:`Problem` ``rate_limited``."""
        await self._count(scope, "user", user_id)

    async def count_address(self, scope: Scope) -> None:
        """Count the request for its client's address, unless it has counted already.

        Raises :class:`Problem` ``rate_limited``.
        """
        if scope.get(_COUNTED) == []:
            client, _ = scope.get("client") or ("unknown", 0)
            await self._count(scope, "address", subscriber(client))

    async def _count(self, scope: Scope, name: str, whose: str) -> None:
        if scope.get(_COUNTED) != []:
            return
        scope[_COUNTED].append(name)
        waits, add = self._counters.waits, self._counters.add
        for limit in self._limits:
            count = await self._wait(limit, name, whose) if waits else add(limit, name, whose)
            if count.exceeded:
                raise _limited(count)

    async def _wait(self, limit: RateLimitItem, name: str, whose: str) -> Count:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await loop.run_in_executor(
                    self._threads, self._counters.add, limit, name, whose
                )
        except TimeoutError:
            return self._counters.let_pass(limit, name, "no answer")

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """Made at the first request: one made before the fork hangs the worker."""
        return ThreadPoolExecutor(THREADS, thread_name_prefix="rate-limits")


class _Layer:
    def __init__(self, app: ASGIApp, limits: RateLimits, free: Collection[str]) -> None:
        self._app = app
        self._limits = limits
        self._free = frozenset(free)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count it if it is refused before anybody has counted it."""
        if scope["type"] != "http" or scope["path"] in self._free:
            await self._app(scope, receive, send)
            return
        scope[_COUNTED] = []
        try:
            await self._app(scope, receive, send)
        except Exception:
            await self._limits.count_address(scope)
            raise


def _limited(count: Count) -> Problem:
    whose = "this user" if count.name == "user" else "this network address"
    return Problem(
        "rate_limited",
        f"More than {count.limit.amount} requests of {whose} in {count.limit.get_expiry()} s; "
        f"try again in {count.seconds} s.",
        headers=count.headers,
    )
