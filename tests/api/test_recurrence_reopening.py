"""Reopening takes the next task back, with what moved to it, unless that has changed since."""

from typing import Any

import pytest

from tests.api.calls import bulk, complete, live, move, order, revision, trash
from tests.api.expect import MOMENT
from tests.api.repeating import DAILY, DUE
from tests.conftest import Caller

pytestmark = [pytest.mark.pooled, pytest.mark.usefixtures("everything_is_sound")]

Json = dict[str, Any]

REOPEN = {"op": "complete", "id": 1, "completed": False}
WAYS: dict[str, tuple[str, str, Any]] = {
    "toggle": ("PATCH", "1/complete", None),
    "complete with a body": ("PATCH", "1/complete", {"completed": False}),
    "put": ("PUT", "1", {"completed": False}),
    "patch by the query": ("PATCH", "1?completed=false", None),
    "complete in a bulk": ("POST", "bulk", {"operations": [REOPEN]}),
    "all": ("POST", "complete-all", {"completed": False}),
}


def reopen(caller: Caller, way: str = "toggle") -> Any:
    """Reopen task 1."""
    method, path, body = WAYS[way]
    response = caller(method, path, **({} if body is None else {"json": body}))
    assert response.is_success, response.text
    return response


def test_what_a_bulk_has_changed_below_the_next_one_counts_as_changed(alice):
    """As it does where the two are requests of their own."""
    alice.create("Water", due_date=DUE, recurrence=DAILY)
    alice.create("Step", parent_id=1)
    complete(alice, 1)
    [made] = live(alice).keys() - {1, 2}

    bulk(alice, {"op": "complete", "id": 2, "completed": True}, REOPEN)

    tasks = live(alice)
    assert {one: task["completed"] for one, task in tasks.items()} == {
        1: False,
        2: True,
        made: False,
    }
    assert (tasks[2]["parent_id"], tasks[1]["next_id"]) == (made, made)


def plain(tasks: dict[int, Json]) -> dict[int, Json]:
    """Tasks without what every change changes."""
    changes = {"revision": MOMENT, "updated_at": MOMENT}
    return {one: {**task, **changes} for one, task in tasks.items()}


@pytest.fixture
def task(alice):
    """A task that repeats every day."""
    return alice.create("Water", due_date=DUE, recurrence=DAILY)


@pytest.fixture
def steps(alice, task):
    """Below it 2 (with 3 below) and 4 are open, 5 (with 6 below) is completed, but 6 is open."""
    alice.create("a", parent_id=1)
    alice.create("a.a", parent_id=2)
    alice.create("b", parent_id=1)
    alice.create("c", parent_id=1, completed=True)
    alice.create("c.a", parent_id=5)
    return live(alice)


@pytest.mark.parametrize("way", WAYS)
def test_reopening_takes_the_next_task_back(alice, task, way):
    complete(alice, 1)

    reopen(alice, way)

    assert live(alice) == {1: {**task, "revision": 4, "updated_at": MOMENT}}
    assert [(one, task["revision"]) for one, task in trash(alice).items()] == [(3, 5)]


@pytest.mark.parametrize("way", [way for way in WAYS if way != "all"])
def test_what_moved_comes_back_and_the_copies_go_with_the_next_task(alice, steps, way):
    complete(alice, 1)
    assert order(alice, parent_id=1) == [5]
    copy = next(one for one, task in live(alice).items() if task["previous_id"] == 5)

    reopen(alice, way)

    assert plain(live(alice)) == plain(steps)
    assert sorted(trash(alice)) == [8, copy]
    complete(alice, 1)
    made = live(alice)[1]["next_id"]
    assert order(alice, parent_id=made)[:2] == [2, 4]


def test_reopening_and_changing_in_one_update_takes_it_back(alice, task):
    complete(alice, 1)

    updated = alice("PATCH", "1", json={"completed": False, "title": "Wash"}).json()

    assert updated == {**task, "title": "Wash", "revision": 4, "updated_at": MOMENT}
    assert live(alice) == {1: updated}


def test_a_task_that_was_itself_made_is_reopened_alike(alice, task):
    complete(alice, 1)
    complete(alice, 3)

    complete(alice, 3, completed=False)

    assert sorted(live(alice)) == [1, 3]
    assert (live(alice)[1]["next_id"], live(alice)[3]["next_id"]) == (3, None)


def test_a_series_that_ended_since_is_no_hindrance(alice, task):
    complete(alice, 1)
    alice("PATCH", "1", json={"recurrence": None})

    reopen(alice)

    assert sorted(live(alice)) == [1]


def test_all_are_reopened_alike_though_a_series_has_ended_since(alice, task):
    complete(alice, 1)
    alice("PATCH", "1", json={"recurrence": None})

    reopen(alice, "all")

    assert sorted(live(alice)) == [1]


