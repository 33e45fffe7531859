"""Tasks: create, update, complete.

Each change is made inside of a unit of work: lock, decide, record. A change of nothing is a no-op:
it keeps ``updated_at`` and ``revision``.
"""

from collections.abc import Sequence
from typing import Any, Final, cast

from todo.problems import Problem
from todo.sync.preconditions import Precondition
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks.resource import TASKS
from todo.tasks.task import Fields, Task
from todo.values import positions
from todo.values.dates import date_or_instant

_CLEARED: Final[Fields] = {"priority": "medium", "due_date": None, "tags": []}
"""What a task has where nothing is given, and what ``None`` makes of it."""


def create(unit: UnitOfWork, fields: Fields, *, quota: int) -> Task:
    """Create a task from its ``title`` and the other ``fields`` that are given.

    Its id is the revision it was created at, so ids grow and are never used again. Raises
    :class:`Problem` ``quota_exceeded`` when the user has ``quota`` tasks, trash included.
    """
    check_quota(unit, 1, quota)
    task = new_task(unit, fields)
    unit.put(TASKS, None, task)
    return task


def new_task(unit: UnitOfWork, fields: Fields) -> Task:
    """Return the task that ``fields`` make at the next revision, which is its id too."""
    completed = fields.get("completed", False)
    members = {
        "title": "",
        "description": None,
        "completed": completed,
        "completed_at": unit.now if completed else None,
        **_CLEARED,
        **_at_the_end(unit),
        **_settled(fields),
    }
    return unit.new(TASKS, members)


def _at_the_end(unit: UnitOfWork) -> Fields:
    """The place of a new task that is given none: in the inbox, on top, behind all others."""
    position = positions.last(unit.next_revision)
    return {"list_id": None, "parent_id": None, "position": position}


def check_quota(unit: UnitOfWork, more: int, quota: int) -> None:
    """Raise :class:`Problem` ``quota_exceeded`` unless there is room for so many ``more`` tasks."""
    if unit.counters.all_tasks + more > quota:
        raise quota_exceeded(quota)


def quota_exceeded(quota: int) -> Problem:
    """Return the problem of whoever would have more than ``quota`` tasks."""
    return Problem("quota_exceeded", f"A user may have {quota} tasks, the trash included.")


def add_many(unit: UnitOfWork, made: Sequence[Fields]) -> list[Task]:
    """Add tasks whose fields are all given, times included, and return them, each with its id."""
    added = []
    for fields in made:
        added.append(unit.new(TASKS, {**_at_the_end(unit), **fields}))
        unit.put(TASKS, None, added[-1])
    return added


def change(
    unit: UnitOfWork, task_id: int, changes: Fields, precondition: Precondition | None = None
) -> Task:
    """Apply ``changes``, any fields but those that the server sets, and return the task.

    A field that is absent stays as it is, one that is ``None`` is cleared. Raises
    :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    return _apply(unit, unit.entity(TASKS, task_id, precondition), changes)


def complete(
    unit: UnitOfWork, task_id: int, completed: bool | None, precondition: Precondition | None = None
) -> Task:
    """Set ``completed``, or turn it around when it is ``None``; return the task.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    task = unit.entity(TASKS, task_id, precondition)
    target = not task["completed"] if completed is None else completed
    return _apply(unit, task, {"completed": target})


def _apply(unit: UnitOfWork, task: Task, changes: Fields) -> Task:
    changed = changed_task(unit, task, changes)
    unit.put(TASKS, task, changed)
    return changed


def changed_task(unit: UnitOfWork, task: Task, changes: Fields) -> Task:
    """Return ``task`` after ``changes``; the very same if they change nothing."""
    changed = cast("Task", {**task, **_settled(changes)})
    if changed == task:
        return task
    if changed["completed"] != task["completed"]:
        changed["completed_at"] = unit.now if changed["completed"] else None
    return unit.renewed(changed)


def _settled(fields: Fields) -> dict[str, Any]:
    """``fields`` as they are kept: what is null cleared, an instant in its one form."""
    kept = {name: _CLEARED.get(name) if value is None else value for name, value in fields.items()}
    if due_date := kept.get("due_date"):
        kept["due_date"] = date_or_instant(due_date)
    return kept
