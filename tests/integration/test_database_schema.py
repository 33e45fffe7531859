"""DATABASE_SCHEMA: the tables are in a schema of their own, and nothing of `public` is touched."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from tests.conftest import POOLER, Caller, Service, settings_for
from tests.integration.application import engine_of
from tests.integration.concurrently import together
from tests.integration.server import REPOSITORY, SERVING, postgresql_settings, run_todo
from tests.integration.tables import rows, value
from tests.servers.postgres import PostgresServer
from todo.database import schema
from todo.database.engine import maintenance_engine
from todo.models import VERSION_TABLE, Base
from todo.settings.settings import Settings

NAME = "todo_2"
CUSTOMERS = (
    "CREATE TABLE users (id varchar PRIMARY KEY, email varchar);"
    "CREATE TABLE tasks (id serial PRIMARY KEY, user_id varchar NOT NULL REFERENCES users (id),"
    " title varchar NOT NULL, description varchar, completed boolean NOT NULL,"
    " created_at timestamp NOT NULL, updated_at timestamp NOT NULL);"
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
    "INSERT INTO users VALUES ('alice', 'alice@example.com'), ('bob', NULL);"
    "INSERT INTO tasks (user_id, title, completed, created_at, updated_at) VALUES"
    " ('alice', 'Old', false, '2025-01-02 03:04:05', '2025-01-02 03:04:05'),"
    " ('bob', 'Older', true, '2024-01-02 03:04:05', '2024-01-02 03:04:05');"
    "INSERT INTO alembic_version VALUES ('0001')"
)
COLUMNS = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns"
    " WHERE table_schema = 'public' ORDER BY 1, 2"
)


def dump(url: str) -> Any:
    """All that is in `public`."""
    tables = sorted({row["table_name"] for row in rows(url, COLUMNS)})
    return rows(url, COLUMNS), {table: rows(url, f"TABLE public.{table}") for table in tables}


def in_schema(url: str, name: str = NAME) -> set[str]:
    listed = rows(url, "SELECT tablename FROM pg_tables WHERE schemaname = :name", name=name)
    return {row["tablename"] for row in listed}


@pytest.fixture(scope="session")
def shared_database(postgres: PostgresServer) -> str:
    """A database in whose `public` the customer's tables are."""
    url = postgres.create_database()
    rows(url, CUSTOMERS)
    return url


@pytest.fixture(params=["direct", POOLER])
def service(
    request: pytest.FixtureRequest, shared_database: str, serve: Callable[[Settings], Service]
) -> Service:
    """An application whose tables are in a schema of a shared database."""
    url = shared_database
    if request.param == POOLER:
        url = request.getfixturevalue("pgbouncer").url(url)
    schema.migrate(url, namespace=NAME)
    return serve(settings_for(url, database_schema=NAME))


def everything(alice: Caller) -> None:
    """Use every kind of statement that requests have."""
    milk = alice.create("Buy milk", tags=["home", "shop"], due_date="2026-12-31")
    bread = alice.create("Buy bread", tags=["shop"])
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = alice("POST", "", json={"title": "Once"}, headers=key)
    again = alice("POST", "", json={"title": "Once"}, headers=key)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert alice("GET", f"{milk['id']}").json() == milk
    assert alice("PUT", f"{milk['id']}", json={"title": "Milk"}).json()["title"] == "Milk"
    assert alice("PATCH", f"{milk['id']}/complete").json()["completed"] is True
    page = alice("GET", "?tag=shop&search=b&sort=title&limit=1").json()
    assert (page["tasks"], page["total"]) == ([bread], 1)
    assert alice("GET", "?limit=1").json()["next_cursor"] is not None
    assert alice("GET", "?view=upcoming&sort=due_date").status_code == 200
    tags = alice("GET", "/api/me/tags").json()["tags"]
    assert {tag["name"] for tag in tags} == {"home", "shop"}
    renamed = alice("PATCH", "/api/me/tags?name=shop", json={"name": "market"})
    assert renamed.status_code == 200, renamed.text
    assert alice("DELETE", "/api/me/tags?name=home").status_code == 200
    bulk = [{"op": "create", "data": {"title": "Bulk"}}, {"op": "delete", "id": bread["id"]}]
    assert alice("POST", "bulk", json={"operations": bulk}).status_code == 200
    assert alice("POST", "complete-all", json={"completed": True}).status_code == 200
    assert alice("POST", f"/api/me/trash/{bread['id']}/restore").status_code == 200
    assert alice("POST", "clear-completed").json()["changed"] == 3
    assert alice("GET", "/api/me/trash").json()["total"] == 3
    assert alice("DELETE", "/api/me/trash").status_code in (200, 204)
    assert alice("GET", "/api/me/stats").status_code == 200
    assert alice("GET", "").json()["tasks"][0]["title"] == "Buy bread"


