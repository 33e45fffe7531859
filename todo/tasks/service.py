"""Tasks: create, update, complete, delete.

Each change is made inside of a unit of work, ``tx``: lock the owner (and the task), decide, take
the next revision, write. A change of nothing is a no-op: it keeps ``updated_at`` and ``revision``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from todo.auth.user import User
from todo.models import tasks
from todo.problems import Problem
from todo.sync.etags import etag_of
from todo.sync.ledger import (
    LIVE,
    TASK_COLUMNS,
    Ledger,
    Task,
    lock_owner,
    lock_task,
    post,
    post_totals,
)
from todo.values.clock import now
from todo.values.dates import date_or_instant
from todo.values.text_keys import search_key, tags_key, title_key


@dataclass(frozen=True)
class Precondition:
    """Which ETags a task may have, and what to say when it has another one."""

    holds: Callable[[str], bool]
    detail: str


Expected = Precondition | None
"""Whether a task may have this ETag; ``None``: it may have any."""

_CLEARED: Final[Mapping[str, Any]] = {"priority": "medium", "due_date": None, "tags": []}
"""What a task has where nothing is given, and what ``None`` makes of it."""

_LIVE_TASK: Final = (*LIVE, tasks.c.id == bindparam("task_id"))
KEY_COLUMNS: Final = (tasks.c.title_key, tasks.c.search_key, tasks.c.tags_key)
"""What is computed of a task's text, and kept beside it."""

Keys = Mapping[str, str]
"""The values of :data:`KEY_COLUMNS`, by their names."""

_COLUMNS: Final = tuple(column.name for column in (*TASK_COLUMNS, *KEY_COLUMNS))
_STAYING: Final = ("id", "user_id", "created_at")
_INSERT: Final = sa.insert(tasks).values({name: bindparam(f"new_{name}") for name in _COLUMNS})


def _save(dialect: Any) -> sa.Executable:
    named: dict[str, Any] = {name: bindparam(f"new_{name}") for name in (*_COLUMNS, "deleted_at")}
    statement = dialect.insert(tasks).values(named)
    changing = {name: statement.excluded[name] for name in named if name not in _STAYING}
    saved: sa.Executable = statement.on_conflict_do_update(
        index_elements=["user_id", "id"], set_=changing
    )
    return saved


_SAVE: Final = {"postgresql": _save(postgresql), "sqlite": _save(sqlite)}
_UPDATE: Final = (
    update(tasks)
    .where(*_LIVE_TASK)
    .values({name: bindparam(f"new_{name}") for name in _COLUMNS if name not in _STAYING})
)
_DELETE: Final = (
    update(tasks)
    .where(*_LIVE_TASK)
    .values(
        deleted_at=bindparam("moment"),
        updated_at=bindparam("moment"),
        revision=bindparam("last_revision"),
    )
)


def create(tx: Connection, owner: User, fields: Mapping[str, Any], *, quota: int) -> Task:
    """Create a task from its ``title`` and the other ``fields`` that are given.

    Its id is the revision it was created at, so ids grow and are never used again. Raises
    :class:`Problem` ``quota_exceeded`` when the owner has ``quota`` tasks, trash included.
    """
    ledger = lock_owner(tx, owner)
    check_quota(ledger, 1, quota)
    moment = now()
    task = new_task(owner, fields, ledger.revision + 1, moment)
    ledger = ledger.changed(completed=task["completed"], pending=not task["completed"])
    post(tx, ledger, moment, _INSERT, _bound({**task, **keys_of(task)}))
    return task


def new_task(owner: User, fields: Mapping[str, Any], revision: int, moment: str) -> Task:
    """Return the task that ``fields`` make at ``revision``, which is its id too."""
    completed = fields.get("completed", False)
    return {
        "id": revision,
        "user_id": owner.id,
        "title": "",
        "description": None,
        "completed": completed,
        "completed_at": moment if completed else None,
        **_CLEARED,
        "created_at": moment,
        "updated_at": moment,
        "revision": revision,
        **_settled(fields),
    }


def check_quota(ledger: Ledger, more: int, quota: int) -> None:
    """Raise :class:`Problem` ``quota_exceeded`` unless there is room for so many ``more`` tasks."""
    if ledger.all_tasks + more > quota:
        raise quota_exceeded(quota)


def quota_exceeded(quota: int) -> Problem:
    """Return the problem of whoever would have more than ``quota`` tasks."""
    return Problem("quota_exceeded", f"A user may have {quota} tasks, the trash included.")


