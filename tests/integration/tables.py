"""What the tables really hold, read past the API."""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from todo.database import deadline
from todo.database.engine import maintenance_engine
from todo.models import Base

PATIENCE_SECONDS = 120
engine_at = cache(maintenance_engine)
"""Kept, for a new engine asks the database who it is; no connection is kept."""


def rows(url: str, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    """Run one statement (or, on PostgreSQL, several) and return its rows, if it gives any."""
    # An application in this process makes psycopg2 wait with a deadline.
    with deadline.scope(PATIENCE_SECONDS), engine_at(url).connect() as connection:
        result = connection.execute(sa.text(statement), parameters)
        return [dict(row) for row in result.mappings()] if result.returns_rows else []


def value(url: str, statement: str, **parameters: Any) -> Any:
    """Return the one value of the one row that ``statement`` gives."""
    [row] = rows(url, statement, **parameters)
    [only] = row.values()
    return only


def tasks_of(url: str, owner: str) -> list[dict[str, Any]]:
    """Every task of ``owner``, the trash included, in the order of their ids."""
    return rows(
        url,
        "SELECT id, revision, title, completed, deleted_at IS NOT NULL AS trashed FROM tasks"
        " WHERE user_id = :owner ORDER BY id",
        owner=owner,
    )


def counters_of(url: str, owner: str) -> Mapping[str, int]:
    """The owner's own row: the revision, and how many tasks are where."""
    [row] = rows(
        url,
        "SELECT revision, open_tasks, done_tasks, trashed_tasks FROM users WHERE id = :owner",
        owner=owner,
    )
    return row


def assert_books_balance(url: str, owner: str, *, changes: int, at_one_moment: bool = True) -> None:
    """Hold the owner's row against the tasks, after ``changes`` changes of one task each.

    Every change took one revision and left it on its task: no two tasks share one, and the
    newest is the owner's, at the same moment (made-up tasks have moments of their own).
    """
    tasks = tasks_of(url, owner)
    where = Counter(
        "trashed_tasks" if task["trashed"] else "done_tasks" if task["completed"] else "open_tasks"
        for task in tasks
    )
    assert counters_of(url, owner) == {
        "revision": changes,
        "open_tasks": where["open_tasks"],
        "done_tasks": where["done_tasks"],
        "trashed_tasks": where["trashed_tasks"],
    }
    revisions = [task["revision"] for task in tasks]
    assert len(set(revisions)) == len(revisions)
    assert max(revisions) == changes
    assert_log_is_whole(url, owner)
    if not at_one_moment:
        return
    newest = (
        "SELECT count(*) FROM users JOIN tasks ON tasks.user_id = users.id"
        " AND tasks.revision = users.revision AND tasks.updated_at = users.updated_at"
        " WHERE users.id = :owner"
    )
    assert value(url, newest, owner=owner) == 1


def assert_log_is_whole(url: str, owner: str) -> None:
    """The log of ``owner`` has every revision behind its floor once, up to the last one."""
    [log] = rows(
        url,
        "SELECT revision, logged, log_floor, nonce, floor_nonce FROM users WHERE id = :owner",
        owner=owner,
    )
    if log["logged"] == log["revision"]:
        entries = rows(
            url,
            "SELECT revision, nonce FROM changes WHERE user_id = :owner AND revision > :floor"
            " ORDER BY revision",
            owner=owner,
            floor=log["log_floor"],
        )
        expected = range(log["log_floor"] + 1, log["revision"] + 1)
        assert [entry["revision"] for entry in entries] == list(expected)
        assert [entry["nonce"] for entry in entries][-1:] in ([], [log["nonce"]])


_COUNTED = {
    "users": (
        "SELECT top_open, top_done, counted FROM users WHERE id = :owner",
        (
            "SELECT count(CASE WHEN NOT completed AND parent_id IS NULL THEN 1 END) AS top_open,"
            " count(CASE WHEN completed AND parent_id IS NULL THEN 1 END) AS top_done,"
            " (SELECT revision FROM users WHERE id = :owner) AS counted"
            " FROM tasks WHERE user_id = :owner AND deleted_at IS NULL"
        ),
    ),
    "lists": (
        (
            "SELECT id, open_tasks, done_tasks, top_open, top_done FROM lists"
            " WHERE user_id = :owner ORDER BY id"
        ),
        (
            "SELECT lists.id, count(CASE WHEN NOT completed THEN 1 END) AS open_tasks,"
            " count(CASE WHEN completed THEN 1 END) AS done_tasks,"
            " count(CASE WHEN NOT completed AND parent_id IS NULL THEN 1 END) AS top_open,"
            " count(CASE WHEN completed AND parent_id IS NULL THEN 1 END) AS top_done"
            " FROM lists LEFT JOIN tasks ON tasks.user_id = lists.user_id AND list_id = lists.id"
            " AND tasks.deleted_at IS NULL WHERE lists.user_id = :owner"
            " GROUP BY lists.id ORDER BY lists.id"
        ),
    ),
    "tasks": (
        "SELECT id, children, children_done FROM tasks WHERE user_id = :owner ORDER BY id",
        (
            "SELECT parent.id, count(child.id) AS children,"
            " count(CASE WHEN child.completed THEN 1 END) AS children_done"
            " FROM tasks AS parent LEFT JOIN tasks AS child ON child.user_id = parent.user_id"
            " AND child.parent_id = parent.id AND child.deleted_at IS NULL"
            " WHERE parent.user_id = :owner GROUP BY parent.id ORDER BY parent.id"
        ),
    ),
}


def assert_all_is_counted(url: str, owner: str) -> None:
    """Hold the counters of lists and subtasks against the tasks.

    Every task has a position, and every live subtask a live parent.
    """
    for counters, counted in _COUNTED.values():
        assert rows(url, counters, owner=owner) == rows(url, counted, owner=owner)
    without = "SELECT count(*) FROM tasks WHERE position IS NULL AND user_id = :owner"
    assert value(url, without, owner=owner) == 0
    lost = (
        "SELECT count(*) FROM tasks WHERE deleted_at IS NULL AND user_id = :owner"
        " AND parent_id NOT IN (SELECT id FROM tasks WHERE deleted_at IS NULL AND user_id = :owner)"
    )
    assert value(url, lost, owner=owner) == 0


_SLOW = {
    "postgresql": """
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END';
        CREATE TRIGGER slow BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION slow()
        """,
    "sqlite": """
        CREATE TRIGGER slow BEFORE UPDATE ON tasks BEGIN
        SELECT max(i) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
        WHERE i < 1000000) SELECT i FROM n); END
        """,
}


def never_analyse(url: str) -> None:
    """Keep PostgreSQL from gathering statistics of the tables on its own."""
    for table in Base.metadata.sorted_tables:
        rows(url, f"ALTER TABLE {table.name} SET (autovacuum_enabled = off)")


def slow_down(url: str) -> None:
    """Make every change of a task take its time, far more than that of a statement."""
    rows(url, _SLOW[url.partition(":")[0]])
