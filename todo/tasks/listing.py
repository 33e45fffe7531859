"""A page of tasks, with the total and the revision of the same moment, in one statement.

The page comes from an index in the order that is asked for, and the total of what only the state
narrows from the owner's counters: neither costs more as a user's tasks grow. Any other filter
counts the owner's rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    bindparam,
    func,
    null,
    select,
    union_all,
)

from todo.database.transactions import read
from todo.models import tasks, users
from todo.sync import cursors
from todo.sync.cursors import Cursor
from todo.sync.etags import etag
from todo.sync.ledger import LIVE, TASK_COLUMNS, as_task
from todo.tasks.filters import Condition, Filters, clauses, values
from todo.tasks.queries import TaskQuery
from todo.tasks.sorts import SORTS, Order, Sort, behind, bound_place, ordered
from todo.values.clock import now

_REVISION: Final = select(users.c.revision).where(users.c.id == bindparam("owner"))

_STATEMENTS: Final = 512
"""Statements kept: every sort, order and state, and the combinations of filters seen last."""


class _Shape(NamedTuple):
    """All that a statement depends on; the rest is bound."""

    sort: str
    order: Order
    kinds: tuple[str, ...]
    counted: bool
    behind: str
    """What the place is of that the page lies behind: ``nothing``, ``a task``, or ``null``, a task
    whose first key is null."""


@dataclass(frozen=True)
class Listing:
    """A list of one owner's live tasks, as it was asked for. Made by :meth:`of`."""

    owner: str
    filters: Filters
    by: Sort
    order: Order
    skip: int
    limit: int
    total: bool
    digest: str
    after: Cursor | None
    moment: str

    @classmethod
    def of(cls, owner: str, query: TaskQuery) -> Self:
        """Return the list that ``query`` describes. Without ``order`` a sort has its natural one.

        Raises :class:`Problem` ``validation_failed`` for the cursor of another list, and for one
        beside ``skip``.
        """
        by = SORTS[query.sort]
        order = query.order or by.natural
        digest = cursors.digest(owner, by.name, order, query.asked)

        def fits(cursor: Cursor) -> bool:
            follows = cursor.moment is not None
            return follows == query.follow_the_clock and by.can_be(cursor.place)

        after = cursors.resume(query.cursor, digest, skip=query.skip, fits=fits)
        moment = (after and after.moment) or now()
        page = query.skip, query.limit, query.total
        return cls(owner, query, by, order, *page, digest, after, moment)

    def etag(self, revision: int) -> str | None:
        """Return the tag of the list at the owner's ``revision``; a list that moves has none."""
        if self.filters.view == "overdue":  # another one with every instant
            return None
        date = self.filters.today(self.moment) if self.filters.follow_the_clock else ""
        return etag(self.owner, revision, date)

    def page(self) -> dict[str, Any]:
        """Return a ``TaskPage``."""
        conditions = self.filters.conditions(self.moment)
        rows = read(
            _statement(self._shape(conditions)),
            self._parameters(conditions),
            scans=not _is_by_state(conditions),
        )
        found = [row for row in rows if row[0] is not None]  # its id
        return {
            "tasks": [as_task(row) for row in found[: self.limit]],
            "total": _total(rows, conditions) if self.total else None,
            "limit": self.limit,
            "skip": self.skip,
            "next_cursor": self._next(found[self.limit - 1]) if len(found) > self.limit else None,
            "revision": rows[0].last_revision if rows else 0,
        }

    def _shape(self, conditions: Sequence[Condition]) -> "_Shape":
        kinds = tuple(condition.kind for condition in conditions)
        counted = self.total and not _is_by_state(conditions)
        return _Shape(self.by.name, self.order, kinds, counted, _behind(self.after))

    def _parameters(self, conditions: Sequence[Condition]) -> dict[str, Any]:
        return {
            "owner": self.owner,
            "skip": self.skip,
            "reach": self.skip + self.limit + 1,
            "limit": self.limit + 1,  # the one more says whether there is a next page
            **values(conditions),
            **(bound_place(self.by, self.after.place) if self.after else {}),
        }

    def _next(self, last: Row[Any]) -> str:
        moment = self.moment if self.filters.follow_the_clock else None
        return cursors.encode(Cursor(self.digest, moment, self.by.place_of(last)))


