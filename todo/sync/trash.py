"""The trash of any resource: an entity goes there, comes back, or is deleted for good."""

from typing import cast

from todo.sync.resource import E, Resource
from todo.sync.unit_of_work import Expected, UnitOfWork


def delete(unit: UnitOfWork, resource: Resource[E], entity_id: int, expected: Expected = None) -> E:
    """Move an entity to the trash, where it keeps its id; return it as it is there.

    Raises what :meth:`UnitOfWork.entity` raises.
    """
    entity = unit.entity(resource, entity_id, expected)
    deleted = trashed(unit, entity)
    unit.put(resource, entity, deleted)
    return deleted


def trashed(unit: UnitOfWork, entity: E) -> E:
    """Return ``entity`` as it will be in the trash."""
    return cast("E", {**unit.renewed(entity), "deleted_at": unit.now})


def restore(
    unit: UnitOfWork, resource: Resource[E], entity_id: int, expected: Expected = None
) -> E:
    """Take an entity out of the trash, with the id and all that it had, at a new revision.

    Raises what :meth:`UnitOfWork.entity` raises.
    """
    entity = unit.entity(resource, entity_id, expected, trashed=True)
    restored = resource.shown(unit.renewed(entity))
    unit.put(resource, entity, restored)
    return restored


def remove(unit: UnitOfWork, resource: Resource[E], entity_id: int, expected: Expected = None) -> E:
    """Delete an entity in the trash for good; return it as it was.

    Raises what :meth:`UnitOfWork.entity` raises.
    """
    entity = unit.entity(resource, entity_id, expected, trashed=True)
    unit.put(resource, entity, None)
    return entity
