"""Changes of all of a user's tasks at once; each takes its own revision, in the order of ids."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from todo.sync.unit_of_work import Changed, UnitOfWork
from todo.tasks.resource import TASKS
from todo.tasks.task import Fields

_tasks = TASKS.table.c
LIVE: Final = (
    select(
        _tasks.id,
        _tasks.completed,
        _tasks.completed_at,
        _tasks.list_id,
        _tasks.parent_id,
        _tasks.children,
        _tasks.children_done,
        _tasks.deleted_at,
    )
    .where(*TASKS.live)
    .order_by(_tasks.id)
)
"""What :func:`change` looks at, of all live tasks."""
_IN_STATE: Final = LIVE.where(_tasks.completed == bindparam("completed"))


def clear_completed(unit: UnitOfWork) -> Changed:
    """Move every completed task to the trash; return how many ``changed``, and the ``revision``.

    A completed task that has open descendants stays.
    """
    rows = unit.read(_IN_STATE, {"completed": True})
    staying = _with_open_descendants(rows)
    cleared = [row for row in rows if row.id not in staying]
    change(unit, cleared, unit.deleted())
    return unit.changed(len(cleared))


def complete_all(unit: UnitOfWork, completed: bool) -> Changed:
    """Complete every task, or take that back; returns like :func:`clear_completed`."""
    rows = unit.read(_IN_STATE, {"completed": not completed})
    state = {"completed": completed, "completed_at": unit.now if completed else None}
    change(unit, rows, state)
    return unit.changed(len(rows))


def _with_open_descendants(rows: Sequence[Row[Any]]) -> set[int]:
    """The ids of completed tasks with an open child, and of what those are children of."""
    parents = {row.id: row.parent_id for row in rows}
    found: set[int] = set()
    for row in rows:
        task = row.id if row.children > row.children_done else None
        while task is not None and task not in found:
            found.add(task)
            task = parents.get(task)
    return found


def change(
    unit: UnitOfWork,
    rows: Sequence[Row[Any]],
    values: Fields,
    places: Mapping[int, str] | None = None,
) -> None:
    """Give the tasks of ``rows``, ascending by their ids, the ``values``.

    ``places`` has new positions, by the ids of tasks; where it is given, ``rows`` have positions.
    """
    for batch in unit.batches(rows):
        before = [row._asdict() for row in batch]
        unit.change_batch(
            TASKS,
            [row.id for row in batch],
            values,
            {} if places is None else {"position": [places.get(r.id, r.position) for r in batch]},
            was=[_was(old, values, places or {}) for old in before],
            counted=[(old, {**old, **values}) for old in before],
        )


def _was(old: Fields, values: Fields, places: Mapping[int, str]) -> Fields:
    """Those members of a task that are changed, but for what only the trash has."""
    was = {name: old[name] for name in values if name != "deleted_unit"}
    return {**was, "position": old["position"]} if old["id"] in places else was
