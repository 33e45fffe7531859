"""The owner's row: one counter behind every revision, and the totals of the lists.

Nothing that is read before the owner is locked decides anything: with a clever single statement
16 threads toggling one task left totals of 37 and -36.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Self

from sqlalchemy import Connection, UpdateBase, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from todo.auth.user import User
from todo.models import tasks, users
from todo.problems import Problem
from todo.values.clock import now

TASK_COLUMNS: Final = (
    tasks.c.id,
    tasks.c.user_id,
    tasks.c.title,
    tasks.c.description,
    tasks.c.completed,
    tasks.c.completed_at,
    tasks.c.priority,
    tasks.c.due_date,
    tasks.c.tags,
    tasks.c.created_at,
    tasks.c.updated_at,
    tasks.c.revision,
)
"""A task as the API shows it, in the contract's order."""

Task = dict[str, Any]
"""A task as the API shows it."""

_TASK_NAMES: Final = tuple(column.name for column in TASK_COLUMNS)

LIVE: Final = (tasks.c.user_id == bindparam("owner"), tasks.c.deleted_at.is_(None))
"""The owner's tasks that are not in the trash."""

TRASHED: Final = (tasks.c.user_id == bindparam("owner"), tasks.c.deleted_at.is_not(None))
"""The owner's tasks that are."""

_TOTALS: Final = (
    users.c.revision.label("last_revision"),
    users.c.open_tasks,
    users.c.done_tasks,
    users.c.trashed_tasks,
)
_OWNER: Final = users.c.id == bindparam("owner")

_LOCK_OWNER: Final = select(*_TOTALS).where(_OWNER).with_for_update(key_share=True)

# Both rows are locked, so both are read again after a wait (PostgreSQL, READ COMMITTED): with
# the owner's row alone locked, the task's would come from before the wait.
_LOCK_TASK: Final = {
    trashed: (
        select(*_TOTALS, *TASK_COLUMNS)
        .join_from(users, tasks, tasks.c.user_id == users.c.id)
        .where(_OWNER)
        .where(*(TRASHED if trashed else LIVE), tasks.c.id == bindparam("task_id"))
        .with_for_update(key_share=True)
    )
    for trashed in (False, True)
}

_ADD_OWNER: Final = {
    "postgresql": postgresql.insert(users).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(users).on_conflict_do_nothing(),
}

_POST: Final = (
    update(users)
    .where(_OWNER)
    .values(
        revision=bindparam("last_revision"),
        open_tasks=bindparam("open"),
        done_tasks=bindparam("done"),
        trashed_tasks=bindparam("trashed"),
        updated_at=bindparam("moment"),
        # What the token says of its user; what it does not say stays.
        email=func.coalesce(bindparam("owner_email"), users.c.email),
        name=func.coalesce(bindparam("owner_name"), users.c.name),
    )
)


@dataclass(frozen=True)
class Ledger:
    """A locked owner's counters. ``changed`` gives the next state, :func:`post` writes it."""

    owner: User
    revision: int = 0
    open_tasks: int = 0
    done_tasks: int = 0
    trashed_tasks: int = 0

    @classmethod
    def of(cls, owner: User, row: Sequence[Any]) -> Self:
        """Read the counters out of a locked ``row``, which begins with them."""
        return cls(owner, *row[: len(_TOTALS)])

    @property
    def all_tasks(self) -> int:
        """Every task that takes room, those in the trash included."""
        return self.open_tasks + self.done_tasks + self.trashed_tasks

    def changed(
        self, changes: int = 1, *, completed: int = 0, pending: int = 0, trashed: int = 0
    ) -> Self:
        """Return the ledger after so many changes: a revision each, totals by their difference."""
        return replace(
            self,
            revision=self.revision + changes,
            open_tasks=self.open_tasks + pending,
            done_tasks=self.done_tasks + completed,
            trashed_tasks=self.trashed_tasks + trashed,
        )


def lock_owner(tx: Connection, owner: User) -> Ledger:
    """Lock the owner's row until the transaction ends; add it at the owner's first write."""
    row = _locked_owner(tx, owner.id)
    if row is None:
        moment = now()
        first = {
            "id": owner.id,
            "revision": 0,
            "open_tasks": 0,
            "done_tasks": 0,
            "trashed_tasks": 0,
            "created_at": moment,
            "updated_at": moment,
            "email": owner.email,
            "name": owner.name,
        }
        tx.execute(_ADD_OWNER[tx.dialect.name], first)
        row = _locked_owner(tx, owner.id)
    assert row is not None  # noqa: S101 - users are never deleted
    return Ledger.of(owner, row)


def lock_task(
    tx: Connection, owner: User, task_id: int, *, trashed: bool = False
) -> tuple[Ledger, Task]:
    """Lock the owner's row and one task; return the ledger and the task as it is now.

    Raises :class:`Problem` ``task_not_found`` when the owner has no such task that is live, or
    that is ``trashed``.
    """
    row = tx.execute(_LOCK_TASK[trashed], {"owner": owner.id, "task_id": task_id}).one_or_none()
    if row is None:
        raise task_not_found(trashed=trashed)
    return Ledger.of(owner, row), as_task(row[len(_TOTALS) :])


def post(
    tx: Connection, ledger: Ledger, moment: str, change: UpdateBase, values: Mapping[str, Any]
) -> None:
    """Write the ledger's new state and the ``change`` of a task that goes with it.

    ``change`` may bind the totals too: ``owner``, ``moment``, ``last_revision``.

    PostgreSQL does both in one statement, which the locks make as safe as two.
    """
    parameters = {**_totals(ledger, moment), **values}
    if tx.dialect.name == "postgresql":
        tx.execute(_with_post(change), parameters)
    else:
        tx.execute(_POST, parameters)
        tx.execute(change, parameters)


def post_totals(tx: Connection, ledger: Ledger, moment: str) -> None:
    """Write the ledger's new state alone; the caller writes the tasks that go with it."""
    tx.execute(_POST, _totals(ledger, moment))


def _totals(ledger: Ledger, moment: str) -> dict[str, Any]:
    return {
        "owner": ledger.owner.id,
        "owner_email": ledger.owner.email,
        "owner_name": ledger.owner.name,
        "last_revision": ledger.revision,
        "open": ledger.open_tasks,
        "done": ledger.done_tasks,
        "trashed": ledger.trashed_tasks,
        "moment": moment,
    }


@cache
def _with_post(change: UpdateBase) -> UpdateBase:
    return change.add_cte(_POST.cte("ledger"))


def as_task(values: Iterable[Any]) -> Task:
    """Return the task whose columns, those of :data:`TASK_COLUMNS`, ``values`` begin with."""
    return dict(zip(_TASK_NAMES, values, strict=False))


def task_not_found(*, trashed: bool = False) -> Problem:
    """Return the one answer for a task that is absent, on the other side, or somebody else's.

    Front ends show ``detail`` to their user, and compare it: "Task not found" are the words of the
    document that they are built from.
    """
    return Problem("task_not_found", "Task not found in the trash" if trashed else "Task not found")


def _locked_owner(tx: Connection, owner: str) -> Sequence[Any] | None:
    return tx.execute(_LOCK_OWNER, {"owner": owner}).one_or_none()
