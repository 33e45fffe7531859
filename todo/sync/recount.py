"""Counting again what a process of the release before does not count.

Such a process knows no positions, no lists and no subtasks, and writes for the same users while a
release is rolled out. ``users.counted`` is the last revision that this release gave; where the user
is at another one, everything is made right here, before anything is decided.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, func, or_, select

from todo.database import transactions
from todo.database.functions import is_any_of
from todo.database.prepared import execute
from todo.models import lists, tasks
from todo.sync import writer
from todo.sync.counters import Counters
from todo.sync.resource import Tally
from todo.values import positions

BATCH: Final = 2000
"""Tasks that one statement changes."""

_OF_LISTS: Final = ("open_tasks", "done_tasks", "top_open", "top_done")
_OF_PARENTS: Final = ("children", "children_done")

_OWNED: Final = tasks.c.user_id == bindparam("of_user")
_LIVE: Final = (_OWNED, tasks.c.deleted_at.is_(None))
_DONE: Final = tasks.c.completed
_ON_TOP: Final = tasks.c.parent_id.is_(None)


def _number_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


_WITHOUT_POSITION: Final = (
    # The release before gives no position; a task of its own is behind what was counted.
    select(tasks.c.id)
    .where(_OWNED, tasks.c.id > bindparam("counted"), tasks.c.position.is_(None))
    .order_by(tasks.c.id)
)
_CHILDREN: Final = (
    select(
        tasks.c.parent_id.label("id"),
        func.count().label("children"),
        _number_of(_DONE).label("children_done"),
    )
    .where(*_LIVE, tasks.c.parent_id.is_not(None))
    .group_by(tasks.c.parent_id)
)
_PARENTS: Final = select(tasks.c.id, tasks.c.children, tasks.c.children_done).where(
    _OWNED, or_(tasks.c.children > 0, is_any_of(tasks.c.id, "ids"))
)
_LOST: Final = (
    # Live tasks whose parent is gone: the release before moves a task to the trash alone.
    select(tasks.c.id).where(*_LIVE, is_any_of(tasks.c.parent_id, "ids")).order_by(tasks.c.id)
)
_LIVE_OF: Final = select(tasks.c.id).where(*_LIVE, is_any_of(tasks.c.id, "ids"))
_IN_LISTS: Final = (
    select(
        tasks.c.list_id.label("id"),
        _number_of(~_DONE).label("open_tasks"),
        _number_of(_DONE).label("done_tasks"),
        _number_of(~_DONE & _ON_TOP).label("top_open"),
        _number_of(_DONE & _ON_TOP).label("top_done"),
    )
    .where(*_LIVE)
    .group_by(tasks.c.list_id)
)
_LISTS: Final = select(lists.c.id, *(lists.c[name] for name in _OF_LISTS)).where(
    lists.c.user_id == bindparam("of_user")
)


def recount(
    connection: Connection, user_id: str, counters: Counters, counted: int, moment: str
) -> Counters:
    """Make right what a process of the release before has left; return the user's counters.

    The caller holds the user's lock; ``counted`` is the revision up to which all is right. Tasks
    without a position get one. A task whose parent went to the trash alone is on top from then on,
    at a revision of its own; the counters of lists and of subtasks are those of the rows. The
    caller lets the log begin behind all of that, since the release before has no entries in it.
    """
    again = _Recount(connection, user_id)
    again.give_positions(counted)
    revision = again.lift_lost(counters.revision, moment)
    tops = again.count()
    return counters._replace(revision=revision, **tops)


class _Recount:
    """One user's tasks and lists, under the user's lock."""

    def __init__(self, connection: Connection, user_id: str) -> None:
        self._connection = connection
        self._user_id = user_id

    def give_positions(self, counted: int) -> None:
        """Give every task without a position the one at which it is shown."""
        ids = [row.id for row in self._read(_WITHOUT_POSITION, counted=counted)]
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            transactions.go_on(self._connection)
            texts = {"position": [positions.last(one) for one in batch]}
            writer.set_batch(self._connection, tasks, self._user_id, batch, texts)

    def lift_lost(self, revision: int, moment: str) -> int:
        """Put tasks whose parent is not live on top; return the last revision, from ``revision``
        on."""
        parents = [row.id for row in self._read(_CHILDREN)]
        live = {row.id for row in self._read(_LIVE_OF, ids=parents)} if parents else set()
        if gone := [one for one in parents if one not in live]:
            ids = [row.id for row in self._read(_LOST, ids=gone)]
            on_top = {"parent_id": None, "updated_at": moment}
            writer.change_unlogged(self._connection, tasks, self._user_id, ids, revision, on_top)
            revision += len(ids)
        return revision

    def count(self) -> Mapping[str, int]:
        """Correct the counters on rows; return those of tasks on top, of the user's row."""
        children = _by_id(self._read(_CHILDREN), _OF_PARENTS)
        parents = _by_id(self._read(_PARENTS, ids=[*children]), _OF_PARENTS)
        in_lists = _by_id(self._read(_IN_LISTS), _OF_LISTS)
        own = _by_id(self._read(_LISTS), _OF_LISTS)
        wrong = {
            **_differences(tasks, parents, children, _OF_PARENTS),
            **_differences(lists, own, in_lists, _OF_LISTS),
        }
        writer.add_to_counters(self._connection, self._user_id, wrong)
        tops = ("top_open", "top_done")
        return {name: sum(one[name] for one in in_lists.values()) for name in tops}

    def _read(self, statement: Select[Any], **values: Any) -> Sequence[Any]:
        return execute(self._connection, statement, {"of_user": self._user_id, **values})


_Numbers = Mapping[int, Mapping[str, int]]
"""Counters, by the id of whoever has them."""


def _by_id(rows: Sequence[Any], names: Sequence[str]) -> _Numbers:
    return {row.id: {name: int(getattr(row, name)) for name in names} for row in rows}


def _differences(
    table: Any, rows: _Numbers, right: _Numbers, names: Sequence[str]
) -> dict[Tally, int]:
    """What the counters of ``rows`` lack of what is ``right``; who is not there has none."""
    nothing = dict.fromkeys(names, 0)
    return {
        Tally(table, one, name): right.get(one, nothing)[name] - counters[name]
        for one, counters in rows.items()
        for name in names
    }
