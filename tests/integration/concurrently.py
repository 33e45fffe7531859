"""Many callers at the same moment."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import httpx2

from tests.conftest import Caller

PATIENCE_SECONDS = 120
"""A hang fails the test with its place; no test asks how long anything takes."""

PATIENCE = 20
"""How often ``busy`` is taken for an answer; on a busy machine it is one."""

COME_BACK = ("busy", "idempotency_key_in_progress", "too_many_requests")

T = TypeVar("T")
U = TypeVar("U")


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run every call on a thread of its own, all let go at one moment; their results, in order."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        gate.wait(PATIENCE_SECONDS)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        running = [threads.submit(run, call) for call in calls]
        return [result.result(PATIENCE_SECONDS) for result in running]


def beside(call: Callable[[], T], others: Sequence[Callable[[], U]]) -> tuple[T, list[U]]:
    """Run `call` once and, until it has ended, each of `others` over and over on its own thread.

    Returns the result of `call`, and every result of the others.
    """
    over = threading.Event()

    def once() -> T:
        try:
            return call()
        finally:
            over.set()

    def again(other: Callable[[], U]) -> list[U]:
        results = []
        while not over.is_set():
            results.append(other())
        return results

    result, *repeated = together([once, *(partial(again, other) for other in others)])
    return result, list(chain.from_iterable(repeated))


@contextmanager
def meanwhile(*runs: Callable[[Callable[[], bool]], None]) -> Iterator[None]:
    """Let all ``runs`` go on, each on a thread of its own, for as long as the block lasts.

    Each is given what tells it that the block is over.
    """
    over = threading.Event()
    threads = [threading.Thread(target=run, args=(over.is_set,)) for run in runs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def insist(call: Callable[[], httpx2.Response], *, keyed: bool = False) -> httpx2.Response:
    """Repeat a request for as long as it is told to come back: nothing was written, it says.

    ``keyed``: it has an Idempotency-Key, so it may be repeated where that is not known, too.
    """
    come_back = (*COME_BACK, "outcome_unknown") if keyed else COME_BACK
    for _ in range(PATIENCE):
        response = call()
        if response.status_code not in (409, 429, 503):
            return response
        assert response.json()["code"] in come_back, response.text
    raise AssertionError(f"told to come back {PATIENCE} times")


class Patient(Caller):
    """A user who repeats what was ``busy``."""

    def __call__(self, method: str, path: str, **kwargs: Any) -> httpx2.Response:
        """Send a request until it is answered."""
        return insist(lambda: super(Patient, self).__call__(method, path, **kwargs))
