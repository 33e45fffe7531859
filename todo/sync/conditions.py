"""Conditions: what must be true of the rows of a list.

A condition has a kind and a value. The kinds make the SQL of a statement, which is built once for
each combination of them; the values are bound when the statement runs.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement

Clause = Callable[[str], ColumnElement[bool]]
"""Makes the SQL of one kind of condition, which binds its value under the given name."""


class Condition(NamedTuple):
    """One thing that must be true of a row: its kind, and the value that it binds.

    ``None`` binds nothing. A mapping binds each of its values, under ``<name>_<its key>``.
    """

    kind: str
    value: Any = None


def clauses(
    by_kind: Mapping[str, Clause], kinds: Sequence[str], prefix: str = "list"
) -> list[ColumnElement[bool]]:
    """Return the SQL of conditions of these ``kinds``, which binds what :func:`values` gives.

    ``by_kind`` has the clause of every kind. The ``prefix`` tells the values of several sets of
    conditions in one statement apart.
    """
    return [by_kind[kind](name) for kind, name in zip(kinds, names(kinds, prefix), strict=True)]


def names(kinds: Sequence[str], prefix: str = "list") -> list[str]:
    """Return the name that each condition of these ``kinds`` binds its value under."""
    return [f"{prefix}_{kind}_{number}" for number, kind in enumerate(kinds)]


def values(conditions: Sequence[Condition], prefix: str = "list") -> dict[str, Any]:
    """Return what the clauses of ``conditions`` bind."""
    bound: dict[str, Any] = {}
    kinds = [condition.kind for condition in conditions]
    for name, (_, value) in zip(names(kinds, prefix), conditions, strict=True):
        if isinstance(value, Mapping):
            bound |= {f"{name}_{part}": one for part, one in value.items()}
        elif value is not None:
            bound[name] = value
    return bound