def add_many(
    tx: Connection, ledger: Ledger, made: Sequence[Mapping[str, Any]], moment: str
) -> list[Task]:
    """Add tasks whose fields are all given, times included, and return them, each with its id.

    The locked ``ledger`` gives ids and revisions, in their order; it is written here.
    """
    numbered = [
        {**fields, "id": number, "user_id": ledger.owner.id, "revision": number}
        for number, fields in enumerate(made, ledger.revision + 1)
    ]
    done = sum(fields["completed"] for fields in made)
    ledger = ledger.changed(len(made), completed=done, pending=len(made) - done)
    post_totals(tx, ledger, moment)
    save(tx, [(task, keys_of(task)) for task in numbered])
    return numbered


def save(tx: Connection, changed: Sequence[tuple[Task, Keys]]) -> None:
    """Write tasks, new ones and old ones, as they are now; their ledger is written already.

    Each has its id and revision, ``deleted_at`` if it goes to the trash, and the keys of its text.
    """
    rows = [_bound({"deleted_at": None, **task, **keys}) for task, keys in changed]
    tx.execute(_SAVE[tx.dialect.name], rows)


def keys_of(task: Task) -> Keys:
    """Return what the text of ``task`` is sorted and searched by: dear for long text."""
    return {
        "title_key": title_key(task["title"]),
        "search_key": search_key(task["title"], task["description"]),
        "tags_key": tags_key(task["tags"]),
    }


def change(
    tx: Connection,
    owner: User,
    task_id: int,
    changes: Mapping[str, Any],
    expected: Expected = None,
) -> Task:
    """Apply ``changes``, any fields but those that the server sets, and return the task.

    A field that is absent stays as it is, one that is ``None`` is cleared. Raises
    :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    ledger, task = lock_expected(tx, owner, task_id, expected)
    return _apply(tx, ledger, task, changes)


def complete(
    tx: Connection,
    owner: User,
    task_id: int,
    completed: bool | None,
    expected: Expected = None,
) -> Task:
    """Set ``completed``, or turn it around when it is ``None``; return the task.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    ledger, task = lock_expected(tx, owner, task_id, expected)
    target = not task["completed"] if completed is None else completed
    return _apply(tx, ledger, task, {"completed": target})


def delete(tx: Connection, owner: User, task_id: int, expected: Expected = None) -> int:
    """Move a task to the trash, where it keeps its id; return the revision that it has there.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    ledger, task = lock_expected(tx, owner, task_id, expected)
    done = task["completed"]
    ledger = ledger.changed(completed=-done, pending=-(not done), trashed=1)
    post(tx, ledger, now(), _DELETE, {"task_id": task_id})
    return ledger.revision


def lock_expected(
    tx: Connection, owner: User, task_id: int, expected: Expected, *, trashed: bool = False
) -> tuple[Ledger, Task]:
    """Lock a task, live or ``trashed``, whose ETag must be ``expected`` (RFC 9110, section 13.1.1).

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    ledger, task = lock_task(tx, owner, task_id, trashed=trashed)
    if expected is not None and not expected.holds(etag_of(task)):
        raise stale(task, expected.detail)
    return ledger, task


def stale(task: Task, detail: str) -> Problem:
    """Return the problem of whoever takes ``task`` for what it was earlier."""
    headers = {"ETag": f'"{etag_of(task)}"'}
    return Problem("precondition_failed", detail, headers=headers, current=task)


def _apply(tx: Connection, ledger: Ledger, task: Task, changes: Mapping[str, Any]) -> Task:
    moment = now()
    changed = changed_task(task, changes, ledger.revision + 1, moment)
    if changed != task:
        step = changed["completed"] - task["completed"]
        ledger = ledger.changed(completed=step, pending=-step)
        values = _bound({**changed, **keys_of(changed)})
        post(tx, ledger, moment, _UPDATE, {"task_id": task["id"], **values})
    return changed


def changed_task(task: Task, changes: Mapping[str, Any], revision: int, moment: str) -> Task:
    """Return ``task`` after ``changes`` at ``revision``; the very same if they change nothing."""
    changed = {**task, **_settled(changes)}
    if changed == task:
        return task
    if changed["completed"] != task["completed"]:
        changed["completed_at"] = moment if changed["completed"] else None
    return {**changed, "updated_at": moment, "revision": revision}


def _settled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """``fields`` as they are kept: what is null cleared, an instant in its one form."""
    kept = {name: _CLEARED.get(name) if value is None else value for name, value in fields.items()}
    if due_date := kept.get("due_date"):
        kept["due_date"] = date_or_instant(due_date)
    return kept


def _bound(row: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the statements above bind, for the columns of a ``row``."""
    return {f"new_{name}": value for name, value in row.items()}
