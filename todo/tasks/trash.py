"""The trash of a user's tasks: list, empty, and purge what is old.

A deleted task is there until somebody restores or purges it. It is in no list and no total, and
counts for the quota. What leaves the trash for good takes no revision: nothing that is shown with
one can tell.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import bindparam, select

from todo.auth.user import User
from todo.database.transactions import MANY_SECONDS, read
from todo.models import tasks
from todo.sync import cursors
from todo.sync.pages import PageQuery, Window, read_page
from todo.sync.unit_of_work import BATCH, UnitOfWork, run
from todo.sync.writer import Ids
from todo.tasks.batch import Changed
from todo.tasks.resource import TASKS
from todo.tasks.sorts import UPDATED
from todo.tasks.task import TRASHED
from todo.values.clock import now
from todo.values.dates import format_instant

_ALL: Final = select(tasks.c.id).where(*TASKS.trashed).order_by(tasks.c.id)
_OLD: Final = _ALL.where(
    tasks.c.deleted_at < bindparam("before"), tasks.c.id > bindparam("last")
).limit(BATCH)
_OWNERS: Final = select(tasks.c.user_id).where(tasks.c.deleted_at < bindparam("before")).distinct()


def page(user_id: str, *, skip: int, limit: int, cursor: str | None, days: int) -> dict[str, Any]:
    """Return a ``TrashPage``: what the user deleted, the last first; it stays for ``days``.

    Raises :class:`Problem` ``validation_failed`` for the cursor of another list, and for one
    beside ``skip``.
    """
    digest = cursors.digest(user_id, "trash")
    window = Window.of(UPDATED, "desc", digest, skip=skip, limit=limit, cursor=cursor)
    counters = ("trashed_tasks",)
    page = read_page(PageQuery(TASKS, user_id, window, trashed=True, counters=counters))
    return {**page, "tasks": [_trashed(task, days) for task in page["tasks"]]}


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
    before = format_instant(datetime.fromisoformat(now()) - timedelta(days=days))
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
        unit.delete_batch(TASKS, batch, TRASHED)


def _trashed(task: Mapping[str, Any], days: int) -> dict[str, Any]:
    purge_at = datetime.fromisoformat(task["deleted_at"]) + timedelta(days=days)
    return {**task, "purge_at": format_instant(purge_at)}
