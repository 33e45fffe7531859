"""Pages of any resource, with the total and the revision of the same moment, in one statement.

A page comes from an index in the order that is asked for, and the total from counters
where they have it: neither costs more as a user's entities grow. Any other total is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Generic, Literal, NamedTuple, Self

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    bindparam,
    func,
    null,
    select,
    union_all,
)

from todo.database.transactions import read
from todo.models import users
from todo.sync import cursors
from todo.sync.conditions import Condition, clauses, names, values
from todo.sync.cursors import Cursor
from todo.sync.resource import TRASH_NAMES, Beside, E, Entity, Rows, Total
from todo.sync.sorts import Order, Sort, after, bound_position, ordered
from todo.sync.sync_tokens import BEGINNING, Place
from todo.sync.user_row import NONCE, REVISION

Json = dict[str, Any]

_STATEMENTS: Final = 512
"""Statements kept: every sort, order and state, and the combinations of filters seen last."""


@dataclass(frozen=True)
class Listing(Generic[E]):
    """A whole list: entities of one user, live or ``trashed``, in one order."""

    resource: Rows[E]
    user_id: str
    sort: Sort
    order: Order
    filters: Any = None
    """The filters that are given, in their one form, as JSON."""
    trashed: bool = False
    timed: bool = False
    """Whether the list depends on the moment of its first page."""

    @cached_property
    def digest(self) -> str:
        """What tells the list from all others, in a cursor."""
        of = "trash" if self.trashed else "live"
        return cursors.digest(
            self.resource.plural, of, self.user_id, self.sort.name, self.order, self.filters
        )


@dataclass(frozen=True)
class Window:
    """Which part of a list a page shows. Made by :meth:`of`."""

    skip: int
    limit: int
    cursor: Cursor | None

    @classmethod
    def of(cls, listing: Listing[Any], *, skip: int, limit: int, cursor: str | None) -> Self:
        """Take what the contract calls ``skip``, ``limit`` and ``cursor``.

        Raises :class:`Problem` ``validation_failed`` for the cursor of another list, and for a
        cursor beside ``skip``.
        """

        def fits(given: Cursor) -> bool:
            timed = given.moment is not None
            return timed == listing.timed and listing.sort.is_possible(given.position)

        return cls(skip, limit, cursors.resume(cursor, listing.digest, skip=skip, fits=fits))

    @property
    def previous_end(self) -> Literal["none", "entity", "null"]:
        """Which kind of row the previous page ended on.

        ``none``: there is no previous page; ``null``: an entity whose first key is null.
        """
        if self.cursor is None:
            return "none"
        return "null" if self.cursor.position[0] is None else "entity"


@dataclass(frozen=True)
class PageQuery(Generic[E]):
    """A page that is asked for: a window of a list that conditions narrow."""

    listing: Listing[E]
    window: Window
    conditions: Sequence[Condition] = ()
    total: bool = True
    """Whether the page tells how many entities the whole list has."""
    moment: str | None = None
    """The moment that a timed list keeps in its cursors."""


class _Shape(NamedTuple):
    """All that a statement depends on; the rest is bound."""

    resource: Rows[Any]
    trashed: bool
    sort: Sort
    order: Order
    kinds: tuple[str, ...]
    total: bool
    previous_end: str

    @property
    def beside(self) -> Beside | None:
        """What the page tells beside its entities."""
        return None if self.trashed else self.resource.beside

    @property
    def is_scan(self) -> bool:
        """Whether the page may read more than it shows."""
        return not self.resource.indexed.issuperset(self.kinds)


def read_page(query: PageQuery[Any]) -> Json:
    """Return a page as the API shows it; in the trash each entity has its ``deleted_at``."""
    resource, window, limit = query.listing.resource, query.window, query.window.limit
    shape = _shape_of(query)
    rows = read(_statement(shape), _parameters(query), scans=shape.is_scan)
    found = rows if rows and rows[0].id is not None else ()
    shown = found[:limit]
    page = page_of(
        resource.plural,
        [resource.entity(row, trashed=query.listing.trashed) for row in shown],
        total=_total(query, rows),
        limit=limit,
        skip=window.skip,
        next_cursor=_cursor(query, found[limit - 1]) if len(found) > limit else None,
        place=place_of(rows),
    )
    beside = shape.beside
    return {**page, beside.member: beside.told(shown)} if beside else page


def page_of(
    plural: str,
    entities: Sequence[Entity],
    *,
    total: int | None,
    limit: int,
    skip: int,
    place: Place,
    **next_cursor: str | None,
) -> Json:
    """Return the JSON of a page; a list that has no cursors gives no ``next_cursor``."""
    return {
        plural: entities,
        "total": total,
        "limit": limit,
        "skip": skip,
        **next_cursor,
        "revision": place.revision,
        "sync_token": place.token,
    }


def place_of(rows: Sequence[Any]) -> Place:
    """Return the place in the log that ``rows`` with the user's columns were read at."""
    return Place(rows[0].user_revision, rows[0].user_nonce) if rows else BEGINNING


