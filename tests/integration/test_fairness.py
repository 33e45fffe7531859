"""One user's load is that user's: others find a thread, whatever one does."""

import functools
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import DIALECTS
from tests.integration.concurrently import together
from tests.integration.locks import holding, holding_table
from tests.integration.tables import assert_books_balance, value
from tests.servers.reaper import wait_until
from todo.http.asgi.turns import WRITES_PER_USER

FLOOD = 32
PATIENCE_SECONDS = 30
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database()"
)


def flooding(pool: ThreadPoolExecutor, call: Callable[[], Any]) -> list[Any]:
    """Begin so many calls that a first-come queue would be theirs alone."""
    return [pool.submit(call) for _ in range(FLOOD)]


def test_a_flood_of_one_users_writes_leaves_threads_to_everybody_else(new_database, service_on):
    url = new_database("postgresql")
    service = service_on(url)
    alice, bob = service.caller("alice"), service.caller("bob")
    for user in (alice, bob):
        user.create()
    create = functools.partial(alice, "POST", "", json={"title": "One of many"})
    with ThreadPoolExecutor(FLOOD) as pool:
        with holding(url, "alice"):
            flood = flooding(pool, create)
            queued = lambda: value(url, WAITING) >= WRITES_PER_USER  # noqa: E731
            assert wait_until(queued, PATIENCE_SECONDS)
            answers = [bob("GET", "") for _ in range(20)]
            answers.append(bob("POST", "", json={"title": "Buy bread"}))
            answers.append(alice("GET", ""))
            waiting = value(url, WAITING)
        flooded = Counter(
            (answer.status_code, answer.json().get("code"))
            for answer in (future.result(PATIENCE_SECONDS) for future in flood)
        )

    assert [answer.status_code for answer in answers] == [200] * 20 + [201, 200]
    assert waiting <= WRITES_PER_USER
    assert set(flooded) <= {(201, None), (503, "busy")}
    assert_books_balance(url, "alice", changes=1 + flooded[201, None])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_changes_of_many_tasks_that_one_browser_sends_at_once_all_succeed(
    new_database, service_on, dialect
):
    url = new_database(dialect)
    alice = service_on(url).caller("alice")
    create = functools.partial(alice, "POST", "", json={"title": "Buy milk"})
    created = together([create] * 30)
    tick = [functools.partial(alice, "PATCH", f"{n}/complete") for n in range(1, 31)]
    ticked = together(tick)

    assert {answer.status_code for answer in created} == {201}
    assert {answer.status_code for answer in ticked} == {200}
    assert_books_balance(url, "alice", changes=60)


def test_a_flood_of_one_users_slow_reads_leaves_threads_to_everybody_else(new_database, service_on):
    url = new_database("postgresql")
    service = service_on(url)
    alice, bob = service.caller("alice"), service.caller("bob")
    alice.create()
    with ThreadPoolExecutor(FLOOD) as pool:
        with holding_table(url, "tasks"):
            flood = flooding(pool, functools.partial(alice, "GET", "?search=milk"))
            assert wait_until(lambda: value(url, WAITING) >= 2, PATIENCE_SECONDS)
            answer = bob("GET", "/api/auth/me")
            waiting = value(url, WAITING)
        codes = {future.result(PATIENCE_SECONDS).status_code for future in flood}

    assert answer.status_code == 200
    assert waiting <= service.settings.web_threads // 2
    assert codes <= {200, 503}
