"""Undo of a change in several batches: no task changes twice, and none is lost."""

from functools import partial

import pytest

from tests.api.calls import bulk, live, revision, undo
from tests.api.repeating import DAILY, DUE
from tests.api.test_undo import undone_and_redone

pytestmark = [
    pytest.mark.pooled,
    pytest.mark.usefixtures("everything_is_sound", "small_batches"),
]


def test_what_is_below_a_task_that_goes_away_first_comes_back_later(alice):
    alice.create("Parent")
    alice.create("Step", parent_id=1)
    alice.create("Step of the step", parent_id=2)
    for title in ("New parent", "Beside", "Further"):
        alice.create(title)
    alice("DELETE", "4")
    operations = [
        {"op": "restore", "id": 4},
        {"op": "move", "id": 2, "parent_id": 4},
        *({"op": "update", "id": one, "data": {"title": "x"}} for one in (5, 6, 1)),
    ]

    assert undone_and_redone(alice, partial(bulk, alice, *operations)) == 5


def test_subtasks_that_went_to_the_inbox_with_their_parents_change_once(alice):
    alice.create_list("Long")
    parents = [alice.create("Parent", list_id=1)["id"] for _ in range(3)]
    for parent in parents * 3:
        alice.create("Step", parent_id=parent)

    assert undone_and_redone(alice, partial(alice, "DELETE", f"{alice.lists}/1?tasks=inbox")) == 13


def test_tags_of_whole_trees_are_taken_back(alice):
    for number in range(8):
        alice.create("Task", tags=["home"], **({"parent_id": 1} if number % 2 else {}))
    path = f"/api/{alice.id}/tags?name=home"

    assert undone_and_redone(alice, partial(alice, "PATCH", path, json={"name": "work"})) == 8


def test_series_that_were_all_completed_are_taken_back(alice):
    for _ in range(5):
        alice.create(due_date=DUE, recurrence=DAILY)
    before = live(alice)
    completed = alice("POST", "complete-all", json={"completed": True}).json()
    assert len(live(alice)) == 10

    assert undo(alice, completed["revision"]).json()["changed"] == revision(alice) - 15
    back = live(alice)
    assert {one: task["completed"] for one, task in back.items()} == dict.fromkeys(before, False)
