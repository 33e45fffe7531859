"""Migrations give the models' schema, take it away again, and touch nothing else."""

import json
import subprocess
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from tests.api.expect import a_task
from tests.conftest import Service
from tests.integration.catalogue import OURS, definitions, tables
from tests.integration.concurrently import PATIENCE_SECONDS, together
from tests.integration.server import postgresql_settings, run_todo
from tests.integration.tables import rows, value
from tests.servers.postgres import PostgresServer
from tests.servers.reaper import wait_until
from todo.database import schema
from todo.database.engine import maintenance_engine
from todo.models import VERSION_TABLE, Base
from todo.tasks import recurrence
from todo.values import positions

RACES = 3
FIRST_OPENINGS = 50
BETTER_AUTH = {
    '"user"': "id text PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE,"
    ' "emailVerified" boolean NOT NULL, image text, "createdAt" timestamp NOT NULL',
    "session": 'id text PRIMARY KEY, "expiresAt" timestamp NOT NULL, token text NOT NULL UNIQUE,'
    ' "userId" text NOT NULL REFERENCES "user" (id) ON DELETE CASCADE',
    "account": 'id text PRIMARY KEY, "accountId" text NOT NULL, "providerId" text NOT NULL,'
    ' "userId" text NOT NULL REFERENCES "user" (id) ON DELETE CASCADE, password text',
    "verification": "id text PRIMARY KEY, identifier text NOT NULL, value text NOT NULL",
    "jwks": 'id text PRIMARY KEY, "publicKey" text NOT NULL, "privateKey" text NOT NULL',
}
BETTER_AUTH_NAMES = tuple(name.strip('"') for name in BETTER_AUTH)


def settings_of(url: str) -> dict[str, str]:
    return dict(postgresql_settings(url))


def differences(url: str) -> list[Any]:
    """What Alembic's autogenerate would change."""
    with maintenance_engine(url).connect() as connection:
        options = {"version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, Base.metadata)


def check_with_our_environment(url: str) -> None:
    """Run ``alembic check`` through the ``env.py`` that is shipped; it raises on differences."""
    config = Config()
    config.set_main_option("script_location", str(files("todo") / "migrations"))
    with maintenance_engine(url).connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)


def made_by_the_models(dialect: str, postgres: PostgresServer, folder: Path) -> str:
    url = (
        postgres.create_database()
        if dialect == "postgresql"
        else f"sqlite:///{folder / 'made-by-the-models.db'}"
    )
    Base.metadata.create_all(maintenance_engine(url))
    return url


def test_migrations_give_exactly_the_models_schema(dialect, empty_database, postgres, tmp_path):
    schema.migrate(empty_database)
    by_models = definitions(made_by_the_models(dialect, postgres, tmp_path))

    assert definitions(empty_database) == by_models
    assert "WHERE" in by_models["tasks: index ix_tasks_live_created"]
    assert "200" in by_models["tasks: constraint ck_tasks_title"]
    assert ("COLLATE C" in by_models["tasks: column title_key"]) == (dialect == "postgresql")
    assert differences(empty_database) == []
    check_with_our_environment(empty_database)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE tasks DROP CONSTRAINT ck_tasks_title",
        "DROP INDEX ix_tasks_live_title;CREATE INDEX ix_tasks_live_title ON tasks (user_id, id)",
        'ALTER TABLE tasks ALTER COLUMN title_key TYPE text COLLATE "default"',
        "ALTER TABLE tasks ALTER COLUMN user_id TYPE varchar(255)",
    ],
)
def test_comparison_of_schemas_notices_a_small_change(new_database, change):
    url = new_database("postgresql")
    before = definitions(url)
    rows(url, change)
    assert definitions(url) != before


def test_down_to_base_leaves_no_table_and_up_again_gives_the_same(empty_database):
    schema.migrate(empty_database)
    first = definitions(empty_database)
    assert tables(empty_database) == {*OURS, VERSION_TABLE}

    schema.migrate(empty_database, "base")
    assert tables(empty_database) == {VERSION_TABLE}
    assert schema.current(maintenance_engine(empty_database)) is None

    schema.migrate(empty_database)
    assert definitions(empty_database) == first
    assert schema.current(maintenance_engine(empty_database)) == schema.head()


