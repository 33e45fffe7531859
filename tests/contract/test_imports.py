"""Imports run one way: down the table in `todo/__init__.py`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import todo

PACKAGE = Path(todo.__file__).parent
LAYERS = re.findall(r"^``([\w.]+)``", todo.__doc__ or "", re.MULTILINE)
MODULES = sorted(PACKAGE.rglob("*.py"))
RULES = (
    "accounts",
    "lists",
    "tasks",
    "sync",
    "auth",
    "problems",
    "problem_types",
    "recurrence",
    "settings",
    "values",
)


def layer_of(module: str) -> str | None:
    """`todo.http.asgi.cors` is of layer `http.asgi`; the package itself has none."""
    parts = module.split(".")[1:]
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in names if name in LAYERS), None)


def name_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE.parent).with_suffix("")
    return ".".join(part for part in relative.parts if part != "__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Modules of this package that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            # `from todo import models` imports the module `todo.models`.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "todo")


def layers_imported_by(path: Path) -> set[str]:
    return {layer for name in imports_of(path) if (layer := layer_of(name))}


def test_every_module_has_a_layer():
    without = [name_of(path) for path in MODULES if layer_of(name_of(path)) is None]
    assert without == ["todo"]
    assert {layer_of(name_of(path)) for path in MODULES} - {None} == set(LAYERS)
    assert len(set(LAYERS)) == len(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_imports_nothing_above_it(path: Path):
    own = layer_of(name_of(path))
    above = LAYERS[: LAYERS.index(own)] if own else LAYERS
    assert layers_imported_by(path) & set(above) == set()


@pytest.mark.parametrize(
    ("layer", "below"),
    [
        ("auth", {"metrics"}),
        ("metrics", set()),
        ("problems", {"problem_types"}),
        ("problem_types", set()),
        ("recurrence", {"values"}),
        ("settings", {"values"}),
        ("values", set()),
    ],
)
def test_foundations_import_nothing_above_them(layer: str, below: set[str]):
    paths = [path for path in MODULES if layer_of(name_of(path)) == layer]
    imported = set().union(*(layers_imported_by(path) for path in paths))
    assert imported - {layer} <= below


@pytest.mark.parametrize("top", ["cli", "serving", "app"])
def test_nobody_imports_the_top(top: str):
    others = [path for path in MODULES if layer_of(name_of(path)) != top]
    assert [name_of(path) for path in others if top in layers_imported_by(path)] == []


LOW_TO_KNOW = {
    "auth": {"accounts", "lists", "tasks", "sync", "database", "models"},
    "http.contract": {"accounts", "lists", "tasks", "database", "models"},
    "sync": {"accounts", "lists", "tasks", "context"},
    "handlers": {"models"},
}
"""What a layer could import by the table, or could be taken to need, and must not."""


@pytest.mark.parametrize("layer", LOW_TO_KNOW)
def test_layer_knows_nothing_of_others(layer: str):
    paths = [path for path in MODULES if layer_of(name_of(path)) == layer]
    assert paths
    for path in paths:
        assert layers_imported_by(path) & LOW_TO_KNOW[layer] == set(), name_of(path)


def test_no_handler_imports_sqlalchemy():
    for path in MODULES:
        if layer_of(name_of(path)) == "handlers":
            assert "sqlalchemy" not in path.read_text(), name_of(path)


@pytest.mark.parametrize("framework", ["flask", "connexion", "starlette", "flask_sqlalchemy"])
def test_rules_know_no_web_framework(framework: str):
    for path in MODULES:
        if layer_of(name_of(path)) in RULES:
            roots = {
                (node.module or "").split(".")[0]
                if isinstance(node, ast.ImportFrom)
                else node.names[0].name.split(".")[0]
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Import | ast.ImportFrom)
            }
            assert framework not in roots, name_of(path)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_application_context_is_for_handlers_and_what_they_respond_with(path: Path):
    name = name_of(path)
    readers = ("todo.app", "todo.context", "todo.handlers.", "todo.http.")
    if "todo.context" in {module.rpartition(".")[0] for module in imports_of(path)}:
        assert name.startswith(readers)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_flask_configuration_is_written_where_an_application_is_made_and_read_nowhere(path: Path):
    uses = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr == "config"
        and ast.unparse(node.value).endswith("app")
    ]
    assert len(uses) == (name_of(path) == "todo.database.binding")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_is_short_enough_to_be_read_at_once(path: Path):
    assert len(path.read_text().splitlines()) <= 300
