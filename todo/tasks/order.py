"""The order of the tasks of one place, as a unit of work has left it by now.

The statement that reads a forest reads of each neighbour on top what is around it. A bulk moves
neighbours, too; what is around them then is what was read around the gap they went into, or is
read once more.
"""

from collections.abc import Sequence
from functools import cache
from itertools import compress
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, select

from todo.database.functions import is_any_of
from todo.models import tasks
from todo.tasks.forest import Forest, Gap
from todo.tasks.resource import TASKS
from todo.tasks.task import Fields, Task
from todo.values import positions

Where = tuple[int | None, int | None]
"""A list or the inbox, and a parent or the top."""

MOST_READ: Final = positions.SIBLINGS_PER_SIDE
"""Siblings on each side of a gap that :func:`beside` returns."""


def end(forest: Forest, task: Task, where: Where) -> str:
    """Return the position of ``task`` at the end of a place."""
    revision, newest = forest.unit.renewed(task)["revision"], forest.unit.counters.revision
    if revision > newest:
        return positions.last(revision)
    # The unit has changed the task already, and others have come to the end since.
    left = max([positions.last(newest), *_known(forest, task, where)])
    return _within(left, positions.last(newest + 1), revision)


def start(forest: Forest, task: Task, where: Where) -> str:
    """Return the position of ``task`` at the start of a place."""
    revision, newest = forest.unit.renewed(task)["revision"], forest.unit.counters.revision
    if revision > newest:
        return positions.first(revision)
    right = min([positions.first(newest), *_known(forest, task, where)])
    return _within(positions.first(newest + 1), right, revision)


def _within(left: str, right: str, revision: int) -> str:
    found = positions.between(left, right, revision)
    assert found is not None  # noqa: S101 - one unit splits no gap as often as that
    return found


def nearest(forest: Forest, task: Task, neighbour: Task, *, after: bool) -> str | None:
    """Return the nearest position on one side of ``neighbour``, but for that of ``task``."""
    where, position = _where(neighbour), neighbour["position"]
    gap = Gap(None, None) if where[1] is not None else _gap(forest, task, neighbour)
    stored = gap.after if after else gap.before
    known = [*_known(forest, task, where), *([] if stored is None else [stored])]
    if after:
        return min((one for one in known if one > position), default=None)
    return max((one for one in known if one < position), default=None)


def beside(
    forest: Forest, task: Task, neighbour: Task, edge: str, *, after: bool
) -> Sequence[Task]:
    """Return the siblings from the position ``edge`` on, on one side, the nearest first.

    ``task`` is none of them. There are at most :data:`MOST_READ`.
    """
    where = list_id, parent_id = _where(neighbour)
    touched = {*forest.touched, task["id"]}
    bound = {"of_list": list_id, "of_parent": parent_id, "edge": edge, "touched": sorted(touched)}
    given = {name: value for name, value in bound.items() if value is not None}
    rows = forest.unit.read(_side(list_id is None, parent_id is None, after), given)
    moved = [one for one in _siblings(forest, task, where) if one["id"] in touched]
    on_side = (one["position"] >= edge if after else one["position"] <= edge for one in moved)
    every = [*(TASKS.entity(row) for row in rows), *compress(moved, on_side)]
    return sorted(every, key=itemgetter("position"), reverse=not after)[:MOST_READ]


def _where(task: Task) -> Where:
    return task["list_id"], task["parent_id"]


def _siblings(forest: Forest, task: Task, where: Where) -> list[Task]:
    every = forest.siblings(where[1])
    return [one for one in every if one["list_id"] == where[0] and one["id"] != task["id"]]


def _known(forest: Forest, task: Task, where: Where) -> list[str]:
    return [one["position"] for one in _siblings(forest, task, where)]


def _gap(forest: Forest, task: Task, neighbour: Task) -> Gap:
    """A gap around ``neighbour`` on top, in which are no tasks that the unit does not know.

    Tasks that the unit does not change stay where they are, so it stays one.
    """
    list_id, position = neighbour["list_id"], neighbour["position"]
    for gap in forest.gaps[list_id]:
        if (gap.before or "") < position and (gap.after is None or position < gap.after):
            return gap
    touched = sorted({*forest.touched, task["id"], neighbour["id"]})
    bound: Fields = {"touched": touched, "edge": position}
    bound = bound if list_id is None else {**bound, "of_list": list_id}
    [row] = forest.unit.read(_around(list_id is None), bound)
    forest.gaps[list_id].append(Gap(row.before, row.after))
    return forest.gaps[list_id][-1]


def _of_place(inbox: bool, top: bool) -> Sequence[ColumnElement[bool]]:
    """What an index finds: it serves no ``IS NOT DISTINCT FROM``."""
    list_id, parent_id = tasks.c.list_id, tasks.c.parent_id
    return (
        *TASKS.live,
        list_id.is_(None) if inbox else list_id == bindparam("of_list"),
        parent_id.is_(None) if top else parent_id == bindparam("of_parent"),
        ~is_any_of(tasks.c.id, "touched"),
    )


@cache
def _side(inbox: bool, top: bool, after: bool) -> Select[Any]:
    position = tasks.c.position
    behind = position >= bindparam("edge") if after else position <= bindparam("edge")
    rows = select(*TASKS.columns).where(*_of_place(inbox, top), behind)
    return rows.order_by(*_by_position(top, after)).limit(MOST_READ)


def _by_position(top: bool, after: bool) -> Sequence[ColumnElement[Any]]:
    """On top by the list, too, which all share: PostgreSQL finds the inbox's order no other way."""
    keys = (tasks.c.list_id, tasks.c.position) if top else (tasks.c.position,)
    return [key.asc() if after else key.desc() for key in keys]


@cache
def _around(inbox: bool) -> Select[Any]:
    position = tasks.c.position
    edge: ColumnElement[str] = bindparam("edge")
    of_place = select(position).where(*_of_place(inbox, top=True)).limit(1)
    before = of_place.where(position < edge).order_by(*_by_position(True, False)).scalar_subquery()
    after = of_place.where(position > edge).order_by(*_by_position(True, True)).scalar_subquery()
    return select(before.label("before"), after.label("after"))
