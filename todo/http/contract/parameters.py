"""Parses query, path and headers strictly: nothing unknown, nothing twice, one spelling each.

An array is the one thing that may be given twice; a comma is part of its item.

Connexion's stock parser takes the last of several, splits on commas, and lets Python's ``int``
accept ``1_0`` and `` 5``.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl

from todo.http.contract import ContractError, hints
from todo.http.contract.schemas import Schema
from todo.problems import Problem, Violation, validation_failed

MAX_FIELDS: Final = 64
"""Query parameters looked at in one request."""
MAX_NAME: Final = 100
"""Characters of an unknown parameter's name in an error."""

_BOOLEANS: Final = ("true", "false")
_LOST_PLUS: Final = re.compile(r"[0-9T:.-]+ [0-9]{2}:[0-9]{2}")
"""An instant whose ``+`` before the zone was not encoded: it arrives as a space."""
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")


class _WrongTypeError(Exception):
    """The text cannot be a value of the parameter's type."""


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise _WrongTypeError
    return int(text)


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise _WrongTypeError
    return text == "true"


_PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "integer": _integer,
    "boolean": _boolean,
    "string": str,
}


class Parameter:
    """One query, path or header parameter, compiled."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        """Compile a parameter object; raises :class:`ContractError` for a type of no spelling."""
        schema = definition["schema"]
        self.name: str = definition["name"]
        self.required: bool = definition.get("required", False)
        self.default: Any = schema.get("default")
        self.repeatable: bool = schema.get("type") == "array"
        value = schema["items"] if self.repeatable else schema
        self._type: str = value.get("type", "none")
        if self._type not in _PARSERS:
            raise ContractError(f"parameter {self.name!r}: cannot be of type {self._type}")
        self.values: Sequence[str] = value.get("enum", ())
        self._parse = _PARSERS[self._type]
        self._schema = Schema(schema)

    @property
    def can_be_absent(self) -> bool:
        """Whether its value is ``None`` for a request without it."""
        return not self.required and self.default is None

    def read(self, *texts: str) -> tuple[Any, list[Violation]]:
        """Return the typed value of the parameter's ``texts``, and what is wrong with it.

        There is one text for each time that it is given, which is once unless it is repeatable:
        then the value is an array of them all.
        """
        try:
            values = [self._parse(text) for text in texts]
        except _WrongTypeError:
            detail = f'is not of type "{self._type}"{self._meant(texts)}'
            return None, [Violation("type", detail, parameter=self.name)]
        value = values if self.repeatable else values[0]
        return value, self.violations(value)

    def _meant(self, texts: Iterable[str]) -> str:
        """A hint at a boolean that is spelled in another way; it says nothing of other types."""
        return hints.of_text("".join(texts), _BOOLEANS) if self._type == "boolean" else ""

    def violations(self, value: Any) -> list[Violation]:
        """Return what is wrong with a typed ``value``."""
        return self._schema.parameter_violations(self.name, value)


class QueryParser:
    """Turns the raw query string of one operation into typed arguments."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._parameters = {parameter.name: parameter for parameter in parameters}
        self._required = [p.name for p in parameters if p.required]
        self._defaults = {p.name: p.default for p in parameters if not p.required}

    def parse(self, query: bytes) -> dict[str, Any]:
        """Return an argument for every parameter; ``None`` stands for absent without a default.

        Raises :class:`Problem`: 400 for a query that cannot be decoded, an unknown parameter or
        a repeated one that is no array, 422 for values that are against the contract.
        """
        arguments: dict[str, Any] = {}
        violations: list[Violation] = []
        for name, texts in self._given(query).items() if query else ():
            arguments[name], wrong = self._parameters[name].read(*texts)
            violations += [self._with_hint(violation, texts) for violation in wrong]
        violations += [
            Violation("required", "is required", parameter=name)
            for name in self._required
            if name not in arguments
        ]
        if violations:
            raise validation_failed(*violations)
        return {**self._defaults, **arguments}

    def _given(self, query: bytes) -> dict[str, list[str]]:
        given: dict[str, list[str]] = {}
        for name, text in _decode(query):
            parameter = self._parameters.get(name)
            if parameter is None:
                raise Problem("unknown_parameter", self._unknown(name))
            if name in given and not parameter.repeatable:
                raise Problem("repeated_parameter", f"'{name}' is given more than once.")
            given.setdefault(name, []).append(text)
        return given

    def _unknown(self, name: str) -> str:
        known = ", ".join(sorted(self._parameters)) or "none"
        hint = hints.of_name(name, self._parameters)
        its = f"{hint} The operation has" if hint else ", which has"
        return f"'{name[:MAX_NAME]}' is not a parameter of this operation{its}: {known}."

    def _with_hint(self, violation: Violation, texts: Sequence[str]) -> Violation:
        """Return ``violation``; where it says no hint, with one at the sender's likely intention.

        Front ends send the value under another parameter's name (``completed=all``), the name
        with no value (``search=``), several values with commas (``priority=high,low``), or a ``+``
        that is not encoded.
        """
        if violation.detail.endswith("?"):
            return violation
        if not any(texts) and violation.parameter not in self._required:
            return replace(
                violation, detail=f"{violation.detail}; did you mean to leave the parameter out?"
            )
        if violation.code == "format" and _LOST_PLUS.fullmatch(texts[-1]):
            return replace(violation, detail=f"{violation.detail}; did you mean %2B for its '+'?")
        parts = texts[-1].split(",")
        if parts[1:] and sorted(parts) == sorted(
            set(parts).intersection(self._repeated(violation.parameter))
        ):
            meant = "&".join(f"{violation.parameter}={part}" for part in parts)
            return replace(violation, detail=f"{violation.detail}; did you mean '{meant}'?")
        for other in self._parameters.values():
            if texts[-1] in other.values and other.name != violation.parameter:
                meant = f"; did you mean '{other.name}={texts[-1]}'?"
                return replace(violation, detail=violation.detail + meant)
        return violation

    def _repeated(self, name: str | None) -> Sequence[str]:
        """The values that the parameter can have several of, each once."""
        parameter = self._parameters.get(name or "")
        return parameter.values if parameter and parameter.repeatable else ()


class HeaderChecker:
    """Checks the headers that an operation declares; handlers read them where they need them."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._parameters = {p.name.lower().encode(): p for p in parameters}

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raise :class:`Problem` ``validation_failed`` for values that are against the contract.

        Lines of one name are one list (RFC 9110, section 5.3).
        """
        given: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            if name in self._parameters:
                given.setdefault(name, []).append(value)
        violations: list[Violation] = []
        for name, values in given.items():
            text = b",".join(values).decode("latin-1")
            violations += self._parameters[name].read(text)[1]
        if violations:
            raise validation_failed(*violations)


def _decode(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError is one
        raise Problem(
            "malformed_target",
            f"The query is not percent-encoded UTF-8 of at most {MAX_FIELDS} parameters.",
        ) from None
