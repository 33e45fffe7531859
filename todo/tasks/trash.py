"""The trash of a user: list, restore, delete for good, empty, and purge what is old.

A deleted task is there until somebody restores or purges it. It is in no list and no total, and
counts for the quota. What leaves the trash for good takes no revision: nothing that is shown with
one can tell.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from todo.auth.user import User
from todo.database.transactions import MANY_SECONDS, read
from todo.models import tasks, users
from todo.sync import cursors
from todo.sync.cursors import Cursor
from todo.sync.unit_of_work import BATCH, Expected, UnitOfWork, run
from todo.sync.writer import Ids
from todo.tasks.batch import Changed
from todo.tasks.sorts import UPDATED, behind, bound_place
from todo.tasks.task import TASKS, Task
from todo.tasks.task import TRASHED as IN_TRASH
from todo.values.clock import now
from todo.values.dates import written

_ALL: Final = select(tasks.c.id).where(*TASKS.trashed).order_by(tasks.c.id)
_OLD: Final = _ALL.where(
    tasks.c.deleted_at < bindparam("before"), tasks.c.id > bindparam("last")
).limit(BATCH)
_OWNERS: Final = select(tasks.c.user_id).where(tasks.c.deleted_at < bindparam("before")).distinct()


def page(owner: str, *, skip: int, limit: int, cursor: str | None, days: int) -> dict[str, Any]:
    """Return a ``TrashPage``: what ``owner`` deleted, the last first; it stays for ``days``.

    Raises :class:`Problem` ``validation_failed`` for a cursor of another list, or beside ``skip``.
    """
    digest = cursors.digest(owner, "trash")
    after = cursors.resume(cursor, digest, skip=skip, fits=lambda c: UPDATED.can_be(c.place))
    parameters = {"owner": owner, "skip": skip, "limit": limit + 1}
    if after:
        parameters |= bound_place(UPDATED, after.place)
    rows = read(_statement(begun=after is not None), parameters)
    found = [row for row in rows if row[0] is not None]  # its id
    more = len(found) > limit
    end = Cursor(digest, None, [found[limit - 1].revision]) if more else None
    return {
        "tasks": [_trashed(TASKS.entity(row), row.deleted_at, days) for row in found[:limit]],
        "total": rows[0].trashed_tasks if rows else 0,
        "limit": limit,
        "skip": skip,
        "next_cursor": end and cursors.encode(end),
        "revision": rows[0].last_revision if rows else 0,
    }


def restore(unit: UnitOfWork, task_id: int, expected: Expected = None) -> Task:
    """Take a task out of the trash, with the id and all that it had, at a new revision.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    task = unit.entity(TASKS, task_id, expected, trashed=True)
    restored = TASKS.shown({**task, "updated_at": unit.now, "revision": unit.next_revision})
    unit.put(TASKS, task, restored)
    return restored


def remove(unit: UnitOfWork, task_id: int, expected: Expected = None) -> Task:
    """Delete a task in the trash for good; return what it was. Raises like :func:`restore`."""
    task = unit.entity(TASKS, task_id, expected, trashed=True)
    unit.put(TASKS, task, None)
    return task


def empty(unit: UnitOfWork) -> Changed:
    """Delete all that is in the trash; return how many tasks ``changed``, and the ``revision``."""
    ids = [row.id for row in unit.read(_ALL, {})]
    _clear(unit, ids)
    return {"changed": len(ids), "revision": unit.counters.revision}


def purge(days: int) -> int:
    """Delete, of all users, what has been in the trash for ``days``; return how many tasks.

    For a command: it asks for the users that have any, then takes one after the other, and of each
    a batch at a time: their own changes wait for no more than that.
    """
    before = written(datetime.fromisoformat(now()) - timedelta(days=days))
    users_with_any = read(_OWNERS, {"before": before}, scans=True, seconds=MANY_SECONDS)
    return sum(_purge(User(row.user_id), before) for row in users_with_any)


def _purge(user: User, before: str) -> int:
    purged = last = 0
    while True:
        old = {"before": before, "last": last}
        ids, _ = run(user, partial(_purge_batch, old=old), seconds=MANY_SECONDS)
        purged += len(ids)
        if len(ids) < BATCH:
            return purged
        last = ids[-1]


def _purge_batch(unit: UnitOfWork, old: Mapping[str, Any]) -> Ids:
    ids = [row.id for row in unit.read(_OLD, old)]
    _clear(unit, ids)
    return ids


def _clear(unit: UnitOfWork, ids: Ids) -> None:
    for batch in unit.batches(ids):
        unit.delete_batch(TASKS, batch, IN_TRASH)


def _trashed(task: Task, deleted_at: str, days: int) -> dict[str, Any]:
    purge_at = datetime.fromisoformat(deleted_at) + timedelta(days=days)
    return {**task, "deleted_at": deleted_at, "purge_at": written(purge_at)}


@cache
def _statement(*, begun: bool) -> Select[Any]:
    """The owner's counters, joined to one page of the trash; one row without a task if empty."""
    rows = select(*TASKS.columns, tasks.c.deleted_at).where(*TASKS.trashed)
    if begun:
        rows = rows.where(behind(UPDATED.keys, "desc"))
    window = (
        rows.order_by(tasks.c.revision.desc())
        .limit(bindparam("limit"))
        .offset(bindparam("skip"))
        .subquery("page")
    )
    return (
        select(
            *window.c,  # a task first
            users.c.revision.label("last_revision"),
            users.c.trashed_tasks,
        )
        .select_from(users.outerjoin(window, window.c.user_id == users.c.id))
        .where(users.c.id == bindparam("owner"))
        .order_by(window.c.revision.desc())
    )
