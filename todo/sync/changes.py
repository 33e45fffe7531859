"""What has changed behind a place in a user's log: the entities as they are now.

One statement reads at most so many entries of the log by their primary key, joined to what they
name, with the user's row of the same moment. An entry whose entity changed again sends nothing: the
later entry does.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Select, and_, bindparam, case, select

from todo.database.transactions import read
from todo.models import changes, users
from todo.problems import Problem
from todo.sync.resource import Resource
from todo.sync.sync_tokens import BEGINNING, Place

Json = dict[str, Any]
Resources = tuple[Resource[Any], ...]
"""The resources of all kinds that the log names."""

FLOOR: Final = case((users.c.logged == users.c.revision, users.c.log_floor), else_=users.c.revision)
"""The last revision without an entry. Where the log is behind, an earlier release wrote last."""
_FLOOR_NONCE: Final = case(
    (users.c.logged == users.c.revision, users.c.floor_nonce), else_=users.c.nonce
)
_OF_USER: Final = changes.c.user_id == bindparam("of_user")
_SINCE_NONCE: Final = (
    select(changes.c.nonce)
    .where(_OF_USER, changes.c.revision == bindparam("since"))
    .scalar_subquery()
)
_SHOWN: Final = ("revision", "nonce", "kind", "id", "op", "at")


class Change(NamedTuple):
    """What one entry sends, and the place behind it."""

    json: Json
    place: Place


class Changes(NamedTuple):
    """A page of changes: it ends at ``place``, and the user is at ``revision``."""

    changes: list[Change]
    place: Place
    revision: int

    @property
    def has_more(self) -> bool:
        """Whether the log goes on behind the page."""
        return self.place.revision < self.revision

    def as_json(self) -> Json:
        """Return it as the API shows it."""
        return {
            "changes": [change.json for change in self.changes],
            "revision": self.revision,
            "sync_token": self.place.token,
            "has_more": self.has_more,
        }


def read_changes(user_id: str, since: Place, limit: int, resources: Resources) -> Changes:
    """Return what has changed behind ``since``, from at most ``limit`` entries of the log.

    Raises :class:`Problem` ``changes_expired`` when the log has no such place.
    """
    bound = {"of_user": user_id, "since": since.revision, "limit": limit}
    rows = read(_statement(resources), bound)
    entries = [row for row in rows if row.revision is not None]
    revision = rows[0].user_revision if rows else 0
    # Where the log ends before the user's revision it has a hole, and the place is as good as gone.
    if not _has_place(since, rows) or not (entries or since.revision == revision):
        raise Problem(
            "changes_expired",
            "The log of changes has no such place any more; load the lists again.",
        )
    found = [one for row in entries if (one := _change(row, resources)) is not None]
    return Changes(found, _place(entries[-1]) if entries else since, revision)


def _has_place(since: Place, rows: Sequence[Row[Any]]) -> bool:
    if not rows:
        return since == BEGINNING
    user = rows[0]
    if not user.floor <= since.revision <= user.user_revision:
        return False
    nonce = user.floor_nonce if since.revision == user.floor else user.since_nonce
    return bool(since.nonce == nonce)


def _place(row: Row[Any]) -> Place:
    return Place(row.revision, row.nonce)


def _change(row: Row[Any], resources: Resources) -> Change | None:
    """What an entry sends; ``None`` when a later entry of the same entity sends it."""
    data = _entity(row, resources)
    is_last = data is None or data["revision"] == row.revision
    if row.op == "delete":
        sent = is_last
        data = None
    else:
        sent = is_last and data is not None
    if not sent:
        return None
    json = {
        "kind": row.kind,
        "id": row.id,
        "op": "delete" if data is None else "put",
        "revision": row.revision,
        "at": row.at,
        "data": data,
    }
    return Change(json, _place(row))


def _entity(row: Row[Any], resources: Resources) -> Json | None:
    """The entity that an entry names, as it is now, in the trash too; ``None`` when it is gone."""
    for resource in resources:
        if resource.kind == row.kind:
            found = [getattr(row, _label(resource, name)) for name in resource.names]
            is_there = getattr(row, _label(resource, "id")) is not None
            return resource.entity(found) if is_there else None
    return None


def _label(resource: Resource[Any], name: str) -> str:
    return f"{resource.kind}_{name}"


@cache
def _statement(resources: Resources) -> Select[Any]:
    """The user's row, joined to a page of entries and to what they name."""
    entries = (
        select(changes.c.user_id, *(changes.c[name] for name in _SHOWN))
        .where(_OF_USER, changes.c.revision > bindparam("since"))
        .order_by(changes.c.revision)
        .limit(bindparam("limit"))
        .subquery("entries")
    )
    joined = users.outerjoin(entries, entries.c.user_id == users.c.id)
    columns = [entries.c[name] for name in _SHOWN]
    for resource in resources:
        table = resource.table
        this = and_(
            table.c.user_id == bindparam("of_user"),
            table.c.id == entries.c.id,
            entries.c.kind == resource.kind,
        )
        joined = joined.outerjoin(table, this)
        columns += [table.c[name].label(_label(resource, name)) for name in resource.names]
    return (
        select(
            users.c.revision.label("user_revision"),
            FLOOR.label("floor"),
            _FLOOR_NONCE.label("floor_nonce"),
            case((users.c.revision == bindparam("since"), users.c.nonce), else_=_SINCE_NONCE).label(
                "since_nonce"
            ),
            *columns,
        )
        .select_from(joined)
        .where(users.c.id == bindparam("of_user"))
        .order_by(entries.c.revision)
    )
