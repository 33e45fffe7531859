"""Changes of all of a user's tasks at once; each takes its own revision, in the order of ids."""

from collections.abc import Mapping, Sequence, Set
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from todo.problems import Problem
from todo.sync.unit_of_work import Changed, UnitOfWork
from todo.tasks import occurrences, service
from todo.tasks.forest import Forest
from todo.tasks.resource import TASKS
from todo.tasks.task import Fields
from todo.tasks.terms import Terms

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
        _tasks.occurrence,
        _tasks.next_id,
    )
    .where(*TASKS.live)
    .order_by(_tasks.id)
)
"""What :func:`change` looks at, of all live tasks."""
_IN_STATE: Final = LIVE.where(_tasks.completed == bindparam("completed"))
_AS_MADE: Final = select(_tasks.id).where(
    *TASKS.live, _tasks.previous_id.is_not(None), _tasks.revision == _tasks.id
)
"""Next tasks that nobody has changed. Joined to those before them, PostgreSQL would compare each
with each while it has no statistics."""
MOST_SERIES: Final = 2000
"""Tasks that repeat and change their state together: each is changed by itself."""
_SERIES_AT_ONCE: Final = 100
_MOST_READ: Final = 100_000
"""Tasks in the trees of so many, and of their next ones: 500 that count, and what is past."""


def clear_completed(unit: UnitOfWork) -> Changed:
    """Move every completed task to the trash; return how many ``changed``, and the ``revision``.

    A completed task that has open descendants stays.
    """
    rows = unit.read(_IN_STATE, {"completed": True})
    staying = _with_open_descendants(rows)
    cleared = [row for row in rows if row.id not in staying]
    change(unit, cleared, unit.deleted())
    return unit.changed(len(cleared))


def complete_all(unit: UnitOfWork, completed: bool, terms: Terms) -> Changed:
    """Complete every task, or take that back; returns like :func:`clear_completed`.

    What that makes of series counts for nothing. Raises :class:`Problem`: ``change_too_large`` for
    more than :data:`MOST_SERIES` tasks that repeat, ``quota_exceeded``.
    """
    rows = unit.read(_IN_STATE, {"completed": not completed})
    in_series = _in_series(unit, rows, completed)
    if len(in_series) > MOST_SERIES:
        detail = f"More than {MOST_SERIES} tasks that repeat are too many at once."
        raise Problem("change_too_large", detail)
    state = {"completed": completed, "completed_at": unit.now if completed else None}
    others = {row.id for row in rows} - in_series
    if not completed:  # what comes back to another list takes along what is reopened, too
        others -= _change_series(unit, in_series, completed, terms, beside=others)
    change(unit, [row for row in rows if row.id in others], state)
    if completed:
        _change_series(unit, in_series, completed, terms)
    return unit.changed(len(rows))


def _in_series(unit: UnitOfWork, rows: Sequence[Row[Any]], completed: bool) -> set[int]:
    """The ids of ``rows`` that have a next task then, or lose the one they have."""
    if completed:
        return {row.id for row in rows if row.occurrence is not None}
    before = {row.next_id: row.id for row in rows if row.next_id is not None}
    made = unit.read(_AS_MADE, {}) if before else ()
    return {before[row.id] for row in made if row.id in before}


def _change_series(
    unit: UnitOfWork, ids: set[int], completed: bool, terms: Terms, beside: Set[int] = frozenset()
) -> set[int]:
    """Change tasks that repeat one by one, those of a tree together, and then those ``beside`` them
    in their trees; return the ids of all of them.
    """
    changed: set[int] = set()
    while left := ids - changed:
        forest, state = Forest(unit, most=_MOST_READ, of_all=True), {"completed": completed}
        some = unit.entities(TASKS, sorted(left)[:_SERIES_AT_ONCE])
        occurrences.look_around(forest, [(one, state) for one in some.values()])
        together = left & forest.tasks.keys()
        others = [(forest.tasks[one], state) for one in together - some.keys()]
        occurrences.look_around(forest, others)
        in_order = sorted(together, key=lambda one: _leaves_first(forest, one))
        in_order += sorted(beside & forest.tasks.keys())
        for task_id in in_order:
            service.set_completed(forest, forest.tasks[task_id], completed, terms, subtasks=False)
        unit.write_batch()
        changed |= {*in_order}
    return changed


def _leaves_first(forest: Forest, task_id: int) -> tuple[int, int]:
    return -forest.level(forest.tasks[task_id]), task_id


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