def test_tables_of_better_auth_survive_up_and_down_untouched(empty_database):
    for name, columns in BETTER_AUTH.items():
        rows(empty_database, f"CREATE TABLE {name} ({columns})")
    rows(empty_database, "INSERT INTO jwks VALUES ('1', 'public', 'private')")
    before = definitions(empty_database, *BETTER_AUTH_NAMES)

    schema.migrate(empty_database)
    check_with_our_environment(empty_database)
    schema.migrate(empty_database, "base")

    assert tables(empty_database) == {*BETTER_AUTH_NAMES, VERSION_TABLE}
    assert definitions(empty_database, *BETTER_AUTH_NAMES) == before
    assert value(empty_database, "SELECT count(*) FROM jwks") == 1


def test_two_todo_migrate_at_once_both_succeed(dialect, postgres, tmp_path):
    for race in range(RACES):
        folder = tmp_path / str(race)
        folder.mkdir()
        url = (
            postgres.create_database()
            if dialect == "postgresql"
            else f"sqlite:///{folder / 'todo.db'}"
        )

        def migrate(folder: Path = folder, url: str = url) -> subprocess.CompletedProcess[str]:
            return run_todo("migrate", cwd=folder, **settings_of(url))

        for run in together([migrate, migrate]):
            assert (run.returncode, run.stderr) == (0, "")
            assert run.stdout.endswith(f": at revision {schema.head()}\n")
        assert tables(url) == {*OURS, VERSION_TABLE}
        assert value(url, "SELECT count(*) FROM todo_api_version") == 1


def test_connections_that_open_a_new_sqlite_file_at_once_all_find_it_in_wal(tmp_path):
    for race in range(FIRST_OPENINGS):
        url = f"sqlite:///{tmp_path / f'{race}.db'}"

        def journal(url: str = url) -> Any:
            return value(url, "PRAGMA journal_mode")

        assert together([journal] * 4) == ["wal"] * 4


def test_migration_url_is_the_one_that_is_migrated(new_database, postgres, tmp_path):
    pooled, direct = postgres.create_database(), postgres.create_database()

    run = run_todo("migrate", cwd=tmp_path, **settings_of(pooled), MIGRATION_DATABASE_URL=direct)

    assert (run.returncode, run.stderr) == (0, "")
    assert tables(pooled) == set()
    assert "tasks" in tables(direct)


def test_search_path_in_the_url_keeps_our_users_apart_from_those_of_better_auth(
    postgres, service_on
):
    shared = postgres.create_database()
    rows(shared, "CREATE TABLE users (id text PRIMARY KEY, email text); CREATE SCHEMA todo")
    url = f"{shared}?options=-csearch_path%3Dtodo"

    schema.migrate(url)
    caller = service_on(url).caller()
    task = caller.create("Buy milk")

    assert caller("GET", "").json()["tasks"] == [task]
    assert value(shared, "SELECT count(*) FROM todo.tasks") == 1
    assert value(shared, "SELECT count(*) FROM public.users") == 0
    schema.migrate(url, "base")
    assert tables(shared) == {"users"}


FIRST_USER = (
    "INSERT INTO users VALUES ('alice', 1, 1, 0, 0, '2026-11-22 16:51:00', '2026-11-22 16:51:00')"
)
FIRST_TASK = (
    "INSERT INTO tasks VALUES ('alice', 1, 1, 'Buy milk', 'buy milk', NULL, false, NULL,"
    " '2026-11-22 16:51:00', '2026-11-22 16:51:00', NULL)"
)


SEVERAL_BATCHES = 4_500
OLD_TASK = (
    "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
    " INSERT INTO tasks SELECT 'alice', i, i, 'Straße É', 'strasse é', 'Ein ﬁt', true,"
    " '2026-11-22 16:51:00', '2026-11-22 16:51:00', '2026-11-22 16:51:00', '2026-11-22 16:51:00'"
    " FROM n"
)


