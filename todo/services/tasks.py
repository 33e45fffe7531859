"""Tasks: create, get, update, complete, delete.

Each write is one unit of work: lock the owner (and the task), decide, take the next revision,
write. A change of nothing is a no-op: it keeps ``updated_at`` and ``revision``.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from todo.database.work import read, write
from todo.identity.owner import Owner
from todo.models import tasks
from todo.problems import Problem
from todo.services.clock import now
from todo.services.collation import title_key
from todo.services.ledger import (
    TASK_COLUMNS,
    Ledger,
    lock_owner,
    lock_task,
    post,
    task_not_found,
)

Task = dict[str, Any]
"""A task as the API shows it."""

_LIVE_TASK: Final = (
    tasks.c.user_id == bindparam("owner"),
    tasks.c.id == bindparam("task_id"),
    tasks.c.deleted_at.is_(None),
)
_GET: Final = select(*TASK_COLUMNS).where(*_LIVE_TASK)
_CHANGING: Final = (
    "title",
    "title_key",
    "description",
    "completed",
    "completed_at",
    "updated_at",
    "revision",
)
_INSERT: Final = insert(tasks).values(
    {name: bindparam(f"new_{name}") for name in ("title_key", *(c.name for c in TASK_COLUMNS))}
)
_UPDATE: Final = (
    update(tasks).where(*_LIVE_TASK).values({name: bindparam(f"new_{name}") for name in _CHANGING})
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


def get(owner: str, task_id: int) -> Task:
    """Return one live task of ``owner``; raises :class:`Problem` ``task_not_found``."""
    rows = read(_GET, {"owner": owner, "task_id": task_id})
    if not rows:
        raise task_not_found(task_id)
    return dict(rows[0])


def create(owner: Owner, fields: Mapping[str, Any], *, quota: int) -> Task:
    """Create a task from ``title`` and, if given, ``description`` and ``completed``.

    Its id is the revision it was created at, so ids grow and are never used again. Raises
    :class:`Problem` ``quota_exceeded`` when the owner has ``quota`` tasks, trash included.
    """

    def unit(tx: Connection) -> Task:
        ledger = lock_owner(tx, owner)
        if ledger.all_tasks >= quota:
            raise Problem("quota_exceeded", f"A user may have {quota} tasks, the trash included.")
        moment = now()
        completed = fields.get("completed", False)
        ledger = ledger.changed(completed=completed, pending=not completed)
        task = {
            "id": ledger.revision,
            "user_id": owner.id,
            "title": fields["title"],
            "description": fields.get("description"),
            "completed": completed,
            "completed_at": moment if completed else None,
            "created_at": moment,
            "updated_at": moment,
            "revision": ledger.revision,
        }
        post(tx, ledger, moment, _INSERT, _new(task))
        return task

    return write(unit)


def change(owner: Owner, task_id: int, changes: Mapping[str, Any]) -> Task:
    """Apply ``changes`` (any of ``title``, ``description``, ``completed``) and return the task.

    A field that is absent stays as it is. Raises :class:`Problem` ``task_not_found``.
    """

    def unit(tx: Connection) -> Task:
        ledger, task = lock_task(tx, owner, task_id)
        return _apply(tx, ledger, task, changes)

    return write(unit)


def complete(owner: Owner, task_id: int, completed: bool | None) -> Task:
    """Set ``completed``, or turn it around when it is ``None``; return the task.

    Raises :class:`Problem` ``task_not_found``.
    """

    def unit(tx: Connection) -> Task:
        ledger, task = lock_task(tx, owner, task_id)
        target = not task["completed"] if completed is None else completed
        return _apply(tx, ledger, task, {"completed": target})

    return write(unit)


def delete(owner: Owner, task_id: int) -> None:
    """Move a task to the trash, where it keeps its id and takes a new revision.

    Raises :class:`Problem` ``task_not_found``.
    """

    def unit(tx: Connection) -> None:
        ledger, task = lock_task(tx, owner, task_id)
        done = task["completed"]
        ledger = ledger.changed(completed=-done, pending=-(not done), trashed=1)
        moment = now()
        post(tx, ledger, moment, _DELETE, {"task_id": task_id})

    write(unit)


def _apply(tx: Connection, ledger: Ledger, task: Task, changes: Mapping[str, Any]) -> Task:
    changed = {**task, **changes}
    if changed == task:
        return task
    moment = now()
    step = changed["completed"] - task["completed"]
    if step:
        changed["completed_at"] = moment if changed["completed"] else None
    ledger = ledger.changed(completed=step, pending=-step)
    changed["updated_at"] = moment
    changed["revision"] = ledger.revision
    post(tx, ledger, moment, _UPDATE, {"task_id": task["id"], **_new(changed)})
    return changed


def _new(task: Task) -> dict[str, Any]:
    """The values that ``_INSERT`` and ``_UPDATE`` bind."""
    values = {f"new_{name}": value for name, value in task.items()}
    return {**values, "new_title_key": title_key(task["title"])}
