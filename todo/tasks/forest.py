"""The trees of tasks and subtasks that a unit of work looks at, as they are under the user's lock.

A tree has at most :data:`MOST_DESCENDANTS` tasks under the one on top, but for done ones of series,
in :data:`MOST_LEVELS` levels. So whole trees are read, in one statement, and every rule about
relations is a rule about what is in memory. The statement runs after the lock: one that waits for a
lock reads again the rows that it locks, and no others (PostgreSQL, READ COMMITTED).
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple, Self

from todo.problems import Problem
from todo.sync.moves import SIDES
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import trees
from todo.tasks.resource import TASKS
from todo.tasks.task import Task

MOST_LEVELS: Final = 3
MOST_OPEN_CHILDREN: Final = 200
MOST_DESCENDANTS: Final = 500


class Gap(NamedTuple):
    """Two positions in a place; between them are only tasks that the forest has. ``None`` is the
    start or the end."""

    before: str | None
    after: str | None


@dataclass
class Forest:
    """Whole trees of live tasks, and what else a change looks at. Made by :meth:`read`."""

    unit: UnitOfWork
    tasks: dict[int, Task] = field(default_factory=dict)
    lists: set[int] = field(default_factory=set)
    """Those that are live, of the lists that were asked for."""
    trashed: dict[int, Task] = field(default_factory=dict)
    """Those of the ids that are in the trash, and what went there with them, until they are put."""
    gaps: dict[int | None, list[Gap]] = field(default_factory=lambda: defaultdict(list))
    """Around neighbours on top, by their lists."""
    touched: set[int] = field(default_factory=set)
    """The ids of tasks that were put."""
    as_read: dict[int, Task] = field(default_factory=dict)
    """Live tasks as they were before the unit."""
    of_all: bool = False
    """Whether the unit gives all tasks one state. Then what it has changed itself counts as
    unchanged, and no sibling gets a new position, so that no task changes twice."""
    most: int = trees.MOST_OF_ONE
    """Tasks that one statement reads; more raise :class:`Problem` ``change_too_large``."""
    _children: dict[int | None, dict[int, Task]] = field(default_factory=lambda: defaultdict(dict))
    _went_along: dict[tuple[int | None, int | None], list[Task]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """What is in the trash, by its parent there and the unit that moved it there."""

    @classmethod
    def read(
        cls,
        unit: UnitOfWork,
        ids: Iterable[int | None],
        list_ids: Iterable[int | None] = (),
        *,
        neighbours: Iterable[int] = (),
        restores: bool = False,
        most: int = trees.MOST_OF_ONE,
    ) -> Self:
        """Return the trees that have a task of ``ids``; know which of ``list_ids``, and of the
        lists of these tasks, are live. ``None`` is nothing.

        ``neighbours`` are tasks of ``ids`` that others move to. With ``restores`` tasks of ``ids``
        in the trash come with what went there with them. Raises :class:`Problem`
        ``change_too_large`` for more than ``most`` tasks.
        """
        found = cls(unit, most=most)
        bound = {"ids": _given(ids), "lists": _given(list_ids)}
        if any(bound.values()):
            found._read(bound, {*neighbours}, restores)
        return found

    def extend(self, ids: Iterable[int], neighbours: Iterable[int]) -> None:
        """Read the trees that have a task of ``ids``, too; what is known already stays."""
        bound: dict[str, list[int]] = {"ids": sorted(ids), "lists": []}
        self._read(bound, {*neighbours}, restores=False)

    def _read(self, bound: dict[str, list[int]], neighbours: set[int], restores: bool) -> None:
        beside = {"neighbours": sorted(neighbours)} if neighbours else {}
        statement = trees.statement(self.unit.connection.dialect.name, bool(beside), restores)
        rows = self.unit.read(statement, {**bound, **beside, "most": self.most + 1})
        if len(rows) > self.most:
            detail = f"The trees of these tasks have more than {self.most} tasks together."
            raise Problem("change_too_large", detail)
        for row in rows:
            self._add(row)
        self._keep_gaps(row for row in rows if row.found in SIDES)

    def _add(self, row: Any) -> None:
        found, task = row.found, TASKS.entity(row[1:], trashed=True)
        if task["id"] in self.tasks or task["id"] in self.touched:
            return
        if found == "list":
            self.lists.add(task["id"])
        elif found not in SIDES:
            self.unit.know_derived(TASKS, row)
            if task.get("deleted_at") is None:
                self._keep(self.as_read.setdefault(task["id"], TASKS.shown(task)))
            elif task["id"] not in self.trashed:
                self.trashed[task["id"]] = task
                self._went_along[task["parent_id"], task.get("deleted_unit")].append(task)

    def _keep_gaps(self, rows: Iterable[Any]) -> None:
        """Keep what is around each neighbour, from its two rows."""
        edges = {(row.id, row.found): row.position for row in rows}
        for task_id in {row_id for row_id, _ in edges}.intersection(self.tasks):
            gap = Gap(edges[task_id, "before"], edges[task_id, "after"])
            self.gaps[self.tasks[task_id]["list_id"]].append(gap)

    def children(self, task_id: int) -> list[Task]:
        """Return the tasks whose parent is ``task_id``, by their positions."""
        return sorted(self._children[task_id].values(), key=itemgetter("position"))

    def went_along(self, task: Task) -> list[Task]:
        """Return what is in the trash under ``task``, which is there, since the same unit."""
        every = self._went_along[task["id"], task.get("deleted_unit")]
        return [one for one in every if one["id"] in self.trashed]

    def siblings(self, parent_id: int | None) -> list[Task]:
        """Return the tasks under ``parent_id``; on top, those that were read."""
        return list(self._children[parent_id].values())

    def descendants(self, task_id: int, but: Container[int] = ()) -> Iterator[Task]:
        """Give all tasks below ``task_id``, each behind its parent; not those with the ids of
        ``but``, nor what is below them."""
        for child in self.children(task_id):
            if child["id"] not in but:
                yield child
                yield from self.descendants(child["id"], but)

    def ancestors(self, task: Task) -> Iterator[Task]:
        """Give the parent of ``task``, its parent, and so on."""
        while (parent := self.tasks.get(task["parent_id"] or 0)) is not None:
            yield parent
            task = parent

    def level(self, task: Task) -> int:
        """Return the level of ``task``: 1 on top."""
        return 1 + sum(1 for _ in self.ancestors(task))

    def height(self, task_id: int) -> int:
        """Return how many levels the tree under ``task_id`` has, with itself."""
        return 1 + max((self.height(child["id"]) for child in self.children(task_id)), default=0)

    def put(self, old: Task | None, new: Task) -> Task:
        """Record that ``old`` becomes ``new``, in the unit and here; return ``new``."""
        self.unit.put(TASKS, old, new)
        self.touched.add(new["id"])
        if old is not None:
            self.tasks.pop(old["id"], None)
            self.trashed.pop(old["id"], None)
            self._children[old["parent_id"]].pop(old["id"], None)
        if new.get("deleted_at") is None:
            self._keep(new)
        return new

    def _keep(self, task: Task) -> None:
        self.tasks[task["id"]] = task
        self._children[task["parent_id"]][task["id"]] = task


def trashed_below(unit: UnitOfWork, task_id: int) -> list[int]:
    """Return the ids of all that is in the trash below a task of the trash, since whenever."""
    statement = trees.trashed_below(unit.connection.dialect.name)
    return [row.id for row in unit.read(statement, {"parent": task_id})]


def _given(ids: Iterable[int | None]) -> list[int]:
    return sorted({one for one in ids if one is not None})