def test_old_tasks_have_what_a_new_one_has_and_are_found_by_their_words(empty_database, service_on):
    schema.migrate(empty_database, "0002")
    columns = "id, revision, open_tasks, done_tasks, trashed_tasks, created_at, updated_at"
    rows(empty_database, FIRST_USER.replace("users VALUES", f"users ({columns}) VALUES"))
    rows(empty_database, FIRST_TASK)
    rows(empty_database, OLD_TASK, last=SEVERAL_BATCHES)

    schema.migrate(empty_database)

    alice = service_on(empty_database).caller("alice")
    [milk] = alice("GET", "").json()["tasks"]
    assert milk == a_task("alice", 1, "Buy milk")
    assert alice("GET", "?search=MILK").json()["tasks"] == [milk]
    trash = "SELECT search_key, count(*) AS n FROM tasks WHERE id > 2 GROUP BY search_key"
    assert rows(empty_database, trash) == [
        {"search_key": "strasse é\nein fit", "n": SEVERAL_BATCHES - 2}
    ]


OLD_KEYS = (
    "INSERT INTO tasks (user_id, id, revision, title, title_key, description, completed,"
    "  completed_at, created_at, updated_at, search_key, priority, tags, tags_key)"
    " VALUES ('alice', :id, :id, :title, :title_key, NULL, false, NULL, '2026-11-22 16:51:00',"
    "  '2026-11-22 16:51:00', :search_key, 2, {tags}, :tags_key)"
)
KEYS = "SELECT id, title_key, search_key, tags_key FROM tasks ORDER BY id"


def old_task(url: str, number: int, title: str, *tags: str) -> None:
    """A task as the release before wrote it."""

    def key(text: str) -> str:
        normal = unicodedata.normalize("NFKC", text)
        return unicodedata.normalize("NFKC", normal.casefold())

    tags_key = "".join(f"\n{key(tag)}" for tag in tags) + "\n" if tags else ""
    cast = "CAST(:tags AS jsonb)" if url.startswith("postgresql") else ":tags"
    rows(
        url,
        OLD_KEYS.format(tags=cast),
        id=number,
        title=title,
        title_key=key(title)[:200],
        search_key=f"{key(title)}\n",
        tags=json.dumps(tags),
        tags_key=tags_key,
    )


def test_old_keys_lose_what_nobody_sees_and_equal_tags_become_the_first(empty_database, service_on):
    schema.migrate(empty_database, "0005")
    columns = "id, revision, open_tasks, done_tasks, trashed_tasks, created_at, updated_at"
    user = FIRST_USER.replace("users VALUES", f"users ({columns}) VALUES")
    rows(empty_database, user.replace("1, 1, 0, 0", "4, 4, 0, 0"))
    old_task(empty_database, 1, "Buy milk", "Home")
    old_task(empty_database, 2, "\u0130stanbul", "a", "\u200bA", "b")
    old_task(empty_database, 3, "Stra\u00adße", "\u200b", "É")
    old_task(empty_database, 4, "plain", "wo\u200drk")
    before = rows(empty_database, KEYS)

    schema.migrate(empty_database)

    assert rows(empty_database, KEYS) == [
        before[0],
        {
            "id": 2,
            "title_key": "istanbul",
            "search_key": "istanbul\n",
            "tags_key": "\na\nb\n",
        },
        {"id": 3, "title_key": "strasse", "search_key": "strasse\n", "tags_key": "\n\né\n"},
        {"id": 4, "title_key": "plain", "search_key": "plain\n", "tags_key": "\nwork\n"},
    ]
    alice = service_on(empty_database).caller("alice")
    [city] = alice("GET", "?search=istanbul").json()["tasks"]
    assert (city["title"], city["tags"], city["revision"]) == ("\u0130stanbul", ["a", "b"], 2)
    assert alice("GET", "?tag=work").json()["total"] == 1
    assert alice("GET", "/api/me/tags").json()["total"] == 6
    assert [task["id"] for task in alice("GET", "?tag=%E2%80%8B").json()["tasks"]] == [3]

    schema.migrate(empty_database, "0005")
    assert [row["title_key"] for row in rows(empty_database, KEYS)] == [
        row["title_key"] for row in before
    ]


LOCK_WAITERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
COMPLETE = """
UPDATE users SET revision = 2, open_tasks = 0, done_tasks = 1 WHERE id = 'alice';
UPDATE tasks SET revision = 2, completed = true, completed_at = now() WHERE user_id = 'alice'
"""


