"""Statements that are compiled once and run by the driver.

SQLAlchemy builds an execution context and a result for each execution, which costs more than all
that the driver does. So a statement that requests run again and again is compiled once for an
engine, with the processors of its types, and each execution goes to the driver's cursor.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

_STATEMENTS: Final = 1024
"""Statements that stay compiled; whoever runs one keeps it, for it is found by its identity."""


class _Prepared:
    """The text of a statement, and what happens to its values and rows."""

    def __init__(
        self, statement: sa.Executable, dialect: sa.Dialect, schemas: Mapping[Any, Any]
    ) -> None:
        assert isinstance(statement, sa.ClauseElement)  # noqa: S101 - all that is executable is
        compiled = statement.compile(
            dialect=dialect, schema_translate_map=schemas, render_schema_translate=True
        )
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - it is no DDL
        self.text = str(compiled)
        self.expands = any(bind.expanding for bind in compiled.binds.values())
        self._fixed = {
            name: bind.effective_value
            for name, bind in compiled.binds.items()
            if bind.value is not None
        }
        processors = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bind in compiled.binds.items()
        }
        self._bound = [(name, processor) for name, processor in processors.items() if processor]
        columns = getattr(statement, "exported_columns", ())
        self._row = _row_class(column.key for column in columns)
        of_columns = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]
        self._read = [(place, read) for place, read in enumerate(of_columns) if read]

    def values(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the driver binds for the values that are ``given``."""
        values = {**self._fixed, **given}
        for name, processor in self._bound:
            values[name] = processor(values[name])
        return values

    def rows(self, fetched: Sequence[Sequence[Any]]) -> list[Any]:
        """Return the rows that the driver ``fetched``, as named tuples."""
        make, processors = self._row, self._read
        if not processors:
            return [make(row) for row in fetched]
        rows = []
        for one in fetched:
            row = list(one)
            for place, processor in processors:
                row[place] = processor(row[place])
            rows.append(make(row))
        return rows


def _row_class(names: Iterable[str]) -> Callable[[Sequence[Any]], Any]:
    """Return what makes a named tuple of a row."""
    row: Any = namedtuple("Row", list(names), rename=True)  # type: ignore[misc]  # not known before
    make: Callable[[Sequence[Any]], Any] = row._make
    return make


_prepared: Final = lru_cache(maxsize=_STATEMENTS)(
    lambda statement, dialect, namespace: _Prepared(statement, dialect, {None: namespace})
)


def execute(
    connection: sa.Connection, statement: sa.Executable, values: Mapping[str, Any]
) -> Sequence[Any]:
    """Run ``statement``, which the caller keeps, and return its rows as named tuples.

    ``values`` has a value for each of its parameters. SQLAlchemy itself runs the statement where
    somebody listens to the engine (a tracer), and where the text depends on how many values a
    parameter has. Raises SQLAlchemy's errors either way.
    """
    dialect = connection.dialect
    schemas = connection.get_execution_options().get("schema_translate_map")
    prepared = _prepared(statement, dialect, schemas[None] if schemas else None)
    if prepared.expands or connection.engine._has_events:
        result = connection.execute(statement, values)
        return result.all() if result.returns_rows else ()
    cursor = connection.connection.cursor()
    try:
        cursor.execute(prepared.text, prepared.values(values))
        return prepared.rows(cursor.fetchall()) if cursor.description else ()
    except dialect.loaded_dbapi.Error as error:
        # SQLAlchemy's own way from an error of the driver to one of its own: a connection that was
        # lost leaves the pool, and all the others of its age.
        connection._handle_dbapi_exception(error, prepared.text, None, cursor, None)
    finally:
        cursor.close()
