"""What ``todo purge`` deletes of the logs: entries that are too old."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import and_, bindparam, select

from todo.auth.user import User
from todo.database.transactions import MANY_SECONDS, read
from todo.models import changes, users
from todo.sync.runs import run
from todo.sync.unit_of_work import BATCH, UnitOfWork
from todo.values.clock import earlier

# The oldest entry of a log is the one behind its floor: a look-up for each user, no scan.
_OWNERS: Final = (
    select(users.c.id)
    .join(
        changes,
        and_(changes.c.user_id == users.c.id, changes.c.revision == users.c.log_floor + 1),
    )
    .where(changes.c.at < bindparam("before"))
)
_OLDEST: Final = (
    select(changes.c.revision, changes.c.nonce, changes.c.at)
    .where(changes.c.user_id == bindparam("of_user"), changes.c.revision > bindparam("floor"))
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
    floor = unit.log_floor
    rows = unit.read(_LAST_OLD, {"floor": floor, **before})
    if not rows:
        return 0
    unit.begin_log(rows[0].revision, rows[0].nonce)
    return int(rows[0].revision) - floor
