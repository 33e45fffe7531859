"""Through PgBouncer in transaction mode: what only a pooler, or its death, can do to the API."""

import itertools
from contextlib import ExitStack, closing
from functools import partial
from urllib.parse import urlsplit

import httpx2
import psycopg2
import pytest

from tests.conftest import Caller, settings_for
from tests.integration.commit_cutter import DIE_ONCE, Cut, cutter_before
from tests.integration.concurrently import beside, together
from tests.integration.responses import assert_503
from tests.integration.server import SERVING, Server, postgresql_settings, run_todo
from tests.integration.tables import assert_books_balance, rows, tasks_of, value
from tests.servers.pgbouncer import POOL_SIZE, PgBouncer
from tests.servers.postgres import PostgresServer
from tests.servers.process import free_port
from tests.servers.reaper import wait_until
from todo.cli.doctor import Finding, examine
from todo.database import schema
from todo.database.engine import display
from todo.database.pooler import is_pooled
from todo.http.asgi.turns import WRITES_PER_USER

WRITERS = 8
ROUNDS = 10
WAIT_SECONDS = 60
TIME_OUTS = ("statement_timeout", "lock_timeout")
TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def direct(new_database) -> str:
    """A database, past the pooler."""
    return new_database("postgresql")


@pytest.fixture
def url(pgbouncer: PgBouncer, direct) -> str:
    return pgbouncer.url(direct)


@pytest.fixture
def alice(service_on, url) -> Caller:
    return service_on(url).caller("alice")


def server_connections(url: str) -> dict[int, tuple[str, ...]]:
    """The time-outs of every connection that the pooler has to the server, by its pid."""
    found = {}
    with ExitStack() as stack:
        for _ in range(POOL_SIZE):  # each in a transaction, which keeps its connection
            connection = stack.enter_context(closing(psycopg2.connect(url)))
            cursor = stack.enter_context(connection.cursor())
            settings = ", ".join(f"current_setting('{name}')" for name in TIME_OUTS)
            cursor.execute(f"SELECT pg_backend_pid(), {settings}")
            pid, *time_outs = cursor.fetchone() or ()
            found[pid] = tuple(time_outs)
    return found


def test_eight_writers_on_fewer_connections_are_exact_and_leave_no_setting_behind(
    direct, url, serving
):
    server: Server = serving(command=SERVING, **postgresql_settings(url))
    alice = server.caller("alice")
    alice.create("Toggled")

    def write() -> list[int]:
        revisions = []
        for number in range(ROUNDS):
            revisions.append(alice.create(f"{number}")["revision"])
            toggled = alice("PATCH", "1/complete")
            assert toggled.status_code == 200, toggled.text
            revisions.append(toggled.json()["revision"])
        return revisions

    revisions = list(itertools.chain.from_iterable(together([write] * WRITERS)))

    changes = 1 + 2 * WRITERS * ROUNDS
    assert sorted(revisions) == list(range(2, changes + 1))
    assert alice("GET", "?limit=1").json()["total"] == 1 + WRITERS * ROUNDS
    assert alice("GET", "1").json()["completed"] is False
    assert_books_balance(direct, "alice", changes=changes)
    settings = server_connections(url)
    assert list(settings.values()) == [("0", "0")] * POOL_SIZE


def test_owner_who_is_locked_is_503_busy_and_written_to_as_soon_as_the_lock_is_gone(
    direct, url, alice
):
    alice.create("Buy milk")

    with closing(psycopg2.connect(direct)) as other, other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM users WHERE id = 'alice' FOR UPDATE")
        for response in together([lambda: alice("PATCH", "1/complete")] * WRITES_PER_USER):
            assert_503(response, "busy")

    assert alice("PATCH", "1/complete").json()["revision"] == 2
    assert_books_balance(direct, "alice", changes=2)
    assert list(server_connections(url).values()) == [("0", "0")] * POOL_SIZE


def test_more_waiters_than_connections_hear_503_and_hold_nothing_afterwards(direct, alice):
    waiters = [Caller(alice.client, f"user {number}") for number in range(WRITERS)]
    for caller in (alice, *waiters):
        caller.create("Buy milk")

    with closing(psycopg2.connect(direct)) as other, other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM users FOR UPDATE")
        answers = together([partial(caller, "PATCH", "1/complete") for caller in waiters])

    for response in answers:
        assert_503(response, response.json()["code"])
    assert {response.json()["code"] for response in answers} <= {"busy", "database_unavailable"}
    together([lambda: alice.create("Buy bread")] * WRITERS)
    assert_books_balance(direct, "alice", changes=1 + WRITERS)


@pytest.mark.parametrize("request_first", ["read", "write"])
def test_server_connections_killed_while_idle_are_replaced_without_an_error(
    direct, alice, request_first
):
    alice.create("Buy milk")
    assert value(direct, TERMINATE) > 0

    if request_first == "read":
        assert alice("GET", "").json()["total"] == 1
    alice.create("Buy bread")

    assert_books_balance(direct, "alice", changes=2)


def test_unit_whose_server_connection_is_killed_early_is_run_again_whole(direct, alice):
    rows(direct, DIE_ONCE.format(table="users"))

    task = alice.create("Buy milk")

    assert value(direct, "SELECT last_value FROM attempts") == 2
    assert alice("GET", "").json()["tasks"] == [task]
    assert_books_balance(direct, "alice", changes=1)


