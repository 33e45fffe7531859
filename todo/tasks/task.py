"""A task: what the API shows of it, and what is computed of it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NotRequired, TypedDict

from todo.models import lists, tasks
from todo.problems import Problem
from todo.recurrence.rules import Origin
from todo.sync.resource import Tally
from todo.values.text_keys import search_key, tags_key, title_key

Fields = Mapping[str, Any]
"""Fields of a task that a client sets; ``None`` clears one."""


Recurrence = TypedDict("Recurrence", {"rule": str, "from": Origin, "start": str})
"""How a task repeats: an RRULE, what the next due date is counted from, and where it started."""


class Task(TypedDict):
    """A task as the API shows it, in the contract's order."""

    id: int
    user_id: str
    title: str
    description: str | None
    completed: bool
    completed_at: str | None
    priority: str
    due_date: str | None
    tags: list[str]
    list_id: int | None
    parent_id: int | None
    position: str
    time_zone: str | None
    recurrence: Recurrence | None
    recurrence_text: str | None
    occurrence: str | None
    occurrence_number: int | None
    series_id: int | None
    previous_id: int | None
    next_id: int | None
    created_at: str
    updated_at: str
    revision: int
    deleted_at: NotRequired[str | None]
    """Where the task is in the trash, or goes there."""
    deleted_unit: NotRequired[int | None]


def task_not_found(trashed: bool) -> Problem:
    """Return the problem for a task that is absent, on the other side, or somebody else's.

    Front ends show ``detail`` to their user, and compare it: "Task not found" are the words of the
    document that they are built from.
    """
    return Problem("task_not_found", "Task not found in the trash" if trashed else "Task not found")


def keys_of(task: Task) -> Mapping[str, str]:
    """Return what the text of ``task`` is sorted and searched by: slow for long text."""
    return {
        "title_key": title_key(task["title"]),
        "search_key": search_key(task["title"], task["description"]),
        "tags_key": tags_key(task["tags"]),
    }


def counted(task: Task) -> Mapping[str, int]:
    """Return the counters that ``task`` adds one to: one state has every task."""
    if task.get("deleted_at") is not None:
        return TRASHED
    if task["parent_id"] is not None:
        return DONE if task["completed"] else OPEN
    return TOP_DONE if task["completed"] else TOP_OPEN


def tallied(task: Task) -> Mapping[Tally, int]:
    """Return what ``task`` adds to the counters of its list and of its parent."""
    if task.get("deleted_at") is not None:
        return {}
    return dict.fromkeys((*_of_list(task), *_of_parent(task)), 1)


def _of_list(task: Task) -> Iterator[Tally]:
    if (list_id := task["list_id"]) is not None:
        state = "done" if task["completed"] else "open"
        yield Tally(lists, list_id, f"{state}_tasks")
        if task["parent_id"] is None:
            yield Tally(lists, list_id, f"top_{state}")


def _of_parent(task: Task) -> Iterator[Tally]:
    if (parent_id := task["parent_id"]) is not None:
        yield Tally(tasks, parent_id, "children")
        if task["completed"]:
            yield Tally(tasks, parent_id, "children_done")


def subtasks(row: Any) -> Mapping[str, int]:
    """Return how many live subtasks the task of a ``row`` has, and how many are completed."""
    return {"total": row.children, "completed": row.children_done}


def operation(after: Fields) -> str:
    """Return what the log calls a change after which a task has the members ``after``."""
    if "completed" in after:
        return "complete" if after["completed"] else "reopen"
    return "update"


OPEN: Final = {"open_tasks": 1}
DONE: Final = {"done_tasks": 1}
TOP_OPEN: Final = {**OPEN, "top_open": 1}
TOP_DONE: Final = {**DONE, "top_done": 1}
TRASHED: Final = {"trashed_tasks": 1}
