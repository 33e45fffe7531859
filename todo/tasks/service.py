"""Tasks: create, update, complete, delete, restore.

Each change is made inside of a unit of work: lock, decide, record. A change of nothing is a no-op:
it keeps ``updated_at`` and ``revision``. What a change does to one task among its relations is a
function of a :class:`Forest`, so that a bulk does the same.
"""

from collections.abc import Sequence
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from todo.problems import MemberError, Problem, pointing_at
from todo.sync import trash
from todo.sync.preconditions import Precondition
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import occurrences, places, recurrence
from todo.tasks.forest import Forest, trashed_below
from todo.tasks.places import Place
from todo.tasks.resource import TASKS
from todo.tasks.task import TRASHED, Fields, Task
from todo.tasks.terms import Terms
from todo.values import positions
from todo.values.dates import date_or_instant, zone

_CLEARED: Final[Fields] = {"priority": "medium", "due_date": None, "tags": []}
"""What a task has where nothing is given, and what ``None`` makes of it."""


def create(unit: UnitOfWork, fields: Fields, terms: Terms) -> Task:
    """Create a task from its ``title`` and the other ``fields`` that are given.

    Its id is the revision it was created at, so ids grow and are never used again. Raises
    :class:`Problem`: ``quota_exceeded`` when the user has as many tasks as ``terms`` let, trash
    included, and ``validation_failed`` for a list, a parent or a recurrence that it cannot have.
    """
    check_quota(unit, 1, terms.quota)
    with pointing_at():
        return add(read_for(unit, fields), fields, terms.where)


def read_for(unit: UnitOfWork, *several: Fields, **also: Any) -> Forest:
    """Read the trees of all tasks, and the lists, that ``several`` fields name."""
    ids = [fields.get(name) for fields in several for name in ("id", "parent_id")]
    return Forest.read(unit, ids, [fields.get("list_id") for fields in several], **also)


def add(forest: Forest, fields: Fields, where: ZoneInfo) -> Task:
    """Add the task that ``fields`` make at the next revision, which is its id too.

    A task that is completed from the beginning has no next one. Raises :class:`MemberError`.
    """
    unit, completed = forest.unit, fields.get("completed", False)
    place = places.find(forest, fields)
    places.check(forest, place, None, is_open=not completed)
    members = {
        "title": "",
        "description": None,
        "completed": completed,
        "completed_at": unit.now if completed else None,
        **_CLEARED,
        **recurrence.NONE,
        **_settled(fields),
        **place._asdict(),
        "position": positions.last(unit.next_revision),
    }
    new = unit.new(TASKS, members)
    if fields.get("recurrence") is not None:
        new = recurrence.settled(None, new, fields, now=unit.now, where=where)
    return forest.put(None, new)


def check_quota(unit: UnitOfWork, more: int, quota: int) -> None:
    """Raise :class:`Problem` ``quota_exceeded`` unless there is room for so many ``more`` tasks."""
    if unit.counters.all_tasks + more > quota:
        raise quota_exceeded(quota)


def quota_exceeded(quota: int) -> Problem:
    """Return the problem of whoever would have more than ``quota`` tasks."""
    return Problem("quota_exceeded", f"A user may have {quota} tasks, the trash included.")


def add_many(unit: UnitOfWork, made: Sequence[Fields]) -> list[Task]:
    """Add tasks whose fields are all given, times included, and return them, each with its id.

    They are in the inbox, on top, unless ``made`` says another place, which is not checked. One
    that repeats has a due date. Raises :class:`MemberError` for a recurrence that it cannot have.
    """
    added = []
    for fields in made:
        position = positions.last(unit.next_revision)
        where = {**Place()._asdict(), "position": position}
        new = unit.new(TASKS, {**recurrence.NONE, **where, **fields})
        if fields.get("recurrence") is not None:
            new = recurrence.settled(None, new, fields, now=unit.now, where=zone("UTC"))
        added.append(new)
        unit.put(TASKS, None, new)
    return added


def change(
    unit: UnitOfWork,
    task_id: int,
    changes: Fields,
    terms: Terms,
    precondition: Precondition | None = None,
) -> Task:
    """Apply ``changes``, any fields but those that the server sets, and return the task.

    A field that is absent stays as it is, one that is ``None`` is cleared. Raises
    :class:`Problem`: ``task_not_found``, ``precondition_failed``, ``quota_exceeded`` (a series),
    and ``validation_failed`` for a list, a parent or a recurrence that it cannot have.
    """
    task = unit.entity(TASKS, task_id, precondition)
    moves = places.is_elsewhere(task, changes)
    with pointing_at():
        forest = read_for(unit, task, changes) if moves else Forest(unit)
        occurrences.look_around(forest, [(task, changes)])
        return edit(forest, task, changes, terms)


