"""`todo migrate` where somebody else has tables already: what it says, and what it leaves alone."""

from typing import Any

import pytest

from tests.integration.catalogue import OURS, definitions, tables
from tests.integration.concurrently import together
from tests.integration.server import postgresql_settings, run_todo
from tests.integration.tables import rows, value
from todo.database import schema
from todo.database.engine import display, maintenance_engine
from todo.models import VERSION_TABLE

EARLIER = {
    "users": "id varchar PRIMARY KEY, email varchar, name varchar, created_at timestamp",
    "tasks": "id int PRIMARY KEY, user_id varchar NOT NULL REFERENCES users (id), title varchar,"
    " description varchar, completed boolean, created_at timestamp, updated_at timestamp",
    "alembic_version": "version_num varchar(32) PRIMARY KEY",
}
"""What the earlier back end has: SQLModel's tables, migrated by an Alembic of its own."""


def earlier(url: str, *names: str) -> None:
    for name in names or EARLIER:
        rows(url, f"CREATE TABLE {name} ({EARLIER[name]})")
    if "alembic_version" in (names or EARLIER):
        rows(url, "INSERT INTO alembic_version VALUES ('0001')")


def content(url: str) -> dict[str, Any]:
    """Every table and view with its columns and rows."""
    return {name: (definitions(url, name), rows(url, f"SELECT * FROM {name}")) for name in EARLIER}  # noqa: S608


def refusal(url: str, cwd: Any, **variables: str) -> str:
    """The one line that `todo migrate` refuses with, after the database's name."""
    run = run_todo("migrate", cwd=cwd, **postgresql_settings(url), **variables)
    assert (run.returncode, run.stdout) == (1, "")
    assert len(run.stderr.splitlines()) == 1, run.stderr
    start = f"{display(url)}: "
    assert run.stderr.startswith(start)
    return run.stderr.removeprefix(start).rstrip()


def test_tables_of_an_earlier_back_end_are_named_with_what_to_do(empty_database, tmp_path):
    earlier(empty_database)
    rows(empty_database, "INSERT INTO users VALUES ('alice', 'a@example.com', NULL, NULL)")
    rows(empty_database, "INSERT INTO tasks (id, user_id, title) VALUES (7, 'alice', 'Old')")
    before = content(empty_database)

    line = refusal(empty_database, tmp_path)

    shapes = (
        "the table 'tasks' (id, user_id, title, description, completed, created_at, updated_at), "
        "the table 'users' (id, email, name, created_at) are not this API's and in the way of its"
        " own; "
    )
    assert line == shapes + (
        "set DATABASE_SCHEMA=todo for a schema of the API's own, and run 'todo migrate' again; "
        "then 'todo import-tasks --from public.tasks' copies its tasks"
        if empty_database.startswith("postgres")
        else "set DATABASE_URL to another file, or rename the table; "
        "then 'todo import-tasks --from old_tasks' copies its tasks"
    )
    assert content(empty_database) == before
    assert tables(empty_database) == set(EARLIER)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("CREATE VIEW tasks AS SELECT 1 AS n", "the view 'tasks' (n) is not this API's"),
        ("CREATE TABLE accounts (id int)", "the table 'accounts' (id) is not this API's"),
        ("CREATE TABLE imported_tasks (id int)", "the table 'imported_tasks' (id) is not"),
        (
            "CREATE TABLE other (id int);CREATE INDEX ix_tasks_trash ON other (id)",
            "the index 'ix_tasks_trash'",
        ),
        ("CREATE TABLE todo_api_version (id int)", "'todo_api_version' (id) is not this API's"),
    ],
)
def test_whatever_has_one_of_our_names_is_named(made, told, empty_database, tmp_path):
    for statement in made.split(";"):
        rows(empty_database, statement)

    assert told in refusal(empty_database, tmp_path)


@pytest.mark.parametrize("made", ["CREATE SEQUENCE tasks", "CREATE TYPE users AS ENUM ('a')"])
def test_what_only_postgresql_has_under_one_of_our_names_is_one_line_too(made, postgres, tmp_path):
    url = postgres.create_database()
    rows(url, made)

    assert made.split()[2] in refusal(url, tmp_path)
    assert tables(url) == set()


