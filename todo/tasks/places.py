"""Where a task is: in a list or in the inbox, under a parent or on top, and at a position there.

A place is asked for by its members ``list_id`` and ``parent_id``. A child is in the list of its
parent, always; so a task that moves to another list takes everything below it along.
"""

from collections.abc import Container, Iterator
from typing import Final, NamedTuple, NoReturn, cast

from todo.problems import MemberError
from todo.sync import trash
from todo.tasks import order
from todo.tasks.forest import MOST_DESCENDANTS, MOST_LEVELS, MOST_OPEN_CHILDREN, Forest
from todo.tasks.task import Fields, Task

MEMBERS: Final = ("list_id", "parent_id")
"""The members of a task that say which place it is in."""


class Place(NamedTuple):
    """A list, or the inbox, and a task in it, or its top."""

    list_id: int | None = None
    parent_id: int | None = None

    @classmethod
    def of(cls, task: Task) -> "Place":
        """Return the place that ``task`` is in."""
        return cls(task["list_id"], task["parent_id"])


def asked_for(fields: Fields) -> Fields:
    """Return those members of a place that ``fields`` name."""
    return {name: fields[name] for name in MEMBERS if name in fields}


def is_elsewhere(task: Task, fields: Fields) -> bool:
    """Whether ``fields`` ask for another place than that of ``task``."""
    return any(task[name] != value for name, value in asked_for(fields).items())  # type: ignore[literal-required]


def find(forest: Forest, fields: Fields, current: Place | None = None) -> Place:
    """Return the place that ``fields`` ask for; ``current`` is where the task is.

    A parent alone brings its list; a list alone means its top. Raises :class:`MemberError`.
    """
    if fields.get("parent_id") is not None:
        return _under(_parent(forest, fields["parent_id"]), fields)
    if "list_id" in fields:
        list_id = fields["list_id"]
        if list_id is not None and list_id not in forest.lists:
            raise MemberError("unknown_reference", "list_id", "is no list of the user's")
        return Place(list_id)
    return Place(current.list_id if current else None)


def _parent(forest: Forest, parent_id: int) -> Task:
    if (parent := forest.tasks.get(parent_id)) is None:
        raise MemberError("unknown_reference", "parent_id", "is no task of the user's")
    return parent


def _under(parent: Task, fields: Fields) -> Place:
    if "list_id" in fields and fields["list_id"] != parent["list_id"]:
        raise MemberError("contradiction", "list_id", "is not the list of the parent")
    return Place(parent["list_id"], parent["id"])


def check(
    forest: Forest,
    place: Place,
    task: Task | None,
    *,
    is_open: bool,
    below: int = 0,
    height: int = 1,
) -> None:
    """Raise :class:`MemberError` if ``place`` has no room for ``task``, or for a new one.

    So many tasks come along ``below`` it; all of them have so many levels.
    """
    if place.parent_id is None or (task is not None and task["parent_id"] == place.parent_id):
        return
    parent = forest.tasks[place.parent_id]
    line = [parent, *forest.ancestors(parent)]
    if task is not None and any(one["id"] == task["id"] for one in line):
        raise MemberError("contradiction", "parent_id", "is the task itself, or below it")
    if len(line) + height > MOST_LEVELS:
        _refuse(f"tasks are at most {MOST_LEVELS} levels deep")
    children = forest.children(parent["id"])
    if is_open and sum(not one["completed"] for one in children) >= MOST_OPEN_CHILDREN:
        _refuse(f"has {MOST_OPEN_CHILDREN} open subtasks already")
    inside = {one["id"] for one in counting(forest, line[-1]["id"])}
    more = 0 if task is not None and task["id"] in inside else 1 + below
    if len(inside) + more > MOST_DESCENDANTS:
        _refuse(f"the task on top has {MOST_DESCENDANTS} subtasks at most")