def test_whole_api_works_in_a_schema_and_leaves_public_as_it_was(
    service: Service, shared_database: str
):
    before = dump(shared_database)
    alice = service.caller()

    everything(alice)

    credentials = {"email": f"{alice.id}@example.com", "password": "correct horse"}
    assert service.client.post("/api/auth/register", json=credentials).status_code == 201
    assert service.client.post("/api/auth/login", json=credentials).status_code == 200
    assert service.client.get("/readyz").json()["schema"] == schema.head()
    assert dump(shared_database) == before
    assert value(shared_database, "SELECT count(*) FROM todo_2.users WHERE id = :id", id=alice.id)


def test_every_statement_names_the_schema_of_every_table(service: Service):
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = engine_of(service)
    event.listen(engine, "before_cursor_execute", note)
    try:
        everything(service.caller())
        service.client.get("/readyz")
    finally:
        event.remove(engine, "before_cursor_execute", note)

    names = "|".join((*Base.metadata.tables, VERSION_TABLE))
    bare = re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE) +(?:{names})\b")
    assert len(seen) > 30
    assert [text for text in seen if bare.search(text)] == []


@pytest.fixture(params=["direct", POOLER])
def shared(request: pytest.FixtureRequest, postgres: PostgresServer) -> tuple[str, dict[str, str]]:
    """A fresh shared database, and the settings of commands; through a pooler, too."""
    url = postgres.create_database()
    rows(url, CUSTOMERS)
    reached = request.getfixturevalue("pgbouncer").url(url) if request.param == POOLER else url
    return url, {**postgresql_settings(reached), "DATABASE_SCHEMA": NAME}


def test_commands_make_fill_examine_and_purge_the_schema_and_leave_public_alone(
    shared, tmp_path, serving
):
    url, settings = shared
    before = dump(url)

    def todo(*arguments: str) -> str:
        run = run_todo(*arguments, cwd=tmp_path, **settings)
        assert (run.returncode, run.stderr) == (0, ""), run.stderr
        return run.stdout

    for _ in range(2):
        assert todo("migrate").endswith(f": at revision {schema.head()} in schema {NAME}\n")
    examined = todo("doctor").splitlines()
    assert examined[0].endswith(f", schema {NAME}")
    assert f"ok    schema: at revision {schema.head()}" in examined
    assert todo("demo-data", "--tasks", "20", "--sub", "carol").endswith(
        "20 more tasks of 'carol'\n"
    )
    assert "2 tasks of 2 users copied, 0 were there" in todo("import-tasks", "--from", "tasks")
    assert "0 tasks of 0 users copied, 2 were" in todo("import-tasks", "--from", "public.tasks")
    assert "0 deleted tasks" in todo("purge")

    server = serving(command=SERVING, **settings)
    [task] = server.caller("bob")("GET", "").json()["tasks"]
    assert (task["title"], task["completed_at"]) == ("Older", "2024-01-02T03:04:05.000Z")
    assert dump(url) == before
    assert in_schema(url) == {*Base.metadata.tables, VERSION_TABLE}


def test_two_todo_migrate_at_once_make_one_schema(postgres, tmp_path):
    url = postgres.create_database()
    settings = {**postgresql_settings(url), "DATABASE_SCHEMA": NAME}

    for run in together([lambda: run_todo("migrate", cwd=tmp_path, **settings)] * 2):
        assert (run.returncode, run.stderr) == (0, "")

    assert value(url, "SELECT count(*) FROM todo_2.todo_api_version") == 1


