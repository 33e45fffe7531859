"""A page of tasks, with the total and the revision of the same moment, in one statement.

The total comes from the owner's counters, the page from an index in the order that is asked for:
neither costs more as a user's tasks grow.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, RowMapping, Select, UnaryExpression, bindparam, select, true

from todo.database.work import read
from todo.models import tasks, users
from todo.problems import Violation, validation_failed
from todo.services.ledger import TASK_COLUMNS

Sort = Literal["created", "updated", "title"]
Order = Literal["asc", "desc"]

_SORT_KEYS: Final[Mapping[str, tuple[ColumnElement[Any], ...]]] = {
    "created": (tasks.c.id,),
    "updated": (tasks.c.revision,),
    "title": (tasks.c.title_key, tasks.c.id),
}
_NATURAL_ORDER: Final[Mapping[str, Order]] = {
    "created": "desc",
    "updated": "desc",
    "title": "asc",
}
SPELLINGS: Final[Mapping[str, Sort]] = {
    "created": "created",
    "created_at": "created",
    "updated": "updated",
    "updated_at": "updated",
    "title": "title",
}
"""Every accepted value of ``sort``, and what it means."""
_STATUS: Final[Mapping[str, bool | None]] = {"all": None, "pending": False, "completed": True}


def page(
    owner: str,
    *,
    skip: int,
    limit: int,
    status: str | None,
    completed: bool | None,
    sort: Sort,
    order: Order | None,
) -> dict[str, Any]:
    """Return a ``TaskPage`` of ``owner``'s live tasks.

    ``status`` and ``completed`` say the same in two dialects. Raises :class:`Problem`
    ``validation_failed`` when they contradict each other.
    """
    wanted = _wanted(status, completed)
    statement = _statement(sort, order or _NATURAL_ORDER[sort], wanted is not None)
    rows = read(
        statement, {"owner": owner, "skip": skip, "limit": limit, "completed": wanted or False}
    )
    found = [row for row in rows if row["id"] is not None]
    return {
        "tasks": [{c.name: row[c.name] for c in TASK_COLUMNS} for row in found],
        "total": _total(rows[0], wanted) if rows else 0,
        "limit": limit,
        "skip": skip,
        "revision": rows[0]["last_revision"] if rows else 0,
    }


def _wanted(status: str | None, completed: bool | None) -> bool | None:
    by_status = _STATUS[status or "all"]
    if completed is None or by_status is None:
        return by_status if completed is None else completed
    if by_status != completed:
        detail = f"contradicts status={status}"
        raise validation_failed(Violation("contradiction", detail, parameter="completed"))
    return completed


def _total(row: RowMapping, wanted: bool | None) -> int:
    if wanted is None:
        return int(row["open_tasks"] + row["done_tasks"])
    return int(row["done_tasks" if wanted else "open_tasks"])


@cache
def _statement(sort: str, order: str, by_state: bool) -> Select[Any]:
    """The owner's counters, joined to one page of tasks; one row without a task if it is empty.

    The page is cut off inside, where the index gives it; only the page is sorted again outside.
    """
    state = tasks.c.completed == bindparam("completed") if by_state else true()
    window = (
        select(*TASK_COLUMNS, tasks.c.title_key)
        .where(tasks.c.user_id == bindparam("owner"), tasks.c.deleted_at.is_(None), state)
        .order_by(*_ordered(_SORT_KEYS[sort], order))
        .limit(bindparam("limit"))
        .offset(bindparam("skip"))
        .subquery("page")
    )
    keys = tuple(window.c[key.name] for key in _SORT_KEYS[sort])
    return (
        select(
            users.c.revision.label("last_revision"),
            users.c.open_tasks,
            users.c.done_tasks,
            *(window.c[column.name] for column in TASK_COLUMNS),
        )
        .select_from(users.outerjoin(window, window.c.user_id == users.c.id))
        .where(users.c.id == bindparam("owner"))
        .order_by(*_ordered(keys, order))
    )


def _ordered(keys: tuple[ColumnElement[Any], ...], order: str) -> list[UnaryExpression[Any]]:
    """Every key in the same direction: ``id`` breaks ties and makes the order total."""
    return [key.desc() if order == "desc" else key.asc() for key in keys]
