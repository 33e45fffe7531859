"""Copying the tasks of another back end: its users' tasks become tasks of the same users here.

The other table is only read. What was copied is marked beside it, in the transaction that copies
it (``imported_tasks``), so an import can end anywhere and run again: it copies what has no mark. A
mark outlives its task, so nothing comes back that a user has deleted here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, bindparam
from sqlalchemy.exc import NoSuchTableError

from todo.auth.user import User
from todo.database import deadline
from todo.models import imported_tasks
from todo.problems import Problem
from todo.sync.log import SYSTEM
from todo.sync.runs import run
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks.foreign_tasks import COLUMNS, NEEDED, Row, UnfitRowError, fields_of, identity_of
from todo.tasks.service import add_many, check_quota
from todo.tasks.task import Fields, Task

BATCH: Final = 500
"""Tasks of one unit of work, at most."""
READ_SECONDS: Final = 600.0
"""How long the other table may take to give the next batch: for the first it is sorted."""

_OURS: Final = frozenset({"revision", "title_key"})
_KNOWN: Final = sa.select(imported_tasks.c.source_id).where(
    imported_tasks.c.user_id == bindparam("of_user"),
    imported_tasks.c.source == bindparam("source"),
    imported_tasks.c.source_id.in_(bindparam("ids", expanding=True)),
)
_MARK: Final = sa.insert(imported_tasks)


class ImportStoppedError(Exception):
    """The import cannot begin, or cannot go on; the text says why, and what to do."""


class _DryRunError(Exception):
    """Ends the unit of work of a dry run, so that it leaves nothing behind."""


@dataclass(frozen=True)
class Source:
    """The other table: its whole ``name``, which is what the marks name it by, and its rows."""

    name: str
    table: sa.TableClause
    types: dict[str, Any]

    @classmethod
    def find(cls, engine: Engine, name: str) -> "Source":
        """Return the table or view ``name``, as in ``public.tasks``.

        Raises :class:`ImportStoppedError` when there is none, and when it has no tasks in it.
        """
        if "/" in name:  # a database's URL, perhaps: no part of a password is told
            raise ImportStoppedError(
                "--from takes the name of a table or view, such as public.tasks; "
                "the URL of the database goes into DATABASE_URL"
            )
        schema, _, table = name.rpartition(".")
        with engine.connect() as connection:
            schema = schema or connection.dialect.default_schema_name or ""
            try:
                columns = sa.inspect(connection).get_columns(table, schema=schema)
            except NoSuchTableError:
                raise ImportStoppedError(f"there is no table or view {name!r} here") from None
        types = {column["name"]: column["type"] for column in columns}
        if types.keys() >= _OURS:
            raise ImportStoppedError(f"{name!r} is a table of this API's own")
        if missing := [column for column in NEEDED if column not in types]:
            raise ImportStoppedError(
                f"{name!r} has no column {', '.join(missing)}; "
                "make a view that gives its columns these names, and import from that"
            )
        clause = sa.table(table, *map(sa.column, types), schema=schema)
        return cls(f"{schema}.{table}", clause, types)

    @property
    def left_out(self) -> list[str]:
        """The columns that no task here has a place for."""
        return [name for name in self.types if name not in COLUMNS]

    def batches(self, engine: Engine) -> Iterator[Sequence[Row]]:
        """Yield all rows, those of one user together and the oldest first."""
        order = ("user_id", "created_at", "id")
        statement = sa.select(*(self._text(name) for name in COLUMNS if name in self.types))
        statement = statement.order_by(*(self.table.c[n] for n in order if n in self.types))
        with _reading(engine) as connection:
            with deadline.scope(READ_SECONDS):
                result = connection.execute(statement)
                rows = result.mappings().fetchmany(BATCH)
            while rows:
                yield [dict(row) for row in rows]
                with deadline.scope(READ_SECONDS):
                    rows = result.mappings().fetchmany(BATCH)

    def check_ids(self, engine: Engine) -> None:
        """Raise :class:`ImportStoppedError` when two rows of a user have one id: a mark is for one.

        Rows without a user or an id are no tasks that could be copied.
        """
        key = (self._text("user_id"), self._text("id"))
        twice = sa.select(*key).where(*(self.table.c[n].is_not(None) for n in ("user_id", "id")))
        twice = twice.group_by(*key).having(sa.func.count() > 1).limit(1)
        with deadline.scope(READ_SECONDS), engine.connect() as connection:
            row = connection.execute(twice).first()
        if row is not None:
            raise ImportStoppedError(f"{self.name!r} has two rows with the id {row.id[:40]!r}")

    def _text(self, name: str) -> sa.ColumnElement[str]:
        """A column as text, whatever it is: times that Python cannot hold are met as text, too."""
        column: sa.ColumnElement[Any] = self.table.c[name]
        if isinstance(self.types[name], sa.ARRAY):
            column = sa.func.to_json(column)
        return sa.cast(column, sa.Text).label(name)


@dataclass
class Copied:
    """What an import has done, or would do."""

    dry_run: bool
    tasks: int = 0
    users: set[str] = field(default_factory=set)
    present: int = 0
    refused: int = 0

    def __str__(self) -> str:
        """One line."""
        copied, were = ("would be copied", "are") if self.dry_run else ("copied", "were")
        return (
            f"{self.tasks} tasks of {len(self.users)} users {copied}, "
            f"{self.present} {were} there already, {self.refused} cannot be copied"
        )


@dataclass
class _Found:
    """A row that can be copied."""

    number: str
    fields: Fields


def copy(
    engine: Engine,
    source: Source,
    *,
    quota: int,
    most_entries: int,
    dry_run: bool,
    tell: Callable[[str], None],
) -> Copied:
    """Copy every task of ``source`` that was not copied before; return how many.

    ``tell`` is given a line about each row that is against the contract, which stays where it is.
    Raises :class:`ImportStoppedError`, naming the user, when a user would have more than ``quota``
    tasks; what was copied until then stays copied. A ``dry_run`` counts, and writes nothing.
    """
    copied = Copied(dry_run)
    rehearsed: dict[str, int] = {}
    source.check_ids(engine)
    for rows in source.batches(engine):
        for user, found in _by_user(source, rows, copied, tell):
            before = rehearsed.get(user, 0)
            try:
                new = _copy(user, source, found, before, quota, most_entries, dry_run=dry_run)
            except Problem as problem:
                if problem.code != "quota_exceeded":
                    raise
                raise ImportStoppedError(
                    f"the user {user!r} has no room for more: {problem.detail} "
                    f"Raise TASKS_PER_USER, and run this again; so far: {copied}"
                ) from None
            if dry_run:
                rehearsed[user] = rehearsed.get(user, 0) + new
            if new:
                copied.users.add(user)
            copied.tasks += new
            copied.present += len(found) - new
    return copied


def _by_user(
    source: Source, rows: Sequence[Row], copied: Copied, tell: Callable[[str], None]
) -> Iterator[tuple[str, list[_Found]]]:
    for _, group in groupby(rows, lambda row: row["user_id"]):
        user, found = "", []
        for row in group:
            try:
                user, number = identity_of(row)
                found.append(_Found(number, fields_of(row)))
            except UnfitRowError as reason:
                copied.refused += 1
                tell(f"{source.name} {_shown(row['id'])} of {_shown(row['user_id'])}: {reason}")
        if found:
            yield user, found


def _shown(text: str | None) -> str:
    return "without a value" if text is None else repr(text[:60])


def _copy(
    user: str,
    source: Source,
    found: list[_Found],
    rehearsed: int,
    quota: int,
    most_entries: int,
    *,
    dry_run: bool,
) -> int:
    """Copy what was not copied before, in one unit of work; return how many tasks that is."""
    bound = {"source": source.name, "ids": [row.number for row in found]}
    new: list[_Found] = []

    def work(unit: UnitOfWork) -> None:
        known = {row.source_id for row in unit.read(_KNOWN, bound)}
        new[:] = [row for row in found if row.number not in known]
        check_quota(unit, rehearsed + len(new), quota)
        if dry_run:
            raise _DryRunError
        if new:
            made = add_many(unit, [row.fields for row in new])
            marks = [_mark(source, *pair) for pair in zip(new, made, strict=True)]
            unit.connection.execute(_MARK, marks)

    with suppress(_DryRunError):
        run(User(user), work, by=SYSTEM, most_entries=most_entries)
    return len(new)


def _mark(source: Source, row: _Found, task: Task) -> dict[str, Any]:
    return {
        "user_id": task["user_id"],
        "source": source.name,
        "source_id": row.number,
        "task_id": task["id"],
    }


def _reading(engine: Engine) -> Connection:
    """A connection that gives rows as they are asked for, all of them of one moment."""
    options: dict[str, Any] = {"stream_results": True, "max_row_buffer": BATCH}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    connection = engine.connect().execution_options(**options)
    if engine.dialect.name == "sqlite":
        driver_connection: Any = connection.connection.dbapi_connection
        driver_connection.text_factory = lambda text: text.decode(errors="surrogateescape")
    return connection
