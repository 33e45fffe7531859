"""Query parameters as one typed object: the dataclass that a handler asks for.

A handler that takes many query parameters takes one object in their place: it annotates a parameter
with a dataclass whose fields have the names of the query parameters. The class is compared with the
contract at start; a request costs one call of it.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType
from typing import Any, Self, get_args, get_type_hints

from todo.http.contract import ContractError
from todo.http.contract.parameters import Parameter


@dataclass(frozen=True)
class QueryObject:
    """The argument of a handler that takes all query parameters, and the class to make it with."""

    handler: str
    argument: str
    make: type[Any]

    @classmethod
    def of(cls, handler: Callable[..., Any], *, given: Iterable[str]) -> Self | None:
        """Return what ``handler`` asks for, ``None`` if it asks for no such object.

        ``given`` are the names of the arguments that the contract gives in any case.
        """
        for name, parameter in inspect.signature(handler, eval_str=True).parameters.items():
            wanted = parameter.annotation
            if name not in given and isinstance(wanted, type) and is_dataclass(wanted):
                return cls(handler.__name__, name, wanted)
        return None

    def arguments(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the handler's argument, made of the ``values`` of all query parameters."""
        return {self.argument: self.make(**values)}

    def check(self, parameters: Iterable[Parameter]) -> None:
        """Raise :class:`ContractError` unless the fields are the ``parameters``, name by name.

        A field must allow ``None`` if its parameter can be absent, and only then.
        """
        absent = {parameter.name: parameter.can_be_absent for parameter in parameters}
        names = {field.name for field in fields(self.make)}
        if lacking := sorted(absent.keys() - names):
            raise self._error(f"has no field for the query parameters {lacking}")
        if foreign := sorted(names - absent.keys()):
            raise self._error(f"has fields that are no query parameters: {foreign}")
        types = get_type_hints(self.make)
        for name, can_be_absent in absent.items():
            if can_be_absent != (NoneType in get_args(types[name])):
                may = "must" if can_be_absent else "must not"
                raise self._error(f"{may} allow None as {name!r}, going by the query parameter")

    def _error(self, what: str) -> ContractError:
        return ContractError(f"{self.make.__name__}, which {self.handler} takes, {what}")
