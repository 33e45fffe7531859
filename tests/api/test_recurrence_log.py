"""What others see of a series: undo, the delta, the history, views, counts and tags."""

from typing import Any

import pytest

from tests.api.calls import complete, live, order, trash, undo, undone
from tests.api.clock import frozen
from tests.api.expect import MOMENT
from tests.api.repeating import DAILY, DUE, day, done, following, tree
from tests.api.test_changes import a_page, put
from tests.conftest import Caller

pytestmark = [pytest.mark.pooled, pytest.mark.usefixtures("everything_is_sound")]

BULK = {
    "operations": [
        {"op": "complete", "id": 1, "completed": True},
        {"op": "update", "id": 5, "data": {"recurrence": DAILY, "completed": True}},
    ]
}
CHANGES: dict[str, tuple[str, str, Any]] = {
    "complete": ("PATCH", "1/complete", None),
    "complete with subtasks": ("PATCH", "1/complete", {"completed": True, "subtasks": True}),
    "patch": ("PATCH", "1", {"completed": True, "title": "Wash"}),
    "bulk": ("POST", "bulk", BULK),
    "complete all": ("POST", "complete-all", {"completed": True}),
    "reopen": ("PATCH", "6/complete", None),
    "reopen all": ("POST", "complete-all", {"completed": False}),
    "set a rule": ("PATCH", "5", {"recurrence": DAILY}),
    "change a rule": ("PATCH", "1", {"recurrence": {"rule": "FREQ=WEEKLY"}}),
    "change the zone": ("PATCH", "1", {"time_zone": "Europe/Berlin"}),
    "end a series": ("PUT", "1", {"recurrence": None}),
    "skip": ("POST", "1/skip", None),
}


@pytest.fixture
def series(alice):
    """1 repeats; of its subtasks 2 is open and 3 completed, and 4 is below that; 5 does not repeat;
    6 repeats and is completed, 9 is its next one, with 7.
    """
    alice.create("Water", due_date=DUE, recurrence=DAILY)
    alice.create("a", parent_id=1)
    alice.create("b", parent_id=1, completed=True)
    alice.create("b.a", parent_id=3)
    alice.create("Plain")
    alice.create("Bins", due_date=DUE, recurrence=DAILY)
    alice.create("x", parent_id=6)
    complete(alice, 6)
    return alice


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_a_series_is_taken_back_and_taken_back_again(series, name):
    method, path, body = CHANGES[name]
    before = tree(live(series))
    response = series(method, path, **({} if body is None else {"json": body}))
    assert response.is_success, response.text
    changed = tree(live(series))
    assert changed != before

    number = undone(series)
    assert tree(live(series)) == before

    assert undone(series) == number
    assert tree(live(series)) == changed


def test_undo_of_completing_takes_the_next_task_to_the_trash(alice):
    task = alice.create("Water", due_date=DUE, recurrence=DAILY)
    complete(alice, 1)

    assert undo(alice, 2).json() == {"unit": 4, "revision": 5, "changed": 2}

    assert live(alice) == {1: {**task, "revision": 4, "updated_at": MOMENT}}
    assert sorted(trash(alice)) == [3]


def test_a_next_task_that_has_changed_is_in_the_way_of_undo(alice):
    alice.create("Water", due_date=DUE, recurrence=DAILY)
    complete(alice, 1)
    current = alice("PATCH", "3", json={"title": "Changed"}).json()

    response = undo(alice, 2)

    assert (response.status_code, response.json()["current"]) == (412, current)
    assert live(alice)[1]["completed"] is True


def test_the_delta_has_the_completed_task_and_the_next_one(alice):
    task = alice.create("Water", due_date=DUE, recurrence=DAILY)
    token = alice("GET", "").json()["sync_token"]
    complete(alice, 1)

    delta = alice("GET", f"/api/{alice.id}/changes?since={token}").json()

    first, second = done(task, 2, next_id=3), following(task, 3, day(6))
    assert delta == a_page(put(first), put(second), revision=3)


def test_the_history_has_one_unit_for_a_completion(alice):
    task = alice.create("Water", due_date=DUE, recurrence=DAILY)
    complete(alice, 1)

    history = alice("GET", f"/api/{alice.id}/history").json()["changes"]

    made, completed, _ = history
    assert (made["unit"], completed["unit"]) == (2, 2)
    assert (made["op"], made["id"], made["before"]) == ("create", 3, None)
    second = following(task, 3, day(6))
    assert made["after"] == {name: second[name] for name in made["after"]}
    assert completed["before"] == {"completed": False, "completed_at": None, "next_id": None}
    assert completed["after"] == {"completed": True, "completed_at": MOMENT, "next_id": 3}


def test_history_and_delta_show_a_skip(alice):
    alice.create("Water", due_date=DUE, recurrence=DAILY)
    alice("POST", "1/skip")

    [skipped, _] = alice("GET", f"/api/{alice.id}/history").json()["changes"]

    assert (skipped["op"], skipped["id"], skipped["revision"]) == ("update", 1, 2)
    assert skipped["before"] == {"due_date": DUE, "occurrence": DUE}
    assert skipped["after"] == {"due_date": day(6), "occurrence": day(6)}


def ids(caller: Caller, query: str) -> list[int]:
    return [task["id"] for task in caller("GET", f"{query}&order=asc").json()["tasks"]]


def test_views_show_each_occurrence_once(service):
    with frozen(service, "2026-11-25T12:00:00Z") as alice:
        alice.create("Water", due_date="2026-11-24", recurrence=DAILY)
        assert ids(alice, "?view=overdue") == [1]
        complete(alice, 1)  # 3 is due tomorrow
        alice.create("Bins", due_date="2026-11-25", recurrence={"rule": "FREQ=WEEKLY"})
        complete(alice, 4)  # 6 is due in a week

        assert ids(alice, "?view=overdue") == []
        assert ids(alice, "?view=today") == [4]
        assert ids(alice, "?view=upcoming") == [3, 6]
        assert ids(alice, "?view=upcoming&status=pending") == [3, 6]


def test_stats_and_tags_count_each_occurrence_once(service):
    with frozen(service, "2026-11-25T12:00:00Z") as alice:
        alice.create("Water", due_date="2026-11-24", recurrence=DAILY, tags=["home"])
        complete(alice, 1)
        complete(alice, 3)

        stats = alice("GET", f"/api/{alice.id}/stats").json()
        tags = alice("GET", f"/api/{alice.id}/tags").json()["tags"]

    assert (stats["total"], stats["open"], stats["completed"]) == (3, 1, 2)
    assert [one["completed"] for one in stats["completed_per_day"]] == [*[0] * 29, 2]
    assert tags == [{"name": "home", "total": 3, "open": 1, "completed": 2}]


def test_the_page_counts_the_subtasks_that_each_occurrence_has(alice):
    alice.create("Water", due_date=DUE, recurrence=DAILY)
    alice.create("a", parent_id=1)
    alice.create("b", parent_id=1, completed=True)
    complete(alice, 1)

    made = live(alice)[1]["next_id"]
    assert alice("GET", "").json()["subtasks"] == {
        "1": {"total": 1, "completed": 1},
        f"{made}": {"total": 2, "completed": 0},
    }
    assert order(alice, parent_id=1) == [3]