def test_schema_that_an_administrator_made_needs_no_right_to_make_one(postgres, tmp_path):
    url = postgres.create_database()
    role = f"role_{uuid.uuid4().hex[:8]}"
    rows(url, f"CREATE ROLE {role} LOGIN; CREATE SCHEMA {NAME} AUTHORIZATION {role}")
    theirs = url.replace("postgres@", f"{role}@", 1)

    made = run_todo("migrate", cwd=tmp_path, **postgresql_settings(theirs), DATABASE_SCHEMA=NAME)
    refused = run_todo(
        "migrate", cwd=tmp_path, **postgresql_settings(theirs), DATABASE_SCHEMA="another"
    )

    assert (made.returncode, made.stderr) == (0, "")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "permission denied for database" in refused.stderr


def test_schema_without_our_tables_is_not_ready_and_doctor_says_so(postgres, service_on, tmp_path):
    url = postgres.create_database()
    schema.migrate(url)  # into `public`, which is not what is asked for below
    service = service_on(url, database_schema=NAME)

    assert service.client.get("/readyz").json()["code"] == "schema_outdated"
    run = run_todo("doctor", cwd=tmp_path, **postgresql_settings(url), DATABASE_SCHEMA=NAME)
    assert (
        "FAIL  schema: the database has none of this API's tables; run 'todo migrate'" in run.stdout
    )


def test_schema_goes_down_and_up_again_and_public_is_another_one(postgres):
    url = postgres.create_database()
    schema.migrate(url)
    schema.migrate(url, namespace=NAME)

    schema.migrate(url, "base", namespace=NAME)

    assert in_schema(url) == {"todo_api_version"}
    assert schema.current(maintenance_engine(url, namespace=NAME)) is None
    assert schema.current(maintenance_engine(url)) == schema.head()
    schema.migrate(url, namespace=NAME)
    assert schema.current(maintenance_engine(url, namespace=NAME)) == schema.head()


def test_somebody_elses_table_in_the_schema_sends_the_operator_to_another_one(postgres, tmp_path):
    url = postgres.create_database()
    rows(url, f"CREATE SCHEMA {NAME}; CREATE TABLE {NAME}.tasks (id int)")

    run = run_todo("migrate", cwd=tmp_path, **postgresql_settings(url), DATABASE_SCHEMA=NAME)

    assert run.returncode == 1
    assert "the table 'tasks' (id) is not this API's" in run.stderr
    assert "set DATABASE_SCHEMA to the name of another schema" in run.stderr


@pytest.mark.parametrize("variables", [{}, {"DATABASE_URL": "sqlite:///no.db"}])
def test_schema_with_sqlite_is_refused_in_one_line(variables, tmp_path):
    secret = {"BETTER_AUTH_SECRET": "a-secret-of-the-schema-000000000000000"}
    run = run_todo("migrate", cwd=tmp_path, DATABASE_SCHEMA=NAME, **secret, **variables)

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("DATABASE_SCHEMA: only PostgreSQL has schemas")
    assert len(run.stderr.splitlines()) == 1


def test_the_page_about_moving_in_copies_the_customers_tasks_with_its_commands(
    postgres: PostgresServer, tmp_path, serve
):
    url = postgres.create_database()
    rows(url, CUSTOMERS)
    before = dump(url)
    page = (REPOSITORY / "docs" / "moving-in.md").read_text()
    [name] = re.findall(r"^export DATABASE_SCHEMA=(\w+)", page, re.MULTILINE)
    commands = re.findall(r"^todo ((?:migrate|import-tasks)[^#\n]*)", page, re.MULTILINE)

    told = [
        run_todo(*command.split(), cwd=tmp_path, DATABASE_SCHEMA=name, **postgresql_settings(url))
        for command in [*commands, commands[-1]]
    ]

    assert [(run.returncode, run.stderr) for run in told] == [(0, "")] * 4
    assert [run.stdout.rstrip().rpartition(": ")[2] for run in told[1:]] == [
        "2 tasks of 2 users would be copied, 0 are there already, 0 cannot be copied",
        "2 tasks of 2 users copied, 0 were there already, 0 cannot be copied",
        "0 tasks of 0 users copied, 2 were there already, 0 cannot be copied",
    ]
    alice = serve(settings_for(url, database_schema=name)).caller("alice")
    assert [task["title"] for task in alice("GET", "").json()["tasks"]] == ["Old"]
    assert dump(url) == before
