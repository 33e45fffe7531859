"""Compiles the contract's schemas once, and says what is wrong in words of our own.

OpenAPI 3.0 schemas are JSON Schema with ``nullable`` and ``discriminator``; jsonschema-rs does the
checking. Its regular expressions run in linear time, so no pattern can be made to backtrack.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, cast

import jsonschema_rs

from todo.http.contract import ContractError, hints
from todo.http.contract.formats import FORMATS, UniqueWithoutCase, WholeNumber
from todo.problems import MAX_ERRORS, Violation

MAX_NAME: Final = 100
"""Characters of an unknown field's name in an error."""

SET_BY_SERVER: Final = "x-set-by-server"
"""The keyword of an object's schema that lists the fields that only the server sets."""

MOST: Final = 50
"""Errors of an instance that are looked at."""

NODES: Final = 5000
"""Members and items of an instance whose errors are all looked for; a bulk has 3,400 at most."""

_MASK: Final = "value"
_SAY_IT_ALL: Final = frozenset({"format", "not_in_enum"})
_LENGTHS: Final = frozenset({"too_short", "too_long"})
"""Nothing to add where the text is none of the values, or of another form altogether."""
_IGNORED: Final = frozenset({"example", "examples", "xml", "externalDocs"})

_BOUNDS: Final = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}
"""Numbers whose exclusiveness OpenAPI 3.0 says with a boolean beside them."""

_CODES: Final[Mapping[str, str]] = {
    "additionalProperties": "unknown_field",
    "enum": "not_in_enum",
    "exclusiveMaximum": "too_large",
    "exclusiveMinimum": "too_small",
    "format": "format",
    "maxItems": "too_many",
    "maxLength": "too_long",
    "maximum": "too_large",
    "minItems": "too_few",
    "minLength": "too_short",
    "minProperties": "too_few",
    "minimum": "too_small",
    "pattern": "pattern",
    "required": "required",
    "type": "type",
    "uniqueItems": "not_unique",
    UniqueWithoutCase.NAME: "not_unique",
    WholeNumber.NAME: "type",
}


class Schema:
    """One compiled schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile ``schema``, an OpenAPI 3.0 schema object without references.

        Raises :class:`ContractError` for what is no schema, a pattern that is none among it.
        """
        self._draft7 = _to_draft7(schema)
        try:
            self._validator = jsonschema_rs.Draft7Validator(
                self._draft7,
                validate_formats=True,
                formats=FORMATS,
                keywords={keyword.NAME: keyword for keyword in (UniqueWithoutCase, WholeNumber)},
                mask=_MASK,
                pattern_options=jsonschema_rs.RegexOptions(),
            )
        except jsonschema_rs.ValidationError as error:
            place = _pointer(list(error.instance_path))
            raise ContractError(f"schema at '{place}': {error.message}") from None

    def violations(self, instance: Any) -> list[tuple[str, str, str]]:
        """Return up to :data:`MAX_ERRORS` of ``(pointer, code, detail)``; none if it is valid.

        ``pointer`` is an RFC 6901 pointer into ``instance``; ``detail`` never holds its values.
        """
        if self._validator.is_valid(instance):
            return []
        try:
            found = list(islice(self._explain(instance), MOST))
        except ValueError:  # the library's own limit, at 255 levels: orjson's is 1024
            return [("", "too_deep", "is nested too deeply")]
        explained = {place for place, code, _ in found if code in _SAY_IT_ALL}
        return [
            (place, code, detail)
            for place, code, detail in found
            if code not in _LENGTHS or place not in explained
        ][:MAX_ERRORS]

    def body_violations(self, body: Any) -> list[Violation]:
        """Return what is wrong with a request ``body``."""
        return [Violation(c, d, pointer=p) for p, c, d in self.violations(body)]

    def parameter_violations(self, name: str, value: Any) -> list[Violation]:
        """Return what is wrong with the ``value`` of the parameter ``name``."""
        return [Violation(c, d, parameter=name) for _, c, d in self.violations(value)]

    def _explain(self, instance: Any) -> Iterator[tuple[str, str, str]]:
        for error in self._errors(instance):
            path = list(error.instance_path)
            code = _CODES.get(error.kind.name, error.kind.name)
            kind = error.kind.as_dict()
            if code == "unknown_field":
                for name in kind["unexpected"]:
                    yield _pointer([*path, name[:MAX_NAME]]), code, self._unknown(name, error)
            elif code == "required":
                yield _pointer([*path, kind["property"]]), code, "is required"
            else:
                yield _pointer(path), code, self._sentence(error)

    def _errors(self, instance: Any) -> Iterable[jsonschema_rs.ValidationError]:
        """All errors of an instance that the schema could fit; of a larger one the first.

        The library finds all before it gives one, which takes seconds where there are 100,000.
        """
        if not _has_more(instance, NODES):
            return self._validator.iter_errors(instance)
        try:
            self._validator.validate(instance)
        except jsonschema_rs.ValidationError as error:
            return [error]
        return []

    def _parent(self, error: jsonschema_rs.ValidationError) -> Mapping[str, Any]:
        """The schema that the keyword of ``error`` stands in."""
        parent = self._draft7
        for step in error.schema_path[:-1]:
            parent = parent[step]
        return cast("Mapping[str, Any]", parent)

    def _unknown(self, name: str, error: jsonschema_rs.ValidationError) -> str:
        parent = self._parent(error)
        hint = hints.of_field(
            name, parent.get("properties", ()), set_by_server=parent.get(SET_BY_SERVER, ())
        )
        return f"unknown field '{name[:MAX_NAME]}'{hint}"

    def _sentence(self, error: jsonschema_rs.ValidationError) -> str:
        parent = self._parent(error)
        return self._wrong(error, parent) + hints.of_value(error.instance, parent)

    def _wrong(self, error: jsonschema_rs.ValidationError, parent: Mapping[str, Any]) -> str:
        keyword = error.kind.name.removeprefix("x-")
        if f"x-{keyword}-means" in parent:
            return str(parent[f"x-{keyword}-means"])
        if error.kind.name == "enum":  # the library's own sentence stops after three
            names = ("null" if value is None else str(value) for value in parent["enum"])
            return f"is not one of: {', '.join(names)}"
        return error.message.removeprefix(f"{_MASK} ")


