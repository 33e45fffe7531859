"""A task: what the API shows of it, and what is computed of it."""

from collections.abc import Mapping
from typing import Any, Final, NotRequired, TypedDict

from todo.problems import Problem
from todo.values.text_keys import search_key, tags_key, title_key

Fields = Mapping[str, Any]
"""Fields of a task that a client sets; ``None`` clears one."""


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
    created_at: str
    updated_at: str
    revision: int
    deleted_at: NotRequired[str | None]
    """Where the task is in the trash, or goes there."""


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
    """Return the counter that ``task`` adds one to: one state has every task."""
    if task.get("deleted_at") is not None:
        return TRASHED
    return DONE if task["completed"] else OPEN


def operation(after: Fields) -> str:
    """Return what the log calls a change after which a task has the members ``after``."""
    if "completed" in after:
        return "complete" if after["completed"] else "reopen"
    return "update"


OPEN: Final = {"open_tasks": 1}
DONE: Final = {"done_tasks": 1}
TRASHED: Final = {"trashed_tasks": 1}
