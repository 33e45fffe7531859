"""Moves of lists: a user has few, so all places are read and the new order is made in memory."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import select

from todo.lists.list import TaskList
from todo.lists.resource import LISTS
from todo.models import lists
from todo.problems import Violation, validation_failed
from todo.sync.preconditions import Precondition
from todo.sync.unit_of_work import UnitOfWork
from todo.values import positions

_ALL: Final = select(*LISTS.columns).where(*LISTS.live).order_by(lists.c.position, lists.c.id)
_SIDES: Final = ("before", "after")


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
    _refuse_contradiction(moved, to)
    before = [LISTS.entity(row) for row in unit.read(_ALL, {})]
    after = [one for one in before if one["id"] != list_id]
    after.insert(_place(after, to), moved)
    return moved if after == before else _settle(unit, after, moved)


def _refuse_contradiction(moved: TaskList, to: Move) -> None:
    given = list(to)
    if len(given) > 1:
        detail = f"is given beside '{given[0]}'"
        raise validation_failed(Violation("contradiction", detail, pointer=f"/{given[1]}"))
    for side in _SIDES:
        if to.get(side) == moved["id"]:
            raise validation_failed(
                Violation("contradiction", "is the list itself", pointer=f"/{side}")
            )


def _place(others: Sequence[TaskList], to: Move) -> int:
    """Which place among the ``others`` the move asks for."""
    places = {one["id"]: place for place, one in enumerate(others)}
    for side in _SIDES:
        if side in to:
            if (neighbour := places.get(to[side])) is None:
                detail = "is no list of the user's"
                raise validation_failed(Violation("unknown_reference", detail, pointer=f"/{side}"))
            return neighbour + (side == "after")
    return 0 if to.get("at") == "start" else len(others)


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