def edit(forest: Forest, task: Task, changes: Fields, terms: Terms) -> Task:
    """Apply ``changes`` to ``task``; raises :class:`MemberError`."""
    others = {name: value for name, value in changes.items() if name not in places.MEMBERS}
    completed = others.get("completed", task["completed"])
    moved = places.move_to(forest, task, changes, is_open=not completed)
    changed = _changed(forest.unit, moved, others, terms.where)
    return occurrences.follow(forest, moved, changed, terms)


def complete(
    unit: UnitOfWork,
    task_id: int,
    completed: bool | None,
    terms: Terms,
    precondition: Precondition | None = None,
    *,
    subtasks: bool = False,
) -> Task:
    """Set ``completed``, or turn it around when it is ``None``; return the task.

    With ``subtasks`` all that is below it is completed with it. Raises :class:`Problem`:
    ``task_not_found``, ``precondition_failed``, ``quota_exceeded`` (a series),
    ``validation_failed`` for ``subtasks`` that would be opened.
    """
    task = unit.entity(TASKS, task_id, precondition)
    target = not task["completed"] if completed is None else completed
    forest = read_for(unit, task) if subtasks else Forest(unit)
    changing = with_below(forest, task) if subtasks else [task]
    occurrences.look_around(forest, [(one, {"completed": target}) for one in changing])
    with pointing_at():
        return set_completed(forest, task, target, terms, subtasks=subtasks)


def with_below(forest: Forest, task: Task) -> list[Task]:
    """Return all that is below ``task``, the leaves first, and ``task`` behind them."""
    return [*reversed(list(forest.descendants(task["id"]))), task]


def set_completed(
    forest: Forest, task: Task, completed: bool, terms: Terms, *, subtasks: bool
) -> Task:
    """Set the state of ``task``, and of all that is below it with ``subtasks``; return it.

    Raises :class:`MemberError` for ``subtasks`` that would be opened.
    """
    if subtasks and not completed:
        raise MemberError("contradiction", "subtasks", "completes subtasks, and never opens them")
    for one in with_below(forest, task) if subtasks else [task]:
        there = forest.tasks.get(one["id"], one)  # one before may have given it another position
        changed = _changed(forest.unit, there, {"completed": completed}, terms.where)
        occurrences.follow(forest, there, changed, terms)
    return forest.tasks.get(task["id"], task)


def delete(unit: UnitOfWork, task_id: int, precondition: Precondition | None = None) -> Task:
    """Move a task to the trash with all that is below it; return it as it is there.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    task = unit.entity(TASKS, task_id, precondition)
    is_leaf = not unit.counters_of(TASKS, task)["children"]
    return places.remove(Forest(unit) if is_leaf else read_for(unit, task), task)


def restore(unit: UnitOfWork, task_id: int, precondition: Precondition | None = None) -> Task:
    """Take a task out of the trash with all that went there with it; return it.

    Where its list is gone it is in no list, and where its parent is, on top. Raises
    :class:`Problem`: ``task_not_found``, ``precondition_failed``, and ``validation_failed`` where
    its parent has no room any more.
    """
    task = unit.entity(TASKS, task_id, precondition, trashed=True)
    with pointing_at(parameter="task_id"):
        return bring_back(read_for(unit, task, restores=True), task)


def bring_back(forest: Forest, task: Task) -> Task:
    """Take ``task`` out of the trash with what went there with it; raises :class:`MemberError`."""
    back = places.of_restored(forest, task)
    for old, place in back:
        live = {**TASKS.shown(forest.unit.renewed(old)), **place._asdict()}
        forest.put(old, cast("Task", live))
    return forest.tasks[task["id"]]


def purge(unit: UnitOfWork, task_id: int, precondition: Precondition | None = None) -> Task:
    """Delete a task of the trash for good, with all that is below it there; return it.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``.
    """
    task = trash.remove(unit, TASKS, task_id, precondition)
    if below := sorted(trashed_below(unit, task_id)):
        unit.delete_batch(TASKS, below, TRASHED)
    return task


def _changed(unit: UnitOfWork, task: Task, changes: Fields, where: ZoneInfo) -> Task:
    """Return ``task`` after ``changes``; the very same if they change nothing."""
    changed = cast("Task", {**task, **_settled(changes)})
    if task["recurrence"] is not None or changes.get("recurrence") is not None:
        changed = recurrence.settled(task, changed, changes, now=unit.now, where=where)
    if changed == task:
        return task
    if changed["completed"] != task["completed"]:
        changed["completed_at"] = unit.now if changed["completed"] else None
    return unit.renewed(changed)


def _settled(fields: Fields) -> dict[str, Any]:
    """``fields`` as they are kept: what is null cleared, an instant in its one form.

    What ``recurrence`` becomes depends on the task.
    """
    kept = {
        name: _CLEARED.get(name) if value is None else value
        for name, value in fields.items()
        if name != "recurrence"
    }
    if due_date := kept.get("due_date"):
        kept["due_date"] = date_or_instant(due_date)
    return kept
