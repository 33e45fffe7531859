"""SQL functions that each database writes in its own way."""

from collections.abc import Callable
from typing import Any, Self

from orjson import dumps
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Dialect,
    Select,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from todo.column_types import Instant


class contains(FunctionElement[bool]):  # noqa: N801 - reads like SQL's functions
    """True where the first text contains the second, compared by code point.

    The second text is no pattern: ``%`` and ``_`` have no special meaning, and nothing is escaped.
    """

    type = Boolean()
    inherit_cache = True

    def __init__(self, text: ColumnElement[Any], part: ColumnElement[Any]) -> None:
        super().__init__(text, part)


@compiles(contains, "postgresql")
def _contains_postgresql(element: contains, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)}) > 0"


@compiles(contains, "sqlite")
def _contains_sqlite(element: contains, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)}) > 0"


class _Several(TypeDecorator[Any]):
    """Several values of a type in one parameter: PostgreSQL's array, or JSON for SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return what makes the parameter of a sequence of values."""
        one = self.of.dialect_impl(dialect).bind_processor(dialect)
        make = list if dialect.name == "postgresql" else lambda values: dumps(values).decode()
        return lambda values: make([one(value) if one else value for value in values])


class _Lookup(FunctionElement[bool]):
    """A condition that an index serves. SQLAlchemy would compare it with 1 for SQLite, and no index
    serves that.
    """

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Self:
        """Return what stands in a ``WHERE``: the condition as it is."""
        return self


class is_any_of(_Lookup):  # noqa: N801 - reads like SQL's functions
    """True where a column has one of the values that the parameter ``name`` binds as a sequence.

    The text of the statement does not depend on how many there are, as that of ``IN`` does.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        super().__init__(column, bindparam(name, type_=_Several(column.type)))


@compiles(is_any_of, "postgresql")
def _is_any_of_postgresql(element: is_any_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY({values})"


@compiles(is_any_of, "sqlite")
def _is_any_of_sqlite(element: is_any_of, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - compiled SQL


class is_found_by(_Lookup):  # noqa: N801 - reads like SQL's functions
    """Whether a column has one of the values that a query of one column finds.

    PostgreSQL gets them as an array, which is made first: then it looks each of them up in an
    index, whatever it believes about the table. It may walk through all rows for ``IN``.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], query: Select[Any]) -> None:
        super().__init__(column, query.scalar_subquery())


@compiles(is_found_by, "postgresql")
def _is_found_by_postgresql(element: is_found_by, compiler: SQLCompiler, **options: Any) -> str:
    column, query = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY(ARRAY{query})"


@compiles(is_found_by, "sqlite")
def _is_found_by_sqlite(element: is_found_by, compiler: SQLCompiler, **options: Any) -> str:
    column, query = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN {query}"


class this_moment(FunctionElement[str]):  # noqa: N801 - reads like SQL's functions
    """The moment by the database's clock, cut to milliseconds: machines need not agree on theirs.

    It is read when the row is: after a wait for a lock, too.
    """

    type = Instant()
    inherit_cache = True


@compiles(this_moment, "postgresql")
def _this_moment_postgresql(*_: Any, **__: Any) -> str:
    return "date_trunc('milliseconds', clock_timestamp())"


@compiles(this_moment, "sqlite")
def _this_moment_sqlite(*_: Any, **__: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


class milliseconds_since(FunctionElement[int]):  # noqa: N801 - reads like SQL's functions
    """How long ago an instant was, by the database's clock; below 0 for one to come."""

    type = BigInteger()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)


@compiles(milliseconds_since, "postgresql")
def _milliseconds_since_postgresql(
    element: milliseconds_since, compiler: SQLCompiler, **options: Any
) -> str:
    column = compiler.process(element.clauses, **options)
    return f"CAST(1000 * extract(epoch FROM clock_timestamp() - {column}) AS bigint)"


@compiles(milliseconds_since, "sqlite")
def _milliseconds_since_sqlite(
    element: milliseconds_since, compiler: SQLCompiler, **options: Any
) -> str:
    column = compiler.process(element.clauses, **options)
    return f"CAST(86400000 * (julianday('now') - julianday({column})) AS integer)"
