"""Many changes of tasks as one: all of them are made, or none.

The tasks are read once, changed in the order of the operations, and written once; how many there
are does not change how many statements that takes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

from todo.problems import Problem, Violation, validation_failed
from todo.sync import trash
from todo.sync.preconditions import stale
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks.resource import TASKS
from todo.tasks.service import changed_task, new_task, quota_exceeded
from todo.tasks.task import Fields, Task


class Operation(TypedDict):
    """One of the contract's ``BulkOperation``s; ``op`` says which members it has."""

    op: str
    id: NotRequired[int]
    data: NotRequired[Fields]
    completed: NotRequired[bool]
    if_revision: NotRequired[int]


class Result(TypedDict):
    """What an operation did: the status that it would have alone, and the task after it."""

    status: int
    task: Mapping[str, object] | None


class BulkResult(TypedDict):
    """The results in the order of the operations, and the user's revision after them."""

    results: list[Result]
    revision: int


_STATUS: Final = {"create": 201, "update": 200, "complete": 200, "delete": 204}


def change(
    unit: UnitOfWork, operations: Sequence[Operation], *, quota: int, dry_run: bool = False
) -> BulkResult:
    """Make all ``operations``, in their order; return a ``BulkResult``.

    Each that changes anything takes a revision. A ``dry_run`` changes nothing: what would be new or
    changed has no revision, what would be new no id either. Raises :class:`Problem`, with the place
    of every operation that fails: ``validation_failed`` for a task in two of them, and what the
    first that fails would be refused with by itself, ``task_not_found``, ``precondition_failed``,
    ``quota_exceeded``.
    """
    _refuse_repeats(operations)
    room = quota - unit.counters.all_tasks
    found: Mapping[Any, Task] = unit.entities(
        TASKS, [operation["id"] for operation in operations if "id" in operation]
    )
    _refuse_failing(operations, found, room, quota)
    make = _rehearsed if dry_run else _made
    results = [make(unit, operation, found.get(operation.get("id"))) for operation in operations]
    return {"results": results, "revision": unit.counters.revision}


def _made(unit: UnitOfWork, operation: Operation, task: Task | None) -> Result:
    new = _new(unit, operation, task)
    unit.put(TASKS, task, new)
    return _result(operation, new)


def _rehearsed(unit: UnitOfWork, operation: Operation, task: Task | None) -> Result:
    new = _new(unit, operation, task)
    if new is task:
        return _result(operation, new)
    unknown = {"revision": None}
    if task is None:
        unknown["id"] = None
    if task is None or new["position"] != task["position"]:
        unknown["position"] = None
    return _result(operation, {**new, **unknown})


def _result(operation: Operation, task: Mapping[str, object]) -> Result:
    gone = operation["op"] == "delete"
    return {"status": _STATUS[operation["op"]], "task": None if gone else task}


def _new(unit: UnitOfWork, operation: Operation, task: Task | None) -> Task:
    """Return the task after ``operation``."""
    if task is None:
        return new_task(unit, operation["data"])
    if operation["op"] == "delete":
        return trash.in_trash(unit, task)
    completes = operation["op"] == "complete"
    changes = {"completed": operation["completed"]} if completes else operation["data"]
    return changed_task(unit, task, changes)


def _refuse_repeats(operations: Iterable[Operation]) -> None:
    seen: set[int] = set()
    repeated = []
    for index, operation in enumerate(operations):
        if operation.get("id") in seen:
            detail = "is also the task of an earlier operation"
            repeated.append(Violation("not_unique", detail, pointer=f"/operations/{index}/id"))
        elif "id" in operation:
            seen.add(operation["id"])
    if repeated:
        raise validation_failed(*repeated)


def _refuse_failing(
    operations: Iterable[Operation], found: Mapping[Any, Task], room: int, quota: int
) -> None:
    """Raise the problem of the first operation that fails, with the places of all that do."""
    failing: list[tuple[Problem, str]] = []
    for index, operation in enumerate(operations):
        place = f"/operations/{index}"
        if operation["op"] == "create":
            room -= 1
            if room < 0:
                failing.append((quota_exceeded(quota), place))
        elif (task := found.get(operation["id"])) is None:
            failing.append((TASKS.not_found(False), f"{place}/id"))
        elif operation.get("if_revision", task["revision"]) != task["revision"]:
            detail = f"Task {task['id']} is at revision {task['revision']}."
            failing.append((stale(task, detail), f"{place}/if_revision"))
    if failing:
        first, _ = failing[0]
        raise first.at(Violation(p.code, p.detail, pointer=place) for p, place in failing)
