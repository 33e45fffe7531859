"""Tasks that repeat among all others: completed, reopened and cleared together."""

import pytest

from tests.api.calls import bulk, complete, complete_all, live, order, trash, undone
from tests.api.repeating import day, done, following, made_of, repeating, tree

pytestmark = [pytest.mark.pooled, pytest.mark.usefixtures("everything_is_sound")]


@pytest.fixture
def nested(alice):
    """1 repeats; 2 below it, too; 3 below that, too; 4 below 1 does not, and 5 below 4 does."""
    repeating(alice, "a")
    repeating(alice, "a.a", parent_id=1)
    repeating(alice, "a.a.a", parent_id=2)
    alice.create("a.b", parent_id=1)
    repeating(alice, "a.b.a", parent_id=4)
    return alice


@pytest.mark.parametrize("way", ["complete all", "subtasks", "subtasks in a bulk"])
def test_what_is_below_goes_first_so_that_the_next_tree_is_like_the_one_before(nested, way):
    before = live(nested)
    if way == "complete all":
        assert complete_all(nested).json()["changed"] == 5
    elif way == "subtasks":
        complete(nested, 1, subtasks=True)
    else:
        bulk(nested, {"op": "complete", "id": 1, "completed": True, "subtasks": True})

    after = live(nested)
    made = made_of(after)
    assert sorted(made) == [1, 2, 3, 4, 5]
    for one, task in before.items():
        assert after[one]["completed"] is True
        following = after[made[one]]
        assert following["completed"] is False
        parent = task["parent_id"]
        assert following["parent_id"] == (None if parent is None else made[parent])
        assert following["due_date"] == (day(6) if task["recurrence"] else None)
        next_id = made[one] if task["recurrence"] else None
        assert (after[one]["next_id"], after[one]["parent_id"]) == (next_id, parent)
    assert len(after) == 10


@pytest.mark.parametrize("way", ["complete all", "subtasks"])
def test_undo_takes_a_completed_tree_back_and_redo_completes_it_again(nested, way):
    before = tree(live(nested))
    if way == "complete all":
        complete_all(nested)
    else:
        complete(nested, 1, subtasks=True)
    after = tree(live(nested))

    undone(nested)
    assert tree(live(nested)) == before
    undone(nested)
    assert tree(live(nested)) == after


def test_reopening_all_takes_back_what_completing_all_has_made(nested):
    before = tree(live(nested))
    complete_all(nested)
    after = tree(live(nested))

    assert complete_all(nested, completed=False).json()["changed"] == 5

    assert tree(live(nested)) == before
    undone(nested)
    assert tree(live(nested)) == after


def test_reopening_all_takes_back_the_next_task_above_subtasks_that_were_completed_before(alice):
    repeating(alice, "a")
    alice.create("a.a", parent_id=1)
    alice.create("a.a.a", parent_id=2, completed=True)
    repeating(alice, "a.a.b", parent_id=2)
    complete(alice, 4)
    complete(alice, 1)

    assert complete_all(alice, completed=False).json()["changed"] == 3

    assert sorted(live(alice)) == [1, 2, 3, 4]
    assert not any(task["completed"] for task in live(alice).values())
    assert order(alice, parent_id=1) == [2]


def test_changed_counts_the_tasks_that_changed_their_state_alone(alice):
    first = repeating(alice, "a")
    alice.create("b")
    alice.create("c", completed=True)
    task = live(alice)[first]

    assert complete_all(alice).json() == {"changed": 2, "revision": 6}

    assert live(alice)[2]["revision"] == 4
    assert live(alice)[1] == done(task, 5, next_id=6)
    made = live(alice)[6]
    assert made == following(task, 6, day(6), position=made["position"])
    assert order(alice) == [1, 6, 2, 3]


def test_completing_all_again_completes_the_next_ones(alice):
    repeating(alice, "a")
    complete_all(alice)

    assert complete_all(alice).json() == {"changed": 1, "revision": 5}

    assert [task["due_date"] for _, task in sorted(live(alice).items())] == [
        day(5),
        day(6),
        day(7),
    ]
    assert complete_all(alice, completed=False).json()["changed"] == 2
    assert sorted(live(alice)) == [1, 3]


def test_a_key_completes_all_once(alice):
    repeating(alice, "a")
    key = {"Idempotency-Key": "once"}
    for _ in range(2):
        complete_all(alice, headers=key)

    assert sorted(live(alice)) == [1, 3]


def test_clear_completed_takes_what_is_done_of_a_series_and_leaves_what_is_open(alice):
    repeating(alice, "a")
    alice.create("a.a", parent_id=1)
    repeating(alice, "a.b", parent_id=1)
    complete(alice, 3)
    complete(alice, 1)
    made = made_of(live(alice))

    assert alice("POST", "clear-completed").json()["changed"] == 2

    assert sorted(trash(alice)) == [1, 3]
    assert sorted(live(alice)) == sorted([2, made[1], made[3]])
    assert order(alice, parent_id=made[1]) == sorted([2, made[3]])


def test_clear_completed_leaves_a_task_with_the_next_one_of_a_subtask_below(alice):
    alice.create("a", completed=True)
    repeating(alice, "a.a", parent_id=1)
    complete(alice, 2)

    assert alice("POST", "clear-completed").json()["changed"] == 1

    assert sorted(live(alice)) == [1, 4]


def test_a_task_that_comes_back_from_the_trash_has_its_next_one_still(alice):
    repeating(alice, "a")
    complete(alice, 1)
    alice("POST", "clear-completed")

    restored = alice("POST", f"/api/{alice.id}/trash/1/restore").json()

    assert restored["next_id"] == 3
    complete(alice, 1, completed=False)
    assert sorted(live(alice)) == [1]
