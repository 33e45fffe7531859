"""Reads of one user's data, without a lock: one entity, and the user's place in the log."""

from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from todo.database.transactions import read
from todo.models import users
from todo.sync.resource import E, Resource
from todo.sync.sync_tokens import BEGINNING, Place

_PLACE: Final = select(users.c.revision, users.c.nonce).where(users.c.id == bindparam("of_user"))


def get(resource: Resource[E], user_id: str, entity_id: int) -> E:
    """Return one of the user's live entities.

    Raises the :class:`Problem` that ``resource`` has for an entity that is absent, in the trash, or
    another user's.
    """
    rows = read(_one(resource), {"of_user": user_id, "entity_id": entity_id})
    if not rows:
        raise resource.not_found(False)
    return resource.entity(rows[0])


def place(user_id: str) -> Place:
    """Return the end of the user's log, without a look at any entity."""
    rows = read(_PLACE, {"of_user": user_id})
    return Place(*rows[0]) if rows else BEGINNING


@cache
def _one(resource: Resource[Any]) -> Select[Any]:
    one = resource.table.c.id == bindparam("entity_id")
    return select(*resource.columns).where(*resource.live, one)
