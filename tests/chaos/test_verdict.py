"""The verdict of `make chaos` finds what is lost and what is doubled."""

from typing import Any

import pytest

from tests.chaos.verdict import violations

CREATED = ("create", {"id": 2, "title": "a", "completed": False, "revision": 2})
TOGGLED = ("toggle", {"id": 1, "title": "all", "completed": True, "revision": 3})
BACK = ("toggle", {"id": 1, "title": "all", "completed": False, "revision": 4})
DONE = [CREATED, TOGGLED, BACK]
TASKS = [{"id": 1, "title": "all", "completed": False}, {"id": 2, "title": "a"}]
TWIN = {"id": 5, "title": "a"}


def test_a_history_in_which_all_is_well_has_no_violations():
    assert violations(DONE, TASKS, 4) == []


@pytest.mark.parametrize(
    ("done", "tasks", "revision", "found"),
    [
        (DONE, TASKS[:1], 4, "lost: a"),
        (DONE, [*TASKS, TWIN], 5, "doubled, or never acknowledged: a"),
        (DONE[1:], TASKS, 4, "doubled, or never acknowledged: a"),
        (DONE, TASKS, 5, "3 changes after the first, but the revision is 5"),
        (DONE, TASKS, 3, "3 changes after the first, but the revision is 3"),
        (DONE[:2], TASKS, 3, "1 toggles left the task as False"),
        ([CREATED, TOGGLED, TOGGLED], TASKS, 4, "two changes have revision 3"),
        ([CREATED, BACK], TASKS, 3, "the toggle at revision 4 was lost or doubled"),
    ],
)
def test_what_is_lost_or_doubled_is_found(
    done: list[Any], tasks: list[Any], revision: int, found: str
):
    assert found in violations(done, tasks, revision)
