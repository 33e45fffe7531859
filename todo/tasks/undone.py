"""What an undo makes of tasks that have relations.

The tasks of a unit have not changed since, but what is around them may have: a parent may be gone,
or below its child by now. So each goes back to where it was, as far as that is still there.
"""

from collections.abc import Iterable, Sequence
from typing import Final, cast

from todo.database.errors import change_too_large
from todo.sync.undo import Returning, TakenBack, old_of, put_old, refuse
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import places
from todo.tasks.forest import MOST_LEVELS, Forest
from todo.tasks.places import Place
from todo.tasks.resource import TASKS
from todo.tasks.task import Task

_COMING: Final = {"deleted_at", "parent_id"}
"""Members whose change brings a live task under a parent."""
_RELATIONS: Final = _COMING | {"list_id"}
"""Members that say where a task is."""
_MOST_WAITING: Final = 10_000
_MOST_READ: Final = 100_000
"""Tasks, of all trees that a batch of tasks is in."""


def take_back(unit: UnitOfWork, taken: Sequence[TakenBack], returning: Returning) -> None:
    """Record that tasks are taken back.

    A task whose parent is gone is on top, one whose list is gone is in the inbox. What is below a
    task that goes away or to another list goes along. A task waits for a parent that is taken back
    later, so that no task changes twice. Raises :class:`Problem`: ``not_undoable`` where a task
    would be below itself, too deep, or one too many; ``change_too_large`` where too many wait.
    """
    taken = _ready([*returning.waiting, *taken], returning)
    if not any(map(_changes_places, taken)) or _are_alone(unit, taken):
        put_old(unit, TASKS, taken)
        return
    places_of = [place for one in taken for place in _places(one)]
    ids = [one.entity["id"] for one in taken]
    parents = [place.parent_id for place in places_of]
    lists = [place.list_id for place in places_of]
    forest = Forest.read(unit, [*ids, *parents], lists, most=_MOST_READ)
    for one in taken:
        _bring_back(forest, one, returning)
    back = [forest.tasks[one] for one in ids if one in forest.tasks]
    if any(_is_below_itself(forest, task) for task in back):
        refuse("contradiction", "tasks would be below themselves")
    for task in back:
        places.take_along(forest, forest.tasks[task["id"]], but=returning.pending)
    _send_away(forest, [one for one in taken if _goes_away(one)], returning)
    if any(_is_too_deep(forest, task) for task in back):
        refuse("contradiction", "tasks would be too deep")
    _check_room(forest, taken)


def _ready(taken: Sequence[TakenBack], returning: Returning) -> Sequence[TakenBack]:
    """Those of ``taken`` whose parents are not taken back later; the others wait."""
    parents = {one.entity["id"]: _parent_of(one) for one in taken}
    returning.pending.difference_update(parents)
    late = {one for one, parent in parents.items() if parent in returning.pending}
    for _ in range(MOST_LEVELS - 1):  # what is below one that waits does so, too
        late |= {one for one, parent in parents.items() if parent in late}
    returning.waiting[:] = [one for one in taken if one.entity["id"] in late]
    if len(returning.waiting) > _MOST_WAITING:
        raise change_too_large()
    returning.pending.update(late)
    return [one for one in taken if one.entity["id"] not in late]


def _parent_of(taken: TakenBack) -> int | None:
    """The parent under which a task is to come."""
    if _goes_away(taken) or not _changes_places(taken):
        return None
    parent: int | None = {**taken.entity, **(taken.before or {})}["parent_id"]
    return parent


def _changes_places(taken: TakenBack) -> bool:
    return taken.before is None or bool(_RELATIONS & taken.before.keys())


def _are_alone(unit: UnitOfWork, taken: Sequence[TakenBack]) -> bool:
    """Whether all are on top of the inbox, before and after, with nothing below them."""
    on_top = all(place == Place() for one in taken for place in _places(one))
    return on_top and not any(unit.counters_of(TASKS, one.entity)["children"] for one in taken)


def _places(taken: TakenBack) -> Iterable[Place]:
    task, before = taken
    yield Place.of(task)
    if before is not None:
        yield Place.of(cast("Task", {**task, **before}))


def _goes_away(taken: TakenBack) -> bool:
    return taken.before is None or taken.before.get("deleted_at") is not None


def _bring_back(forest: Forest, taken: TakenBack, returning: Returning) -> None:
    """Give a task that stays, or comes back, what it had; what is below it follows later."""
    if not _goes_away(taken):
        task = forest.tasks.get(taken.entity["id"], taken.entity)
        old = cast("Task", old_of(forest.unit, TASKS, task, taken.before))
        forest.put(task, cast("Task", {**old, **_place(forest, old, returning)._asdict()}))


def _send_away(forest: Forest, taken: Sequence[TakenBack], returning: Returning) -> None:
    """Move tasks to the trash, each as it was there, with what is below them and is not taken back
    itself later."""
    live = [one for one in taken if one.entity["id"] in forest.tasks]
    deepest_first = sorted(live, key=lambda one: -forest.level(forest.tasks[one.entity["id"]]))
    for one in deepest_first:
        task = forest.tasks[one.entity["id"]]
        for child in forest.children(task["id"]):
            if child["id"] not in returning.pending:
                places.remove(forest, child, but=returning.pending)
        forest.put(task, cast("Task", old_of(forest.unit, TASKS, task, one.before)))


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


def _is_below_itself(forest: Forest, task: Task) -> bool:
    above: set[int] = set()
    for one in forest.ancestors(task):
        if one["id"] in above:
            return True
        above.add(one["id"])
    return False


def _check_room(forest: Forest, taken: Sequence[TakenBack]) -> None:
    """Refuse to bring tasks back under parents that have no room for them any more."""
    came = {one.entity["id"] for one in taken if _COMING & (one.before or {}).keys()}
    parents = {forest.tasks[one]["parent_id"] for one in came if one in forest.tasks}
    there = [one for one in parents if one in forest.tasks]
    if any(places.is_overfull(forest, one) for one in there if one is not None):
        refuse("limit", "a task would have too many subtasks")


def _is_too_deep(forest: Forest, task: Task) -> bool:
    deepest = forest.level(task) - 1 + forest.height(task["id"])
    return task["id"] in forest.tasks and deepest > MOST_LEVELS
