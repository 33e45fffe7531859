"""Many changes of tasks as one: all of them are made, or none.

The tasks are read once, with the trees that they are in, changed in the order of the operations,
and written once; how many there are does not change how many statements that takes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NotRequired, TypedDict

from todo.problems import Problem, Violation, pointing_at, validation_failed
from todo.sync.preconditions import stale
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import moves, occurrences, places, service, trees
from todo.tasks.forest import Forest
from todo.tasks.resource import TASKS
from todo.tasks.service import quota_exceeded
from todo.tasks.task import Fields, Task
from todo.tasks.terms import Terms


class Operation(TypedDict):
    """One of the contract's ``BulkOperation``s; ``op`` says which members it has."""

    op: str
    id: NotRequired[int]
    data: NotRequired[Fields]
    completed: NotRequired[bool]
    subtasks: NotRequired[bool]
    if_revision: NotRequired[int]


class Result(TypedDict):
    """What an operation did: the status that it would have alone, and the task after the bulk."""

    status: int
    task: Mapping[str, object] | None


class BulkResult(TypedDict):
    """The results in the order of the operations, and the user's revision after them."""

    results: list[Result]
    revision: int


_STATUS: Final = {
    "create": 201,
    "update": 200,
    "complete": 200,
    "move": 200,
    "restore": 200,
    "delete": 204,
}
_IDS: Final = ("id", "parent_id", "series_id", "previous_id", "next_id")
_MEMBERS_IN: Final = {"create": "/data", "update": "/data"}
"""Where the members of a task are in an operation, if not in the operation itself."""


def change(
    unit: UnitOfWork, operations: Sequence[Operation], terms: Terms, *, dry_run: bool = False
) -> BulkResult:
    """Make all ``operations``, in their order; return a ``BulkResult``.

    Each task that changes takes one revision. A ``dry_run`` changes nothing: what would be new or
    changed has no revision, what would be new no id either. Raises :class:`Problem`, with the place
    of every operation that fails: ``validation_failed`` for a task in two of them, and what the
    first that fails would be refused with by itself.
    """
    _refuse_repeats(operations)
    room = terms.quota - unit.counters.all_tasks
    forest = _read(unit, operations)
    before = {**forest.tasks, **forest.trashed}
    _refuse_failing(operations, forest, room, terms.quota)
    ids = [_apply(forest, index, operation, terms) for index, operation in enumerate(operations)]
    after: list[Mapping[str, object] | None] = [forest.tasks.get(one) for one in ids]
    if dry_run:
        unit.discard()
        newest, pairs = unit.counters.revision, zip(ids, after, strict=True)
        after = [_rehearsed(before.get(one), task, newest) for one, task in pairs]
    results = [_result(*pair) for pair in zip(operations, after, strict=True)]
    return {"results": results, "revision": unit.counters.revision}


def _read(unit: UnitOfWork, operations: Sequence[Operation]) -> Forest:
    """Read all that the operations name, in one statement.

    Where tasks that repeat get a state, another one reads what is around them.
    """
    named: list[Fields] = [*operations, *(one["data"] for one in operations if "data" in one)]
    beside = [one for fields in named for one in moves.neighbours(fields)]
    forest = Forest.read(
        unit,
        [*beside, *(fields.get(name) for fields in named for name in ("id", "parent_id"))],
        [fields.get("list_id") for fields in named],
        neighbours=beside,
        restores=any(one["op"] == "restore" for one in operations),
        most=trees.MOST_READ,
    )
    occurrences.look_around(forest, _states(forest, operations))
    return forest


def _states(forest: Forest, operations: Sequence[Operation]) -> Iterator[tuple[Task, Fields]]:
    """The tasks that get a state, each with the fields that it gets."""
    if any(one.get("subtasks") for one in operations):
        # An operation before may put any task below the one that is completed.
        together = [*forest.tasks.values(), *forest.trashed.values()]
        yield from ((one, {"completed": True}) for one in together)
    for operation in operations:
        task_id = operation.get("id", 0)
        if (task := forest.tasks.get(task_id) or forest.trashed.get(task_id)) is None:
            continue
        if operation["op"] == "update":
            yield task, operation["data"]
        elif operation["op"] == "complete":
            yield task, {"completed": operation["completed"]}


