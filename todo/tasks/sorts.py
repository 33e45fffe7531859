"""The orders of a list, and the place that a task has in each.

An order has one or two keys, the last of them unique among the owner's tasks, all in the same
direction. A task's place is its values of them; the next page is what lies behind the last task's
place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Column, ColumnElement, Row, UnaryExpression, bindparam, tuple_

from todo.models import PRIORITIES, tasks
from todo.tasks.filters import MAX_REVISION
from todo.values.dates import date_or_instant
from todo.values.text_keys import TITLE_KEY_LENGTH

Order = Literal["asc", "desc"]
Place = Sequence[Any]


@dataclass(frozen=True)
class Sort:
    """A sort: its keys, its natural direction, and whether the first key can be null."""

    name: str
    keys: tuple[Column[Any], ...]
    natural: Order
    nullable: bool = False

    def place_of(self, row: Row[Any]) -> Place:
        """Return the place of a row that has the keys."""
        return [getattr(row, key.name) for key in self.keys]

    def can_be(self, place: Place) -> bool:
        """Whether ``place``, which came from outside, could be the place of a task."""
        return len(place) == len(self.keys) and all(
            (value is None and self.nullable and key is self.keys[0]) or _FITS[key.name](value)
            for key, value in zip(self.keys, place, strict=True)
        )


CREATED: Final = Sort("created", (tasks.c.id,), "desc")
UPDATED: Final = Sort("updated", (tasks.c.revision,), "desc")
SORTS: Final[Mapping[str, Sort]] = {
    "created": CREATED,
    "created_at": CREATED,
    "updated": UPDATED,
    "updated_at": UPDATED,
    "title": Sort("title", (tasks.c.title_key, tasks.c.id), "asc"),
    "due_date": Sort("due_date", (tasks.c.due_date, tasks.c.id), "asc", nullable=True),
    "priority": Sort("priority", (tasks.c.priority, tasks.c.id), "desc"),
}
"""Every accepted value of ``sort``, and what it means."""


def ordered(keys: Sequence[ColumnElement[Any]], order: Order) -> list[UnaryExpression[Any]]:
    """Return every key in the same direction: the last one breaks ties and makes it total."""
    return [key.desc() if order == "desc" else key.asc() for key in keys]


def behind(keys: Sequence[Column[Any]], order: Order) -> ColumnElement[bool]:
    """Return what is true of the rows behind the place that :func:`bound_place` binds.

    Rows are compared as tuples, which an index understands; as an OR it does not.
    """
    left = tuple_(*keys)
    right = tuple_(*(bindparam(f"behind_{key.name}", type_=key.type) for key in keys))
    return left < right if order == "desc" else left > right


def bound_place(sort: Sort, place: Place) -> dict[str, Any]:
    """Return what :func:`behind` binds for a ``place`` in ``sort``."""
    return {f"behind_{key.name}": value for key, value in zip(sort.keys, place, strict=True)}


def _is_number(value: object) -> bool:
    return type(value) is int and 1 <= value <= MAX_REVISION


def _is_title_key(value: object) -> bool:
    return isinstance(value, str) and len(value) <= TITLE_KEY_LENGTH and "\0" not in value


def _is_due_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date_or_instant(value) == value
    except ValueError:
        return False


_FITS: Final[Mapping[str, Callable[[object], bool]]] = {
    "id": _is_number,
    "revision": _is_number,
    "title_key": _is_title_key,
    "due_date": _is_due_date,
    "priority": lambda value: value in PRIORITIES,
}
