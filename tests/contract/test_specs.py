"""The pages link to files that exist; the specs have the numbers and names of the code."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.contract.reading import OPERATIONS, ROOT, SPECS, table
from todo.database import deadline, transactions
from todo.database.engine import SQLITE_BUSY_MS
from todo.database.obstacles import MARKS
from todo.http.asgi import request_limits, turns
from todo.models import MAX_TAGS, TITLE_KEY_LENGTH, Base
from todo.problems import MAX_BODY, MAX_ERRORS
from todo.sync.statements import MOST_BLOCKS
from todo.sync.writer import BLOCK_BYTES
from todo.values.text_keys import MAX_WORDS

PAGES = sorted([*SPECS.rglob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("[RS]*.md")])
DECISIONS = sorted((SPECS / "decisions").glob("*.md"))
SCHEMA = SPECS / "database" / "schema.md"
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
NAMED = re.compile(r"`((?:todo|tests|openapi|specs)/[\w./-]*)`")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_page_points_at_files_that_exist(page: Path):
    text = page.read_text()
    missing = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    missing += [name for name in NAMED.findall(text) if not (ROOT / name).exists()]
    assert missing == []


def test_decisions_are_numbered_and_have_the_three_parts():
    assert [path.name[:4] for path in DECISIONS] == [
        f"{number:04}" for number in range(1, len(DECISIONS) + 1)
    ]
    for path in DECISIONS:
        text = path.read_text()
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ], path.name
        assert text.startswith(f"# {path.name[:4]}: ")


def test_limits_are_those_of_the_code():
    limits = {what: limit for what, limit, _ in table(SPECS / "api" / "endpoints.md", "what")}
    assert limits["path and query"] == f"{request_limits.MAX_TARGET:,} bytes"
    headers = f"{request_limits.MAX_HEADERS:,} bytes, and {request_limits.MAX_HEADER_LINES} of them"
    assert limits["headers"] == headers
    assert limits["body"] == f"{request_limits.MAX_BODY:,} bytes"
    [bulk] = [operation for operation in OPERATIONS if operation.name == "change_tasks"]
    most = bulk.definition["requestBody"]["x-max-bytes"]
    assert limits["the body of change_tasks"] == f"{most:,} bytes"
    kept = limits["answers that are kept for the keys of a user"]
    assert kept == f"{MOST_BLOCKS:,}; each of more than {BLOCK_BYTES:,} bytes counts as several"
    assert limits["a problem document"] == f"{MAX_BODY:,} bytes"
    assert limits["violations in one problem"] == str(MAX_ERRORS)
    assert limits["waiting for a thread"] == (
        f"{turns.QUEUE_SECONDS:.0f} s, and {turns.QUEUE_PER_THREAD} requests for each thread"
    )
    at_once = limits["one user's requests on threads, in each process"]
    assert at_once == f"half of the threads, rounded up; {turns.WRITES_PER_USER} that write"
    most = turns.QUEUE_PER_USER
    queue = limits["one user's requests that wait for the user's others, in each process"]
    assert queue == f"{most} that read, and {most} that write"
    locks = limits["waiting for a row lock (PostgreSQL), for another writer (SQLite)"]
    assert locks == f"{transactions.LOCK_MS / 1000:.0f} s, {SQLITE_BUSY_MS / 1000:.0f} s"
    total = limits["the database work of one request"]
    assert total == f"{deadline.STATEMENT_SECONDS:.0f} s"
    many = (
        "the same, of a request that changes many tasks"
        " (change_tasks, rename_tag, delete_tag, empty_trash, clear_completed, complete_all,"
        " delete_list, undo_change)"
    )
    assert limits[many] == f"{transactions.MANY_SECONDS:.0f} s"
    assert limits["tags of a list's filter"] == str(MAX_TAGS)
    assert limits["words of a search"] == str(MAX_WORDS)


@pytest.mark.parametrize("model", Base.metadata.sorted_tables, ids=str)
def test_schema_page_has_the_columns_of_the_models(model: sa.Table):
    rows = table(SCHEMA, "column", after=f"\n## {model.name}\n")
    assert [(name, null) for name, _, null, _ in rows] == [
        (column.name, "yes" if column.nullable else "no") for column in model.columns
    ]


def test_schema_page_has_the_keys_and_indexes_of_the_models():
    tasks = Base.metadata.tables["tasks"]
    rows = table(SCHEMA, "index")
    assert {(name, columns) for name, columns, _ in rows if name.startswith("ix_")} == {
        (index.name, ", ".join(column.name for column in index.columns)) for index in tasks.indexes
    }
    assert rows[0][:2] == ["pk_tasks", ", ".join(tasks.primary_key.columns.keys())]


def test_schema_page_has_every_constraint_of_the_models():
    text = SCHEMA.read_text()
    names = {c.name for t in Base.metadata.sorted_tables for c in t.constraints}
    assert {name for name in names if f"`{name}" not in text} == set()
    assert f"cut to {TITLE_KEY_LENGTH} characters" in text


def test_schema_page_has_every_table_of_the_models():
    sections = re.findall(r"^## (\w+)$", SCHEMA.read_text(), re.MULTILINE)
    assert [name for name in sections if name.islower()] == list(Base.metadata.tables)


def test_every_table_has_marks_that_tell_it_from_other_systems_tables():
    assert set(MARKS) == set(Base.metadata.tables)
    for name, marks in MARKS.items():
        assert marks <= set(Base.metadata.tables[name].columns.keys())
