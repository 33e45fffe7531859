"""Changes of all of a user's tasks at once; each takes its own revision, in the order of ids."""

from typing import Any, Final

from sqlalchemy import Connection, Update, bindparam, func, select, update

from todo.identity.owner import Owner
from todo.models import tasks
from todo.services.clock import now
from todo.services.ledger import LIVE, Ledger, lock_owner, post_totals

_NUMBERED: Final = (
    select(tasks.c.id, func.row_number().over(order_by=tasks.c.id).label("place"))
    .where(*LIVE, tasks.c.completed == bindparam("state"))
    .subquery("numbered")
)
_EACH: Final = (
    update(tasks)
    .where(*LIVE, tasks.c.id == _NUMBERED.c.id)
    .values(
        revision=bindparam("revision_before", type_=tasks.c.revision.type) + _NUMBERED.c.place,
        updated_at=bindparam("moment"),
    )
)
_TRASH: Final = _EACH.values(deleted_at=bindparam("moment"))
_COMPLETE: Final = _EACH.values(
    completed=bindparam("completed"), completed_at=bindparam("completed_at")
)


def clear_completed(tx: Connection, owner: Owner) -> dict[str, int]:
    """Move every completed task to the trash; return how many ``changed``, and the ``revision``."""
    before = lock_owner(tx, owner)
    number = before.done_tasks
    after = before.changed(number, completed=-number, trashed=number)
    return _change(tx, before, after, _TRASH, state=True)


def complete_all(tx: Connection, owner: Owner, completed: bool) -> dict[str, int]:
    """Complete every task, or take that back; returns like :func:`clear_completed`."""
    before = lock_owner(tx, owner)
    number = before.open_tasks if completed else before.done_tasks
    step = number if completed else -number
    after = before.changed(number, completed=step, pending=-step)
    return _change(tx, before, after, _COMPLETE, state=not completed, completed=completed)


def _change(
    tx: Connection, before: Ledger, after: Ledger, change: Update, *, state: bool, **values: Any
) -> dict[str, int]:
    """Make a ``change`` of every live task whose ``completed`` is ``state``."""
    changed = after.revision - before.revision
    if changed:
        moment = now()
        post_totals(tx, after, moment)
        bound = {"owner": before.owner.id, "moment": moment, "state": state}
        if "completed" in values:
            values["completed_at"] = moment if values["completed"] else None
        tx.execute(change, {**bound, "revision_before": before.revision, **values})
    return {"changed": changed, "revision": after.revision}
