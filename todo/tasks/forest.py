"""The trees of tasks and subtasks that a unit of work looks at, as they are under the user's lock.

A tree has at most :data:`MOST_DESCENDANTS` tasks under the one on top, in :data:`MOST_LEVELS`
levels. So whole trees are read, in one statement, and every rule about relations is a rule about
what is in memory. The statement runs after the lock: one that waits for a lock reads again the rows
that it locks, and no others (PostgreSQL, READ COMMITTED).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Any, Final, NamedTuple, Self

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    case,
    literal_column,
    null,
    select,
    true,
    union,
    union_all,
)

from todo.database.functions import is_any_of, is_found_by
from todo.models import lists, tasks
from todo.sync.moves import SIDES, Side
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks.resource import TASKS
from todo.tasks.task import Task

MOST_LEVELS: Final = 3
MOST_OPEN_CHILDREN: Final = 200
MOST_DESCENDANTS: Final = 500

_MEMBERS: Final = select(tasks.c.id, tasks.c.parent_id).where(TASKS.owned)

_COLUMNS: Final = (*TASKS.columns, *TASKS.trash_columns, *TASKS.derived_columns)


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
    _children: dict[int | None, dict[int, Task]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def read(
        cls,
        unit: UnitOfWork,
        ids: Iterable[int | None],
        list_ids: Iterable[int | None] = (),
        *,
        neighbours: Iterable[int] = (),
        restores: bool = False,
    ) -> Self:
        """Return the trees that have a task of ``ids``; know which of ``list_ids``, and of the
        lists of these tasks, are live. ``None`` is nothing.

        ``neighbours`` are tasks of ``ids`` that others move to. With ``restores`` tasks of ``ids``
        in the trash come with what went there with them.
        """
        found = cls(unit)
        bound = {"ids": _given(ids), "lists": _given(list_ids)}
        if any(bound.values()):
            found._read(bound, {*neighbours}, restores)
        return found

    def extend(self, ids: Iterable[int], neighbours: Iterable[int]) -> None:
        """Read the trees that have a task of ``ids``, too; what is known already stays."""
        self._read({"ids": sorted(ids), "lists": []}, {*neighbours}, restores=False)

    def _read(self, bound: dict[str, Any], neighbours: set[int], restores: bool) -> None:
        beside = {"neighbours": sorted(neighbours)} if neighbours else {}
        dialect = self.unit.connection.dialect.name
        rows = self.unit.read(_statement(dialect, bool(beside), restores), {**bound, **beside})
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
            else:
                self.trashed[task["id"]] = task

    def _keep_gaps(self, rows: Iterable[Any]) -> None:
        """Keep what is around each neighbour, from its two rows."""
        edges = {(row.id, row.found): row.position for row in rows}
        for task_id in {row_id for row_id, _ in edges}.intersection(self.tasks):
            gap = Gap(edges[task_id, "before"], edges[task_id, "after"])
            self.gaps[self.tasks[task_id]["list_id"]].append(gap)

    def children(self, task_id: int) -> list[Task]:
        """Return the tasks whose parent is ``task_id``, by their positions."""
        return sorted(self._children[task_id].values(), key=itemgetter("position"))

    def siblings(self, parent_id: int | None) -> list[Task]:
        """Return the tasks under ``parent_id``; on top, those that were read."""
        return list(self._children[parent_id].values())

    def descendants(self, task_id: int) -> Iterator[Task]:
        """Give all tasks below ``task_id``, each behind its parent."""
        for child in self.children(task_id):
            yield child
            yield from self.descendants(child["id"])

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
    found: list[int] = []
    above = [task_id]
    while above:
        above = [row.id for row in unit.read(_TRASHED_CHILDREN, {"parents": above})]
        found += above
    return found


def _given(ids: Iterable[int | None]) -> list[int]:
    return sorted({one for one in ids if one is not None})


def _looked_up(
    keys: Select[Any], column: Column[Any], rows: Select[Any], dialect: str
) -> Select[Any]:
    """Those of ``rows`` whose ``column`` has one of ``keys``, each looked up in an index.

    PostgreSQL looks up one key after the other: for ``IN`` it may walk through all rows of the
    user, if it believes that they are few.
    """
    if dialect != "postgresql":
        return rows.where(column.in_(keys))
    [key] = (each := keys.subquery()).c
    found = rows.where(column == key).offset(literal_column("0")).lateral()
    return select(*found.c).select_from(each.join(found, true()))


def _children_of(name: str, found: CTE, dialect: str) -> CTE:
    is_child = tasks.c.parent_id.is_not(None), tasks.c.deleted_at.is_(None)
    rows = _MEMBERS.where(*is_child)
    return _looked_up(select(found.c.id), tasks.c.parent_id, rows, dialect).cte(name)


def _parents_of(name: str, found: CTE, dialect: str) -> CTE:
    """Parents in the trash, too: only the primary key's index serves that (see
    :func:`todo.sync.locked_reads.several`)."""
    return _looked_up(select(found.c.parent_id), tasks.c.id, _MEMBERS, dialect).cte(name)


def _ids(*found: CTE) -> CompoundSelect[Any]:
    return union(*(select(cte.c.id) for cte in found))


def _shown(found: str) -> Select[Any]:
    return select(literal_column(f"'{found}'").label("found"), *_COLUMNS)


def _trees(dialect: str) -> Select[Any]:
    wanted = _MEMBERS.where(is_any_of(tasks.c.id, "ids")).cte("wanted")
    parents = _parents_of("parents", wanted, dialect)
    above = _ids(wanted, parents, _parents_of("grandparents", parents, dialect)).cte("above")
    below = _children_of("below", above, dialect)
    every = _ids(above, below, _children_of("further", below, dialect)).cte("every")
    rows = _shown("tree").where(TASKS.owned)
    return _looked_up(select(every.c.id), tasks.c.id, rows, dialect)


def _live_lists() -> Select[Any]:
    own = lists.c.user_id == bindparam("of_user"), lists.c.deleted_at.is_(None)
    columns = (lists.c.id if column.name == "id" else null() for column in _COLUMNS)
    of_tasks = select(tasks.c.list_id).where(TASKS.owned, is_any_of(tasks.c.id, "ids"))
    wanted = is_any_of(lists.c.id, "lists") | is_found_by(lists.c.id, of_tasks)
    return select(literal_column("'list'"), *columns).where(*own, wanted)


def _taken(dialect: str) -> Sequence[Select[Any]]:
    """What the same unit moved to the trash under tasks that are there, in two levels."""
    taker = tasks.alias("taker")
    of_taker = (
        taker.c.user_id == bindparam("of_user"),
        taker.c.id == tasks.c.parent_id,
        taker.c.deleted_unit == tasks.c.deleted_unit,
    )
    in_trash = tasks.c.parent_id.is_not(None), tasks.c.deleted_at.is_not(None)
    with_it = tasks.join(taker, and_(*of_taker))

    def taken(rows: Select[Any]) -> Select[Any]:
        return rows.select_from(with_it).where(TASKS.owned, *in_trash)

    of_ids = is_any_of(tasks.c.parent_id, "ids")
    children = taken(select(tasks.c.id)).where(of_ids).cte("children")
    rows = taken(_shown("taken"))
    return rows.where(of_ids), _looked_up(select(children), tasks.c.parent_id, rows, dialect)


def _edge(side: Side) -> Select[Any]:
    """The nearest task on top on one side of each neighbour on top; those of the ids stay out."""
    beside = tasks.alias("beside")
    of_top = (
        beside.c.user_id == bindparam("of_user"),
        beside.c.deleted_at.is_(None),
        beside.c.parent_id.is_(None),
        ~is_any_of(beside.c.id, "ids"),
    )
    after = side == "after"
    position = beside.c.position
    behind = position > tasks.c.position if after else position < tasks.c.position

    def nearest(in_place: ColumnElement[bool]) -> ColumnElement[Any]:
        found = select(position).where(*of_top, in_place, behind).limit(1)
        return found.order_by(position.asc() if after else position.desc()).scalar_subquery()

    own = case(
        (tasks.c.list_id.is_(None), nearest(beside.c.list_id.is_(None))),
        else_=nearest(beside.c.list_id == tasks.c.list_id),
    )
    edge = {"id": tasks.c.id, "position": own}
    columns = (edge.get(column.name, null()) for column in _COLUMNS)
    of_neighbours = TASKS.owned, is_any_of(tasks.c.id, "neighbours"), tasks.c.parent_id.is_(None)
    return select(literal_column(f"'{side}'"), *columns).where(*of_neighbours)


@cache
def _statement(dialect: str, edges: bool, taken: bool) -> CompoundSelect[Any]:
    """All that is read in one statement; the first column says what a row was found as."""
    beside = (_edge("before"), _edge("after")) if edges else ()
    return union_all(_trees(dialect), _live_lists(), *beside, *(_taken(dialect) if taken else ()))


_TRASHED_CHILDREN: Final = select(tasks.c.id).where(
    TASKS.owned,
    tasks.c.parent_id.is_not(None),
    tasks.c.deleted_at.is_not(None),
    is_any_of(tasks.c.parent_id, "parents"),
)
