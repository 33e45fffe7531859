"""Loads ``openapi/`` as one OpenAPI 3.0 document.

The contract is written in many files. A reference into ``components/<section>.yaml`` becomes a
reference to ``#/components/<section>/...``, so that the served document keeps its names (typed
clients are generated from them); a reference to anything else is replaced by what it points at.

Operations of one kind share their error responses. ``error_sets.yaml`` has these responses once, as
sets; an operation names its sets in ``x-errors``, and the document has the responses in its place.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any, Final

import yaml

from todo.http.contract import ContractError

ROOT: Final = "openapi.yaml"
ERROR_SETS: Final = "error_sets.yaml"
X_ERRORS: Final = "x-errors"
"""The key of an operation that lists its sets of error responses."""
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_LOADER: Final = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # libyaml's takes a tenth of the time

Document = dict[str, Any]


def contract_directory() -> Path:
    """Return the folder of the contract: inside an installed package, beside it in a checkout."""
    installed = Path(str(files("todo"))) / "openapi"
    return installed if installed.is_dir() else installed.parent.parent / "openapi"


def load(directory: Path) -> Document:
    """Return the contract in ``directory`` as one document with local references only.

    Raises :class:`ContractError`, naming the file, for YAML that does not parse, for a reference
    that leads nowhere, and for an ``x-errors`` that names no set.
    """
    return _Bundle(directory).document()


def operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield ``(path, method, operation)`` for every operation, in the document's order."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def without(document: Document, tags: Collection[str]) -> Document:
    """Return ``document`` without the operations of ``tags``: what is off is not promised."""
    off = {
        path
        for path, _, operation in operations(document)
        if not set(tags).isdisjoint(operation.get("tags", ()))
    }
    return {
        **document,
        "paths": {path: item for path, item in document["paths"].items() if path not in off},
        "tags": [declared for declared in document.get("tags", ()) if declared["name"] not in tags],
    }


def served_at(url: str, document: Document) -> Document:
    """Return ``document`` with ``url`` as the one server that clients are to call."""
    described = document.get("servers") or [{}]
    return {**document, "servers": [{**described[0], "url": url}]}


def paths_without(document: Document, status: int) -> set[str]:
    """Return the paths of the operations that have no response of ``status``."""
    return {
        path
        for path, _, operation in operations(document)
        if str(status) not in operation["responses"]
    }


def check_security(document: Document) -> None:
    """Raise :class:`ContractError` for a security scheme that is required but not declared."""
    declared = document["components"].get("securitySchemes", {})
    required = [("every operation", document.get("security", []))]
    required += [
        (f"{method.upper()} {path}", operation.get("security", []))
        for path, method, operation in operations(document)
    ]
    for where, alternatives in required:
        for name in chain.from_iterable(alternatives):
            if name not in declared:
                raise ContractError(f"{where}: there is no security scheme {name!r}")


class _Bundle:
    """The state of one load: parsed files, and the components that were met on the way."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._components: dict[str, dict[str, Any]] = {}
        self._parse = cache(self._parse_file)

    def document(self) -> Document:
        root = self._directory / ROOT
        document: Any = self._inline(self._parse(root), root)
        if not isinstance(document, dict) or not isinstance(document.get("components", {}), dict):
            raise ContractError(f"{self._name(root)}: is not an OpenAPI document")
        if not isinstance(document.get("paths"), dict):
            raise ContractError(f"{self._name(root)}: has no paths")
        sections = {**document.get("components", {})}
        for section, members in self._components.items():
            sections[section] = {**sections.get(section, {}), **members}
        document["components"] = sections
        return document

    def _parse_file(self, path: Path) -> Any:
        try:
            return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - safe
        except (OSError, UnicodeDecodeError) as error:
            raise ContractError(f"{self._name(path)}: cannot be read: {error}") from None
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise ContractError(f"{self._name(path)}: not valid YAML: {reason}") from None

    def _name(self, path: Path) -> str:
        base = self._directory.parent
        return str(path.relative_to(base) if path.is_relative_to(base) else path)

    def _inline(self, node: Any, file: Path) -> Any:
        """Return ``node``, read from ``file``, with its references made local or replaced."""
        if isinstance(node, list):
            return [self._inline(item, file) for item in node]
        if not isinstance(node, Mapping):
            return node
        if isinstance(reference := node.get("$ref"), str):
            return self._follow(reference, file)
        inlined = {str(key): self._inline(value, file) for key, value in node.items()}
        if X_ERRORS in inlined:
            self._add_errors(inlined, file)
        if "propertyName" in node and "mapping" in node:  # a discriminator: references without $ref
            mapping = node["mapping"].items()
            inlined["mapping"] = {name: self._follow(to, file)["$ref"] for name, to in mapping}
        return inlined

    def _add_errors(self, operation: dict[str, Any], file: Path) -> None:
        """Replace the operation's ``x-errors`` by the responses of these sets, by status.

        The operation's own responses come before those of a set, a later set before an earlier.
        """
        who = f"{self._name(file)}: {operation.get('operationId')}: {X_ERRORS}"
        names, own = operation.pop(X_ERRORS), operation.get("responses")
        if not isinstance(names, list) or not isinstance(own, dict):
            raise ContractError(f"{who}: must be a list of names beside 'responses'")
        errors: dict[str, Any] = {}
        for name in names:
            errors |= self._error_set(str(name), who)
        inherited = sorted(errors.keys() - own.keys())
        own |= {
            code: self._inline(errors[code], self._directory / ERROR_SETS) for code in inherited
        }
        operation["responses"] = dict(sorted(own.items()))

    def _error_set(self, name: str, who: str) -> dict[str, Any]:
        file = self._directory / ERROR_SETS
        found = self._find(file, name, f"{who}: '{ERROR_SETS}#/{name}'")
        if not isinstance(found, Mapping):
            raise ContractError(f"{self._name(file)}: {name}: must have responses by their status")
        return {str(status): response for status, response in found.items()}

    def _follow(self, reference: str, file: Path) -> Any:
        location, _, pointer = reference.partition("#")
        target = (file.parent / location).resolve() if location else file
        found = self._find(target, pointer, f"{self._name(file)}: $ref {reference!r}")
        if target.parent.name != "components":
            return self._inline(found, target)
        section, name = target.stem, pointer.strip("/")
        members = self._components.setdefault(section, {})
        if name not in members:
            members[name] = {}  # claims the name first: a schema may refer to itself
            members[name] = self._inline(found, target)
        return {"$ref": f"#/components/{section}/{name}"}

    def _find(self, target: Path, pointer: str, who: str) -> Any:
        if not target.is_file():
            raise ContractError(f"{who}: there is no such file")
        found = self._parse(target)
        for token in filter(None, pointer.split("/")):
            key = token.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise ContractError(f"{who}: there is no {key!r} in {self._name(target)}")
            found = found[key]
        return found
