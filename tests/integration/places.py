"""What must be true of a user's lists and tasks, whatever anybody did: read past the API."""

import json
import re
from collections import Counter
from typing import Any

from tests.integration.tables import assert_log_is_whole, rows
from todo.tasks.forest import MOST_LEVELS
from todo.values.positions import is_position

_TASKS = (
    "SELECT id, list_id, parent_id, position, completed, deleted_at IS NOT NULL AS trashed,"
    " children, children_done, revision, recurrence, occurrence, occurrence_number, series_id,"
    " previous_id, next_id FROM tasks WHERE user_id = :owner ORDER BY id"
)
_LISTS = (
    "SELECT id, open_tasks, done_tasks, top_open, top_done, deleted_at IS NOT NULL AS trashed"
    " FROM lists WHERE user_id = :owner"
)
_USER = (
    "SELECT open_tasks, done_tasks, trashed_tasks, top_open, top_done FROM users WHERE id = :owner"
)
Rows = list[dict[str, Any]]


def assert_places_are_sound(url: str, owner: str) -> None:
    """No orphan, no cycle, no child elsewhere, no position twice; all counters and the log."""
    tasks, lists = rows(url, _TASKS, owner=owner), rows(url, _LISTS, owner=owner)
    live = {task["id"]: task for task in tasks if not task["trashed"]}
    for task in live.values():
        _assert_is_in_its_place(task, live, {one["id"] for one in lists if not one["trashed"]})
        _assert_is_in_its_series(task, live)
    _assert_positions_differ(tasks)
    _assert_counted(tasks, live, lists)
    users = rows(url, _USER, owner=owner)
    assert users in ([], [_counted(live.values(), len(tasks) - len(live))])
    if users:
        assert_log_is_whole(url, owner)


def _assert_is_in_its_place(task: dict[str, Any], live: dict[int, Any], lists: set[int]) -> None:
    assert task["list_id"] is None or task["list_id"] in lists
    level, above = 1, task
    while (parent_id := above["parent_id"]) is not None:
        assert parent_id in live, f"{above} has no parent"
        assert live[parent_id]["list_id"] == task["list_id"], f"{task} is not in its parent's list"
        above, level = live[parent_id], level + 1
        assert level <= MOST_LEVELS, f"{task} is too deep, or below itself"


def _assert_is_in_its_series(task: dict[str, Any], live: dict[int, Any]) -> None:
    """What completing made names what was completed; no series has more tasks than its COUNT."""
    if (following := live.get(task["next_id"])) is not None:
        assert following["previous_id"] == task["id"]
    members = [task[name] for name in ("occurrence", "occurrence_number", "series_id")]
    recurrence = task["recurrence"]
    recurrence = json.loads(recurrence) if isinstance(recurrence, str) else recurrence
    if recurrence is None:
        assert members == [None] * 3, task
        return
    assert recurrence["from"] == "completion" or recurrence["start"] <= task["occurrence"]
    assert task["series_id"] <= task["id"]
    found = re.search("COUNT=([0-9]+)", recurrence["rule"])
    assert 1 <= task["occurrence_number"] <= int(found[1] if found else task["id"])


def _assert_positions_differ(tasks: Rows) -> None:
    positions = [task["position"] for task in tasks]
    assert all(map(is_position, positions)), positions
    assert len(set(positions)) == len(positions), positions


def _assert_counted(tasks: Rows, live: dict[int, Any], lists: Rows) -> None:
    children = Counter(task["parent_id"] for task in live.values())
    done = Counter(task["parent_id"] for task in live.values() if task["completed"])
    for task in tasks:
        assert (task["children"], task["children_done"]) == (children[task["id"]], done[task["id"]])
    for one in lists:
        own = [task for task in live.values() if task["list_id"] == one["id"]]
        expected = _counted(own)
        assert {name: one[name] for name in expected} == expected


def _counted(tasks: Any, trashed: int | None = None) -> dict[str, int]:
    where = Counter[str]()
    for task in tasks:
        where["done_tasks" if task["completed"] else "open_tasks"] += 1
        if task["parent_id"] is None:
            where["top_done" if task["completed"] else "top_open"] += 1
    names = ["open_tasks", "done_tasks", "top_open", "top_done"]
    counted = {name: where[name] for name in names}
    return counted if trashed is None else {**counted, "trashed_tasks": trashed}
