"""The verdict of `make chaos` finds what is lost and what is doubled."""

from typing import Any

import pytest

from tests.chaos.verdict import violations


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