def _total(query: PageQuery[Any], rows: Sequence[Row[Any]]) -> int | None:
    if not query.total:
        return None
    return rows[0].list_total if rows else 0


def _cursor(query: PageQuery[Any], last: Row[Any]) -> str:
    position = query.listing.sort.position_of(last)
    return cursors.encode(Cursor(query.listing.digest, query.moment, position))


def _shape_of(query: PageQuery[Any]) -> _Shape:
    return _Shape(
        query.listing.resource,
        query.listing.trashed,
        query.listing.sort,
        query.listing.order,
        tuple(condition.kind for condition in query.conditions),
        query.total,
        query.window.previous_end,
    )


def _parameters(query: PageQuery[Any]) -> Json:
    window = query.window
    position = bound_position(query.listing.sort, window.cursor.position) if window.cursor else {}
    return {
        "of_user": query.listing.user_id,
        "skip": window.skip,
        "reach": window.skip + window.limit + 1,
        "limit": window.limit + 1,  # the one more says whether there is a next page
        **values(query.conditions),
        **position,
    }


@lru_cache(maxsize=_STATEMENTS)
def _statement(shape: _Shape) -> Select[Any]:
    """The user's row, joined to one page of entities; one row without an entity if it is empty.

    The page is cut off inside, where the index gives it; only the page is sorted again outside.
    """
    page = _page(shape)
    return (
        select(*page.c, REVISION, NONCE, _total_column(shape).label("list_total"))
        .select_from(users.outerjoin(page, page.c.user_id == users.c.id))
        .where(users.c.id == bindparam("of_user"))
        .order_by(*_order(shape, page))
    )


def _total_column(shape: _Shape) -> ColumnElement[Any]:
    """How many entities the whole list has, if that is asked for."""
    if not shape.total:
        return null()
    if (kept := _kept_total(shape)) is not None:
        return kept
    count = select(func.count()).select_from(shape.resource.table).where(*_conditions(shape))
    return count.scalar_subquery()


def _kept_total(shape: _Shape) -> Total:
    if shape.trashed:
        return shape.resource.trashed_total
    return shape.resource.total(shape.kinds, names(shape.kinds))


def _page(shape: _Shape) -> Subquery:
    ranges = _ranges(shape)
    if len(ranges) == 1:
        page = ranges[0]
    else:
        reached = [select(rows.limit(bindparam("reach")).subquery()) for rows in ranges]
        whole = union_all(*reached).subquery("ranges")
        page = select(whole).order_by(*_order(shape, whole))
    return page.limit(bindparam("limit")).offset(bindparam("skip")).subquery("page")


def _ranges(shape: _Shape) -> list[Select[Any]]:
    """What the page is read from: rows that an index has side by side, in their order.

    Entities whose first key is null are a range of their own, after the others in both directions:
    with NULLS LAST both databases would sort all of the user's entities.
    """
    keys, order = shape.sort.columns, shape.order
    rows = select(*_columns(shape)).where(*_conditions(shape))
    rows = rows.order_by(*ordered(shape.sort.indexed(shape.kinds), order))
    first, rest = keys[0], keys[1:]
    if shape.previous_end == "null":
        return [rows.where(first.is_(None), after(rest, order))]
    begun = rows.where(after(keys, order)) if shape.previous_end == "entity" else rows
    if not shape.sort.nullable:
        return [begun]
    # Ordered by the key that is null in all of them, too: else PostgreSQL looks for the few that
    # have none through an index that is ordered by id.
    return [begun.where(first.is_not(None)), rows.where(first.is_(None))]


def _columns(shape: _Shape) -> Sequence[ColumnElement[Any]]:
    """What a page shows, and what its next cursor is made of."""
    resource = shape.resource
    trash = [resource.table.c[name] for name in TRASH_NAMES] if shape.trashed else []
    beside = [resource.table.c[name] for name in shape.beside.columns] if shape.beside else []
    keys = (*shape.sort.columns, resource.table.c.user_id)
    columns = (*resource.columns, *trash, *beside, *keys)
    return list({column.name: column for column in columns}.values())


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    resource = shape.resource
    side = resource.trashed if shape.trashed else resource.live
    return [*side, *clauses(resource.clauses, shape.kinds)]


def _order(shape: _Shape, rows: Subquery) -> list[ColumnElement[Any]]:
    """The order of the list, over rows that were read already."""
    keys = [rows.c[column.name] for column in shape.sort.columns]
    nulls_last = [keys[0].is_(None)] if shape.sort.nullable else []
    return [*nulls_last, *ordered(keys, shape.order)]
