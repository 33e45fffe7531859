"""Counting in windows of time, in a storage that several processes or machines share.

A window is fixed: what is counted under a name is counted anew when the window ends. The windows of
different names begin at different moments, so that not all clients come again at once.
"""

import time
import zlib
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import structlog
from limits import RateLimitItem
from limits.storage import RedisStorage, Storage

from todo.metrics.catalogue import RATE_LIMIT_FAILURES
from todo.rate_limits.shared_memory import SharedMemoryStorage
from todo.settings.limits import MEMORY

SOCKET_SECONDS: Final = 0.25
"""How long Redis may take to accept a connection, and to answer."""
AWAY_SECONDS: Final = 5.0
"""How long a storage that did not answer is left alone."""

log = structlog.get_logger("todo.rate_limits")


class Count(NamedTuple):
    """What ``name`` has used of ``limit`` in the window that ends in ``seconds`` (1 or more)."""

    limit: RateLimitItem
    name: str
    used: int
    seconds: int
    key: str
    """The name of the counter in the storage."""

    @property
    def exceeded(self) -> bool:
        """Whether that is more than the limit."""
        return self.used > self.limit.amount

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a refusal: when to come again, and what the limit is.

        ``RateLimit`` and ``RateLimit-Policy`` are those of draft-ietf-httpapi-ratelimit-headers-11.
        """
        window = self.limit.get_expiry()
        policy = f'"{self.name}-{window}s"'
        left = max(0, self.limit.amount - self.used)
        return {
            "Retry-After": str(self.seconds),
            "RateLimit": f"{policy};r={left};t={self.seconds}",
            "RateLimit-Policy": f"{policy};q={self.limit.amount};w={window}",
        }


class Counters:
    """Counters in one ``storage``; where it is away nothing is counted, and nothing is refused."""

    def __init__(self, storage: Storage, *, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives the seconds since 1970."""
        self._storage = storage
        self._clock = clock
        self._away_until: float | None = None
        self.waits = not isinstance(storage, SharedMemoryStorage)
        """Whether counting waits for another process, and so has to be done on a thread."""

    @classmethod
    def at(cls, url: str) -> "Counters":
        """Return counters in the storage at ``url``: ``memory://``, or a URL of Redis.

        Nothing is connected yet.
        """
        return cls(SharedMemoryStorage() if url == MEMORY else _redis(url))

    def add(self, limit: RateLimitItem, name: str, *whose: str) -> Count:
        """Count one for ``whose`` in the bucket called ``name``."""
        who = "\0".join((name, *whose)).encode("utf-8", "surrogatepass")
        window = limit.get_expiry()
        number, passed = divmod(int(self._clock()) + zlib.crc32(who), window)
        digest = blake2b(who, digest_size=16).hexdigest()  # bounded, and nobody's name or e-mail
        key = f"{name}:{window}:{number}:{digest}"
        used = self._ask(self._storage.incr, key, window)
        return Count(limit, name, used, window - passed, key)

    def take_back(self, count: Count) -> None:
        """Count one less than :meth:`add` did."""
        self._ask(self._storage.incr, count.key, count.limit.get_expiry(), -1)

    def clear(self, count: Count) -> None:
        """Let the counter of ``count`` begin anew."""
        self._ask(self._storage.clear, count.key)

    def answers(self) -> bool:
        """Return whether the storage answers right now."""
        return self._storage.check()

    def let_pass(self, limit: RateLimitItem, name: str, reason: str) -> Count:
        """Return a count of nothing, since the storage has not answered in time."""
        RATE_LIMIT_FAILURES.inc()
        self._give_up(reason)
        return Count(limit, name, 0, limit.get_expiry(), "")

    def _give_up(self, reason: str) -> None:
        """Leave the storage alone for :data:`AWAY_SECONDS`."""
        if self._away_until is None:
            log.warning("rate_limits.storage_away", reason=reason, effect="nothing is refused")
        self._away_until = self._clock() + AWAY_SECONDS

    def _ask(self, function: Callable[..., Any], *arguments: Any) -> int:
        """Return what the storage's ``function`` returns; 0 where the storage is away."""
        if self._away_until is not None and self._clock() < self._away_until:
            RATE_LIMIT_FAILURES.inc()
            return 0
        try:
            result = function(*arguments)
        except self._storage.base_exceptions as error:
            RATE_LIMIT_FAILURES.inc()
            self._give_up(type(error).__name__)
            return 0
        if self._away_until is not None:
            self._away_until = None
            log.warning("rate_limits.storage_back")
        return int(result or 0)


def _redis(url: str) -> RedisStorage:
    """Return the storage at ``url``, which answers soon or not at all."""
    from redis import ConnectionPool  # noqa: PLC0415 - most servers need no client of Redis
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    pool: Any = ConnectionPool.from_url(
        url,
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        retry=Retry(NoBackoff(), 1),  # a connection that was idle for long may be dead
    )
    return RedisStorage(url, connection_pool=pool, key_prefix="todo")


def display(url: str) -> str:
    """Return the storage at ``url`` as people may see it, without a password."""
    if url == MEMORY:
        return "the memory of this machine"
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}"


def reachable(url: str) -> bool:
    """Return whether the storage at ``url`` answers right now."""
    return Counters.at(url).answers()