def test_alembic_version_of_somebody_else_is_no_obstacle_and_stays(empty_database, tmp_path):
    earlier(empty_database, "alembic_version")

    run = run_todo("migrate", cwd=tmp_path, **postgresql_settings(empty_database))

    assert (run.returncode, run.stderr) == (0, "")
    assert rows(empty_database, "SELECT * FROM alembic_version") == [{"version_num": "0001"}]
    assert schema.current(maintenance_engine(empty_database)) == schema.head()


def of_an_earlier_release(url: str, revision: str) -> None:
    """Make what a release made that kept its revision where Alembic keeps it."""
    schema.migrate(url, revision)
    rows(url, "ALTER TABLE todo_api_version RENAME TO alembic_version")
    if url.startswith("postgres"):
        rows(url, "ALTER INDEX todo_api_version_pkc RENAME TO alembic_version_pkc")


@pytest.mark.parametrize("revision", ["0001", "0005"])
def test_database_of_an_earlier_release_is_moved_on_with_its_rows(
    revision, empty_database, service_on
):
    of_an_earlier_release(empty_database, revision)
    rows(
        empty_database,
        "INSERT INTO users (id, revision, open_tasks, done_tasks, trashed_tasks, created_at,"
        " updated_at) VALUES ('alice', 3, 0, 0, 0, '2026-11-22 16:51:00', '2026-11-22 16:51:00')",
    )

    for _ in range(2):
        schema.migrate(empty_database)

    assert schema.current(maintenance_engine(empty_database)) == schema.head()
    # A process of the earlier release is ready until it is replaced.
    assert rows(empty_database, "SELECT * FROM alembic_version") == [{"version_num": revision}]
    assert service_on(empty_database).caller("alice").create()["revision"] == 4


def test_database_that_is_moved_on_has_exactly_the_schema_of_a_new_one(
    empty_database, new_database, dialect
):
    of_an_earlier_release(empty_database, "0003")

    schema.migrate(empty_database)

    names = (*OURS, VERSION_TABLE)
    assert definitions(empty_database, *names) == definitions(new_database(dialect), *names)


def test_two_todo_migrate_at_once_move_a_database_on_once(empty_database, tmp_path):
    of_an_earlier_release(empty_database, "0002")

    def migrate() -> Any:
        return run_todo("migrate", cwd=tmp_path, **postgresql_settings(empty_database))

    for run in together([migrate, migrate]):
        assert (run.returncode, run.stderr) == (0, "")
    assert value(empty_database, "SELECT count(*) FROM todo_api_version") == 1


def test_a_revision_like_ours_without_our_tables_is_somebody_elses(empty_database, tmp_path):
    earlier(empty_database, "alembic_version", "users", "tasks")

    assert "the table 'tasks'" in refusal(empty_database, tmp_path)
    assert "todo_api_version" not in tables(empty_database)


def test_database_of_a_later_release_is_one_line_and_stays_as_it_is(database_url, tmp_path):
    rows(database_url, "UPDATE todo_api_version SET version_num = '9999'")

    assert refusal(database_url, tmp_path) == (
        f"at revision 9999, which a later release made; this release knows {schema.head()} at most;"
        " install that release (its 'todo migrate' is the only one that leads back)"
    )


def test_name_that_a_later_migration_needs_is_named_when_it_is_taken_meanwhile(
    empty_database, tmp_path
):
    schema.migrate(empty_database, "0001")
    rows(empty_database, "CREATE TABLE accounts (number int)")

    assert "the table 'accounts' (number) is not this API's" in refusal(empty_database, tmp_path)
    assert schema.current(maintenance_engine(empty_database)) == "0001"


def test_migration_that_fails_for_any_other_reason_is_one_line_and_leaves_nothing(
    empty_database, tmp_path
):
    schema.migrate(empty_database, "0002")
    rows(
        empty_database,
        "INSERT INTO users (id, revision, open_tasks, done_tasks, trashed_tasks, created_at,"
        " updated_at) VALUES ('alice', 3, 0, 0, 0, '2026-11-22 16:51:00', '2026-11-22 16:51:00')",
    )
    rows(empty_database, "CREATE VIEW looks AS SELECT title FROM tasks")
    rows(empty_database, "ALTER TABLE tasks RENAME COLUMN description TO elsewhere")

    assert "description" in refusal(empty_database, tmp_path)
    assert schema.current(maintenance_engine(empty_database)) == "0002"
