"""Counting in windows, and what happens while the storage does not answer."""

import pytest
from limits import RateLimitItem, parse
from structlog.testing import capture_logs

from tests.clock import Clock
from tests.servers.process import free_port
from todo.rate_limits import counters
from todo.rate_limits.counters import AWAY_SECONDS, Counters, display
from todo.rate_limits.shared_memory import SharedMemoryStorage

LIMIT: RateLimitItem = parse("2/minute")


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Tally:
    """A number that goes up, in the place of the metric."""

    value = 0

    def inc(self) -> None:
        self.value += 1


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> Tally:
    """What is let pass in this test."""
    tally = Tally()
    monkeypatch.setattr(counters, "RATE_LIMIT_FAILURES", tally)
    return tally


@pytest.fixture
def away(clock: Clock, failures: Tally) -> Counters:
    """Counters in a Redis where nobody listens."""
    redis = Counters.at(f"redis://127.0.0.1:{free_port()}/0")
    return Counters(redis._storage, clock=clock)


def test_windows_of_different_names_begin_at_different_moments(clock: Clock):
    here = Counters(SharedMemoryStorage(clock=clock), clock=clock)
    seconds = {here.add(LIMIT, "user", f"user {number}").seconds for number in range(600)}

    assert min(seconds) == 1
    assert max(seconds) == 60
    assert len(seconds) > 50


def test_a_count_is_of_one_name_and_can_be_taken_back(clock: Clock):
    here = Counters(SharedMemoryStorage(clock=clock), clock=clock)
    counts = [here.add(LIMIT, "user", "alice") for _ in range(3)]

    assert [count.exceeded for count in counts] == [False, False, True]
    assert here.add(LIMIT, "user", "bob").used == 1
    assert here.add(LIMIT, "user", "alice", "bob").used == 1
    assert here.add(LIMIT, "address", "alice").used == 1
    here.take_back(counts[2])
    assert here.add(LIMIT, "user", "alice").used == 3
    here.clear(counts[0])
    assert here.add(LIMIT, "user", "alice").used == 1


def test_a_name_may_be_any_text(clock: Clock):
    here = Counters(SharedMemoryStorage(clock=clock), clock=clock)

    assert [here.add(LIMIT, "user", "\ud800" * 255).used for _ in range(2)] == [1, 2]


def test_what_cannot_be_counted_passes_and_is_said_once(away: Counters, failures: Tally):
    with capture_logs() as logs:
        counts = [away.add(LIMIT, "user", "alice") for _ in range(9)]
        away.take_back(counts[0])
        away.clear(counts[0])

    assert [count.exceeded for count in counts] == [False] * 9
    assert failures.value == 11
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("rate_limits.storage_away", "warning")
    ]


def test_a_storage_that_does_not_answer_is_asked_again_after_a_while(
    away: Counters, failures: Tally, clock: Clock
):
    with capture_logs() as logs:
        away.add(LIMIT, "user", "alice")
        clock.now += AWAY_SECONDS
        away.add(LIMIT, "user", "alice")
        away._storage = SharedMemoryStorage(clock=clock)
        assert away.add(LIMIT, "user", "alice").used == 0
        clock.now += AWAY_SECONDS
        assert away.add(LIMIT, "user", "alice").used == 1

    assert failures.value == 3
    assert [line["event"] for line in logs] == [
        "rate_limits.storage_away",
        "rate_limits.storage_back",
    ]


def test_no_password_is_displayed():
    assert display("memory://") == "the memory of this machine"
    assert display("redis://user:QXZKVW@r.example/2") == "redis://r.example:6379"
    assert display("rediss://:QXZKVW@r.example:6380/2") == "rediss://r.example:6380"
