"""The verdict of `make chaos` finds what is lost, doubled or missed."""

from typing import Any

import pytest

from tests.api.listening import Event
from tests.chaos.verdict import heard_until, violations, violations_of_a_listener
from todo.sync.sync_tokens import Place


def task(number: int, title: str, revision: int, *, completed: bool = False) -> dict[str, Any]:
    return {
        "id": number,
        "title": title,
        "description": None,
        "completed": completed,
        "revision": revision,
    }


CREATED = ("create", task(2, "a", 2))
TOGGLED = ("toggle", task(1, "all", 3, completed=True))
BACK = ("toggle", task(1, "all", 4))
CHANGED = ("change", {**task(2, "a", 5), "description": "new"})
OTHER = ("create", task(6, "b", 6))
DELETED = ("delete", OTHER[1])
DONE = [CREATED, TOGGLED, BACK, CHANGED, OTHER, DELETED]
TASKS = [BACK[1], CHANGED[1]]
TRASH = [task(6, "b", 7)]


def test_a_history_in_which_all_is_well_has_no_violations():
    assert violations(DONE, TASKS, TRASH, 7) == []


@pytest.mark.parametrize(
    ("done", "tasks", "trash", "revision", "found"),
    [
        (DONE, TASKS[:1], TRASH, 7, "lost: a"),
        (DONE, TASKS, [], 7, "lost: b"),
        (DONE, [*TASKS, task(8, "a", 8)], TRASH, 8, "doubled, or never acknowledged: a"),
        (DONE[1:], TASKS, TRASH, 7, "doubled, or never acknowledged: a"),
        (DONE, TASKS, TRASH, 8, "6 changes after the first, but the revision is 8"),
        (DONE, TASKS, TRASH, 6, "6 changes after the first, but the revision is 6"),
        (DONE, TASKS, TRASH, 6, "revision 7 is beyond 6"),
        (DONE, TASKS, [task(6, "b", 5)], 7, "two changes have revision 5"),
        ([*DONE, TOGGLED], TASKS, TRASH, 8, "two changes have revision 3"),
        ([*DONE[:2], *DONE[3:]], TASKS, TRASH, 6, "1 toggles left the task as False"),
        ([CREATED, BACK], TASKS, [], 3, "the toggle at revision 4 was lost or doubled"),
        (
            DONE,
            [BACK[1], CREATED[1]],
            TRASH,
            7,
            "task 2 is not as its last change, a change, left it",
        ),
        (DONE, [*TASKS, OTHER[1]], [], 7, "task 6 is not as its last change, a delete, left it"),
    ],
)
def test_what_is_lost_or_doubled_is_found(
    done: list[Any], tasks: list[Any], trash: list[Any], revision: int, found: str
):
    assert found in violations(done, tasks, trash, revision)


def place(revision: int) -> Event:
    return Event(Place(revision, "").token, "", None)


def heard(task: dict[str, Any], revision: int, op: str = "put") -> Event:
    data = task if op == "put" else None
    change = {"kind": "task", "id": task["id"], "op": op, "revision": revision, "data": data}
    return Event(Place(revision, "").token, "change", change)


FIRST, SECOND, THIRD, FOURTH, FIFTH, LAST = [
    heard(task(1, "all", 1), 1),
    heard(CREATED[1], 2),
    heard(TOGGLED[1], 3),
    heard(BACK[1], 4),
    heard(CHANGED[1], 5),
    heard(OTHER[1], 7, "delete"),
]
STREAM = [place(0), FIRST, SECOND, THIRD, place(3), FOURTH, FIFTH, LAST]


@pytest.mark.parametrize(
    "events",
    [
        STREAM,
        [place(0), FOURTH, FIFTH, LAST],  # what was overtaken while nobody listened is not told
        [place(0), FOURTH, FIFTH, heard(OTHER[1], 6), LAST],
    ],
)
def test_a_listener_who_has_the_list_in_the_end_is_right(events: list[Event]):
    assert violations_of_a_listener(events, TASKS, 7, DONE) == []


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([*STREAM[:-1], LAST, LAST], "heard of revision 7 after 7"),
        ([place(0), FIRST, SECOND, FOURTH, THIRD, FIFTH, LAST], "heard of revision 3 after 4"),
        (STREAM[:-1], "heard until 5, but the revision is 7"),
        ([*STREAM, place(8)], "heard until 8, but the revision is 7"),
        (
            [*STREAM[:-2], LAST],
            f"task 2 is {CHANGED[1]}, but was heard as {CREATED[1]}",
        ),
        ([place(0), FOURTH, LAST], f"task 2 is {CHANGED[1]}, but was heard as None"),
        (
            [place(0), FOURTH, FIFTH, heard(OTHER[1], 6), place(7)],
            f"task 6 is None, but was heard as {OTHER[1]}",
        ),
        (
            [place(0), heard(task(9, "never", 3), 3), FOURTH, FIFTH, LAST],
            "revision 3 was heard, but not answered so",
        ),
        ([*STREAM, Event(Place(7, "").token, "reset", {})], "heard reset"),
        ([*STREAM, Event("", "expired", {})], "heard expired"),
    ],
)
def test_what_a_listener_misses_or_hears_twice_is_found(events: list[Event], found: str):
    assert found in violations_of_a_listener(events, TASKS, 7, DONE)


def test_a_place_without_a_change_counts_as_heard():
    assert [heard_until([]), heard_until([FIRST, place(3)])] == [0, 3]
