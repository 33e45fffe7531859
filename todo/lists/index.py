"""All lists of a user, and how many tasks each has, in one statement."""

from collections.abc import Sequence
from typing import Any, Final, TypedDict

from sqlalchemy import Row, and_, bindparam, select

from todo.database.transactions import read
from todo.lists.list import TaskList
from todo.lists.resource import LISTS
from todo.models import lists, users
from todo.sync.pages import place_of
from todo.sync.user_row import NONCE, REVISION

INBOX: Final = "inbox"
"""What the counts call the tasks that are in no list."""

_INDEX: Final = (
    select(
        *LISTS.columns,
        lists.c.open_tasks,
        lists.c.done_tasks,
        users.c.open_tasks.label("user_open"),
        users.c.done_tasks.label("user_done"),
        REVISION,
        NONCE,
    )
    .select_from(users.outerjoin(lists, and_(lists.c.user_id == users.c.id, *LISTS.live)))
    .where(users.c.id == bindparam("of_user"))
    .order_by(lists.c.position, lists.c.id)
)


class Count(TypedDict):
    """How many tasks there are somewhere."""

    total: int
    open: int
    completed: int


class Index(TypedDict):
    """The lists in their order, and their counts, under their ids and ``inbox``."""

    lists: list[TaskList]
    counts: dict[str, Count]
    revision: int
    sync_token: str


def show(user_id: str) -> Index:
    """Return all that the user's lists are, at one moment.

    No counter has the tasks of the inbox: they are those of the user that no list has.
    """
    rows = read(_INDEX, {"of_user": user_id})
    found = [row for row in rows if row.id is not None]
    place = place_of(rows)
    return {
        "lists": [LISTS.entity(row) for row in found],
        "counts": {
            **{str(row.id): _count(row.open_tasks, row.done_tasks) for row in found},
            INBOX: _inbox(rows, found),
        },
        "revision": place.revision,
        "sync_token": place.token,
    }


def _inbox(rows: Sequence[Row[Any]], found: Sequence[Row[Any]]) -> Count:
    if not rows:
        return _count(0, 0)
    return _count(
        rows[0].user_open - sum(row.open_tasks for row in found),
        rows[0].user_done - sum(row.done_tasks for row in found),
    )


def _count(open_tasks: int, done_tasks: int) -> Count:
    return {"total": open_tasks + done_tasks, "open": open_tasks, "completed": done_tasks}
