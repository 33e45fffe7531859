"""What a unit of work reads: the user's row, locked, and entities beside it or under its lock."""

from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from todo.models import users
from todo.sync.resource import Resource
from todo.sync.user_row import COLUMNS

LOCK: Final = (
    select(*COLUMNS).where(users.c.id == bindparam("of_user")).with_for_update(key_share=True)
)
"""The user's row, locked until the transaction ends."""


@cache
def several(resource: Resource[Any]) -> Select[Any]:
    """Entities by their ids, the trashed ones too: only the primary key's index serves this.

    With a condition on ``deleted_at`` the indexes of live entities would, and PostgreSQL without
    statistics walks one of them from end to end.
    """
    table = resource.table
    columns = (
        *resource.columns,
        *resource.trash_columns,
        *resource.counter_columns,
        *resource.derived_columns,
    )
    ids = table.c.id.in_(bindparam("ids", expanding=True))
    return select(*columns).where(resource.owned, ids)


@cache
def one(resource: Resource[Any], *, trashed: bool, locked: bool) -> Select[Any]:
    """One entity; joined to its user's counters, and both locked, unless the user is ``locked``."""
    conditions = (
        *(resource.trashed if trashed else resource.live),
        resource.table.c.id == bindparam("entity_id"),
    )
    side = resource.trash_columns if trashed else ()
    columns = (*resource.columns, *side, *resource.counter_columns)
    if locked:
        return select(*columns).where(*conditions)
    rows = select(*columns, *COLUMNS).where(*conditions)
    rows = rows.join_from(users, resource.table, resource.table.c.user_id == users.c.id)
    return rows.where(users.c.id == bindparam("of_user")).with_for_update(key_share=True)