def revision(owner: str) -> int:
    """Return the owner's revision, without a look at the tasks; 0 for one who never wrote."""
    rows = read(_REVISION, {"owner": owner})
    return rows[0].revision if rows else 0


def _behind(after: Cursor | None) -> str:
    if after is None:
        return "nothing"
    return "null" if after.place[0] is None else "a task"


def _is_by_state(conditions: Sequence[Condition]) -> bool:
    """Whether nothing narrows the list but, at most, ``completed``: the counters have its total."""
    return not conditions or (len(conditions) == 1 and conditions[0].kind == "completed")


def _total(rows: Sequence[Row[Any]], conditions: Sequence[Condition]) -> int:
    if not rows:
        return 0
    if not _is_by_state(conditions):
        return int(rows[0].matching)
    counters = {"done_tasks": True, "open_tasks": False}
    wanted = [condition.value for condition in conditions] or [True, False]
    return sum(getattr(rows[0], name) for name, state in counters.items() if state in wanted)


@lru_cache(maxsize=_STATEMENTS)
def _statement(shape: _Shape) -> Select[Any]:
    """The owner's counters, joined to one page of tasks; one row without a task if it is empty.

    The page is cut off inside, where the index gives it; only the page is sorted again outside.
    """
    window = _window(shape)
    return (
        select(
            *window.c,  # a task first
            users.c.revision.label("last_revision"),
            users.c.open_tasks,
            users.c.done_tasks,
            (_matching(shape) if shape.counted else null()).label("matching"),
        )
        .select_from(users.outerjoin(window, window.c.user_id == users.c.id))
        .where(users.c.id == bindparam("owner"))
        .order_by(*_order(SORTS[shape.sort], window, shape.order))
    )


def _matching(shape: _Shape) -> ColumnElement[int]:
    """How many tasks the whole list has."""
    count = select(func.count()).select_from(tasks).where(*LIVE, *clauses(shape.kinds))
    return count.scalar_subquery()


def _window(shape: _Shape) -> Subquery:
    ranges = _ranges(shape)
    if len(ranges) == 1:
        page = ranges[0]
    else:
        reached = [select(rows.limit(bindparam("reach")).subquery()) for rows in ranges]
        whole = union_all(*reached).subquery("ranges")
        page = select(whole).order_by(*_order(SORTS[shape.sort], whole, shape.order))
    return page.limit(bindparam("limit")).offset(bindparam("skip")).subquery("page")


def _ranges(shape: _Shape) -> list[Select[Any]]:
    """What the page is read from: rows that an index has side by side, in their order.

    Tasks whose first key is null are a range of their own, behind the others in both directions:
    with NULLS LAST both databases would sort all of the owner's tasks.
    """
    keys, order = SORTS[shape.sort].keys, shape.order
    columns = {column.name: column for column in (*TASK_COLUMNS, *keys)}.values()
    rows = select(*columns).where(*LIVE, *clauses(shape.kinds)).order_by(*ordered(keys, order))
    first, rest = keys[0], keys[1:]
    if shape.behind == "null":
        return [rows.where(first.is_(None), behind(rest, order))]
    begun = rows.where(behind(keys, order)) if shape.behind == "a task" else rows
    if not SORTS[shape.sort].nullable:
        return [begun]
    # Ordered by the key that is null in all of them, too: else PostgreSQL looks for the few that
    # have none through an index that is ordered by id.
    return [begun.where(first.is_not(None)), rows.where(first.is_(None))]


def _order(by: Sort, rows: Subquery, order: Order) -> list[ColumnElement[Any]]:
    """The order of ``by`` over rows that were read already."""
    keys = [rows.c[key.name] for key in by.keys]
    nulls_last = [keys[0].is_(None)] if by.nullable else []
    return [*nulls_last, *ordered(keys, order)]
