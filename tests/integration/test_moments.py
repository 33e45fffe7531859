"""A page, its total and its revision come from one moment, whatever is written meanwhile."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from tests.conftest import DIALECTS, Caller, Service, settings_for
from tests.integration.application import running
from tests.integration.concurrently import Patient, meanwhile, together

WRITERS = 4
READERS = 3
PAGES = 40
MOST_PAGES = 2000
MOMENTS = 10
"""Different revisions that the readers read on for: else nobody wrote while they read."""

Page = dict[str, Any]


@pytest.fixture(scope="module", params=DIALECTS)
def busy_service(
    request: pytest.FixtureRequest, new_database: Callable[[str], str]
) -> Iterator[Service]:
    settings = settings_for(new_database(request.param), web_threads=WRITERS + READERS)
    with running(settings) as service:
        yield service


def writing(*writes: Callable[[], object]) -> AbstractContextManager[None]:
    """Repeat every write on a thread of its own for as long as the block lasts."""

    def repeat(write: Callable[[], object], over: Callable[[], bool]) -> None:
        while not over():
            write()

    return meanwhile(*(partial(repeat, write) for write in writes))


def pages(caller: Caller, query: str) -> list[Page]:
    """Read one list again and again from several threads; every page that came.

    Each reads many pages, and goes on until writers have been heard of.
    """
    met: set[int] = set()

    def read() -> Iterator[Page]:
        for number in range(MOST_PAGES):
            if number >= PAGES and len(met) >= MOMENTS:
                return
            answer = caller("GET", query)
            assert answer.status_code == 200
            met.add(answer.json()["revision"])
            yield answer.json()

    return [page for some in together([lambda: list(read())] * READERS) for page in some]


def assert_written_meanwhile(found: list[Page]) -> None:
    assert len({page["revision"] for page in found}) >= MOMENTS


def test_page_read_while_tasks_are_created_is_of_one_moment(busy_service):
    alice = Patient(busy_service.client, busy_service.caller().id)

    with writing(*[alice.create] * WRITERS):
        found = pages(alice, "?limit=5")

    assert_written_meanwhile(found)
    for page in found:  # nothing is deleted: the newest task, the total and the revision agree
        newest = range(page["revision"], max(page["revision"] - 5, 0), -1)
        assert [task["id"] for task in page["tasks"]] == list(newest)
        assert page["total"] == page["revision"]


@pytest.mark.parametrize("query", ["", "&completed=true", "&status=pending"])
def test_total_is_the_number_of_rows_while_tasks_come_change_and_go(busy_service, query):
    alice = Patient(busy_service.client, busy_service.caller().id)
    for number in range(20):
        alice.create(completed=number % 2 == 0)

    def change() -> None:
        task_id = random.randint(1, 30)
        alice("PATCH", f"{task_id}/complete")

    def replace() -> None:
        alice("DELETE", str(alice.create()["id"]))

    with writing(change, change, alice.create, replace):
        found = pages(alice, f"?limit=1000{query}")

    assert_written_meanwhile(found)
    for page in found:
        assert page["total"] == len(page["tasks"])
        assert all(task["revision"] <= page["revision"] for task in page["tasks"])


def test_most_recently_changed_task_carries_the_revision_of_its_page(busy_service):
    alice = Patient(busy_service.client, busy_service.caller().id)
    for _ in range(5):
        alice.create()

    def toggle() -> None:
        assert alice("PATCH", f"{random.randint(1, 5)}/complete").status_code == 200

    with writing(*[toggle] * WRITERS):
        found = pages(alice, "?sort=updated&limit=3")

    assert_written_meanwhile(found)
    for page in found:
        revisions = [task["revision"] for task in page["tasks"]]
        assert revisions[0] == page["revision"]
        assert revisions == sorted(revisions, reverse=True)


@pytest.mark.parametrize("query", ["?limit=5", "?status=pending&limit=5", "?search=milk&limit=5"])
def test_no_304_hides_a_change_that_was_acknowledged_before_it_was_asked_for(busy_service, query):
    alice = Patient(busy_service.client, busy_service.caller().id)
    acknowledged = [alice.create()["revision"]]

    def write() -> None:
        acknowledged.append(alice.create()["revision"])

    def read() -> list[int]:
        answers, page, tag = [], {"revision": 0}, '"none"'
        for _ in range(PAGES):
            newest = max(acknowledged)
            response = alice("GET", query, headers={"If-None-Match": tag})
            if response.status_code == 200:
                page, tag = response.json(), response.headers["etag"]
            assert page["revision"] >= newest
            answers.append(response.status_code)
        return answers

    with writing(write):
        changed = [status for some in together([read] * READERS) for status in some]
    tag = alice("GET", query).headers["etag"]

    assert 200 in changed
    assert alice("GET", query, headers={"If-None-Match": tag}).status_code == 304
