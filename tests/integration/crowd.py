"""Many callers at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import TypeVar

PATIENCE_SECONDS = 120
"""A hang fails the test with its place; no test asks how long anything takes."""

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
