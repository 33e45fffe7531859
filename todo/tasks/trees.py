"""The statements that read trees of tasks and subtasks, and what is around their tasks."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    case,
    literal_column,
    null,
    select,
    true,
    union,
    union_all,
)

from todo.database.functions import is_any_of, is_found_by
from todo.models import lists, tasks
from todo.sync.moves import Side
from todo.tasks.resource import TASKS

MOST_OF_ONE: Final = 20_000
"""Tasks that a change of one task looks at: the done ones of series are in its tree, too."""
MOST_READ: Final = 5000
"""Tasks that a bulk looks at, which may name a hundred trees."""
COLUMNS: Final = (*TASKS.columns, *TASKS.trash_columns, *TASKS.derived_columns)
"""What there is of a task in each row, behind what it was found as."""

_MEMBERS: Final = select(tasks.c.id, tasks.c.parent_id).where(TASKS.owned)


def _looked_up(
    keys: Select[Any], column: Column[Any], rows: Select[Any], dialect: str
) -> Select[Any]:
    """Those of ``rows`` whose ``column`` has one of ``keys``, each looked up in an index.

    PostgreSQL looks up one key after the other: for ``IN`` it may walk through all rows of the
    user, if it believes that they are few.
    """
    if dialect != "postgresql":
        return rows.where(column.in_(keys))
    [key] = (each := keys.subquery()).c
    found = rows.where(column == key).offset(literal_column("0")).lateral()
    return select(*found.c).select_from(each.join(found, true()))


def _children_of(name: str, found: CTE, dialect: str) -> CTE:
    is_child = tasks.c.parent_id.is_not(None), tasks.c.deleted_at.is_(None)
    rows = _MEMBERS.where(*is_child)
    return _looked_up(select(found.c.id), tasks.c.parent_id, rows, dialect).cte(name)


def _parents_of(name: str, found: CTE, dialect: str) -> CTE:
    """Parents in the trash, too: only the primary key's index serves that (see
    :func:`todo.sync.locked_reads.several`)."""
    return _looked_up(select(found.c.parent_id), tasks.c.id, _MEMBERS, dialect).cte(name)


def _ids(*found: CTE) -> CompoundSelect[Any]:
    return union(*(select(cte.c.id) for cte in found))


def _shown(found: str) -> Select[Any]:
    return select(literal_column(f"'{found}'").label("found"), *COLUMNS)


def _trees(dialect: str, levels: int) -> Select[Any]:
    """The trees of the ids, which have so many ``levels`` at most: one in the trash was under a
    parent that may be at the lowest level by now."""
    lines = [_MEMBERS.where(is_any_of(tasks.c.id, "ids")).cte("wanted")]
    for level in range(1, levels):
        lines.append(_parents_of(f"parents_{level}", lines[-1], dialect))
    above = _ids(*lines).cte("above")
    below = _children_of("below", above, dialect)
    every = _ids(above, below, _children_of("further", below, dialect)).cte("every")
    rows = _shown("tree").where(TASKS.owned)
    return _looked_up(select(every.c.id), tasks.c.id, rows, dialect)


def _live_lists() -> Select[Any]:
    own = lists.c.user_id == bindparam("of_user"), lists.c.deleted_at.is_(None)
    columns = (lists.c.id if column.name == "id" else null() for column in COLUMNS)
    of_tasks = select(tasks.c.list_id).where(TASKS.owned, is_any_of(tasks.c.id, "ids"))
    wanted = is_any_of(lists.c.id, "lists") | is_found_by(lists.c.id, of_tasks)
    return select(literal_column("'list'"), *columns).where(*own, wanted)


def _taken(dialect: str) -> Sequence[Select[Any]]:
    """What the same unit moved to the trash under tasks that are there, in two levels."""
    taker = tasks.alias("taker")
    of_taker = (
        taker.c.user_id == bindparam("of_user"),
        taker.c.id == tasks.c.parent_id,
        taker.c.deleted_unit == tasks.c.deleted_unit,
    )
    in_trash = tasks.c.parent_id.is_not(None), tasks.c.deleted_at.is_not(None)
    with_it = tasks.join(taker, and_(*of_taker))

    def taken(rows: Select[Any]) -> Select[Any]:
        return rows.select_from(with_it).where(TASKS.owned, *in_trash)

    of_ids = is_any_of(tasks.c.parent_id, "ids")
    children = taken(select(tasks.c.id)).where(of_ids).cte("children")
    rows = taken(_shown("taken"))
    return rows.where(of_ids), _looked_up(select(children), tasks.c.parent_id, rows, dialect)


def _edge(side: Side) -> Select[Any]:
    """The nearest task on top on one side of each neighbour on top; those of the ids stay out."""
    beside = tasks.alias("beside")
    of_top = (
        beside.c.user_id == bindparam("of_user"),
        beside.c.deleted_at.is_(None),
        beside.c.parent_id.is_(None),
        ~is_any_of(beside.c.id, "ids"),
    )
    after = side == "after"
    position = beside.c.position
    behind = position > tasks.c.position if after else position < tasks.c.position

    def nearest(in_place: ColumnElement[bool]) -> ColumnElement[Any]:
        found = select(position).where(*of_top, in_place, behind).limit(1)
        # By the list, too, which all share: PostgreSQL finds the order of the inbox no other way.
        keys = (beside.c.list_id, position)
        return found.order_by(*(k.asc() if after else k.desc() for k in keys)).scalar_subquery()

    own = case(
        (tasks.c.list_id.is_(None), nearest(beside.c.list_id.is_(None))),
        else_=nearest(beside.c.list_id == tasks.c.list_id),
    )
    edge = {"id": tasks.c.id, "position": own}
    columns = (edge.get(column.name, null()) for column in COLUMNS)
    of_neighbours = TASKS.owned, is_any_of(tasks.c.id, "neighbours"), tasks.c.parent_id.is_(None)
    return select(literal_column(f"'{side}'"), *columns).where(*of_neighbours)


@cache
def statement(dialect: str, edges: bool, taken: bool) -> CompoundSelect[Any]:
    """All that is read in one statement; the first column says what a row was found as."""
    beside = (_edge("before"), _edge("after")) if edges else ()
    parts = _trees(dialect, 4 if taken else 3), _live_lists(), *beside
    return union_all(*parts, *(_taken(dialect) if taken else ())).limit(bindparam("most"))


@cache
def trashed_below(dialect: str) -> Select[Any]:
    """The ids of all tasks of the trash below one that is there: the ``parent``."""
    rows = select(tasks.c.id).where(TASKS.owned, tasks.c.deleted_at.is_not(None))
    below = rows.where(tasks.c.parent_id == bindparam("parent")).cte("trashed", recursive=True)
    if dialect == "postgresql":
        of_index = rows.where(tasks.c.parent_id.is_not(None))
        further = _looked_up(select(below.c.id), tasks.c.parent_id, of_index, dialect)
    else:  # which has no recursion in a subquery, and would take IS NOT NULL for a range
        further = rows.join_from(below, tasks, tasks.c.parent_id == below.c.id)
    return select(below.union_all(further).c.id)
