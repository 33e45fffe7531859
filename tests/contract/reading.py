"""How these tests read the contract and the specs."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from todo.http.contract.document import contract_directory, load, operations

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
DOCUMENT = load(contract_directory())


def resolved(node: Any, document: dict[str, Any] = DOCUMENT) -> Any:
    """`node` with every reference replaced by what it points at in `document`."""
    if isinstance(node, list):
        return [resolved(item, document) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        return resolved(target, document)
    return {key: resolved(value, document) for key, value in node.items()}


# Answers whose members are not ours to close: an OpenAPI document has the form of OpenAPI.
OPEN_OUTPUTS = {"Contract", "Contract.info", "Contract.paths"}


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """A copy of `document` whose answers have the members that it names, and no others.

    The contract leaves answers open, so that they can grow. The tests let nothing out that the
    contract does not name.
    """
    copy = deepcopy(document)
    for component, schema in copy["components"]["schemas"].items():
        for where, inner in schemas(schema, component):
            if inner.get("type") == "object" and where not in OPEN_OUTPUTS:
                inner.setdefault("additionalProperties", False)  # a map has ids for names
    return copy


ENDLESS = "stream_events"
"""The operation whose response does not end; tests/api/test_events.py has it."""


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, references resolved."""

    method: str
    path: str
    definition: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def name(self) -> str:
        return self.definition["operationId"]

    @property
    def secured(self) -> bool:
        return bool(self.definition.get("security", DOCUMENT["security"]))

    @property
    def bodies(self) -> dict[str, Any]:
        """Media types of the request body: schema and example."""
        return self.definition.get("requestBody", {}).get("content", {})

    @property
    def responses(self) -> dict[int, Any]:
        return {int(status): body for status, body in self.definition["responses"].items()}

    def parameters(self, place: str) -> list[str]:
        """Names of the parameters in `path` or `query`, in the contract's order."""
        return [p["name"] for p in self.definition.get("parameters", []) if p["in"] == place]


def examples(content: dict[str, Any]) -> list[Any]:
    """The values that a media type shows, its own and those that it shares with others."""
    own = [content["example"]] if "example" in content else []
    return own + [example["value"] for example in content.get("examples", {}).values()]


def schemas(node: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(where, schema)` for a schema and every schema inside of it."""
    if not isinstance(node, dict):
        return
    yield where, node
    for name, member in node.get("properties", {}).items():
        yield from schemas(member, f"{where}.{name}")
    for key in ("items", "additionalProperties", "not"):
        yield from schemas(node.get(key), f"{where}.{key}")
    for key in ("allOf", "anyOf", "oneOf"):
        for index, member in enumerate(node.get(key, [])):
            yield from schemas(member, f"{where}.{key}[{index}]")


def _operations_of(document: dict[str, Any]) -> list[Operation]:
    return [
        Operation(method.upper(), path, resolved(definition, document))
        for path, method, definition in operations(document)
    ]


OPERATIONS = _operations_of(DOCUMENT)
CLOSED_OPERATIONS = _operations_of(closed(DOCUMENT))
"""The same with closed answers, to check answers and examples with."""


def every_schema() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of the document, named by its place."""
    for section, key in (("schemas", None), ("parameters", "schema"), ("headers", "schema")):
        for name, member in DOCUMENT["components"][section].items():
            yield from schemas(resolved(member if key is None else member[key]), name)
    for operation in OPERATIONS:
        for parameter in operation.definition.get("parameters", []):
            yield from schemas(parameter["schema"], f"{operation} {parameter['name']}")
        for media_type, content in operation.bodies.items():
            yield from schemas(content["schema"], f"{operation} {media_type}")
        for status, response in operation.responses.items():
            for media_type, content in response.get("content", {}).items():
                yield from schemas(content["schema"], f"{operation} {status} {media_type}")
            for name, header in response.get("headers", {}).items():
                yield from schemas(header["schema"], f"{operation} {status} {name}")


def table(path: Path, first: str, *, after: str = "") -> list[list[str]]:
    """The rows of the Markdown table whose first heading is `first`, without backticks.

    With `after`, the first such table below that line.
    """
    text = path.read_text()
    lines = iter(text[text.index(after) :].splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            break
    else:
        raise AssertionError(f"{path.name} has no table that begins with '{first}'")
    assert set(next(lines)) <= set("|-: ")
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows
