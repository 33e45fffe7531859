"""Counters in memory that forked processes share."""

import multiprocessing
import os
import signal

import pytest

from tests.clock import Clock
from todo.rate_limits import shared_memory
from todo.rate_limits.shared_memory import PER_BUCKET, SharedMemoryStorage

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(clock: Clock) -> SharedMemoryStorage:
    return SharedMemoryStorage(clock=clock)


def test_counter_counts_until_it_ends(storage: SharedMemoryStorage, clock: Clock):
    assert [storage.incr("alice", 60) for _ in range(3)] == [1, 2, 3]
    assert storage.incr("bob", 60, 5) == 5
    assert (storage.get("alice"), storage.get_expiry("alice")) == (3, clock.now + 60)

    clock.now += 59
    assert storage.incr("alice", 60) == 4
    clock.now += 1
    assert storage.get("alice") == 0
    assert storage.incr("alice", 60) == 1


def test_what_is_taken_back_never_goes_below_nothing(storage: SharedMemoryStorage):
    storage.incr("alice", 60)
    assert [storage.incr("alice", 60, -1) for _ in range(2)] == [0, 0]
    assert storage.incr("nobody", 60, -1) == 0


def test_cleared_counter_begins_anew_and_others_stay(storage: SharedMemoryStorage):
    for name in ("alice", "bob"):
        storage.incr(name, 60, 7)
    storage.clear("alice")
    storage.clear("nobody")

    assert (storage.get("alice"), storage.get("bob")) == (0, 7)
    storage.reset()
    assert storage.get("bob") == 0


def test_in_a_full_bucket_the_counter_that_counted_least_makes_room(
    storage: SharedMemoryStorage, clock: Clock, monkeypatch
):
    monkeypatch.setattr(shared_memory, "BUCKETS", 1)
    for number in range(PER_BUCKET):
        storage.incr(f"user {number}", 60, 10 + number)

    storage.incr("another", 60, 50)
    assert [storage.get(f"user {n}") for n in range(PER_BUCKET)] == [0, *range(11, 18)]

    clock.now += 59
    storage.incr("user 1", 60)
    storage.incr("a third", 600, 60)  # in the place of user 1, whose count is 12
    clock.now += 1
    storage.incr("a fourth", 60)  # in a place that has ended
    assert (storage.get("a third"), storage.get("a fourth")) == (60, 1)


def test_processes_that_count_at_once_lose_nothing(storage: SharedMemoryStorage):
    def count() -> None:
        for _ in range(3000):
            storage.incr("alice", 600)

    processes = [FORK.Process(target=count) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 4
    assert storage.get("alice") == 12_000


def test_process_that_is_killed_while_it_counts_leaves_the_lock(storage: SharedMemoryStorage):
    reached, hold = FORK.Pipe(duplex=False)

    def hang() -> None:
        with storage._bucket("alice"):
            hold.send("locked")
            signal.pause()

    process = FORK.Process(target=hang)
    process.start()
    assert reached.recv() == "locked"
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    assert storage.incr("alice", 60) == 1
