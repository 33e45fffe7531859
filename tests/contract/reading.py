"""How these tests read the contract and the specs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from todo.contract.document import contract_directory, load, operations

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
DOCUMENT = load(contract_directory())


def resolved(node: Any) -> Any:
    """`node` with every reference replaced by what it points at."""
    if isinstance(node, list):
        return [resolved(item) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str):
        target: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        return resolved(target)
    return {key: resolved(value) for key, value in node.items()}


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


OPERATIONS = [
    Operation(method.upper(), path, resolved(definition))
    for path, method, definition in operations(DOCUMENT)
]


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
