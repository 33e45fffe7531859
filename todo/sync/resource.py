"""What the rest of ``sync`` knows of the entities of one kind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import add
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from sqlalchemy import Column, ColumnElement, Table, bindparam, false

from todo.models import users
from todo.problems import Problem
from todo.sync.conditions import Clause
from todo.sync.sorts import Sort

Entity = Mapping[str, Any]
"""An entity as the API shows it: a mapping of the names of its members to their values."""

E = TypeVar("E", bound=Entity)


Total = ColumnElement[int] | None
"""The SQL of a total that counters have, beside the user's row; ``None`` where it is counted."""

TRASH_NAMES: Final = ("deleted_at", "deleted_unit")
"""What only an entity in the trash has: the moment and the unit that it was deleted in."""


class Tally(NamedTuple):
    """A counter on the row of another entity: of a table, by its id, in a column."""

    table: Table
    id: int
    column: str


@dataclass(frozen=True, eq=False)
class Beside:
    """What a page tells of its entities beside them: an object by their ids.

    It is no part of an entity, so it changes without a revision.
    """

    member: str
    """The member of the page that has it."""
    columns: tuple[str, ...]
    """The columns that it is made of; where the first one is 0 there is nothing to tell."""
    of: Callable[[Any], Mapping[str, Any]]
    """Returns what there is to tell of a row that has the columns."""

    def told(self, rows: Iterable[Any]) -> dict[str, Mapping[str, Any]]:
        """Return what there is to tell of ``rows``."""
        first = self.columns[0]
        return {str(row.id): self.of(row) for row in rows if getattr(row, first)}


def _uncounted(_entity: Entity) -> Mapping[str, int]:
    return {}


def _untallied(_entity: Entity) -> Mapping[Tally, int]:
    return {}


def _updated(_after: Mapping[str, Any]) -> str:
    return "update"


def _without_total(_kinds: Sequence[str], _names: Sequence[str]) -> Total:
    return None


def _underived(_entity: Entity) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, eq=False, kw_only=True)
class Rows(Generic[E]):
    """The rows of one table of a user's that the API lists."""

    plural: str
    """The member of a page that has them."""
    table: Table
    """Has the columns of :attr:`shape`, and ``user_id``."""
    shape: type[E]
    """The class of what the API shows of a row, a ``TypedDict``: its members are columns, in the
    contract's order."""
    sorts: Mapping[str, Sort]
    """Every accepted value of ``sort``, and what it means."""
    clauses: Mapping[str, Clause] = field(default_factory=dict)
    """The kinds of conditions that narrow a list, and the SQL of each."""
    indexed: frozenset[str] = frozenset()
    """Those that an index serves beside every sort: such a list reads nothing but its page."""
    total: Callable[[Sequence[str], Sequence[str]], Total] = _without_total
    """Returns the total of a list of live entities, if counters have it: of the kinds of conditions
    that narrow the list, and the name that each binds its value under."""
    beside: Beside | None = None
    """What a page of live entities tells beside them."""
    of_absent: Mapping[str, Callable[[Entity], Any]] = field(default_factory=dict)
    """Columns that an earlier release leaves null, and what the API shows in place of null."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns that the API shows of a live row."""
        return tuple(name for name in self.shape.__annotations__ if name not in TRASH_NAMES)

    @cached_property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns of :attr:`names`."""
        return tuple(self.table.c[name] for name in self.names)

    @cached_property
    def owned(self) -> ColumnElement[bool]:
        """What is true of the user's rows; binds ``of_user``."""
        return self.table.c.user_id == bindparam("of_user")

    @property
    def live(self) -> tuple[ColumnElement[bool], ...]:
        """What is true of the user's rows that a list has."""
        return (self.owned,)

    @property
    def trashed(self) -> tuple[ColumnElement[bool], ...]:
        """What is true of the user's rows in the trash; without one there are none."""
        return (self.owned, false())

    @property
    def trashed_total(self) -> Total:
        """The total of :attr:`trashed`."""
        return None

    def entity(self, row: Iterable[Any], *, trashed: bool = False) -> E:
        """Return what a ``row`` that begins with :attr:`columns` shows.

        A ``trashed`` one has :data:`TRASH_NAMES` too, which follow in the row.
        """
        names = (*self.names, *TRASH_NAMES) if trashed else self.names
        entity = dict(zip(names, row, strict=False))
        for name, make in self.of_absent.items():
            if entity[name] is None:
                entity[name] = make(entity)
        return cast("E", entity)


