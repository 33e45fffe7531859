"""Subtasks of a task that repeats: open ones move to the next one, completed ones are copied."""

from typing import Any

import pytest

from tests.api.calls import bulk, complete, live, move, order, revision
from tests.api.expect import MOMENT, a_task, in_body, invalid, refusal
from tests.api.repeating import DAILY, DUE, made_of, repeating
from tests.conftest import Caller

pytestmark = [pytest.mark.pooled, pytest.mark.usefixtures("everything_is_sound")]


@pytest.fixture
def parent(alice):
    """Task 2, in list 1, repeats every day."""
    alice.create_list()
    return repeating(alice, "Water", list_id=1)


def titles(caller: Caller, parent_id: int) -> list[str]:
    """Those of the subtasks of a task, in their order."""
    tasks = live(caller)
    return [tasks[one]["title"] for one in order(caller, 1, parent_id)]


def test_open_subtasks_move_to_the_next_task_with_all_that_is_below_them(alice, parent):
    alice.create("a", parent_id=2)
    alice.create("a.a", parent_id=3)
    alice.create("a.b", parent_id=3, completed=True)
    before = live(alice)

    complete(alice, 2)

    after = live(alice)
    made = after[2]["next_id"]
    moved = {"parent_id": made, "revision": made + 1, "updated_at": MOMENT}
    assert after[3] == {**before[3], **moved}
    assert (after[4], after[5]) == (before[4], before[5])
    assert len(after) == 5


def test_completed_subtasks_stay_and_the_next_task_has_open_copies(alice, parent):
    fields = {"description": "Slowly", "priority": "low", "tags": ["home"], "due_date": DUE}
    zone = {"time_zone": "Europe/Berlin"}
    alice.create("a", parent_id=2, completed=True, **fields, **zone)
    alice.create("a.a", parent_id=3, completed=True)
    before = live(alice)

    complete(alice, 2)

    after = live(alice)
    made = after[2]["next_id"]
    assert (after[3], after[4]) == (before[3], before[4])
    [copy] = order(alice, 1, made)
    assert after[copy] == a_task(
        alice.id,
        copy,
        "a",
        **{**fields, **zone, "list_id": 1, "parent_id": made, "previous_id": 3},
        position=after[copy]["position"],
    )
    [below] = order(alice, 1, copy)
    assert (after[below]["title"], after[below]["completed"]) == ("a.a", False)
    assert after[below]["previous_id"] == 4


def test_the_next_task_has_the_subtasks_in_their_order(alice, parent):
    for title in ("a", "b", "c", "d", "e"):
        alice.create(title, parent_id=2, completed=title in ("a", "c", "d"))
    move(alice, 7, before=3)

    complete(alice, 2)

    made = live(alice)[2]["next_id"]
    assert titles(alice, made) == ["e", "a", "b", "c", "d"]
    assert titles(alice, 2) == ["a", "c", "d"]


def test_an_open_subtask_of_a_completed_one_moves_below_the_copy(alice, parent):
    alice.create("a", parent_id=2, completed=True)
    alice.create("a.a", parent_id=3)

    complete(alice, 2)

    copy = made_of(live(alice))[3]
    assert live(alice)[4]["parent_id"] == copy
    assert order(alice, 1, 3) == []


def test_a_completed_subtask_that_repeats_stays_behind_and_its_next_one_moves(alice, parent):
    repeating(alice, "a", parent_id=2)
    complete(alice, 3)
    [following] = [one for one in order(alice, 1, 2) if one != 3]

    complete(alice, 2)

    made = live(alice)[2]["next_id"]
    assert (order(alice, 1, 2), order(alice, 1, made)) == ([3], [following])


def test_a_completed_subtask_whose_series_is_over_is_copied_without_its_rule(alice, parent):
    over = {"due_date": DUE, "recurrence": {"rule": "FREQ=DAILY;COUNT=1"}}
    alice.create("a", parent_id=2, completed=True, **over)

    complete(alice, 2)

    copy = live(alice)[made_of(live(alice))[3]]
    assert (copy["recurrence"], copy["due_date"], copy["series_id"]) == (None, DUE, None)


def test_a_task_of_the_second_level_leaves_its_subtasks_alike(alice):
    alice.create("Above")
    repeating(alice, "a", parent_id=1)
    alice.create("a.a", parent_id=2)
    alice.create("a.b", parent_id=2, completed=True)

    complete(alice, 2)

    made = live(alice)[2]["next_id"]
    assert order(alice, None, 1) == [2, made]
    assert order(alice, None, made) == [3, made_of(live(alice))[4]]


def several(caller: Caller, count: int, **data: Any) -> None:
    for start in range(0, count, 100):
        operations = [{"op": "create", "data": {"title": "x", **data}}] * min(100, count - start)
        assert bulk(caller, *operations).is_success


def test_all_of_200_open_subtasks_move_and_one_of_them_repeats(alice, parent):
    several(alice, 100, parent_id=2)
    several(alice, 100, parent_id=2, due_date=DUE, recurrence=DAILY)

    assert complete(alice, 200).is_success
    assert complete(alice, 2).is_success

    made = live(alice)[2]["next_id"]
    assert len(order(alice, 1, made)) == 200
    full = alice("POST", "", json={"title": "x", "parent_id": made})
    error = in_body("/parent_id", "limit", "has 200 open subtasks already")
    assert refusal(full) == invalid(alice.tasks, error)


def test_the_past_of_a_series_does_not_count_towards_the_500(alice):
    alice.create("Above")
    repeating(alice, "a", parent_id=1)
    several(alice, 400, parent_id=1, completed=True)
    several(alice, 99, parent_id=2, completed=True)
    full = alice("POST", "", json={"title": "x", "parent_id": 1})
    error = in_body("/parent_id", "limit", "the task on top has 500 subtasks at most")
    assert refusal(full) == invalid(alice.tasks, error)

    assert complete(alice, 2).is_success  # 99 are copied, and the 99 in the past count no more

    again = alice("POST", "", json={"title": "x", "parent_id": 1})
    assert refusal(again) == invalid(alice.tasks, error)
    alice("DELETE", "3")
    alice.create(parent_id=1)


def test_subtasks_are_completed_before_the_task_so_that_the_next_one_has_copies(alice, parent):
    alice.create("a", parent_id=2)
    repeating(alice, "b", parent_id=2)

    complete(alice, 2, subtasks=True)

    made = made_of(live(alice))
    assert titles(alice, made[2]) == ["a", "b"]
    assert order(alice, 1, made[2]) == [made[3], made[4]]
    assert not any(live(alice)[one]["completed"] for one in made.values())
    assert revision(alice) == max(made.values()) == 10
