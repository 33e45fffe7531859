"""Changes of all of a user's tasks at once; each takes its own revision, in the order of ids."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from todo.auth.user import User
from todo.models import tasks
from todo.sync import batches
from todo.sync.batches import Ids, found, in_batches
from todo.sync.ledger import LIVE, Ledger, lock_owner, post_totals
from todo.values.clock import now

_IN_STATE: Final = select(tasks.c.id).where(*LIVE, tasks.c.completed == bindparam("state"))


def clear_completed(tx: Connection, owner: User) -> dict[str, int]:
    """Move every completed task to the trash; return how many ``changed``, and the ``revision``."""
    ledger = lock_owner(tx, owner)
    ids, moment = _in_state(tx, owner, completed=True), now()
    after = ledger.changed(0, completed=-len(ids), trashed=len(ids))
    return _change(tx, after, moment, ids, {"deleted_at": moment})


def complete_all(tx: Connection, owner: User, completed: bool) -> dict[str, int]:
    """Complete every task, or take that back; returns like :func:`clear_completed`."""
    ledger = lock_owner(tx, owner)
    ids, moment = _in_state(tx, owner, completed=not completed), now()
    step = len(ids) if completed else -len(ids)
    after = ledger.changed(0, completed=step, pending=-step)
    state = {"completed": completed, "completed_at": moment if completed else None}
    return _change(tx, after, moment, ids, state)


def _in_state(tx: Connection, owner: User, *, completed: bool) -> Ids:
    return found(tx, _IN_STATE, {"owner": owner.id, "state": completed})


def _change(
    tx: Connection, ledger: Ledger, moment: str, ids: Ids, values: Mapping[str, Any]
) -> dict[str, int]:
    """Give all tasks of ``ids`` the ``values``; ``ledger`` has the totals that they make."""
    for batch in in_batches(tx, ids):
        ledger = batches.update(tx, ledger, batch, {"updated_at": moment, **values})
    if ids:
        post_totals(tx, ledger, moment)
    return {"changed": len(ids), "revision": ledger.revision}
