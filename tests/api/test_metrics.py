"""What happens inside of requests is counted once, where it happens."""

import asyncio
from collections.abc import Callable, Iterator

import prometheus_client
import pytest
from psycopg2 import OperationalError, errorcodes
from sqlalchemy.exc import DBAPIError

from tests.conftest import SECRET, settings_for
from todo.auth.jwks import Jwks
from todo.auth.tokens import mint
from todo.database import transactions
from todo.http.asgi.request_metrics import MOST_USERS, WINDOW_SECONDS, BusiestUser
from todo.metrics import catalogue
from todo.metrics.catalogue import ALL
from todo.metrics.sampler import Reading, Sampler
from todo.problems import Problem
from todo.sync.log_size import log_entries


@pytest.fixture
def counted() -> Iterator[Callable[..., float]]:
    """Turn the metrics on for one test; the fixture gives the number of a metric."""
    for metric in ALL:
        metric.turn_on(prometheus_client)

    def number(name: str, **labels: str) -> float:
        samples = [
            sample.value
            for metric in ALL
            for family in metric._real.collect()
            for sample in family.samples
            if sample.name == name and sample.labels == labels
        ]
        return sum(samples)

    yield number
    for metric in ALL:
        metric._real = None
        metric._children.clear()


def test_a_token_is_looked_up_once_for_each_request(alice, counted):
    for _ in range(3):
        alice("GET", "")

    assert counted("todo_token_cache_total", result="miss") == 1
    assert counted("todo_token_cache_total", result="hit") == 2


def test_a_repeated_request_is_counted_as_a_replay(alice, counted):
    headers = {"Idempotency-Key": "k-1"}
    for _ in range(3):
        assert alice("POST", "", json={"title": "Milk"}, headers=headers).status_code == 201

    assert counted("todo_idempotent_replays_total") == 2


class Conflict(OperationalError):
    """A serialization failure, as the server names it."""

    pgcode = errorcodes.SERIALIZATION_FAILURE


@pytest.mark.parametrize(
    ("original", "lost", "reason"),
    [
        (OperationalError("gone"), True, "connection_lost"),
        (Conflict(), False, "conflict"),
    ],
)
def test_a_unit_that_is_run_again_is_counted_by_its_reason(
    service, counted, original, lost, reason
):
    failures = [DBAPIError("", {}, original, connection_invalidated=lost)]

    def unit(_connection):
        if failures:
            raise failures.pop()
        return "done"

    with service.application.flask.app_context():
        assert transactions.write(unit) == "done"

    assert counted("todo_unit_retries_total", reason=reason) == 1


def test_keys_that_cannot_be_fetched_are_counted_and_have_no_moment(counted):
    async def fetch() -> None:
        keys = Jwks("http://127.0.0.1:1/jwks", ("EdDSA",), fresh=300)
        keys.start()
        await keys._work
        keys._timer.cancel()

    asyncio.run(fetch())

    assert counted("todo_keys_fetch_failures_total") == 1
    assert counted("todo_keys_confirmed_timestamp_seconds") == 0


def test_the_log_has_as_many_entries_as_there_were_changes(service, alice):
    with service.application.flask.app_context():
        before = log_entries()
        alice.create()
        alice("PATCH", f"{alice.tasks}/1/complete")

        assert log_entries() - before == 2


def test_requests_are_recorded_without_any_label_of_the_client_s(new_database, serve, counted):
    service = serve(settings_for(new_database("sqlite"), metrics_port=9))
    token = mint(SECRET, "alice", hours=1)
    headers = {"Authorization": f"Bearer {token}"}

    service.client.get("/api/me/tasks/1", headers=headers)
    service.client.get("/nowhere/at-all")

    found = {"operation": "get_task", "status": "404", "code": "task_not_found"}
    assert counted("todo_requests_total", **found) == 1
    nowhere = {"operation": "none", "status": "404", "code": "not_found"}
    assert counted("todo_requests_total", **nowhere) == 1
    assert counted("todo_request_duration_seconds_count", operation="get_task") == 1
    assert counted("todo_thread_wait_seconds_count") == 1
    assert counted("todo_database_seconds_count") == 1


def test_the_busiest_user_is_the_one_who_sends_most_in_ten_seconds():
    time = 0.0
    busiest = BusiestUser(lambda: time)
    for user in ["alice"] * 30 + ["bob"] * 20:
        busiest.count(user)
    assert busiest.per_second() == 0

    time = WINDOW_SECONDS
    assert busiest.per_second() == 3
    time = 2 * WINDOW_SECONDS
    assert busiest.per_second() == 0


def test_the_busiest_user_is_looked_for_among_so_many_and_no_more():
    busiest = BusiestUser()
    for number in range(MOST_USERS + 10):
        busiest.count(str(number))

    assert len(busiest._requests) == MOST_USERS


def test_a_sampler_goes_on_when_the_database_does_not_answer(counted):
    async def ask() -> float:
        raise Problem("database_unavailable", "Away.")

    async def look() -> None:
        reading = Reading(catalogue.STREAMS, lambda: 7.0)
        sampler = Sampler([reading], catalogue.LOG_ENTRIES, ask)
        sampler.start()
        await sampler._asking
        sampler._timer.cancel()

    asyncio.run(look())

    assert counted("todo_streams") == 7
    assert counted("todo_log_entries") == 0
