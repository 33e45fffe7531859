"""Series and places: what a task was moved to, or under, between completing and reopening it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Caller, Service
from tests.integration.places import assert_places_are_sound

DAILY = {"rule": "FREQ=DAILY"}


@pytest.fixture(autouse=True)
def sound(service: Service, alice: Caller) -> Iterator[None]:
    yield
    assert_places_are_sound(service.settings.database_url, alice.id)


def set_completed(alice: Caller, task: Any, completed: bool) -> Any:
    answer = alice("PATCH", f"{task['id']}/complete", json={"completed": completed})
    assert answer.status_code == 200, answer.text
    return answer.json()


def patch(alice: Caller, task_id: int, **changes: Any) -> Any:
    answer = alice("PATCH", f"{task_id}", json=changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


def bulk(alice: Caller, *operations: Any) -> None:
    answer = alice("POST", "bulk", json={"operations": operations})
    assert answer.status_code == 200, answer.text


def live(alice: Caller) -> dict[int, Any]:
    return {task["id"]: task for task in alice("GET", "?limit=100").json()["tasks"]}


def places(alice: Caller) -> dict[int, Any]:
    return {one["id"]: (one["list_id"], one["parent_id"]) for one in live(alice).values()}


def stable(task: Any) -> Any:
    return {name: task[name] for name in task if name not in ("revision", "updated_at")}


def with_a_changed_next_one(alice: Caller, **where: Any) -> tuple[Any, int]:
    """A task that is open again, and the id of its next one."""
    task = alice.create(recurrence=DAILY, **where)
    next_id = set_completed(alice, task, True)["next_id"]
    patch(alice, next_id, title="Changed")
    return set_completed(alice, task, False), next_id


def test_steps_come_back_to_the_list_that_their_task_was_moved_to(alice):
    home = alice.create_list()["id"]
    task = alice.create(recurrence=DAILY)
    step = alice.create(parent_id=task["id"])
    below = alice.create(parent_id=step["id"])
    set_completed(alice, task, True)
    patch(alice, task["id"], list_id=home)

    set_completed(alice, task, False)

    assert places(alice) == {
        task["id"]: (home, None),
        step["id"]: (home, task["id"]),
        below["id"]: (home, step["id"]),
    }


def test_steps_that_would_come_back_too_deep_stay_with_the_next_task(alice):
    task, other = alice.create(recurrence=DAILY), alice.create()
    step = alice.create(parent_id=task["id"])
    below = alice.create(parent_id=step["id"])
    made = set_completed(alice, task, True)["next_id"]
    patch(alice, task["id"], parent_id=other["id"])

    reopened = set_completed(alice, task, False)

    assert (reopened["completed"], reopened["next_id"]) == (False, made)
    assert places(alice) == {
        task["id"]: (None, other["id"]),
        other["id"]: (None, None),
        made: (None, None),
        step["id"]: (None, made),
        below["id"]: (None, step["id"]),
    }


def test_a_step_of_a_copy_comes_back_to_the_task_where_the_original_has_left_it(alice):
    home = alice.create_list()["id"]
    task = alice.create(recurrence=DAILY)
    step = alice.create(parent_id=task["id"])
    below = alice.create(parent_id=step["id"])
    set_completed(alice, step, True)
    set_completed(alice, task, True)

    bulk(
        alice,
        {"op": "move", "id": step["id"], "list_id": home},
        {"op": "complete", "id": task["id"], "completed": False},
    )

    assert places(alice) == {
        task["id"]: (None, None),
        step["id"]: (home, None),
        below["id"]: (None, task["id"]),
    }


def test_complete_all_takes_what_repeats_from_the_lowest_level_up(alice):
    top = alice.create(recurrence=DAILY)
    step = alice.create(recurrence=DAILY, parent_id=top["id"])
    below = alice.create(recurrence=DAILY, parent_id=step["id"])

    alice("POST", "complete-all", json={"completed": True})

    after = live(alice)
    next_top, next_step, next_below = (after[one["id"]]["next_id"] for one in (top, step, below))
    assert places(alice) == {
        top["id"]: (None, None),
        step["id"]: (None, top["id"]),
        below["id"]: (None, step["id"]),
        next_top: (None, None),
        next_step: (None, next_top),
        next_below: (None, next_step),
    }


@pytest.mark.parametrize("at_once", [False, True])
def test_reopening_takes_the_next_task_back_when_the_series_has_ended(alice, at_once):
    task = alice.create(recurrence=DAILY)
    set_completed(alice, task, True)
    patch(alice, task["id"], recurrence=None)

    if at_once:
        alice("POST", "complete-all", json={"completed": False})
    else:
        set_completed(alice, task, False)

    assert {one: task["next_id"] for one, task in live(alice).items()} == {task["id"]: None}


@pytest.mark.parametrize("op", ["move", "update", "restore"])
def test_a_task_that_a_bulk_puts_below_what_it_completes_has_its_next_one_already(alice, op):
    top = alice.create()
    task, next_id = with_a_changed_next_one(alice)
    operation = {"op": op, "id": task["id"]}
    if op == "restore":
        patch(alice, task["id"], parent_id=top["id"])
        assert alice("DELETE", f"{task['id']}").status_code == 204
    elif op == "move":
        operation["parent_id"] = top["id"]
    else:
        operation["data"] = {"parent_id": top["id"]}

    bulk(alice, operation, {"op": "complete", "id": top["id"], "completed": True, "subtasks": True})

    after = live(alice)
    assert after.keys() == {top["id"], task["id"], next_id}
    assert (after[task["id"]]["completed"], after[task["id"]]["next_id"]) == (True, next_id)


def test_a_step_that_is_completed_as_it_goes_on_top_has_its_next_one_behind_it(alice):
    parent = alice.create()
    task, other = alice.create(recurrence=DAILY, parent_id=parent["id"]), alice.create()

    made = patch(alice, task["id"], parent_id=None, completed=True)["next_id"]

    order = sorted(live(alice).values(), key=lambda one: one["position"])
    assert [one["id"] for one in order] == [parent["id"], other["id"], task["id"], made]


def test_reopening_all_changes_each_task_once_where_steps_come_back_to_another_list(alice):
    home = alice.create_list()["id"]
    task = alice.create(recurrence=DAILY)
    step = alice.create(parent_id=task["id"])
    below = alice.create(parent_id=step["id"])
    set_completed(alice, below, True)
    set_completed(alice, task, True)
    patch(alice, task["id"], list_id=home)
    before = live(alice)

    reopened = alice("POST", "complete-all", json={"completed": False}).json()

    assert reopened["changed"] == 2
    assert {one["id"]: one["completed"] for one in live(alice).values()} == dict.fromkeys(
        [task["id"], step["id"], below["id"]], False
    )
    assert places(alice)[below["id"]] == (home, step["id"])
    undone = alice("POST", "/api/me/undo", json={"revision": reopened["revision"]})
    assert undone.status_code == 200, undone.text
    assert {one: stable(task) for one, task in live(alice).items()} == {
        one: stable(task) for one, task in before.items()
    }
