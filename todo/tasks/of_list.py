"""All tasks of a list at once: they go to the trash, or to the inbox."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam

from todo.sync.unit_of_work import UnitOfWork
from todo.tasks.batch import LIVE, change
from todo.tasks.resource import TASKS
from todo.values import positions

_tasks = TASKS.table.c
_OF_LIST: Final = LIVE.add_columns(_tasks.position).where(_tasks.list_id == bindparam("list"))


def to_trash(unit: UnitOfWork, list_id: int) -> int:
    """Move the live tasks of a list to the trash; return how many."""
    rows = unit.read(_OF_LIST, {"list": list_id})
    change(unit, rows, unit.deleted())
    return len(rows)


def to_inbox(unit: UnitOfWork, list_id: int) -> int:
    """Move the live tasks of a list to the end of the inbox; return how many.

    Those on top keep their order, all others their parents and positions.
    """
    rows = unit.read(_OF_LIST, {"list": list_id})
    change(unit, rows, {"list_id": None}, _at_the_end(rows, unit.next_revision))
    return len(rows)


def _at_the_end(rows: Sequence[Row[Any]], revision: int) -> dict[int, str]:
    """New positions of the tasks on top, by their ids. ``revision`` is the first of the change.

    Each is the integer of another revision of this change, so no other key is ever the same. It
    need not be the revision of the task, which follows the order of the ids.
    """
    top = [row for row in rows if row.parent_id is None]
    top.sort(key=lambda row: (row.position or positions.last(row.id), row.id))
    return {row.id: positions.last(revision + place) for place, row in enumerate(top)}
