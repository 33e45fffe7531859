"""Many changes of tasks as one: all of them are made, or none.

The tasks are read once, changed in the order of the operations, and written once; how many there
are does not change how many statements that takes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from todo.auth.user import User
from todo.models import tasks
from todo.problems import Problem, Violation, validation_failed
from todo.sync.ledger import (
    LIVE,
    TASK_COLUMNS,
    Ledger,
    Task,
    as_task,
    lock_owner,
    post_totals,
    task_not_found,
)
from todo.tasks.service import (
    KEY_COLUMNS,
    Keys,
    changed_task,
    keys_of,
    new_task,
    quota_exceeded,
    save,
    stale,
)
from todo.values.clock import now

Operation = Mapping[str, Any]
"""One of the contract's ``BulkOperation``s."""

_FIND: Final = select(*TASK_COLUMNS, *KEY_COLUMNS).where(
    *LIVE, tasks.c.id.in_(bindparam("ids", expanding=True))
)
_TEXT: Final = ("title", "description", "tags")
_STATUS: Final = {"create": 201, "update": 200, "complete": 200, "delete": 204}


def change(
    tx: Connection,
    owner: User,
    operations: Sequence[Operation],
    *,
    quota: int,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Make all ``operations``, in their order; return a ``BulkResult``.

    Each that changes anything takes a revision. A ``dry_run`` changes nothing: what would be new or
    changed has no revision, what would be new no id either. Raises :class:`Problem`, with the place
    of every operation that fails: ``validation_failed`` for a task in two of them, and what the
    first that fails would be refused with by itself, ``task_not_found``, ``precondition_failed``,
    ``quota_exceeded``.
    """
    _refuse_repeats(operations)
    before = lock_owner(tx, owner)
    found, keys = _find(tx, owner, operations)
    _refuse_failing(operations, found, quota - before.all_tasks, quota)
    moment = now()
    after, results, changed = before, [], []
    for operation in operations:
        task = found.get(operation.get("id"))
        new = _new(owner, operation, task, after.revision + 1, moment)
        if new != task:
            after = _counted(after, task, new)
            changed.append(new)
        shown = _unmade(new, task) if dry_run and new != task else new
        gone = operation["op"] == "delete"
        results.append({"status": _STATUS[operation["op"]], "task": None if gone else shown})
    if dry_run:
        return {"results": results, "revision": before.revision}
    if changed:
        post_totals(tx, after, moment)
        save(tx, [(new, _keys(new, found, keys)) for new in changed])
    return {"results": results, "revision": after.revision}


def _new(owner: User, operation: Operation, task: Task | None, revision: int, moment: str) -> Task:
    """Return the task after ``operation``; a deleted one has ``deleted_at``."""
    if task is None:
        return new_task(owner, operation["data"], revision, moment)
    if operation["op"] == "delete":
        return {**task, "updated_at": moment, "revision": revision, "deleted_at": moment}
    completes = operation["op"] == "complete"
    changes = {"completed": operation["completed"]} if completes else operation["data"]
    return changed_task(task, changes, revision, moment)


def _keys(new: Task, found: Mapping[int, Task], keys: Mapping[int, Keys]) -> Keys:
    """The keys of the text of ``new``: those that it had, unless the text is another."""
    old = found.get(new["id"])
    if old is not None and all(new[name] == old[name] for name in _TEXT):
        return keys[new["id"]]
    return keys_of(new)


def _counted(ledger: Ledger, old: Task | None, new: Task) -> Ledger:
    """Return the ledger after one more change, of ``old`` into ``new``."""
    gone = "deleted_at" in new
    return ledger.changed(
        completed=(new["completed"] and not gone) - (old is not None and old["completed"]),
        pending=(not new["completed"] and not gone) - (old is not None and not old["completed"]),
        trashed=int(gone),
    )


def _unmade(new: Task, old: Task | None) -> Task:
    return {**new, "id": old and old["id"], "revision": None}


def _find(
    tx: Connection, owner: User, operations: Iterable[Operation]
) -> tuple[dict[Any, Task], dict[int, Keys]]:
    """The tasks of the operations, and the keys of their text, by their ids."""
    ids = [operation["id"] for operation in operations if "id" in operation]
    rows = tx.execute(_FIND, {"owner": owner.id, "ids": ids}).all() if ids else ()
    names = [column.name for column in KEY_COLUMNS]
    return (
        {row.id: as_task(row) for row in rows},
        {row.id: dict(zip(names, row[-len(names) :], strict=True)) for row in rows},
    )


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
    operations: Iterable[Operation], found: Mapping[int, Task], room: int, quota: int
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
            failing.append((task_not_found(), f"{place}/id"))
        elif operation.get("if_revision", task["revision"]) != task["revision"]:
            detail = f"Task {task['id']} is at revision {task['revision']}."
            failing.append((stale(task, detail), f"{place}/if_revision"))
    if failing:
        first, _ = failing[0]
        raise first.at(Violation(p.code, p.detail, pointer=place) for p, place in failing)
