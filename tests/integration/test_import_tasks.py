"""`todo import-tasks`: the tasks of another back end, each once, whatever happens between."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.api.expect import a_task
from tests.conftest import Caller
from tests.integration.server import postgresql_settings, run_todo
from tests.integration.tables import assert_books_balance, counters_of, rows, value

SQLMODEL = (
    "id {serial} PRIMARY KEY, user_id varchar NOT NULL, title varchar NOT NULL,"
    " description varchar, completed boolean NOT NULL, created_at timestamp NOT NULL,"
    " updated_at timestamp NOT NULL"
)
"""The table that SQLModel makes of the earlier back end's ``Task``."""

MADE = "2025-01-02 03:04:05.678901"
CHANGED = "2025-02-03 04:05:06"

Import = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def source(database_url) -> str:
    """The name of the other table, which is in the same database."""
    serial = "serial" if database_url.startswith("postgres") else "integer"
    rows(database_url, f"CREATE TABLE old_tasks ({SQLMODEL.format(serial=serial)})")
    return "public.old_tasks" if serial == "serial" else "main.old_tasks"


@pytest.fixture
def imported(database_url, source, tmp_path) -> Import:
    """Run the command on the other table."""

    def run(*options: str, name: str = source, **variables: str):
        settings = {**postgresql_settings(database_url), **variables}
        return run_todo("import-tasks", "--from", name, *options, cwd=tmp_path, **settings)

    return run


def add(url: str, **fields: Any) -> None:
    """Add a row to the other table."""
    given = {
        "user_id": "alice",
        "title": "Buy milk",
        "description": None,
        "completed": False,
        "created_at": MADE,
        "updated_at": CHANGED,
        **fields,
    }
    names = ", ".join(given)
    values = ", ".join(f":{name}" for name in given)
    rows(url, f"INSERT INTO old_tasks ({names}) VALUES ({values})", **given)  # noqa: S608


def count_of(run: subprocess.CompletedProcess[str]) -> str:
    """What the command's only line says after the database."""
    [line] = run.stdout.splitlines()
    return line.rpartition(": ")[2]


def listed(caller: Caller) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = caller("GET", "?order=asc").json()["tasks"]
    return tasks


def old_tasks(url: str) -> list[dict[str, Any]]:
    return rows(url, "SELECT * FROM old_tasks ORDER BY id")


def test_import_copies_every_users_tasks_with_their_times_the_oldest_first(
    database_url, imported, service_on
):
    add(database_url, id=7, title="  Second ", description="", created_at="2025-01-03 00:00:00")
    add(database_url, id=9, title="First", completed=True)
    add(database_url, id=8, title="Bob's", user_id="bob", description="Two litres")
    before = old_tasks(database_url)

    run = imported()

    assert (run.returncode, run.stderr) == (0, "")
    assert count_of(run) == "3 tasks of 2 users copied, 0 were there already, 0 cannot be copied"
    service = service_on(database_url)
    made, changed = "2025-01-02T03:04:05.678Z", "2025-02-03T04:05:06.000Z"
    assert listed(service.caller("alice")) == [
        a_task(
            "alice",
            1,
            "First",
            completed=True,
            completed_at=changed,
            created_at=made,
            updated_at=changed,
        ),
        a_task(
            "alice",
            2,
            "  Second ",
            description="",
            created_at="2025-01-03T00:00:00.000Z",
            updated_at=changed,
        ),
    ]
    assert listed(service.caller("bob")) == [
        a_task("bob", 1, "Bob's", description="Two litres", created_at=made, updated_at=changed)
    ]
    assert_books_balance(database_url, "alice", changes=2, at_one_moment=False)
    assert old_tasks(database_url) == before


