"""Totals of lists of tasks that counters have: nothing is counted for them.

The user's row counts all live tasks, a list's row those of the list, a task's row its subtasks. The
inbox has what the lists leave of the user's tasks.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Boolean, ColumnElement, Table, bindparam, case, func, select

from todo.models import lists, tasks, users


class _Counts(NamedTuple):
    """How many tasks a row counts in each state."""

    pending: ColumnElement[int]
    completed: ColumnElement[int]

    def of(self, state: str | None) -> ColumnElement[int]:
        """Those of the state that is bound as ``state``; of both, if there is none."""
        if state is None:
            return self.pending + self.completed
        is_completed: ColumnElement[bool] = bindparam(state, type_=Boolean())
        return case((is_completed, self.completed), else_=self.pending)


_ALL: Final = (
    _Counts(users.c.open_tasks, users.c.done_tasks),
    _Counts(lists.c.open_tasks, lists.c.done_tasks),
)
_TOP: Final = (
    _Counts(users.c.top_open, users.c.top_done),
    _Counts(lists.c.top_open, lists.c.top_done),
)
"""What a user's row and a list's row count: all of their tasks, and those without a parent."""
_CHILDREN: Final = _Counts(tasks.c.children - tasks.c.children_done, tasks.c.children_done)


def total(kinds: Sequence[str], names: Sequence[str]) -> ColumnElement[int] | None:
    """Return the total, for the user's row, of a list that conditions of these ``kinds`` narrow.

    The conditions bind their values under ``names``. Returns ``None`` if no counter has the total.
    """
    bound = dict(zip(kinds, names, strict=True))
    state = bound.pop("completed", None)
    of_user, of_list = _ALL if bound.pop("top", None) is None else _TOP
    match list(bound):
        case []:
            return of_user.of(state)
        case ["list"]:
            return _in_row(lists, bound["list"], of_list.of(state))
        case ["inbox"]:
            return of_user.of(state) - _in_all_rows(lists, of_list.of(state))
        case ["parent"]:
            return _in_row(tasks, bound["parent"], _CHILDREN.of(state))
    return None


def _in_row(table: Table, name: str, number: ColumnElement[int]) -> ColumnElement[int]:
    """The ``number`` in the row of the user's whose id is bound as ``name``; 0 without a row."""
    row = select(number).where(_owned(table), table.c.id == bindparam(name))
    return func.coalesce(row.scalar_subquery(), 0)


def _in_all_rows(table: Table, number: ColumnElement[int]) -> ColumnElement[int]:
    """The sum of a ``number`` over all rows of the user's."""
    return func.coalesce(select(func.sum(number)).where(_owned(table)).scalar_subquery(), 0)


def _owned(table: Table) -> ColumnElement[bool]:
    return table.c.user_id == bindparam("of_user")
