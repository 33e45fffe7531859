"""What becomes of a series when one of its tasks is completed, reopened or skipped.

The next occurrence is a task of its own. It is made in the unit that completes the one before, and
taken back in the unit that reopens that, unless it has changed since.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final, cast
from zoneinfo import ZoneInfo

from todo.problems import MemberError, Problem, Violation, validation_failed
from todo.sync.preconditions import Precondition
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import moves, places, recurrence
from todo.tasks.forest import MOST_DESCENDANTS, MOST_LEVELS, Forest
from todo.tasks.places import Place
from todo.tasks.resource import TASKS
from todo.tasks.task import Fields, Task
from todo.tasks.terms import Terms
from todo.values import positions

_COPIED: Final = ("title", "description", "priority", "due_date", "tags", "list_id", "time_zone")
_REPEATED: Final = (
    *_COPIED,
    "parent_id",
    "recurrence",
    "recurrence_text",
    "series_id",
)
_OPEN: Final = {"completed": False, "completed_at": None}


def look_around(forest: Forest, changing: Iterable[tuple[Task, Fields]]) -> None:
    """Read what it takes to complete or to reopen tasks by their new fields, if ``forest`` lacks
    it: nothing for tasks that do not repeat.
    """
    ids: set[int] = set()
    neighbours: set[int] = set()
    for task, fields in changing:
        completed = fields.get("completed", task["completed"])
        if completed == task["completed"] or not _has_series(task, fields, completed):
            continue
        ids |= {task["id"], task["next_id"] or task["id"]} - forest.tasks.keys()
        if completed and task["parent_id"] is None:
            neighbours.add(task["id"])
    if ids or neighbours:
        forest.extend(ids | neighbours, neighbours)


def _has_series(task: Task, fields: Fields, completed: bool) -> bool:
    if not completed:
        return task["next_id"] is not None
    return fields.get("recurrence", task["recurrence"]) is not None


def follow(forest: Forest, old: Task, new: Task, terms: Terms) -> Task:
    """Record that ``old`` becomes ``new``, and what that means for the series; return the task.

    Raises :class:`Problem` ``quota_exceeded``.
    """
    if new["completed"] == old["completed"]:
        return forest.put(old, new)
    if new["completed"]:
        return _complete(forest, old, new, terms)
    return _reopen(forest, old, new)


def _complete(forest: Forest, old: Task, new: Task, terms: Terms) -> Task:
    """Complete a task, and make the next one of its series, unless that is there."""
    done = forest.put(old, new)
    if done["recurrence"] is None or done["next_id"] in forest.tasks:
        return done
    due = recurrence.next_due(done, now=forest.unit.now, where=terms.where)
    if due is None:
        return done
    made = _made(forest, done, due, terms)
    there = forest.tasks[done["id"]]  # where there was no room, it has another position by now
    return forest.put(there, {**there, "next_id": made["id"]})


def _made(forest: Forest, done: Task, due: str, terms: Terms) -> Task:
    """Make the occurrence behind ``done``, beside it in the order, with the steps of ``done``."""
    following = {
        **{name: done[name] for name in _REPEATED},
        **_OPEN,
        "due_date": due,
        "occurrence": due,
        "occurrence_number": (done["occurrence_number"] or 1) + 1,
        "previous_id": done["id"],
        "next_id": None,
    }
    made = _behind(forest, done, _new(forest, following, terms))
    _carry_over(forest, done, made, terms)
    return made


def _behind(forest: Forest, done: Task, made: Task) -> Task:
    """Move ``made`` behind ``done``; to the end of the place where no position there is short
    enough, for completing is never refused because of the order.
    """
    try:
        return moves.put(forest, made, {"after": done["id"]})
    except MemberError:
        return moves.put(forest, made, {"at": "end"})


def _new(forest: Forest, members: Fields, terms: Terms) -> Task:
    unit = forest.unit
    if unit.counters.all_tasks >= terms.quota + terms.quota // 10:
        detail = f"A user may have {terms.quota} tasks, the trash included; a series a tenth more."
        raise Problem("quota_exceeded", detail)
    position = positions.last(unit.next_revision)
    return forest.put(None, unit.new(TASKS, {"position": position, **members}))


def _carry_over(forest: Forest, above: Task, to: Task, terms: Terms) -> None:
    """Give the steps of ``above`` to the next occurrence: open ones move, others are copied, open.

    A completed step that has a next one of its own is history, and stays.
    """
    for step, behind in _with_next(forest.children(above["id"])):
        if not step["completed"]:
            there = {**forest.unit.renewed(step), "parent_id": to["id"]}
            forest.put(step, cast("Task", there))
        elif step["next_id"] is None:
            _carry_over(forest, step, _copy(forest, step, behind, to, terms), terms)


def _with_next(steps: list[Task]) -> Iterator[tuple[Task, Task | None]]:
    yield from pairwise([*steps, None])


def _copy(forest: Forest, step: Task, behind: Task | None, to: Task, terms: Terms) -> Task:
    revision = forest.unit.next_revision
    between = positions.between(
        step["position"], behind["position"] if behind else positions.last(revision), revision
    )
    members = {
        **recurrence.NONE,
        **{name: step[name] for name in _COPIED},
        **_OPEN,
        "parent_id": to["id"],
        "position": between or positions.last(revision),
        "previous_id": step["id"],
    }
    return _new(forest, members, terms)


def _reopen(forest: Forest, old: Task, new: Task) -> Task:
    """Reopen a task; take back its next one, and what moved to that, if nothing changed since."""
    made = forest.tasks.get(new["next_id"] or 0)
    if made is None or _has_changed(forest, made) or not _has_room(forest, old, made):
        return forest.put(old, new)
    reopened = forest.put(old, {**new, "next_id": None})
    for step in _moved(forest, made):
        _give_back(forest, step, made, reopened)
    places.remove(forest, forest.tasks[made["id"]])
    return reopened


def _has_changed(forest: Forest, made: Task) -> bool:
    """Whether a task, or anything that is below it, has changed since the unit that made it.

    All that the unit moved there or made there is open, and has that moment and a later revision.
    """
    below = (_as_read(forest, step) for step in forest.descendants(made["id"]))
    return made["revision"] != made["id"] or any(
        step["completed"] or step["updated_at"] != made["created_at"]
        for step in below
        if step["revision"] > made["id"]
    )


def _as_read(forest: Forest, step: Task) -> Task:
    """``step`` before a unit of all tasks changed it, if it was below the same task."""
    before = forest.as_read.get(step["id"], step) if forest.of_all else step
    return before if before["parent_id"] == step["parent_id"] else step


def _has_room(forest: Forest, task: Task, made: Task) -> bool:
    """Whether what moved to ``made`` can come back below ``task``, wherever that is by now."""
    below = len(_moved(forest, made)) + sum(1 for _ in places.counting(forest, task["id"]))
    deepest = forest.level(task) - 1 + forest.height(made["id"])
    return below <= MOST_DESCENDANTS and deepest <= MOST_LEVELS


def _moved(forest: Forest, made: Task) -> list[Task]:
    return [step for step in forest.descendants(made["id"]) if step["id"] < made["id"]]


def _give_back(forest: Forest, step: Task, made: Task, reopened: Task) -> None:
    """Move a step back to what it was under: the task itself, or the original of a copy."""
    above = forest.tasks[step["parent_id"] or 0]
    if above["id"] < made["id"]:
        return  # it goes along with its parent, which moves back
    under = forest.tasks.get(above["previous_id"] or 0)
    if under is None or under["parent_id"] != reopened["id"]:
        under = reopened
    places.settle(forest, step, Place(under["list_id"], under["id"]), step["position"])


def skip(
    unit: UnitOfWork, task_id: int, where: ZoneInfo, precondition: Precondition | None = None
) -> Task:
    """Let a task take the next date of its series, in place; return it.

    Raises :class:`Problem`: ``task_not_found``, ``precondition_failed``, and ``validation_failed``
    ``contradiction`` for a task without a rule, a completed one, and the last one of its series.
    """
    task = unit.entity(TASKS, task_id, precondition)
    if task["recurrence"] is None:
        raise _cannot_skip("has no recurrence")
    if task["completed"]:
        raise _cannot_skip("is completed")
    due = recurrence.date_after_skip(task, now=unit.now, where=where)
    if due is None:
        raise _cannot_skip("is the last one of its series")
    skipped = {**unit.renewed(task), "due_date": due, "occurrence": due}
    unit.put(TASKS, task, cast("Task", skipped))
    return cast("Task", skipped)


def _cannot_skip(why: str) -> Problem:
    return validation_failed(Violation("contradiction", why, parameter="task_id"))
