"""What an undo makes of tasks that have relations.

The tasks of a unit have not changed since, but what is around them may have: a parent may be gone,
or below its child by now. So each goes back to where it was, as far as that is still there.
"""

from collections.abc import Iterable, Sequence
from typing import cast

from todo.sync.undo import Returning, TakenBack, old_of, put_old, refuse
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import places, service
from todo.tasks.forest import MOST_LEVELS, Forest
from todo.tasks.places import Place
from todo.tasks.resource import TASKS
from todo.tasks.task import Task


def take_back(unit: UnitOfWork, taken: Sequence[TakenBack], returning: Returning) -> None:
    """Record that tasks are taken back.

    A task whose parent is gone is on top, one whose list is gone is in the inbox. What is below a
    task that goes away or to another list goes along. Raises :class:`Problem` ``not_undoable``
    where a task would be below itself, or too deep.
    """
    places_of = [place for one in taken for place in _places(one)]
    if not any(place != Place() for place in places_of) and not any(
        unit.counters_of(TASKS, one.entity)["children"] for one in taken
    ):
        put_old(unit, TASKS, taken)
        return
    ids = [one.entity["id"] for one in taken]
    parents = [place.parent_id for place in places_of]
    forest = Forest.read(unit, [*ids, *parents], [place.list_id for place in places_of])
    for one in taken:
        _take_back(forest, one, returning)
    _check(forest, ids)


def _places(taken: TakenBack) -> Iterable[Place]:
    task, before = taken
    yield Place.of(task)
    if before is not None:
        yield Place.of(cast("Task", {**task, **before}))


def _take_back(forest: Forest, taken: TakenBack, returning: Returning) -> None:
    task = forest.tasks.get(taken.entity["id"], taken.entity)
    old = cast("Task", old_of(forest.unit, TASKS, task, taken.before))
    if old.get("deleted_at") is not None:
        if task["id"] in forest.tasks:
            service.remove(forest, task)
        return
    place = _place(forest, old, returning)
    places.take_along(forest, forest.put(task, cast("Task", {**old, **place._asdict()})))


def _place(forest: Forest, old: Task, returning: Returning) -> Place:
    """Where a task comes back to: where it was, as far as that is there."""
    list_id, parent_id = Place.of(old)
    if parent_id is not None and parent_id not in returning.away:
        if (parent := forest.tasks.get(parent_id)) is not None:
            return Place(parent["list_id"], parent_id)
        if parent_id in returning.back:
            return Place(_list(forest, list_id, returning), parent_id)
    return Place(_list(forest, list_id, returning))


def _list(forest: Forest, list_id: int | None, returning: Returning) -> int | None:
    is_there = list_id in forest.lists or list_id in returning.back
    return list_id if is_there and list_id not in returning.away else None


def _check(forest: Forest, ids: Sequence[int]) -> None:
    """Raise ``not_undoable`` for a task that is below itself, or too deep."""
    for task in (forest.tasks[one] for one in ids if one in forest.tasks):
        level, above = 1, task
        while (parent := forest.tasks.get(above["parent_id"] or 0)) is not None:
            level, above = level + 1, parent
            if level > MOST_LEVELS:
                refuse("contradiction", "tasks would be too deep, or below themselves")