def test_import_that_runs_again_copies_what_is_new_and_brings_nothing_back(
    database_url, imported, service_on, tmp_path
):
    for number in (1, 2, 3):
        add(database_url, id=number, title=f"{number}")
    imported()
    alice = service_on(database_url).caller("alice")
    edited = alice("PATCH", "1", json={"title": "Edited here"}).json()
    alice("DELETE", "2")
    alice("DELETE", "3")
    alice("DELETE", "/api/me/trash/3")  # for good
    add(database_url, id=4, title="New there", created_at="2020-01-01 00:00:00")
    add(database_url, id=5, title="Of a new user", user_id="carol")

    run = imported()

    assert (run.returncode, run.stderr) == (0, "")
    assert count_of(run) == "2 tasks of 2 users copied, 3 were there already, 0 cannot be copied"
    assert [task["title"] for task in listed(alice)] == ["Edited here", "New there"]
    assert listed(alice)[0] == edited
    assert [task["id"] for task in alice("GET", "/api/me/trash").json()["tasks"]] == [2]
    assert count_of(imported()).startswith("0 tasks of 0 users copied, 5 were there already")


def test_imported_tasks_are_found_sorted_and_counted_like_any_others(
    database_url, imported, service_on
):
    add(database_url, title="Straße kaufen")
    imported()
    alice = service_on(database_url).caller("alice")

    page = alice("GET", "?search=STRASSE&sort=title").json()

    assert (page["total"], page["revision"]) == (1, 1)
    assert alice("PATCH", "1/complete").json()["completed"] is True
    assert alice.create("Next")["id"] == 3


def test_dry_run_counts_the_same_and_writes_nothing(database_url, imported):
    for number in range(3):
        add(database_url, title=f"{number}")
    add(database_url, title=" ", user_id="bob")

    rehearsal = imported("--dry-run")

    assert rehearsal.returncode == 1
    assert count_of(rehearsal) == (
        "3 tasks of 1 users would be copied, 0 are there already, 1 cannot be copied"
    )
    for table in ("users", "tasks", "imported_tasks"):
        assert rows(database_url, f"SELECT * FROM {table}") == []  # noqa: S608
    real = imported()
    assert real.stderr == rehearsal.stderr
    assert count_of(real) == ("3 tasks of 1 users copied, 0 were there already, 1 cannot be copied")
    assert count_of(imported("--dry-run")) == (
        "0 tasks of 0 users would be copied, 3 are there already, 1 cannot be copied"
    )


