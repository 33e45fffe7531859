"""Moves of a task by hand: to another place, before or after a neighbour, to the start or the end.

Siblings stay untouched: a position between two others is text that sorts there. Where no text
is short enough, siblings around get new positions first.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, cast

from sqlalchemy import Select, bindparam, select

from todo.models import tasks
from todo.sync.preconditions import Precondition
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import places
from todo.tasks.forest import Forest, Side
from todo.tasks.places import Place, PlaceError
from todo.tasks.resource import TASKS
from todo.tasks.task import Fields, Task
from todo.values import positions

_BEHIND_ALL: Final = "~"
SIDES: Final[tuple[Side, ...]] = ("before", "after")


def move(
    unit: UnitOfWork, task_id: int, fields: Fields, precondition: Precondition | None = None
) -> Task:
    """Move a task to where ``fields`` say: ``list_id``, ``parent_id``, and at most one of
    ``before``, ``after`` and ``at``; return it.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``, and ``validation_failed``
    for a place that it cannot have.
    """
    task = unit.entity(TASKS, task_id, precondition)
    with places.pointing_at():
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
    """Move ``task`` to where ``fields`` say; return it. Raises :class:`PlaceError`.

    ``rewrites`` is called once siblings have got new positions, before the task moves.
    """
    given = [name for name in (*SIDES, "at") if name in fields]
    if len(given) > 1:
        raise PlaceError("contradiction", given[1], f"is given beside {given[0]}")
    side = next((side for side in SIDES if side in fields), None)
    place = _place(forest, task, fields, side)
    places.check_moved(forest, place, task, is_open=not task["completed"])
    if side is None:
        revision = forest.unit.renewed(task)["revision"]
        at_start = fields.get("at") == "start"
        position = positions.first(revision) if at_start else positions.last(revision)
        return places.settle(forest, task, place, position)
    return _beside(forest, task, place, forest.tasks[fields[side]], side, rewrites)


def _place(forest: Forest, task: Task, fields: Fields, side: Side | None) -> Place:
    asked = places.asked_for(fields)
    place = places.find(forest, fields, Place.of(task)) if asked else Place.of(task)
    if side is None:
        return place
    if fields[side] == task["id"]:
        raise PlaceError("contradiction", side, "is the task itself")
    if (neighbour := forest.tasks.get(fields[side])) is None:
        raise PlaceError("unknown_reference", side, "is no task of the user's")
    if asked and Place.of(neighbour) != place:
        raise PlaceError("contradiction", side, "is in another place")
    return Place.of(neighbour)


def _beside(
    forest: Forest,
    task: Task,
    place: Place,
    neighbour: Task,
    side: Side,
    rewrites: Callable[[], None] | None,
) -> Task:
    edge = _edge(forest, task, neighbour, side)
    beside = (neighbour["position"], edge)
    left, right = beside if side == "after" else beside[::-1]
    if Place.of(task) == place and (left or "") < task["position"] < (right or _BEHIND_ALL):
        return task
    found = positions.between(left, right, forest.unit.renewed(task)["revision"])
    if found is None:
        found = _rewritten(forest, task, place, left, right)
        if rewrites is not None:
            rewrites()
    return places.settle(forest, task, place, found)


def _edge(forest: Forest, task: Task, neighbour: Task, side: Side) -> str | None:
    """The nearest position on one side of ``neighbour``, but for that of ``task``."""
    place, position = Place.of(neighbour), neighbour["position"]
    known = [
        one["position"]
        for one in forest.siblings(place.parent_id)
        if one["list_id"] == place.list_id and one["id"] != task["id"]
    ]
    if (stored := forest.edges.get((neighbour["id"], side))) is not None:
        known.append(stored)
    if side == "after":
        return min((one for one in known if one > position), default=None)
    return max((one for one in known if one < position), default=None)


def _rewritten(
    forest: Forest, task: Task, place: Place, left: str | None, right: str | None
) -> str:
    """Give siblings around the gap between two positions new ones; return the one in the gap."""
    unit = forest.unit
    before = _siblings(forest, task, place, _BEFORE, left)[::-1] if left else []
    after = _siblings(forest, task, place, _AFTER, right) if right else []
    window = positions.window(_positions(before), _positions(after), unit.next_revision)
    if window is None:
        raise PlaceError("limit", "position", "has no room left; move tasks around it apart")
    moving = [*reversed(before[: window.before]), *after[: window.after]]
    for one, position in zip(moving, window.positions, strict=True):
        forest.put(one, cast("Task", {**unit.renewed(one), "position": position}))
    return window.moved


def _positions(siblings: Sequence[Task]) -> list[str]:
    return [one["position"] for one in siblings]


def _siblings(
    forest: Forest, task: Task, place: Place, statement: Select[Any], edge: str
) -> list[Task]:
    """The nearest siblings on one side of a gap, ascending; as the unit has left them by now."""
    bound = {"of_list": place.list_id, "of_parent": place.parent_id, "edge": edge}
    rows = forest.unit.read(statement, {**bound, "moving": task["id"]})
    found = {row.id for row in rows}
    stored = [TASKS.entity(row) for row in rows if row.id not in forest.touched]
    known = [one for one in forest.siblings(place.parent_id) if one["id"] in forest.touched & found]
    return sorted([*stored, *known], key=itemgetter("position"))


def _side(*, after: bool) -> Select[Any]:
    position = tasks.c.position
    behind = position >= bindparam("edge") if after else position <= bindparam("edge")
    of_place = (
        tasks.c.list_id.is_not_distinct_from(bindparam("of_list")),
        tasks.c.parent_id.is_not_distinct_from(bindparam("of_parent")),
    )
    rows = select(*TASKS.columns).where(*TASKS.live, *of_place, behind)
    rows = rows.where(tasks.c.id != bindparam("moving"))
    nearest = position.asc() if after else position.desc()
    return rows.order_by(nearest).limit(positions.SIBLINGS_PER_SIDE)


_BEFORE: Final = _side(after=False)
_AFTER: Final = _side(after=True)
