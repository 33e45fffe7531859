"""Sorts: the orders of a list, and the position that an entity has in each.

A sort has one or two keys, the last of them unique among the user's entities, and all of them go
in the same direction. An entity's position is its values of the keys; the next page is what comes
after the position of the last entity.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from sqlalchemy import Column, ColumnElement, Row, UnaryExpression, bindparam, tuple_

MAX_NUMBER: Final = 2**53 - 1
"""The largest id or revision: the last integer that every JSON parser reads exactly."""

Order = Literal["asc", "desc"]
Position = Sequence[Any]
"""One value for each key of a sort."""


@dataclass(frozen=True, eq=False)
class Key:
    """A column that a sort compares, and which values from outside the column can have."""

    column: Column[Any]
    is_possible: Callable[[object], bool]


@dataclass(frozen=True, eq=False)
class Sort:
    """A sort: its keys, its natural direction, and whether the first key can be null."""

    name: str
    keys: tuple[Key, ...]
    natural: Order
    nullable: bool = False
    led_by: Mapping[str, Column[Any]] = field(default_factory=dict)
    """Kinds of conditions that a column is null, which stands before the keys in the index.

    Rows are ordered by it, too: that it is the same in all of them PostgreSQL does not see.
    """

    @cached_property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns of the keys."""
        return tuple(key.column for key in self.keys)

    def indexed(self, kinds: Sequence[str]) -> list[Column[Any]]:
        """Return what the index has in order, for a list that conditions of these ``kinds`` narrow:
        the columns of the keys, behind those that are null in all rows.
        """
        led = [column for kind, column in self.led_by.items() if kind in kinds]
        return [*led, *self.columns]

    def position_of(self, row: Row[Any]) -> Position:
        """Return the position of a row that has the keys."""
        return [getattr(row, column.name) for column in self.columns]

    def is_possible(self, position: Position) -> bool:
        """Whether ``position``, which came from outside, could be the position of an entity."""
        return len(position) == len(self.keys) and all(
            (value is None and self.nullable and key is self.keys[0]) or key.is_possible(value)
            for key, value in zip(self.keys, position, strict=True)
        )


def text_key(column: Column[Any], longest: int) -> Key:
    """Return the key of a text column whose values have at most so many characters."""

    def is_text(value: object) -> bool:
        return isinstance(value, str) and len(value) <= longest and "\0" not in value

    return Key(column, is_text)


def is_number(value: object) -> bool:
    """Whether ``value`` can be an id or a revision."""
    return type(value) is int and 1 <= value <= MAX_NUMBER


def ordered(columns: Sequence[ColumnElement[Any]], order: Order) -> list[UnaryExpression[Any]]:
    """Return every column in the same direction: the last one breaks ties."""
    return [column.desc() if order == "desc" else column.asc() for column in columns]


def after(columns: Sequence[Column[Any]], order: Order) -> ColumnElement[bool]:
    """Return what is true of the rows after the position that :func:`bound_position` binds.

    Rows are compared as tuples: an index serves that comparison, but not the same one with OR.
    """
    left = tuple_(*columns)
    right = tuple_(*(bindparam(f"after_{column.name}", type_=column.type) for column in columns))
    return left < right if order == "desc" else left > right


def bound_position(sort: Sort, position: Position) -> dict[str, Any]:
    """Return what :func:`after` binds for a ``position`` in ``sort``."""
    names = (f"after_{column.name}" for column in sort.columns)
    return dict(zip(names, position, strict=True))