REFUSED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "empty title": ({"title": " \n"}, "title is empty"),
    "long title": ({"title": "x" * 201}, "title has 201 characters, more than 200"),
    "long description": (
        {"description": "x" * 1001},
        "description has 1001 characters, more than 1000",
    ),
    "empty user": ({"user_id": ""}, "the user_id cannot be a token's 'sub'"),
    "user with a line break": (
        {"user_id": "a\nb"},
        "the user_id cannot be a token's 'sub'",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_row_against_the_contract_is_named_and_left_while_all_others_are_copied(
    what, database_url, source, imported, service_on
):
    fields, reason = REFUSED[what]
    add(database_url, id=17, **fields)
    add(database_url, id=18, title="x" * 200, description="y" * 1000)

    run = imported()

    user = fields.get("user_id", "alice")
    assert run.returncode == 1
    assert run.stderr == f"{source} '17' of {user!r}: {reason}\n"
    assert count_of(run) == "1 tasks of 1 users copied, 0 were there already, 1 cannot be copied"
    assert [task["title"] for task in listed(service_on(database_url).caller("alice"))] == [
        "x" * 200
    ]

    rows(database_url, "UPDATE old_tasks SET title = 'Mended', description = NULL, user_id = 'u'")
    mended = imported()
    assert mended.returncode == 0
    assert value(database_url, "SELECT count(*) FROM tasks WHERE title = 'Mended'") >= 1


def test_text_that_is_no_utf_8_in_sqlite_is_named_too(new_database, tmp_path):
    url = new_database("sqlite")
    rows(url, f"CREATE TABLE old_tasks ({SQLMODEL.format(serial='integer')})")
    add(url, id=1)
    rows(url, "UPDATE old_tasks SET title = CAST(x'61ff' AS TEXT)")

    settings = postgresql_settings(url)
    run = run_todo("import-tasks", "--from", "old_tasks", cwd=tmp_path, **settings)

    assert run.stderr == (
        "main.old_tasks '1' of 'alice': title has a NUL, or bytes that are not UTF-8\n"
    )


def test_user_without_room_ends_the_import_by_name_and_what_was_copied_stays(
    database_url, imported
):
    for number in range(3):
        add(database_url, user_id="bob", title=f"{number}")
    add(database_url, user_id="alice")

    rehearsal = imported("--dry-run", TASKS_PER_USER="2")
    run = imported(TASKS_PER_USER="2")

    assert (run.returncode, run.stdout) == (1, "")
    assert "the user 'bob' has no room for more: A user may have 2 tasks" in run.stderr
    assert "so far: 1 tasks of 1 users copied" in run.stderr
    assert "so far: 1 tasks of 1 users would be copied" in rehearsal.stderr
    assert len(run.stderr.splitlines()) == 1
    assert value(database_url, "SELECT count(*) FROM tasks") == 1
    assert count_of(imported()).startswith("3 tasks of 1 users copied, 1 were there already")


def test_thousands_of_tasks_are_copied_in_batches_that_balance(database_url, imported):
    one = "SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1300"
    insert = (
        f"WITH RECURSIVE n(i) AS ({one}) INSERT INTO old_tasks"  # noqa: S608
        " SELECT i, CASE WHEN i % 13 = 0 THEN 'bob' ELSE 'alice' END, 'Task ' || i, NULL,"
        " i % 2 = 0, '2025-01-02 03:04:05', '2025-01-02 03:04:05' FROM n"
    )
    rows(database_url, insert)

    assert count_of(imported("--dry-run")).startswith("1300 tasks of 2 users would be copied")
    assert count_of(imported()).startswith("1300 tasks of 2 users copied")

    assert_books_balance(database_url, "alice", changes=1200, at_one_moment=False)
    assert counters_of(database_url, "bob")["revision"] == 100
    ids = "SELECT count(*) FROM imported_tasks m JOIN tasks t ON t.user_id = m.user_id"
    ids += " AND t.id = m.task_id AND t.title = 'Task ' || m.source_id"
    assert value(database_url, ids) == 1300


def test_import_that_is_killed_half_way_and_run_again_has_copied_each_task_once(
    database_url, imported
):
    for number in range(4):
        add(database_url, user_id=f"user-{number}")
    add(database_url, user_id="user-2")
    # What a kill leaves: the batches of some users, each with its marks.
    imported(name=one_of(database_url, "SELECT * FROM old_tasks WHERE user_id < 'user-2'"))
    rows(
        database_url,
        "UPDATE imported_tasks SET source = replace(source, 'some_tasks', 'old_tasks')",
    )

    assert count_of(imported()) == (
        "3 tasks of 2 users copied, 2 were there already, 0 cannot be copied"
    )
    assert value(database_url, "SELECT count(*) FROM tasks") == 5


def one_of(url: str, query: str) -> str:
    """Make a view of ``query`` and return its name."""
    rows(url, f"CREATE VIEW some_tasks AS {query}")
    return "some_tasks"


def test_view_gives_columns_their_names_and_values_their_meaning(
    database_url, imported, service_on
):
    add(database_url, id=1, title="x" * 201)
    rows(
        database_url,
        "CREATE VIEW shaped AS SELECT id AS number, id, user_id, substr(title, 1, 200) AS title,"
        " CASE WHEN completed THEN 'low' ELSE 'HIGH' END AS priority, '2026-12-31' AS due_date,"
        """ '["Home", "a, b"]' AS tags FROM old_tasks""",
    )

    run = imported(name="shaped")

    assert run.returncode == 0, run.stderr
    assert run.stderr.endswith("shaped: not copied: number\n")
    [task] = listed(service_on(database_url).caller("alice"))
    assert (task["priority"], task["due_date"], task["tags"]) == (
        "high",
        "2026-12-31",
        ["Home", "a, b"],
    )


def test_postgresql_types_are_read_as_what_they_mean(new_database, service_on, tmp_path):
    url = new_database("postgresql")
    rows(
        url,
        "CREATE TYPE urgency AS ENUM ('LOW', 'MEDIUM', 'HIGH');"
        "CREATE TABLE other (id uuid, user_id int, title varchar, completed bool,"
        " created_at timestamptz, updated_at date, priority urgency, due_date timestamptz,"
        " tags text[]);"
        "INSERT INTO other VALUES ('7a6c3c0e-8d0b-4a3e-9a52-a0c6b0c8a001', 42, 'Typed', NULL,"
        " '2025-01-02 03:04:05+05:30', '2025-03-01', 'HIGH', '2026-12-31 17:00+01',"
        " ARRAY['Home', 'a, b']);"
        "INSERT INTO other VALUES ('7a6c3c0e-8d0b-4a3e-9a52-a0c6b0c8a002', 42, 'Never', true,"
        " '-infinity', NULL, 'LOW', NULL, NULL)",
    )
    settings = postgresql_settings(url)

    run = run_todo("import-tasks", "--from", "public.other", cwd=tmp_path, **settings)

    assert run.stderr == (
        "public.other '7a6c3c0e-8d0b-4a3e-9a52-a0c6b0c8a002' of '42': "
        "created_at '-infinity' is not a time\n"
    )
    assert listed(service_on(url).caller("42")) == [
        a_task(
            "42",
            1,
            "Typed",
            priority="high",
            due_date="2026-12-31T16:00:00.000Z",
            tags=["Home", "a, b"],
            created_at="2025-01-01T21:34:05.000Z",
            updated_at="2025-03-01T00:00:00.000Z",
        )
    ]


def test_column_of_a_type_that_nobody_knows_is_left_out_without_a_warning(new_database, tmp_path):
    url = new_database("postgresql")
    rows(
        url,
        "CREATE TABLE other (id int, user_id text, title text, note point);"
        "INSERT INTO other VALUES (1, 'alice', 'Buy milk', '(1, 2)')",
    )

    run = run_todo("import-tasks", "--from", "other", cwd=tmp_path, **postgresql_settings(url))

    assert (run.returncode, run.stderr) == (0, "public.other: not copied: note\n")


@pytest.mark.parametrize(
    ("make", "name", "told"),
    [
        (None, "nothing", "there is no table or view 'nothing' here"),
        (None, "tasks", "'tasks' is a table of this API's own"),
        (
            "CREATE TABLE t (id int, body text)",
            "t",
            (
                "'t' has no column user_id, title; make a view that gives its columns these names,"
                " and import from that"
            ),
        ),
        (
            (
                "CREATE VIEW t AS SELECT 5 AS id, 'a' AS user_id, 'b' AS title"
                " UNION ALL SELECT 5, 'a', 'c'"
            ),
            "t",
            ".t' has two rows with the id '5'",
        ),
        (
            (
                "CREATE VIEW t AS SELECT CAST(NULL AS int) AS id, 'a' AS user_id, 'b' AS title"
                " UNION ALL SELECT NULL, 'a', 'c'"
                " UNION ALL SELECT 5, 'a', 'd' UNION ALL SELECT 5, 'a', 'e'"
            ),
            "t",
            ".t' has two rows with the id '5'",
        ),
    ],
)
def test_import_from_what_has_no_tasks_says_why_in_one_line(
    make, name, told, database_url, imported
):
    if make:
        rows(database_url, make)

    run = imported(name=name)

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.endswith(f"{told}\n")
    assert len(run.stderr.splitlines()) == 1


def test_rows_without_a_user_are_refused_one_by_one_even_with_one_id(database_url, imported):
    rows(
        database_url,
        "CREATE VIEW t AS SELECT 5 AS id, CAST(NULL AS text) AS user_id, 'b' AS title"
        " UNION ALL SELECT 5, NULL, 'c' UNION ALL SELECT 5, 'a', 'd'",
    )

    run = imported(name="t")

    assert count_of(run) == "1 tasks of 1 users copied, 0 were there already, 2 cannot be copied"


def test_import_sends_a_database_without_tables_to_migrate(empty_database, tmp_path: Path):
    rows(empty_database, "CREATE TABLE old (id int, user_id text, title text)")
    rows(empty_database, "INSERT INTO old VALUES (1, 'alice', 'Buy milk')")
    settings = postgresql_settings(empty_database)

    run = run_todo("import-tasks", "--from", "old", cwd=tmp_path, **settings)

    assert (run.returncode, run.stdout) == (1, "")
    assert "todo migrate" in run.stderr
    assert len(run.stderr.splitlines()) == 1
