"""``contains``: the SQL function that says whether a text contains another text.

Each database has its own name for it. The function takes no pattern, so ``%`` and ``_`` have no
special meaning, and nothing has to be escaped.
"""

from typing import Any

from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class contains(FunctionElement[bool]):  # noqa: N801 - reads like SQL's functions
    """True where the first text contains the second, compared by code point."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, text: ColumnElement[Any], part: ColumnElement[Any]) -> None:
        super().__init__(text, part)


@compiles(contains, "postgresql")
def _postgresql(element: contains, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)}) > 0"


@compiles(contains, "sqlite")
def _sqlite(element: contains, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)}) > 0"
