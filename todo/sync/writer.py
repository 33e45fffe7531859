"""The only statements that write entities, counters, the log and kept responses.

One change, the counters, the log and a kept response go to PostgreSQL as one statement, which the
user's lock makes as safe as several. Several changes are one statement more. Very many entities are
changed by their ids, a batch at a time: the statement finds them by the primary key and joins
nothing, so it costs the same whatever the database believes about the table. (A join of 5,000 new
tasks with themselves, of which PostgreSQL had no statistics yet, compared each with each.)
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Table

from todo.auth.user import User
from todo.database.prepared import execute
from todo.database.transactions import commit_with_next
from todo.sync import statements
from todo.sync.counters import Counters
from todo.sync.log import Entry, Fields, LogState, LogUnit, entry_of
from todo.sync.parts import Part, Statement, Values, batch_part, bound, execute_parts, of_batch
from todo.sync.recorded import Change, Ids, Kept, Recorded
from todo.sync.resource import Resource, Tally
from todo.values.clock import now

BLOCK_BYTES: Final = 4096
"""A response takes a block for each of so many bytes, or part of them."""


def add_user(connection: Connection, user: User, moment: str) -> None:
    """Add the row of a user who never wrote, unless somebody does at this moment."""
    state = Counters()._asdict() | LogState()._asdict()
    first = {
        **{name: state[name] for name in state if name not in statements.OF_BEGINNING},
        "id": user.id,
        "created_at": moment,
        "updated_at": moment,
        "email": user.email,
        "name": user.name,
    }
    connection.execute(statements.ADD_USER[connection.dialect.name], first)


def advance(connection: Connection, ahead: int, nonce: str, moment: str) -> int:
    """Move all users to the revision ``ahead``, and let each log begin there, behind a unit with
    the ``nonce``. Users who first write later begin there, too. Return how many users there are.
    """
    connection.execute(statements.ADVANCE_NEW_USERS, {"ahead": ahead, "moment": moment})
    users = connection.execute(statements.ADVANCE_USERS, {"ahead": ahead, "new_nonce": nonce})
    connection.execute(statements.FORGET_LOGS)
    return users.rowcount


def of_user(user: User, counters: Counters, before: LogState, log: LogState, moment: str) -> Part:
    """Return the statement that changes the user's row at ``moment``, and what it binds.

    Only where the beginning of the log moved, from where it was ``before``, it is written.
    """
    floor = {"user_log_floor": log.log_floor, "user_floor_nonce": log.floor_nonce}
    moved = before.log_floor != log.log_floor
    statement = statements.UPDATE_USER_AND_FLOOR if moved else statements.UPDATE_USER
    return statement, {
        **(floor if moved else {}),
        "of_user": user.id,
        "user_email": user.email,
        "user_name": user.name,
        **{f"user_{name}": value for name, value in counters._asdict().items()},
        "user_nonce": log.nonce,
        "moment": moment,
    }


def write(
    connection: Connection, recorded: Recorded, unit: LogUnit | None, user: Part | None
) -> None:
    """Write what was ``recorded``, with its log and the ``user``'s row.

    The caller holds the user's lock. ``unit`` is what the entries share; nothing is changed
    without one. The statement carries COMMIT: it is the last of the transaction.
    """
    dialect = connection.dialect.name
    changes, kept = recorded.changes, recorded.kept
    together: list[Part] = []
    if len(changes) == 1 and not recorded.is_tallied(changes[0]):
        together += _change_one(changes[0], dialect)
    else:
        _write_many(connection, changes)
    if unit is not None:
        together += _log(dialect, unit, _entries(changes))
        together += _tallies(dialect, unit.user_id, recorded.tallies)
    if user is not None:
        together.append(user)
    if kept is not None:
        together += _keep(dialect, kept)
    commit_with_next(connection)
    execute_parts(connection, together)


def write_batch(connection: Connection, changes: Sequence[Change], unit: LogUnit) -> None:
    """Write ``changes`` of entities with their log, before the end of their unit."""
    _write_many(connection, changes)
    execute_parts(connection, _log(connection.dialect.name, unit, _entries(changes)))


def change_batch(
    connection: Connection,
    resource: Resource[Any],
    user_id: str,
    ids: Ids,
    revision: int,
    same: Mapping[str, Any],
    each: Mapping[str, Sequence[Any]],
    unit: LogUnit,
    entries: Sequence[Entry],
) -> None:
    """Change the entities with the ascending ``ids``; the first is at the one after ``revision``.

    ``same`` has the columns that get one value in all of them, ``each`` those that get a value in
    each, in the order of ``ids``. ``entries`` are those of the log.
    """
    dialect = connection.dialect.name
    statement = statements.update_batch(resource.table, dialect, tuple(same), tuple(each))
    parts = batch_part(statement, dialect, user_id, ids, same, each, revision)
    execute_parts(connection, [parts, *_log(dialect, unit, entries)])


def change_unlogged(
    connection: Connection, table: Table, user_id: str, ids: Ids, revision: int, same: Values
) -> None:
    """Change rows like :func:`change_batch`; the caller lets the log begin behind that."""
    dialect = connection.dialect.name
    statement = statements.update_batch(table, dialect, tuple(same), ())
    execute_parts(connection, [batch_part(statement, dialect, user_id, ids, same, {}, revision)])


def set_batch(
    connection: Connection,
    table: Table,
    user_id: str,
    ids: Ids,
    each: Mapping[str, Sequence[Any]],
) -> None:
    """Give the rows with the ascending ``ids`` the values of ``each``, which belong to no
    revision."""
    dialect = connection.dialect.name
    statement = statements.set_batch(table, dialect, tuple(each))
    execute_parts(connection, [batch_part(statement, dialect, user_id, ids, {}, each)])


def add_to_counters(connection: Connection, user_id: str, tallies: Mapping[Tally, int]) -> None:
    """Add to counters on rows now, before the end of a unit."""
    for part in _tallies(connection.dialect.name, user_id, tallies):
        execute_parts(connection, [part])


def delete_batch(connection: Connection, resource: Resource[Any], user_id: str, ids: Ids) -> None:
    """Delete the entities with the ascending ``ids`` for good, and what the log says of them."""
    dialect = connection.dialect.name
    statement = statements.delete_batch(resource.table, dialect)
    emptied = statements.EMPTY_ENTRIES[dialect]
    values = {"of_user": user_id, "of_kind": resource.kind}
    if dialect == "postgresql":
        values |= of_batch(ids)
        execute_parts(connection, [(statement, values), (emptied, values)])
    elif ids:
        own = [{**values, "entity_id": one} for one in ids]
        connection.execute(statement, own)
        connection.execute(emptied, own)


def change_kept(connection: Connection, user_id: str, key: str, response: Any, shows: str) -> None:
    """Put another ``response`` in place of the one that is kept under ``key``."""
    values = {"new_answer": orjson.dumps(response), "new_shows": shows}
    execute(connection, statements.CHANGE_KEPT, {"of_user": user_id, "of_key": key, **values})


def forget_entries(connection: Connection, user_id: str, floor: int, most: int) -> int:
    """Delete the user's entries up to the revision ``floor``, at most so many in one statement;
    return how many."""
    values = {"of_user": user_id, "floor": floor, "most": most}
    total = last = connection.execute(statements.FORGET_ENTRIES, values).rowcount
    while last == most:
        last = connection.execute(statements.FORGET_ENTRIES, values).rowcount
        total += last
    return total


def forget_old(connection: Connection, user_id: str, before: str) -> int:
    """Delete the user's responses that were kept before a moment; return how many."""
    return connection.execute(
        statements.FORGET_EXPIRED, {"of_user": user_id, "before": before}
    ).rowcount