CHANGES: dict[str, tuple[str, str, Json | None]] = {
    "the next one has another title": ("PATCH", "8", {"title": "Changed"}),
    "the next one was moved": ("POST", "8/move", {"at": "start"}),
    "the next one was skipped": ("POST", "8/skip", None),
    "the next one was completed": ("PATCH", "8/complete", None),
    "a step was added": ("POST", "", {"title": "x", "parent_id": 8}),
    "a step was moved in": ("PATCH", "7", {"parent_id": 8}),
    "a step below a step was moved in": ("PATCH", "7", {"parent_id": 4}),
    "a step was ticked": ("PATCH", "4/complete", None),
    "a step below a step was ticked": ("PATCH", "3/complete", None),
    "a step has another title": ("PATCH", "2", {"title": "Changed"}),
    "a copy has another title": ("PATCH", "12", {"title": "Changed"}),
    "the steps have another order": ("POST", "4/move", {"before": 2}),
}


@pytest.mark.parametrize(
    ("name", "way"),
    [
        *((name, way) for name in CHANGES for way in ("toggle", "complete in a bulk")),
        *((name, "all") for name in CHANGES if name != "the next one was completed"),
    ],
)
def test_a_next_task_that_has_changed_since_stays(alice, steps, name, way):
    alice.create("Beside")
    complete(alice, 1)
    made = live(alice)[1]["next_id"]
    assert made == 9
    copy = next(one for one, task in live(alice).items() if task["previous_id"] == 5)
    method, path, body = CHANGES[name]
    ids = {"8": "9", "12": f"{copy}"}
    head, slash, tail = path.partition("/")
    body = {**body, "parent_id": made} if body and body.get("parent_id") == 8 else body
    target = f"{ids.get(head, head)}{slash}{tail}"
    assert alice(method, target, **({"json": body} if body else {})).is_success
    before = live(alice)

    reopen(alice, way)

    after = live(alice)
    assert sorted(after) == sorted(before)
    assert after[1] == {
        **before[1],
        "completed": False,
        "completed_at": None,
        "revision": after[1]["revision"],
        "updated_at": MOMENT,
    }
    places = {one: (task["parent_id"], task["position"]) for one, task in after.items()}
    expected = {one: (task["parent_id"], task["position"]) for one, task in before.items()}
    assert places == expected


@pytest.mark.parametrize("step", [2, 3, 4])
@pytest.mark.parametrize("goes", ["to the trash", "elsewhere"])
def test_a_step_that_left_the_next_task_since_stays_where_it_is(alice, steps, step, goes):
    complete(alice, 1)
    if goes == "elsewhere":
        move(alice, step, parent_id=None)
    else:
        alice("DELETE", f"{step}")

    reopen(alice)

    left = {2: {2, 3}, 3: {3}, 4: {4}}[step]
    below = {one for one, task in live(alice).items() if task["parent_id"] in (1, 2, 5)}
    assert below - left == {2, 3, 4, 5, 6} - left
    assert live(alice)[1]["next_id"] is None
    if goes == "elsewhere":
        assert order(alice) == [1, step]
    else:
        assert set(trash(alice)) >= left


def test_steps_come_back_to_the_list_that_the_task_has_by_now(alice, steps):
    alice.create_list()
    complete(alice, 1)
    move(alice, 1, list_id=7)

    reopen(alice)

    assert {task["list_id"] for task in live(alice).values()} == {7}
    assert order(alice, 7, 1) == [2, 4, 5]
    assert order(alice, 7, 5) == [6]


def test_a_next_task_stays_when_its_steps_would_be_too_deep(alice, steps):
    alice.create("Above")
    complete(alice, 1)
    alice("DELETE", "5")
    move(alice, 1, parent_id=7)

    reopen(alice)

    assert order(alice, parent_id=live(alice)[1]["next_id"])[:2] == [2, 4]


def test_steps_come_back_below_the_task_when_their_parent_is_gone(alice, steps):
    complete(alice, 1)
    alice("DELETE", "5")

    reopen(alice)

    assert order(alice, parent_id=1) == [2, 4, 6]


def test_a_bulk_that_reopens_and_changes_the_next_task_leaves_it(alice, task):
    complete(alice, 1)

    bulk(alice, {"op": "update", "id": 3, "data": {"title": "Changed"}}, REOPEN)

    assert sorted(live(alice)) == [1, 3]
    assert live(alice)[1]["next_id"] == 3


def test_a_reopened_task_whose_next_one_stays_is_completed_without_another(alice, task):
    complete(alice, 1)
    alice("PATCH", "3", json={"title": "Changed"})

    reopen(alice)
    newest = revision(alice)
    complete(alice, 1)

    assert (sorted(live(alice)), revision(alice)) == ([1, 3], newest + 1)
