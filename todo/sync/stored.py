"""How the entities of one kind are kept: what the unit of work and the writer know of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import bindparam

from todo.problems import Problem

Entity = Mapping[str, Any]
"""An entity as the API shows it; ``deleted_at`` is there when the entity is in the trash."""

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, eq=False)
class Stored(Generic[E]):
    """The entities of one kind: their table, and what the table adds to what the API shows."""

    table: sa.Table
    """Has ``user_id``, ``id``, ``revision``, ``updated_at`` and ``deleted_at``."""
    names: tuple[str, ...]
    """The columns that the API shows, in the contract's order."""
    derived: Callable[[E], Mapping[str, Any]]
    """The columns that are computed of an entity, such as what its text is sorted by."""
    derived_from: frozenset[str]
    """The columns that ``derived`` looks at."""
    derived_names: tuple[str, ...]
    """The columns that ``derived`` gives."""
    counted: Callable[[E], Mapping[str, int]]
    """The counters of its user that an entity adds to, and what it adds."""
    not_found: Callable[[bool], Problem]
    """The problem for an entity that is absent, or not in the trash (``True``), or another's."""

    @cached_property
    def derived_columns(self) -> tuple[sa.Column[Any], ...]:
        """The columns of :attr:`derived_names`."""
        return tuple(self.table.c[name] for name in self.derived_names)

    @cached_property
    def columns(self) -> tuple[sa.Column[Any], ...]:
        """The columns of :attr:`names`."""
        return tuple(self.table.c[name] for name in self.names)

    @cached_property
    def owned(self) -> sa.ColumnElement[bool]:
        """Whether a row is the user's; binds ``owner``."""
        return self.table.c.user_id == bindparam("owner")

    @cached_property
    def live(self) -> tuple[sa.ColumnElement[bool], ...]:
        """The user's rows that are not in the trash."""
        return (self.owned, self.table.c.deleted_at.is_(None))

    @cached_property
    def trashed(self) -> tuple[sa.ColumnElement[bool], ...]:
        """The user's rows that are in the trash."""
        return (self.owned, self.table.c.deleted_at.is_not(None))

    def entity(self, values: Iterable[Any]) -> E:
        """Return the entity whose columns ``values`` begin with."""
        return cast("E", dict(zip(self.names, values, strict=False)))

    def shown(self, entity: E) -> E:
        """Return ``entity`` as the API shows it, without what only the trash has."""
        return cast("E", {name: entity[name] for name in self.names})

    def counts(self, entity: E | None) -> Mapping[str, int]:
        """Return what ``entity`` adds to its user's counters; nothing, if there is none."""
        return {} if entity is None else self.counted(entity)

    def changes(self, old: E, new: E) -> dict[str, Any]:
        """Return the columns that differ, those that are computed of them included."""
        before: Entity = {"deleted_at": None, **old}
        after: Entity = {"deleted_at": None, **new}
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        if self.derived_from & changed.keys():
            changed |= self.derived(new)
        return changed

    def derived_of(self, entity: E, old: E | None, known: Mapping[str, Any] | None) -> Entity:
        """Return the computed columns of ``entity``: those of ``old``, if they are ``known`` and
        nothing that they are computed of is another.
        """
        if known is None or old is None or any(entity[n] != old[n] for n in self.derived_from):
            return self.derived(entity)
        return known
