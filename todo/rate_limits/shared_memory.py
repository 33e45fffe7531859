"""Counters in memory that all worker processes of a machine share.

It is a storage of the library ``limits``, whose own storage in memory is each process's own.
gunicorn loads the application before it forks, so that all workers have the same memory.
"""

import fcntl
import mmap
import struct
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from limits.storage import Storage

BUCKETS: Final = 32_768
PER_BUCKET: Final = 8
"""Counters of one bucket. A counter stays in its bucket: where there is no room, it takes the place
of the counter that has counted least."""

_COUNTER: Final = struct.Struct("=QII")
"""The hash of the key, the second at which the counter ends, and what it has counted."""
_MARK: Final = struct.Struct("=Q")
_BUCKET: Final = struct.Struct("=" + "QII" * PER_BUCKET)
_MOST: Final = 2**32 - 1


class SharedMemoryStorage(Storage):
    """A table of counters, 4 MiB, of which the system gives only what is used.

    The lock is the system's (``lockf``): a process that is killed while it counts leaves it. Each
    bucket has a lock of its own, and a thread holds it for a few microseconds. Keys are compared by
    Python's hash of 64 bits, whose seed the forked processes have in common.
    """

    STORAGE_SCHEME = None

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives the seconds since 1970."""
        super().__init__()
        self._clock = clock
        self._memory = mmap.mmap(-1, BUCKETS * _BUCKET.size)
        self._threads = threading.Lock()  # lockf keeps processes apart, and no threads
        file = tempfile.TemporaryFile()  # noqa: SIM115 - it has nothing in it but locks
        weakref.finalize(self, file.close)
        self._locks = file.fileno()

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Nothing that a storage raises when it is away: this one is always there."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add ``amount`` to the counter of ``key``, which a new one begins for ``expiry`` seconds.

        Returns what the counter has counted, never less than 0.
        """
        now = int(self._clock())
        with self._bucket(key) as (mark, place):
            at, end, used = self._find(mark, place)
            if end <= now:
                at, end, used = self._room(place, now), now + expiry, 0
            used = min(max(0, used + amount), _MOST)
            _COUNTER.pack_into(self._memory, at, mark, end, used)
        return used

    def get(self, key: str) -> int:
        """Return what the counter of ``key`` has counted, 0 without one."""
        return self._read(key)[1]

    def get_expiry(self, key: str) -> float:
        """Return when the counter of ``key`` ends, in seconds since 1970; now without one."""
        return float(self._read(key)[0]) or self._clock()

    def clear(self, key: str) -> None:
        """Forget the counter of ``key``."""
        with self._bucket(key) as (mark, place):
            at, end, _ = self._find(mark, place)
            if end:
                _COUNTER.pack_into(self._memory, at, 0, 0, 0)

    def reset(self) -> int | None:
        """Forget all counters."""
        self._memory[:] = bytes(len(self._memory))
        return None

    def check(self) -> bool:
        """Return whether the storage works: it always does."""
        return True

    def _read(self, key: str) -> tuple[int, int]:
        with self._bucket(key) as (mark, place):
            _, end, used = self._find(mark, place)
        return (end, used) if end > self._clock() else (0, 0)

    def _find(self, mark: int, place: int) -> tuple[int, int, int]:
        """Return where the counter of ``mark`` is, its end, and what it has counted.

        An end of 0 says that there is none. One search costs less than reading the bucket.
        """
        at = self._memory.find(_MARK.pack(mark), place, place + _BUCKET.size)
        if at < 0 or (at - place) % _COUNTER.size:
            return place, 0, 0
        _, end, used = _COUNTER.unpack_from(self._memory, at)
        return at, end, used

    def _room(self, place: int, now: int) -> int:
        """Return where a new counter goes: what has ended goes first, then what counted least."""
        fields = _BUCKET.unpack_from(self._memory, place)
        counters = zip(fields[1::3], fields[2::3], strict=True)
        worth = [used if end > now else -1 for end, used in counters]
        return place + worth.index(min(worth)) * _COUNTER.size

    @contextmanager
    def _bucket(self, key: str) -> Iterator[tuple[int, int]]:
        """Hold the bucket of ``key``; give the hash of the key, and where the bucket begins."""
        mark = hash(key) & 0xFFFF_FFFF_FFFF_FFFF
        place = (mark % BUCKETS) * _BUCKET.size
        with self._threads:
            fcntl.lockf(self._locks, fcntl.LOCK_EX, 1, place)
            try:
                yield mark, place
            finally:
                fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, place)
