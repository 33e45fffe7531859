"""The lists that demonstration data is in."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from sqlalchemy import select

from todo.auth.user import User
from todo.lists.resource import LISTS
from todo.lists.service import create
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import demo

NAMES: Final = {"Home": "#2e7d32", "Work": "#1565c0", "Garden": None, "Café": "#ad1457"}
"""The lists of a user who has none, and their colors."""

_LIVE: Final = select(LISTS.table.c.id).where(*LISTS.live).order_by(LISTS.table.c.id)


def fill(user: User, number: int, *, quota: int, list_quota: int, most_entries: int) -> None:
    """Add ``number`` tasks to ``user``'s, in the lists that there are; make some if there are none.

    Raises like :func:`todo.tasks.demo.fill`.
    """
    lists = partial(_lists, quota=list_quota)
    demo.fill(user, number, quota=quota, most_entries=most_entries, lists=lists)


def _lists(unit: UnitOfWork, quota: int) -> Sequence[int]:
    found = [row.id for row in unit.read(_LIVE, {})][: len(NAMES)]
    room = quota - unit.counters.all_lists
    made = [] if found else [*NAMES.items()][: max(room, 0)]
    new = ({"name": name, "color": color} for name, color in made)
    return found or [create(unit, fields, quota=quota)["id"] for fields in new]
