"""Moves of lists: a user has few, so all places are read and the new order is made in memory."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import select

from todo.lists.list import TaskList
from todo.lists.resource import LISTS
from todo.models import lists
from todo.problems import MemberError, pointing_at
from todo.sync.moves import side_of
from todo.sync.preconditions import Precondition
from todo.sync.unit_of_work import UnitOfWork
from todo.values import positions

_ALL: Final = select(*LISTS.columns).where(*LISTS.live).order_by(lists.c.position, lists.c.id)

Move = Mapping[str, Any]
"""Where a list goes: ``before`` or ``after`` the list of an id, or ``at`` the ``start`` or the
``end``; to the end without any of them."""


def move(
    unit: UnitOfWork, list_id: int, to: Move, precondition: Precondition | None = None
) -> TaskList:
    """Move a list, and return it. One that is there already stays as it is.

    Raises :class:`Problem`: ``list_not_found``, ``precondition_failed``, ``validation_failed``
    with ``contradiction`` or ``unknown_reference``.
    """
    moved = unit.entity(LISTS, list_id, precondition)
    before = [LISTS.entity(row) for row in unit.read(_ALL, {})]
    after = [one for one in before if one["id"] != list_id]
    with pointing_at():
        after.insert(_place(after, to, moved), moved)
    return moved if after == before else _settle(unit, after, moved)


def _place(others: Sequence[TaskList], to: Move, moved: TaskList) -> int:
    """Which place among the ``others`` the move asks for."""
    if (side := side_of(to, LISTS.kind, moved["id"])) is None:
        return 0 if to.get("at") == "start" else len(others)
    places = {one["id"]: place for place, one in enumerate(others)}
    if (neighbour := places.get(to[side])) is None:
        raise MemberError("unknown_reference", side, "is no list of the user's")
    return neighbour + (side == "after")


def _settle(unit: UnitOfWork, order: Sequence[TaskList], moved: TaskList) -> TaskList:
    """Give ``moved`` a position between those beside it; all of them, where there is no room."""
    place = order.index(moved)
    left = order[place - 1]["position"] if place > 0 else None
    right = order[place + 1]["position"] if place + 1 < len(order) else None
    position = positions.between(left, right, unit.next_revision)
    if position is not None:
        return _put(unit, moved, position)
    return [_put(unit, one, positions.last(unit.next_revision)) for one in order][place]


def _put(unit: UnitOfWork, old: TaskList, position: str) -> TaskList:
    new = unit.renewed(cast("TaskList", {**old, "position": position}))
    unit.put(LISTS, old, new)
    return new