@pytest.mark.parametrize(
    ("cut", "tasks"),
    [
        (Cut.BEFORE_COMMIT_ARRIVES, 0),
        (Cut.BEFORE_COMMIT_IS_ANSWERED, 1),
        (Cut.NEVER_AGAIN_A_WORD, 0),
    ],
)
def test_server_connection_that_dies_at_commit_is_503_outcome_unknown(
    direct, pooling, service_on, cut, tasks
):
    """PgBouncer itself lives on, and tells of the death in an error of its own."""
    with (
        cutter_before(urlsplit(direct).port) as cutter,
        pooling(f"postgresql://postgres@127.0.0.1:{cutter.port}/postgres") as pooler,
    ):
        alice = service_on(pooler.url(direct)).caller("alice")
        assert alice("GET", "").json()["total"] == 0
        cutter.cut = cut

        response = alice("POST", "", json={"title": "Buy milk"})

        assert_503(response, "outcome_unknown")
        assert cutter.committed == 1
        cutter.cut = Cut.NEVER
        assert alice("GET", "").json()["total"] == tasks
        assert alice.create("Buy bread")["revision"] == tasks + 1
    assert_books_balance(direct, "alice", changes=tasks + 1)


@pytest.fixture
def mortal(postgres: PostgresServer, pooling) -> PgBouncer:
    """A pooler to be killed: no other test has connections to it."""
    return pooling(postgres.url("postgres"))


def test_killed_pooler_is_503_until_it_is_back_and_loses_and_doubles_nothing(
    direct, mortal, serving
):
    server: Server = serving(command=SERVING, **postgresql_settings(mortal.url(direct)))
    alice = server.caller("alice")
    numbers = itertools.count()
    acknowledged: dict[str, int] = {}
    unknown: list[str] = []

    def create(title: str) -> httpx2.Response:
        headers = {"Idempotency-Key": title}
        response = alice("POST", "", json={"title": title}, headers=headers)
        if response.status_code == 201:
            acknowledged[title] = response.json()["revision"]
        return response

    def write() -> httpx2.Response:
        title = f"Task {next(numbers)}"
        response = create(title)
        if response.status_code != 201:
            code = response.json()["code"]
            assert_503(response, code)
            assert code in ("database_unavailable", "outcome_unknown")
            if code == "outcome_unknown":
                unknown.append(title)
        return response

    def more_are_acknowledged() -> bool:
        enough = len(acknowledged) + WRITERS
        return wait_until(lambda: len(acknowledged) > enough, WAIT_SECONDS)

    def crash() -> list[int]:
        assert more_are_acknowledged()
        mortal.kill()
        while_away = [write().status_code for _ in range(WRITERS)]
        mortal.start_again()
        assert more_are_acknowledged()
        return while_away

    while_away, _ = beside(crash, [write] * WRITERS)

    assert while_away == [503] * WRITERS
    assert [create(title).status_code for title in unknown] == [201] * len(unknown)
    stored = {task["title"]: task["revision"] for task in tasks_of(direct, "alice")}
    assert stored == acknowledged
    assert_books_balance(direct, "alice", changes=len(stored))


def test_doctor_tells_of_a_pooler_and_whether_migrations_go_past_it(direct, url):
    def told(database_url: str, migrations: str | None = None) -> dict[str, Finding]:
        settings = settings_for(database_url, migration_database_url=migrations)
        return {line.subject: line for line in examine(settings)}

    def pooler_line(database_url: str, migrations: str | None = None) -> Finding:
        return told(database_url, migrations)["pooler"]

    def well(text: str) -> Finding:
        return Finding(True, "pooler", text)

    assert pooler_line(url) == well(
        "DATABASE_URL leads through a pooler; "
        "give 'todo migrate' a direct URL with MIGRATION_DATABASE_URL"
    )
    assert pooler_line(url, direct) == well(
        "DATABASE_URL leads through a pooler, and MIGRATION_DATABASE_URL is direct"
    )
    assert pooler_line(url, url) == well(
        "MIGRATION_DATABASE_URL leads through a pooler; set it to a direct URL"
    )
    assert pooler_line(direct) == pooler_line(direct, url) == well("none")
    assert pooler_line(f"{direct}?options=-cwork_mem%3D8MB") == well("none")
    gone = f"postgresql://todo@127.0.0.1:{free_port()}/todo"
    assert pooler_line(gone) == Finding(False, "pooler", "unknown: see the line 'database'")
    assert told(url, direct)["migrations"].ok
    assert pooler_line(url, "nonsense") == Finding(
        False, "pooler", "unknown: see the line 'migrations'"
    )
    assert told(url, "nonsense")["migrations"] == Finding(
        False,
        "migrations",
        "MIGRATION_DATABASE_URL: not a database URL; write postgresql://user:password@host/name "
        "or sqlite:///path",
    )


def test_doctor_knows_a_pooler_that_was_told_to_ignore_what_it_cannot_do(
    postgres: PostgresServer, direct, pooling
):
    with pooling(postgres.url("postgres"), "ignore_startup_parameters = options") as pooler:
        assert is_pooled(pooler.url(direct)) is True


def test_migrations_work_through_a_pooler_too(postgres: PostgresServer, pgbouncer, tmp_path):
    url = pgbouncer.url(postgres.create_database())
    settings = postgresql_settings(url)

    migrated = run_todo("migrate", cwd=tmp_path, **settings)
    examined = run_todo("doctor", cwd=tmp_path, **settings)

    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert migrated.stdout == f"{display(url)}: at revision {schema.head()}\n"
    assert (examined.returncode, "FAIL" in examined.stdout) == (0, False)
    assert "ok    pooler: DATABASE_URL leads through a pooler; " in examined.stdout