def test_a_task_that_is_completed_while_its_key_is_renewed_keeps_both_changes(postgres):
    url = postgres.create_database()
    schema.migrate(url, "0005")
    columns = "id, revision, open_tasks, done_tasks, trashed_tasks, created_at, updated_at"
    rows(url, FIRST_USER.replace("users VALUES", f"users ({columns}) VALUES"))
    old_task(url, 1, "\u0130stanbul", "wo\u200brk")

    with closing(psycopg2.connect(url)) as writer, ThreadPoolExecutor(1) as thread:
        writer.cursor().execute(COMPLETE)
        migration = thread.submit(schema.migrate, url)
        assert wait_until(lambda: value(url, LOCK_WAITERS) == 1, PATIENCE_SECONDS)
        writer.commit()
        migration.result(PATIENCE_SECONDS)

    assert rows(url, "SELECT revision, completed, title_key, search_key, tags_key FROM tasks") == [
        {
            "revision": 2,
            "completed": True,
            "title_key": "istanbul",
            "search_key": "istanbul\n",
            "tags_key": "\nwork\n",
        }
    ]


USER_COLUMNS = "id, revision, open_tasks, done_tasks, trashed_tasks, created_at, updated_at"
TASKS_OF_MANY_USERS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
    " INSERT INTO tasks (user_id, id, revision, title, title_key, description, completed,"
    "  completed_at, created_at, updated_at, deleted_at, search_key, priority, tags, tags_key)"
    " SELECT users.id, i, i, 'Old', 'old', NULL, i % 3 = 0,"
    "  CASE WHEN i % 3 = 0 THEN created_at END,"
    "  created_at, created_at, CASE WHEN i % 5 = 0 THEN created_at END, 'old\n', 2, '[]', ''"
    " FROM users, n"
)
OWNERS = ("alice", "bob", "carol")


def fill_before_lists(url: str, last: int) -> None:
    """Three users with so many tasks each, as the release before lists left them."""
    schema.migrate(url, "0011")
    for owner in OWNERS:
        user = FIRST_USER.replace("users VALUES", f"users ({USER_COLUMNS}) VALUES")
        rows(url, user.replace("'alice', 1, 1", f"'{owner}', {last}, 1"))
    rows(url, TASKS_OF_MANY_USERS, last=last)
    counters = {
        "open_tasks": "deleted_at IS NULL AND NOT completed",
        "done_tasks": "deleted_at IS NULL AND completed",
        "trashed_tasks": "deleted_at IS NOT NULL",
    }
    for name, condition in counters.items():
        number = f"SELECT count(*) FROM tasks WHERE user_id = users.id AND {condition}"  # noqa: S608
        rows(url, f"UPDATE users SET {name} = ({number})")  # noqa: S608


def test_tasks_of_before_lists_are_on_top_of_the_inbox_in_the_order_of_their_ids(empty_database):
    last = SEVERAL_BATCHES
    fill_before_lists(empty_database, last)

    schema.migrate(empty_database)

    given = rows(empty_database, "SELECT user_id, id, list_id, parent_id, position FROM tasks")
    assert {tuple(row.values()) for row in given} == {
        (owner, number, None, None, positions.last(number))
        for owner in OWNERS
        for number in range(1, last + 1)
    }
    wrong = (
        "SELECT count(*) FROM users WHERE top_open <> open_tasks OR top_done <> done_tasks"
        " OR counted <> revision"
    )
    assert value(empty_database, wrong) == 0


def test_lists_and_places_go_with_the_way_back_and_tasks_stay(empty_database, service_on):
    schema.migrate(empty_database)
    alice = service_on(empty_database).caller("alice")
    home = alice("POST", "/api/me/lists", json={"name": "Home"}).json()
    parent = alice.create("Move house", list_id=home["id"])
    child = alice.create("Pack", parent_id=parent["id"])

    schema.migrate(empty_database, "0011")

    assert "lists" not in tables(empty_database)
    assert rows(empty_database, "SELECT id, title FROM tasks ORDER BY id") == [
        {"id": parent["id"], "title": "Move house"},
        {"id": child["id"], "title": "Pack"},
    ]

    schema.migrate(empty_database)

    assert rows(empty_database, "SELECT id, parent_id, position FROM tasks ORDER BY id") == [
        {"id": one["id"], "parent_id": None, "position": positions.last(one["id"])}
        for one in (parent, child)
    ]


