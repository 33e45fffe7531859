"""What becomes of a list that is deleted, and of its tasks."""

from typing import Literal

from todo.lists.resource import LISTS
from todo.sync import trash
from todo.sync.preconditions import Precondition
from todo.sync.unit_of_work import Changed, UnitOfWork
from todo.tasks import of_list
from todo.tasks.resource import TASKS

Destination = Literal["trash", "inbox"]
_MOVES = {"trash": of_list.to_trash, "inbox": of_list.to_inbox}


def delete(
    unit: UnitOfWork, list_id: int, to: Destination, precondition: Precondition | None = None
) -> Changed:
    """Delete a list and move its live tasks ``to`` the trash or the inbox, as one unit.

    Returns how many ``changed``, the list and the tasks, and the user's ``revision``. Raises
    :class:`Problem`: ``list_not_found``, ``precondition_failed``.
    """
    trash.delete(unit, LISTS, list_id, precondition)
    return unit.changed(1 + _MOVES[to](unit, list_id))


def empty_trash(unit: UnitOfWork) -> Changed:
    """Delete all tasks in the trash, and all deleted lists, for good; ``changed`` counts tasks."""
    emptied = trash.empty(unit, TASKS)
    if unit.counters.all_lists:
        trash.empty(unit, LISTS)
    return emptied
