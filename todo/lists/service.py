"""Lists: create, update.

Each change is made inside of a unit of work, like those of tasks. A change of nothing is a no-op.
"""

from typing import cast

from todo.lists.list import Fields, TaskList
from todo.lists.resource import LISTS
from todo.problems import Problem
from todo.sync.preconditions import Precondition
from todo.sync.unit_of_work import UnitOfWork
from todo.values import positions


def create(unit: UnitOfWork, fields: Fields, *, quota: int) -> TaskList:
    """Create a list from its ``name`` and, if given, its ``color``; it is the last one then.

    Raises :class:`Problem` ``quota_exceeded`` when the user has ``quota`` lists, deleted ones
    included.
    """
    if unit.counters.all_lists >= quota:
        detail = f"A user may have {quota} lists, those included that are not purged yet."
        raise Problem("quota_exceeded", detail)
    position = positions.last(unit.next_revision)
    created = unit.new(LISTS, {"color": None, **fields, "position": position})
    unit.put(LISTS, None, created)
    return created


def change(
    unit: UnitOfWork, list_id: int, changes: Fields, precondition: Precondition | None = None
) -> TaskList:
    """Apply ``changes`` of ``name`` and ``color``, and return the list.

    Raises :class:`Problem`: ``list_not_found``, ``precondition_failed``.
    """
    old = unit.entity(LISTS, list_id, precondition)
    new = cast("TaskList", {**old, **changes})
    if new == old:
        return old
    new = unit.renewed(new)
    unit.put(LISTS, old, new)
    return new