def test_positions_that_could_not_all_be_given_are_given_by_the_next_run(postgres):
    url = postgres.create_database()
    fill_before_lists(url, SEVERAL_BATCHES)
    schema.migrate(url, "0013")
    forbid = (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RAISE EXCEPTION ''no''; END';"
        "CREATE TRIGGER refuse BEFORE UPDATE ON tasks FOR EACH ROW"
        " WHEN (OLD.user_id = 'carol') EXECUTE FUNCTION refuse()"
    )
    rows(url, forbid)

    with pytest.raises(schema.MigrationError):
        schema.migrate(url)
    assert value(url, f"SELECT version_num FROM {VERSION_TABLE}") == "0013"  # noqa: S608
    assert value(url, "SELECT count(position) FROM tasks WHERE user_id = 'alice'") > 0
    rows(url, "DROP TRIGGER refuse ON tasks")
    rows(url, "CREATE INDEX ix_tasks_child ON tasks (id)")  # what a broken-off run may leave

    schema.migrate(url)

    assert value(url, "SELECT count(*) FROM tasks WHERE position IS NULL") == 0
    assert differences(url) == []
    assert "parent_id" in definitions(url)["tasks: index ix_tasks_child"]


CHANGE_OF_BEFORE = (
    "UPDATE users SET revision = revision + 1 WHERE id = 'alice';"
    " UPDATE tasks SET revision = (SELECT revision FROM users WHERE id = 'alice')"
    " WHERE user_id = 'alice' AND id = 1"
)


def test_reads_and_writes_of_before_go_on_while_many_tasks_get_their_positions(postgres):
    url = postgres.create_database()
    fill_before_lists(url, 4 * SEVERAL_BATCHES)
    slow = (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.0001); RETURN NEW; END';"
        "CREATE TRIGGER slow BEFORE UPDATE ON tasks FOR EACH ROW"
        " WHEN (OLD.id % 10 = 0) EXECUTE FUNCTION slow()"
    )
    rows(url, slow)
    written = 0
    with ThreadPoolExecutor(1) as thread:
        migration = thread.submit(schema.migrate, url)
        while not migration.done():
            rows(url, CHANGE_OF_BEFORE)
            assert value(url, "SELECT count(*) FROM tasks WHERE user_id = 'alice' AND id = 1") == 1
            written += 1
        migration.result()

    assert written > 1
    [alice] = rows(url, "SELECT revision, counted FROM users WHERE id = 'alice'")
    assert alice["revision"] == 4 * SEVERAL_BATCHES + written
    assert value(url, "SELECT count(*) FROM tasks WHERE position IS NULL") == 0


OF_SERIES = dict(recurrence.NONE)
"""The columns of what repeats; nothing of before does."""


def columns_of_tasks(url: str) -> set[str]:
    return {column["name"] for column in sa.inspect(maintenance_engine(url)).get_columns("tasks")}


def fill_before_series(url: str, service_on: Callable[[str], Service]) -> None:
    """A list with a task, a subtask below it, and one in the trash, as the release before has."""
    schema.migrate(url)
    alice = service_on(url).caller("alice")
    parent = alice.create("Water the plants", due_date="2026-11-29")["id"]
    alice.create("Fill the can", parent_id=parent)
    alice("DELETE", str(alice.create("Old")["id"]))
    schema.migrate(url, "0014")


def test_tasks_of_before_do_not_repeat_until_they_are_given_a_rule(empty_database, service_on):
    fill_before_series(empty_database, service_on)
    before = rows(empty_database, "SELECT * FROM tasks ORDER BY id")

    schema.migrate(empty_database)

    after = rows(empty_database, "SELECT * FROM tasks ORDER BY id")
    assert after == [{**task, **OF_SERIES} for task in before]
    alice = service_on(empty_database).caller("alice")
    repeats = alice("PATCH", "1", json={"recurrence": {"rule": "FREQ=WEEKLY"}}).json()
    assert (repeats["occurrence"], repeats["series_id"]) == ("2026-11-29", 1)
    done = alice("PATCH", "1/complete", json={"completed": True}).json()
    assert alice("GET", "2").json()["parent_id"] == done["next_id"]