@dataclass(frozen=True, eq=False, kw_only=True)
class Resource(Rows[E]):
    """The entities of one kind: where they are stored, and what changes of them mean.

    ``id``, ``user_id``, ``created_at``, ``updated_at``, ``revision`` and :data:`TRASH_NAMES` are
    members of :attr:`shape`; the API shows ``deleted_at`` in the trash only, and ``deleted_unit``
    nowhere. ``updated``, by revision, is one of :attr:`sorts`.
    """

    kind: str
    """What the log calls one entity; the same in the contract."""
    not_found: Callable[[bool], Problem]
    """Returns the problem for an entity that is absent, or (``True``) absent from the trash."""
    counted: Callable[[E], Mapping[str, int]] = _uncounted
    """Returns the counters of its user that an entity adds to, and what it adds to each."""
    counter_names: tuple[str, ...] = ()
    """The columns of counters on an entity's own row, which are no part of what the API shows."""
    tallied: Callable[[E], Mapping[Tally, int]] = _untallied
    """Returns what an entity adds to counters on the rows of other entities."""
    trashed_counts: Mapping[str, int] = field(default_factory=dict)
    """What :attr:`counted` returns of an entity in the trash."""
    operation: Callable[[Mapping[str, Any]], str] = _updated
    """Returns what the log calls a change of a live entity, from the members that it changed."""
    derived_names: tuple[str, ...] = ()
    """The columns that are computed of an entity, such as the key that its text is sorted by."""
    derived_from: frozenset[str] = frozenset()
    """The columns that those are computed of."""
    derived: Callable[[E], Mapping[str, Any]] = _underived
    """Returns the values of :attr:`derived_names`."""

    @cached_property
    def derived_columns(self) -> tuple[Column[Any], ...]:
        """The columns of :attr:`derived_names`."""
        return tuple(self.table.c[name] for name in self.derived_names)

    @cached_property
    def counter_columns(self) -> tuple[Column[Any], ...]:
        """The columns of :attr:`counter_names`."""
        return tuple(self.table.c[name] for name in self.counter_names)

    @cached_property
    def trash_columns(self) -> tuple[Column[Any], ...]:
        """The columns of :data:`TRASH_NAMES`."""
        return tuple(self.table.c[name] for name in TRASH_NAMES)

    @cached_property
    def live(self) -> tuple[ColumnElement[bool], ...]:
        """What is true of the user's entities that are not in the trash."""
        return (self.owned, self.table.c.deleted_at.is_(None))

    @cached_property
    def trashed(self) -> tuple[ColumnElement[bool], ...]:
        """What is true of the user's entities in the trash."""
        return (self.owned, self.table.c.deleted_at.is_not(None))

    @property
    def trashed_total(self) -> Total:
        """The total of :attr:`trashed`, if the counters of :attr:`trashed_counts` have it."""
        counters = [users.c[name] for name in self.trashed_counts]
        return reduce(add, counters) if counters else None

    def shown(self, entity: E) -> E:
        """Return ``entity`` as the API shows it, without what only the trash has."""
        return cast("E", {name: entity[name] for name in self.names})

    def counts(self, entity: E | None) -> Mapping[str, int]:
        """Return what ``entity`` adds to its user's counters; nothing, if there is none."""
        return {} if entity is None else self.counted(entity)

    def changes(self, old: E, new: E) -> dict[str, Any]:
        """Return the columns that differ, those that are computed of them included."""
        changed = {name: new[name] for name in self.names if new[name] != old[name]}
        for name in TRASH_NAMES:
            if new.get(name) != old.get(name):
                changed[name] = new.get(name)
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