def _change_one(change: Change, dialect: str) -> list[Part]:
    """The statements that make one change, and what they bind."""
    resource, old, new = change.resource, change.old, change.new
    if new is None:
        assert old is not None  # noqa: S101 - nothing was there, and nothing is
        key = {"entity_id": old["id"], "of_user": old["user_id"]}
        entries = {**key, "of_kind": resource.kind, **of_batch([old["id"]])}
        emptied = statements.EMPTY_ENTRIES[dialect]
        return [(statements.delete(resource.table), key), (emptied, entries)]
    if old is None:
        row = change.row()
        return [(statements.insert(resource.table, tuple(row)), bound(row))]
    changed = resource.changes(old, new)
    key = {"entity_id": new["id"], "of_user": new["user_id"]}
    return [(statements.update(resource.table, tuple(changed)), {**key, **bound(changed)})]


def _entries(changes: Sequence[Change]) -> list[Entry]:
    """The entries of ``changes``; what is deleted for good has none."""
    return [entry_of(one.resource, one.old, one.new) for one in changes if one.new is not None]


def _log(dialect: str, unit: LogUnit, entries: Sequence[Entry]) -> list[Part]:
    """The statements that write ``entries``, and what they bind."""
    if not entries:
        return []
    shared = {
        "of_user": unit.user_id,
        "log_unit": unit.first,
        "log_by": unit.by,
        "user_nonce": unit.nonce,
        "moment": unit.at,
    }
    rows = [(*entry[:4], _text(entry.before), _text(entry.after)) for entry in entries]
    names = [f"log_{name}" for name in Entry._fields]
    if len(rows) > 1 and dialect == "postgresql":
        columns = (list(column) for column in zip(*rows, strict=True))
        return [(statements.LOG_MANY, {**shared, **dict(zip(names, columns, strict=True))})]
    own = [{**shared, **dict(zip(names, row, strict=True))} for row in rows]
    return [(statements.LOG_ONE, own if len(own) > 1 else own[0])]