def _to_draft7(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_to_draft7(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    draft7 = {key: _to_draft7(value) for key, value in schema.items() if key not in _IGNORED}
    if isinstance(properties := schema.get("properties"), Mapping):  # names, not keywords
        draft7["properties"] = {name: _to_draft7(value) for name, value in properties.items()}
    if draft7.get("type") == "integer":
        draft7 |= {WholeNumber.NAME: True, f"{WholeNumber.NAME}-means": 'is not of type "integer"'}
    if draft7.pop("nullable", False) is True and isinstance(draft7.get("type"), str):
        draft7["type"] = [draft7["type"], "null"]
        if None not in draft7.get("enum", [None]):
            draft7["enum"] = [*draft7["enum"], None]
    for bound, exclusive in _BOUNDS.items():
        if draft7.pop(exclusive, False) is True:
            draft7[exclusive] = draft7.pop(bound)
    if discriminator := draft7.pop("discriminator", None):
        draft7.update(_dispatched(discriminator["propertyName"], draft7.pop("oneOf")))
    return draft7


def _dispatched(name: str, alternatives: list[dict[str, Any]]) -> dict[str, Any]:
    """Choose among ``alternatives`` by the property ``name``, whose enum each has for itself.

    ``oneOf`` can only say that none fits; this says what is wrong with the one that was meant.
    """
    enums = [alternative["properties"][name]["enum"] for alternative in alternatives]
    return {
        "type": "object",
        "required": [name],
        "properties": {name: {"enum": [value for enum in enums for value in enum]}},
        "allOf": [
            {
                "if": {"type": "object", "required": [name], "properties": {name: {"enum": enum}}},
                "then": alternative,
            }
            for enum, alternative in zip(enums, alternatives, strict=True)
        ],
    }


def _has_more(instance: Any, most: int) -> bool:
    """Whether ``instance`` has more than so many members and items, at whatever depth."""
    containers = [instance]
    while containers and most >= 0:
        container = containers.pop()
        values = container.values() if isinstance(container, dict) else container
        if isinstance(container, (dict, list)):
            most -= len(container)
            containers += values if most >= 0 else ()
    return most < 0


def _pointer(path: list[str | int]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
