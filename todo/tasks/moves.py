"""Moves of a task by hand: to another place, before or after a neighbour, to the start or the end.

Siblings stay untouched: a position between two others is text that sorts there. Where no text
is short enough, siblings around get new positions first.
"""

from collections.abc import Callable, Sequence
from typing import Final, cast

from todo.problems import MemberError, pointing_at
from todo.sync.moves import ENDS, SIDES, Side, side_of
from todo.sync.preconditions import Precondition
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import order, places
from todo.tasks.forest import Forest
from todo.tasks.places import Place
from todo.tasks.resource import TASKS
from todo.tasks.task import Fields, Task
from todo.values import positions

_BEHIND_ALL: Final = "~"
_NO_PLACE: Final = "must have at least one of list_id, parent_id, before, after and at"


def move(
    unit: UnitOfWork, task_id: int, fields: Fields, precondition: Precondition | None = None
) -> Task:
    """Move a task to where ``fields`` say: ``list_id``, ``parent_id``, and at most one of
    ``before``, ``after`` and ``at``; return it.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``, and ``validation_failed``
    for a place that it cannot have.
    """
    task = unit.entity(TASKS, task_id, precondition)
    with pointing_at():
        forest = Forest.read(
            unit,
            [task_id, fields.get("parent_id"), *neighbours(fields)],
            [fields.get("list_id")],
            neighbours=neighbours(fields),
        )
        return put(forest, task, fields, rewrites=unit.set_apart)


def neighbours(fields: Fields) -> list[int]:
    """Return the ids that ``fields`` of a move name as neighbours."""
    return [fields[side] for side in SIDES if side in fields]


def put(
    forest: Forest, task: Task, fields: Fields, *, rewrites: Callable[[], None] | None = None
) -> Task:
    """Move ``task`` to where ``fields`` say; return it. Raises :class:`MemberError`.

    ``rewrites`` is called once siblings have got new positions, before the task moves.
    """
    if not any(name in fields for name in (*places.MEMBERS, *ENDS)):
        raise MemberError("too_few", None, _NO_PLACE)
    side = side_of(fields, TASKS.kind, task["id"])
    place = _place(forest, task, fields, side)
    places.check_moved(forest, place, task, is_open=not task["completed"])
    if side is None:
        go = order.start if fields.get("at") == "start" else order.end
        return places.settle(forest, task, place, go(forest, task, place))
    return _beside(forest, task, place, forest.tasks[fields[side]], side, rewrites)


def _place(forest: Forest, task: Task, fields: Fields, side: Side | None) -> Place:
    asked = places.asked_for(fields)
    place = places.find(forest, fields, Place.of(task)) if asked else Place.of(task)
    if side is None:
        return place
    if (neighbour := forest.tasks.get(fields[side])) is None:
        raise MemberError("unknown_reference", side, "is no task of the user's")
    if asked and Place.of(neighbour) != place:
        raise MemberError("contradiction", side, "is in another place")
    return Place.of(neighbour)


def _beside(
    forest: Forest,
    task: Task,
    place: Place,
    neighbour: Task,
    side: Side,
    rewrites: Callable[[], None] | None,
) -> Task:
    edge = order.nearest(forest, task, neighbour, after=side == "after")
    beside = (neighbour["position"], edge)
    left, right = beside if side == "after" else beside[::-1]
    if Place.of(task) == place and (left or "") < task["position"] < (right or _BEHIND_ALL):
        return task
    if left is None or right is None:
        go = order.end if right is None else order.start
        return places.settle(forest, task, place, go(forest, task, place))
    found = positions.between(left, right, forest.unit.renewed(task)["revision"])
    if found is None:
        if not forest.of_all:
            found = _rewritten(forest, task, neighbour, left, right)
        if found is None:
            raise MemberError("limit", side, "has no room left beside it; move tasks there apart")
        if rewrites is not None:
            rewrites()
    return places.settle(forest, task, place, found)


def _rewritten(forest: Forest, task: Task, neighbour: Task, left: str, right: str) -> str | None:
    """Give siblings around the gap between two positions new ones; return the one in the gap, if
    that makes room."""
    unit = forest.unit
    before = order.beside(forest, task, neighbour, left, after=False)
    after = order.beside(forest, task, neighbour, right, after=True)
    window = positions.window(_positions(before), _positions(after), unit.next_revision)
    if window is None:
        return None
    moving = [*reversed(before[: window.before]), *after[: window.after]]
    for one, position in zip(moving, window.positions, strict=True):
        forest.put(one, cast("Task", {**unit.renewed(one), "position": position}))
    return window.moved


def _positions(siblings: Sequence[Task]) -> list[str]:
    return [one["position"] for one in siblings]