def is_overfull(forest: Forest, task_id: int) -> bool:
    """Whether the task on top of one has more below it than :func:`check` lets come."""
    line = [forest.tasks[task_id], *forest.ancestors(forest.tasks[task_id])]
    return sum(1 for _ in counting(forest, line[-1]["id"])) > MOST_DESCENDANTS


def counting(forest: Forest, task_id: int) -> Iterator[Task]:
    """Give the tasks below one that count: a series leaves ever more completed ones behind it,
    which do not, with all that is below them.
    """
    for child in forest.children(task_id):
        if not (child["completed"] and child["next_id"] is not None):
            yield child
            yield from counting(forest, child["id"])


def _refuse(detail: str) -> NoReturn:
    raise MemberError("limit", "parent_id", detail)


def move_to(forest: Forest, task: Task, fields: Fields, *, is_open: bool) -> Task:
    """Move ``task`` to the end of the place that ``fields`` ask for, if it is not there; return it.

    Raises :class:`MemberError`.
    """
    if not is_elsewhere(task, fields):
        return task
    place = find(forest, fields, Place.of(task))
    if place == Place.of(task):
        return task
    check_moved(forest, place, task, is_open=is_open)
    return settle(forest, task, place, order.end(forest, task, place))


def check_moved(forest: Forest, place: Place, task: Task, *, is_open: bool) -> None:
    """Raise what :func:`check` does for a live ``task`` with all that is below it."""
    below, height = len(list(counting(forest, task["id"]))), forest.height(task["id"])
    check(forest, place, task, is_open=is_open, below=below, height=height)


def settle(forest: Forest, task: Task, place: Place, position: str) -> Task:
    """Move ``task`` to a ``position`` in ``place``, with everything below it; return it there.

    One revision for the task, one for each descendant whose list changes.
    """
    there = {**task, **place._asdict(), "position": position}
    moved = forest.put(task, forest.unit.renewed(cast("Task", there)))
    take_along(forest, moved)
    return moved


def take_along(forest: Forest, task: Task, but: Container[int] = ()) -> None:
    """Move everything below ``task`` to its list, but for trees whose ids are in ``but``."""
    for one in list(forest.descendants(task["id"], but)):
        if one["list_id"] != task["list_id"]:
            inside = cast("Task", {**one, "list_id": task["list_id"]})
            forest.put(one, forest.unit.renewed(inside))


def remove(forest: Forest, task: Task, but: Container[int] = ()) -> Task:
    """Move ``task`` to the trash with all that is below it, but for trees whose ids are in ``but``;
    return it as it is there."""
    below = list(forest.descendants(task["id"], but))
    removed = forest.put(task, trash.in_trash(forest.unit, task))
    for one in below:
        forest.put(one, trash.in_trash(forest.unit, one))
    return removed


def of_restored(forest: Forest, task: Task) -> list[tuple[Task, Place]]:
    """Return ``task``, which is in the trash, and what went there with it, each with its place.

    Raises :class:`MemberError` where the parent has no room any more.
    """
    parent = forest.tasks.get(task["parent_id"] or 0)
    if parent is not None:
        place = Place.of(parent)._replace(parent_id=parent["id"])
    else:
        place = Place(task["list_id"] if task["list_id"] in forest.lists else None)
    levels = [[task]]
    # Deeper ones went to the trash by themselves, in the same unit, before what was above moved.
    while with_it := [one for above in levels[-1] for one in forest.went_along(above)]:
        if len(levels) == MOST_LEVELS:
            break
        levels.append(with_it)
    below = [one for level in levels[1:] for one in level]
    if parent is not None:
        is_open = not task["completed"]
        try:
            check(forest, place, None, is_open=is_open, below=len(below), height=len(levels))
        except MemberError as error:  # no client has named the parent
            raise MemberError(error.code, None, error.detail) from None
    return [(task, place), *((one, place._replace(parent_id=one["parent_id"])) for one in below)]