def _apply(forest: Forest, index: int, operation: Operation, terms: Terms) -> int:
    """Make one operation; return the id of its task."""
    op, place = operation["op"], f"/operations/{index}"
    with _placed(place), pointing_at(place + _MEMBERS_IN.get(op, "")):
        if op == "create":
            return service.add(forest, operation["data"], terms.where)["id"]
        task_id = operation["id"]
        if op == "restore" and (trashed := forest.trashed.get(task_id)) is not None:
            service.bring_back(forest, trashed)
        elif (task := forest.tasks.get(task_id)) is not None:
            # A task to restore has come back with an earlier one.
            _change(forest, task, operation, terms)
        elif op != "delete":  # an earlier operation took it along
            raise TASKS.not_found(False).at([_not_found(place)])
        return task_id


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Say where the operation is, in a problem that does not say it."""
    try:
        yield
    except Problem as problem:
        if not problem.errors:
            problem.at([Violation(problem.code, problem.detail, pointer=place)])
        raise


def _change(forest: Forest, task: Task, operation: Operation, terms: Terms) -> None:
    match operation["op"]:
        case "update":
            service.edit(forest, task, operation["data"], terms)
        case "complete":
            subtasks = operation.get("subtasks", False)
            state = operation["completed"]
            service.set_completed(forest, task, state, terms, subtasks=subtasks)
        case "move":
            moves.put(forest, task, operation)
        case "delete":
            places.remove(forest, task)


def _result(operation: Operation, task: Mapping[str, object] | None) -> Result:
    gone = operation["op"] == "delete"
    return {"status": _STATUS[operation["op"]], "task": None if gone else task}


def _rehearsed(
    before: Task | None, after: Mapping[str, Any] | None, newest: int
) -> Mapping[str, object] | None:
    """``after`` without what only a change that is made gives: revision, position, and every id
    behind the ``newest`` revision."""
    if after is None or after == before:
        return after
    unknown = dict.fromkeys(name for name in _IDS if (after[name] or 0) > newest)
    if before is None or before["position"] != after["position"]:
        unknown["position"] = None
    return {**after, **unknown, "revision": None}


def _refuse_repeats(operations: Iterable[Operation]) -> None:
    seen: set[int] = set()
    repeated = []
    for index, operation in enumerate(operations):
        if operation.get("id") in seen:
            detail = "is also the task of an earlier operation"
            repeated.append(Violation("not_unique", detail, pointer=f"/operations/{index}/id"))
        elif "id" in operation:
            seen.add(operation["id"])
    if repeated:
        raise validation_failed(*repeated)


def _refuse_failing(operations: Sequence[Operation], forest: Forest, room: int, quota: int) -> None:
    """Raise the problem of the first operation that fails, with the places of all that do."""
    failing: list[tuple[Problem, str]] = []
    may_come = forest.trashed if any(one["op"] == "restore" for one in operations) else {}
    for index, operation in enumerate(operations):
        place = f"/operations/{index}"
        if operation["op"] == "create":
            room -= 1
            if room < 0:
                failing.append((quota_exceeded(quota), place))
            continue
        restores = operation["op"] == "restore"
        task = (forest.trashed if restores else forest.tasks).get(operation["id"])
        # An earlier operation may bring it back along.
        if (task := task or may_come.get(operation["id"])) is None:
            failing.append((TASKS.not_found(restores), f"{place}/id"))
        elif operation.get("if_revision", task["revision"]) != task["revision"]:
            detail = f"Task {task['id']} is at revision {task['revision']}."
            failing.append((stale(TASKS.shown(task), detail), f"{place}/if_revision"))
    if failing:
        first, _ = failing[0]
        raise first.at(Violation(p.code, p.detail, pointer=place) for p, place in failing)


def _not_found(place: str) -> Violation:
    problem: Any = TASKS.not_found(False)
    return Violation(problem.code, problem.detail, pointer=f"{place}/id")