def _text(fields: Fields | None) -> str | None:
    return None if fields is None else orjson.dumps(fields).decode()


def _tallies(dialect: str, user_id: str, tallies: Mapping[Tally, int]) -> list[Part]:
    """The statements that add to counters on other rows, one for each table."""
    tables: dict[Table, dict[int, dict[str, int]]] = {}
    for tally, number in tallies.items():
        if number:
            tables.setdefault(tally.table, {}).setdefault(tally.id, {})[tally.column] = number
    return [_added(dialect, user_id, table, rows) for table, rows in tables.items()]


def _added(dialect: str, user_id: str, table: Table, rows: Mapping[int, Mapping[str, int]]) -> Part:
    columns = tuple(sorted({column for added in rows.values() for column in added}))
    ids = sorted(rows)
    bound = {f"{table.name}_ids": ids} | {
        f"{table.name}_{column}": [rows[one].get(column, 0) for one in ids] for column in columns
    }
    statement = statements.add_to(table, dialect, columns)
    if dialect == "postgresql":
        return statement, {"of_user": user_id, **bound}
    each = zip(*bound.values(), strict=True)
    return statement, [{"of_user": user_id, **dict(zip(bound, row, strict=True))} for row in each]


def _write_many(connection: Connection, changes: Sequence[Change]) -> None:
    """Write whole entities, new ones and old ones; none is deleted for good here."""
    rows: dict[Resource[Any], list[Values]] = {}
    for change in changes:
        rows.setdefault(change.resource, []).append(bound(change.row()))
    for resource, values in rows.items():
        names = tuple(name.removeprefix("new_") for name in values[0])
        connection.execute(statements.save(resource.table, names, connection.dialect.name), values)


def _keep(dialect: str, kept: Kept) -> list[tuple[Statement, Values]]:
    """Keep a response, and forget the oldest beyond what is kept for one user."""
    text = orjson.dumps(kept.response)
    of_key = {
        "of_user": kept.user_id,
        "of_key": kept.key,
        "size": ceil(len(text) / BLOCK_BYTES),
    }
    new = {
        "new_fingerprint": kept.fingerprint,
        "new_answer": text,
        "new_shows": kept.shows,
        "kept_at": now(),
    }
    return [(statements.FORGET_OLDEST, of_key), (statements.KEEP[dialect], {**of_key, **new})]
