"""What the rest of ``sync`` knows of the entities of one kind."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Column, ColumnElement, Table, bindparam

from todo.problems import Problem
from todo.sync.conditions import Clause
from todo.sync.sorts import Sort

Entity = Mapping[str, Any]
"""An entity as the API shows it: a mapping of the names of its members to their values."""

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, eq=False)
class Resource(Generic[E]):
    """The entities of one kind: where they are stored, and how lists of them are asked for."""

    plural: str
    """The member of a page that has the entities."""
    table: Table
    """Has ``user_id``, ``id`` and ``revision``, and ``deleted_at`` for the trash."""
    names: tuple[str, ...]
    """The columns that the API shows, in the contract's order; the first three are among them."""
    not_found: Callable[[bool], Problem]
    """Returns the problem for an entity that is absent, or (``True``) absent from the trash."""
    sorts: Mapping[str, Sort]
    """Every accepted value of ``sort``, and what it means."""
    clauses: Mapping[str, Clause] = field(default_factory=dict)
    """The kinds of conditions that narrow a list, and the SQL of each."""

    @cached_property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns of :attr:`names`."""
        return tuple(self.table.c[name] for name in self.names)

    @cached_property
    def owned(self) -> ColumnElement[bool]:
        """What is true of the user's rows; binds ``owner``."""
        return self.table.c.user_id == bindparam("owner")

    @cached_property
    def live(self) -> tuple[ColumnElement[bool], ...]:
        """What is true of the user's entities that are not in the trash."""
        return (self.owned, self.table.c.deleted_at.is_(None))

    @cached_property
    def trashed(self) -> tuple[ColumnElement[bool], ...]:
        """What is true of the user's entities in the trash."""
        return (self.owned, self.table.c.deleted_at.is_not(None))

    def entity(self, row: Iterable[Any], *, trashed: bool = False) -> E:
        """Return the entity of a ``row`` that begins with :attr:`columns`.

        A ``trashed`` entity has its ``deleted_at`` too, which follows in the row.
        """
        names = (*self.names, "deleted_at") if trashed else self.names
        return cast("E", dict(zip(names, row, strict=False)))
