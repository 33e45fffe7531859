"""The trash of any resource: an entity goes there, comes back, or is deleted for good.

A deleted entity is in the trash until somebody restores it or deletes it for good. It is in no
list and no total, and counts for the quota. What leaves the trash for good takes no revision:
nothing that is shown with a revision changes.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, cast

from sqlalchemy import Select, bindparam, select

from todo.auth.user import User
from todo.database.transactions import MANY_SECONDS, read
from todo.sync.pages import Listing, PageQuery, Window, read_page
from todo.sync.preconditions import Precondition
from todo.sync.recorded import Ids
from todo.sync.resource import E, Entity, Resource
from todo.sync.runs import run
from todo.sync.unit_of_work import BATCH, Changed, UnitOfWork
from todo.values.clock import earlier
from todo.values.dates import format_instant


def delete(
    unit: UnitOfWork,
    resource: Resource[E],
    entity_id: int,
    precondition: Precondition | None = None,
) -> E:
    """Move an entity to the trash, where it keeps its id; return it as it is there.

    Raises what :meth:`UnitOfWork.entity` raises.
    """
    entity = unit.entity(resource, entity_id, precondition)
    deleted = in_trash(unit, entity)
    unit.put(resource, entity, deleted)
    return deleted


def in_trash(unit: UnitOfWork, entity: E) -> E:
    """Return ``entity`` as it will be in the trash."""
    return cast("E", {**unit.renewed(entity), **unit.deleted()})


def restore(
    unit: UnitOfWork,
    resource: Resource[E],
    entity_id: int,
    precondition: Precondition | None = None,
) -> E:
    """Take an entity out of the trash, with the id and all that it had, at a new revision.

    Raises what :meth:`UnitOfWork.entity` raises.
    """
    entity = unit.entity(resource, entity_id, precondition, trashed=True)
    restored = resource.shown(unit.renewed(entity))
    unit.put(resource, entity, restored)
    return restored


def remove(
    unit: UnitOfWork,
    resource: Resource[E],
    entity_id: int,
    precondition: Precondition | None = None,
) -> E:
    """Delete an entity in the trash for good; return it as it was.

    Raises what :meth:`UnitOfWork.entity` raises.
    """
    entity = unit.entity(resource, entity_id, precondition, trashed=True)
    unit.put(resource, entity, None)
    return entity


def page(
    resource: Resource[Any], user_id: str, *, skip: int, limit: int, cursor: str | None, days: int
) -> dict[str, Any]:
    """Return a page of what the user deleted, the last first; each entity stays for ``days``.

    Raises :class:`Problem` ``validation_failed`` for the cursor of another list, and for one
    beside ``skip``.
    """
    last_first = Listing(resource, user_id, resource.sorts["updated"], "desc", trashed=True)
    window = Window.of(last_first, skip=skip, limit=limit, cursor=cursor)
    page = read_page(PageQuery(last_first, window))
    return {**page, resource.plural: [_shown(entity, days) for entity in page[resource.plural]]}


def empty(unit: UnitOfWork, resource: Resource[Any]) -> Changed:
    """Delete all that is in the trash for good."""
    ids = [row.id for row in unit.read(_all(resource), {})]
    _remove(unit, resource, ids)
    return unit.changed(len(ids))


def purge(resource: Resource[Any], days: int) -> int:
    """Delete, of all users, what has been in the trash for ``days``; return how many entities.

    For a command: it asks for the users that have any, then takes one after the other, and of each
    a batch at a time: their own changes wait for no more than that.
    """
    before = earlier(timedelta(days=days))
    users_with_any = read(_owners(resource), {"before": before}, scans=True, seconds=MANY_SECONDS)
    return sum(_purge(resource, User(row.user_id), before) for row in users_with_any)


def _purge(resource: Resource[Any], user: User, before: str) -> int:
    purged = last = 0
    while True:
        old = {"before": before, "last": last}
        ids, _ = run(user, partial(_purge_batch, resource=resource, old=old), seconds=MANY_SECONDS)
        purged += len(ids)
        if len(ids) < BATCH:
            return purged
        last = ids[-1]


def _purge_batch(unit: UnitOfWork, resource: Resource[Any], old: Mapping[str, Any]) -> Ids:
    ids = [row.id for row in unit.read(_old(resource), old)]
    _remove(unit, resource, ids)
    return ids


def _remove(unit: UnitOfWork, resource: Resource[Any], ids: Ids) -> None:
    for batch in unit.batches(ids):
        unit.delete_batch(resource, batch, resource.trashed_counts)


def _shown(entity: Entity, days: int) -> Entity:
    purge_at = datetime.fromisoformat(entity["deleted_at"]) + timedelta(days=days)
    shown = {name: value for name, value in entity.items() if name != "deleted_unit"}
    return {**shown, "purge_at": format_instant(purge_at)}


@cache
def _all(resource: Resource[Any]) -> Select[Any]:
    ids = resource.table.c.id
    return select(ids).where(*resource.trashed).order_by(ids)


@cache
def _old(resource: Resource[Any]) -> Select[Any]:
    columns = resource.table.c
    old = columns.deleted_at < bindparam("before"), columns.id > bindparam("last")
    return _all(resource).where(*old).limit(BATCH)


@cache
def _owners(resource: Resource[Any]) -> Select[Any]:
    columns = resource.table.c
    return select(columns.user_id).where(columns.deleted_at < bindparam("before")).distinct()
