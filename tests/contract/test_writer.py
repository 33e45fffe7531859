"""One module has the statements that write users, tasks and idempotency keys, and one uses them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import todo
from tests.contract.test_imports import imports_of
from todo.models import Base

PACKAGE = Path(todo.__file__).parent
STATEMENTS = PACKAGE / "sync" / "statements.py"
MIGRATIONS = PACKAGE / "migrations"
VERBS = {"insert", "update", "delete"}
ON_CONFLICT = {"insert", "insert_into"}
"""What a member of `todo.database.dialects.INSERT` is called."""
TABLES = set(Base.metadata.tables)
NO_ENTITY = {"accounts", "imported_tasks", "issuer_keys", "_version"}
"""Tables that are no entity's: the module of their rules writes them."""
RAW = re.compile(
    rf"\b(INSERT INTO|UPDATE|DELETE FROM)\s+({'|'.join(sorted(TABLES - NO_ENTITY))})\b", re.I
)


def statements_of(tree: ast.AST) -> Iterator[str]:
    """What each statement of SQLAlchemy's that writes is about, as it stands in the code."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in VERBS & imported or name in ON_CONFLICT:
                yield ast.unparse(node.args[0])
            case ast.Subscript(value=ast.Name(id="INSERT")):
                yield ast.unparse(node.args[0])
            case ast.Attribute(attr=verb, value=ast.Name(id=base)) if verb in VERBS:
                if base in imported | {"sa", "dialect"}:
                    yield ast.unparse(node.args[0])
                elif base in TABLES or base == "table":
                    yield base
            case ast.Attribute(attr=verb, value=ast.Attribute(attr="table")) if verb in VERBS:
                yield "table"


def written_by(source: str) -> set[str]:
    """The tables that a module writes, as it names them."""
    tree = ast.parse(source)
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    raw = {match[2] for text in texts if isinstance(text, str) for match in RAW.finditer(text)}
    return raw | set(statements_of(tree))


MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != STATEMENTS and not path.is_relative_to(MIGRATIONS)
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_else_writes_an_entity_a_counter_or_a_kept_response(path: Path):
    assert written_by(path.read_text()) <= NO_ENTITY


def test_the_writer_alone_has_the_statements():
    users = [path for path in MODULES if "todo.sync.statements" in imports_of(path)]
    users += [path for path in MODULES if "todo.sync.statements.Statement" in imports_of(path)]
    assert {path.name for path in users} == {"writer.py"}


def test_the_statements_are_seen_to_write():
    assert {"users", "keys", "table"} <= written_by(STATEMENTS.read_text())


@pytest.mark.parametrize(
    "source",
    [
        "from sqlalchemy import update\nupdate(users)",
        "import sqlalchemy as sa\nsa.delete(users)",
        "from sqlalchemy.dialects import sqlite\nsqlite.insert(users)",
        "{name: insert(users) for name, insert in INSERT.items()}",
        "INSERT[dialect](users)",
        "users.insert()",
        "connection.exec_driver_sql('update users set revision = 1')",
    ],
)
def test_a_statement_is_seen_however_it_is_written(source: str):
    assert written_by(source) == {"users"}


@pytest.mark.parametrize(
    "source", ["TASKS.table.delete()", "table = TASKS.table\ntable.delete().where(table.c.id == 1)"]
)
def test_a_statement_about_the_table_of_a_resource_is_seen(source: str):
    assert written_by(source) == {"table"}
