"""What ``todo purge`` deletes of the logs: entries that are too old."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import bindparam, select

from todo.auth.user import User
from todo.database.transactions import MANY_SECONDS, read
from todo.models import changes, users
from todo.sync.runs import run
from todo.sync.unit_of_work import BATCH, UnitOfWork
from todo.values.clock import earlier

# A look-up for each user, no scan.
_OLDEST_AT: Final = (
    select(changes.c.at)
    .where(changes.c.user_id == users.c.id)
    .order_by(changes.c.revision)
    .limit(1)
    .correlate(users)
    .scalar_subquery()
)
_OWNERS: Final = select(users.c.id).where(bindparam("before") > _OLDEST_AT)
# Below the floor, too: an earlier release that writes raises the floor, and deletes nothing.
_OLDEST: Final = (
    select(changes.c.revision, changes.c.nonce, changes.c.at)
    .where(changes.c.user_id == bindparam("of_user"))
    .order_by(changes.c.revision)
    .limit(BATCH)
    .subquery()
)
_LAST_OLD: Final = (
    select(_OLDEST.c.revision, _OLDEST.c.nonce)
    .where(_OLDEST.c.at < bindparam("before"))
    .order_by(_OLDEST.c.revision.desc())
    .limit(1)
)


def purge(days: int) -> int:
    """Delete, of all users, the entries that are older than so many ``days``; return how many.

    For a command: it takes one user after the other, and of each a batch at a time.
    """
    before = {"before": earlier(timedelta(days=days))}
    owners = read(_OWNERS, before, scans=True, seconds=MANY_SECONDS)
    return sum(_purge(User(row.id), before) for row in owners)


def _purge(user: User, before: Mapping[str, Any]) -> int:
    purged = 0
    while True:
        number, _ = run(user, partial(_purge_batch, before=before), seconds=MANY_SECONDS)
        purged += number
        if number < BATCH:
            return purged


def _purge_batch(unit: UnitOfWork, before: Mapping[str, Any]) -> int:
    rows = unit.read(_LAST_OLD, before)
    return unit.begin_log(rows[0].revision, rows[0].nonce) if rows else 0