def test_series_go_with_the_way_back_and_each_of_their_tasks_stays(empty_database, service_on):
    schema.migrate(empty_database)
    alice = service_on(empty_database).caller("alice")
    alice.create("Water the plants", recurrence={"rule": "FREQ=DAILY"})
    next_id = alice("PATCH", "1/complete").json()["next_id"]
    columns = columns_of_tasks(empty_database)

    schema.migrate(empty_database, "0014")

    assert columns - columns_of_tasks(empty_database) == OF_SERIES.keys()
    tasks = "SELECT id, completed FROM tasks ORDER BY id"
    found = [(row["id"], bool(row["completed"])) for row in rows(empty_database, tasks)]
    assert found == [(1, True), (next_id, False)]

    schema.migrate(empty_database)

    assert differences(empty_database) == []
    assert {task["recurrence"] for task in alice("GET", "").json()["tasks"]} == {None}
    assert alice("PATCH", f"{next_id}/complete").json()["next_id"] is None


def test_a_task_that_is_completed_while_the_columns_of_series_are_added_is_completed(postgres):
    url = postgres.create_database()
    fill_before_lists(url, 3)
    schema.migrate(url, "0014")
    complete = (
        "UPDATE users SET revision = 4, open_tasks = open_tasks - 1, done_tasks = done_tasks + 1"
        " WHERE id = 'alice'; UPDATE tasks SET revision = 4, completed = true,"
        " completed_at = now() WHERE user_id = 'alice' AND id = 1"
    )

    with closing(psycopg2.connect(url)) as writer, ThreadPoolExecutor(1) as thread:
        writer.cursor().execute(complete)
        migration = thread.submit(schema.migrate, url)
        assert wait_until(lambda: value(url, LOCK_WAITERS) == 1, PATIENCE_SECONDS)
        writer.commit()
        migration.result(PATIENCE_SECONDS)

    task = "SELECT revision, completed, next_id FROM tasks WHERE user_id = 'alice' AND id = 1"
    assert rows(url, task) == [{"revision": 4, "completed": True, "next_id": None}]


ON_TOP = {
    "list_id": None,
    "parent_id": None,
    "position": "a1",
    "children": 0,
    "children_done": 0,
    "deleted_unit": None,
    **OF_SERIES,
}
"""What they added to its task."""
NEW = {"email": None, "name": None, "nonce": "", "logged": 0, "log_floor": 0, "floor_nonce": ""}
COUNTED = {"top_open": 1, "top_done": 0, "all_lists": 0, "counted": 1}
"""What later schemas added to a user of the first one."""


def test_rows_of_the_first_schema_survive_the_second_and_the_way_back(empty_database):
    schema.migrate(empty_database, "0001")
    rows(empty_database, FIRST_USER)
    rows(empty_database, FIRST_TASK)
    [user] = rows(empty_database, "SELECT * FROM users")
    tasks = rows(empty_database, "SELECT * FROM tasks")

    schema.migrate(empty_database)
    assert rows(empty_database, "SELECT * FROM users") == [{**user, **NEW, **COUNTED}]
    [task] = rows(empty_database, "SELECT * FROM tasks")
    added = {"search_key": "buy milk\n", "priority": 2, "due_date": None, "tags_key": "", **ON_TOP}
    assert {**task, "tags": "[]"} == {**tasks[0], **added, "tags": "[]"}

    schema.migrate(empty_database, "0001")
    assert rows(empty_database, "SELECT * FROM users") == [user]
    assert rows(empty_database, "SELECT * FROM tasks") == tasks


def test_better_auths_own_table_users_is_explained_and_left_alone(empty_database, tmp_path):
    columns = BETTER_AUTH['"user"']
    rows(empty_database, f"CREATE TABLE users ({columns})")
    before = definitions(empty_database, "users")

    run = run_todo("migrate", cwd=tmp_path, **settings_of(empty_database))

    assert run.returncode == 1
    assert "Better Auth keeps its users in the table 'users'" in run.stderr
    assert ("DATABASE_SCHEMA=todo" in run.stderr) == empty_database.startswith("postgres")
    assert len(run.stderr.splitlines()) == 1
    assert tables(empty_database) == {"users"}
    assert definitions(empty_database, "users") == before
