"""The trash of a user: list, restore, delete for good, empty, and purge what is old.

A deleted task is there until somebody restores or purges it. It is in no list and no total, and
counts for the quota. What leaves the trash for good takes no revision: nothing that is shown with
one can tell.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from todo.auth.user import User
from todo.database.transactions import MANY_SECONDS, read, write
from todo.models import tasks
from todo.sync import batches, cursors
from todo.sync.batches import BATCH, Ids, found, in_batches
from todo.sync.ledger import TRASHED, Ledger, Task, lock_owner, post, post_totals
from todo.sync.pages import PageQuery, Window, read_page
from todo.tasks.resource import TASKS
from todo.tasks.service import Expected, lock_expected
from todo.tasks.sorts import UPDATED
from todo.values.clock import now
from todo.values.dates import format_instant

_ONE: Final = (*TRASHED, tasks.c.id == bindparam("task_id"))
_RESTORE: Final = (
    update(tasks)
    .where(*_ONE)
    .values(deleted_at=None, updated_at=bindparam("moment"), revision=bindparam("last_revision"))
)
_DELETE: Final = delete(tasks).where(*_ONE)
_ALL: Final = select(tasks.c.id).where(*TRASHED)
_OLD: Final = _ALL.where(tasks.c.deleted_at < bindparam("before"), tasks.c.id > bindparam("last"))
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


def restore(tx: Connection, owner: User, task_id: int, expected: Expected = None) -> Task:
    """Take a task out of the trash, with the id and all that it had, at a new revision.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    ledger, task = lock_expected(tx, owner, task_id, expected, trashed=True)
    done = task["completed"]
    ledger = ledger.changed(completed=done, pending=not done, trashed=-1)
    moment = now()
    post(tx, ledger, moment, _RESTORE, {"task_id": task_id})
    return {**task, "updated_at": moment, "revision": ledger.revision}


def remove(tx: Connection, owner: User, task_id: int, expected: Expected = None) -> None:
    """Delete a task in the trash for good. Raises like :func:`restore`."""
    ledger, _ = lock_expected(tx, owner, task_id, expected, trashed=True)
    post(tx, ledger.changed(0, trashed=-1), now(), _DELETE, {"task_id": task_id})


def empty(tx: Connection, owner: User) -> dict[str, int]:
    """Delete all that is in the trash; return how many tasks ``changed``, and the ``revision``."""
    ledger = lock_owner(tx, owner)
    ids = found(tx, _ALL, {"owner": owner.id})
    _clear(tx, ledger, ids)
    return {"changed": len(ids), "revision": ledger.revision}


def purge(days: int) -> int:
    """Delete, of all users, what has been in the trash for ``days``; return how many tasks.

    For a command: it asks for the users that have any, then takes one after the other, and of each
    a batch at a time: their own changes wait for no more than that.
    """
    before = format_instant(datetime.fromisoformat(now()) - timedelta(days=days))
    users_with_any = read(_OWNERS, {"before": before}, scans=True, seconds=MANY_SECONDS)
    return sum(_purge(User(row.user_id, None, None), before) for row in users_with_any)


def _purge(owner: User, before: str) -> int:
    purged = last = 0
    while True:

        def unit(tx: Connection, last: int = last) -> Ids:
            ledger = lock_owner(tx, owner)
            old = {"owner": owner.id, "before": before, "last": last}
            ids = found(tx, _OLD.limit(BATCH), old)
            _clear(tx, ledger, ids)
            return ids

        ids = write(unit, seconds=MANY_SECONDS)
        purged += len(ids)
        if len(ids) < BATCH:
            return purged
        last = ids[-1]


def _clear(tx: Connection, ledger: Ledger, ids: Ids) -> None:
    for batch in in_batches(tx, ids):
        batches.delete(tx, ledger.owner.id, batch)
    if ids:
        post_totals(tx, ledger.changed(0, trashed=-len(ids)), now())


def _trashed(task: Mapping[str, Any], days: int) -> dict[str, Any]:
    purge_at = datetime.fromisoformat(task["deleted_at"]) + timedelta(days=days)
    return {**task, "purge_at": format_instant(purge_at)}
