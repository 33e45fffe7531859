"""``todo`` on the command line: what it refuses, in one line, and what the doctor says."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

import jwt
import pytest

from tests.conftest import SECRET
from tests.integration.server import REPOSITORY, TODO, run_todo
from tests.integration.tables import assert_all_is_counted, assert_books_balance, counters_of, rows
from tests.servers.process import free_port
from todo.database import schema
from todo.lists.demo import NAMES

URL = "postgresql://todo:very-private@127.0.0.1/todo"
POSTGRESQL = {"DATABASE_URL": URL, "BETTER_AUTH_SECRET": SECRET}

REFUSED = {
    "PostgreSQL without a secret": ("BETTER_AUTH_SECRET", {"DATABASE_URL": URL}),
    "short secret": ("BETTER_AUTH_SECRET", {**POSTGRESQL, "BETTER_AUTH_SECRET": "short"}),
    "port in words": ("PORT", {"PORT": "eighty"}),
    "unknown worker class": ("WORKER_CLASS", {"WORKER_CLASS": "nonsense"}),
    "worker class of no module": ("WORKER_CLASS", {"WORKER_CLASS": "no.such.Worker"}),
    "worker class of WSGI": ("WORKER_CLASS", {"WORKER_CLASS": "gthread"}),
    "option that libpq does not know": (
        "DATABASE_URL",
        {**POSTGRESQL, "DATABASE_URL": f"{URL}?pgbouncer=true"},
    ),
    "origin with a default port": ("CORS_ORIGINS", {"CORS_ORIGINS": "https://a.example:443"}),
    "origin with a wildcard": ("CORS_ORIGINS", {"CORS_ORIGINS": "https://*.a.example"}),
    "unknown log level": ("LOG_LEVEL", {"LOG_LEVEL": "loud"}),
    "another database": ("DATABASE_URL", {**POSTGRESQL, "DATABASE_URL": "mysql://127.0.0.1/x"}),
    "origin with a path": ("CORS_ORIGINS", {"CORS_ORIGINS": "https://a.example/path"}),
    "origin with a stray bracket": ("CORS_ORIGINS", {"CORS_ORIGINS": "https://[a.example"}),
    "instance that cannot be a folder": ("INSTANCE_PATH", {"INSTANCE_PATH": "/dev/null/x"}),
}


def assert_refused(run: subprocess.CompletedProcess[str], name: str) -> None:
    """One line that begins with the variable, a status that is not 0, and nothing else."""
    assert run.returncode == 1, run.stderr
    assert run.stdout == ""
    assert re.fullmatch(rf"{re.escape(name)}: .{{10,300}}\n", run.stderr), run.stderr
    assert "very-private" not in run.stderr


@pytest.mark.parametrize("what", REFUSED)
def test_start_is_refused_in_one_line_for(what, tmp_path):
    name, variables = REFUSED[what]

    assert_refused(run_todo("serve", cwd=tmp_path, **variables), name)


@pytest.mark.parametrize("what", ["PostgreSQL without a secret", "unknown worker class"])
def test_program_on_the_disk_refuses_as_its_commands_do(what, tmp_path):
    name, variables = REFUSED[what]

    assert_refused(run_todo("serve", cwd=tmp_path, program=TODO, **variables), name)


def test_start_is_refused_when_the_embedded_database_is_no_database(tmp_path):
    instance = tmp_path / "instance"
    instance.mkdir()
    (instance / "todo.db").write_bytes(b"this is not SQLite's header" * 100)

    assert_refused(run_todo("serve", cwd=tmp_path), "INSTANCE_PATH")


def refusal_to_listen(folder: Path, **variables: str) -> str:
    """The last line of a start that gunicorn had announced before it could not listen."""
    run = run_todo("serve", cwd=folder, **variables)
    announced, line = run.stderr.splitlines()
    assert (run.returncode, run.stdout, "Starting gunicorn" in announced) == (1, "", True)
    return line


def test_start_is_refused_when_the_port_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refusal_to_listen(tmp_path, PORT=port)

    assert line.startswith(f"PORT: cannot listen on 127.0.0.1, port {port}: ")
    assert line.endswith("; stop what listens there, or choose another HOST or PORT")


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])
def test_start_is_refused_for_a_host_that_is_not_this_machine(tmp_path, host):
    assert refusal_to_listen(tmp_path, HOST=host, PORT=str(free_port())).startswith("HOST: ")


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64])
def test_start_is_refused_when_the_secret_of_the_instance_is_damaged(tmp_path, content):
    instance = tmp_path / "instance"
    instance.mkdir()
    (instance / "secret").write_bytes(content)

    assert_refused(run_todo("serve", cwd=tmp_path), "INSTANCE_PATH")


@pytest.mark.parametrize("url", ["todo.db", "postgresql://127.0.0.1:port/todo", "sqlite://"])
def test_migrate_refuses_what_is_no_url_of_a_database(url, tmp_path):
    run = run_todo("migrate", cwd=tmp_path, DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)

    assert_refused(run, "DATABASE_URL")


def test_migrate_names_the_variable_whose_url_it_refuses(tmp_path):
    run = run_todo("migrate", cwd=tmp_path, **POSTGRESQL, MIGRATION_DATABASE_URL="todo.db")

    assert_refused(run, "MIGRATION_DATABASE_URL")


def test_commands_refuse_as_the_server_does(tmp_path):
    for command in (("migrate",), ("doctor",), ("token", "--sub", "alice")):
        run = run_todo(*command, cwd=tmp_path, DATABASE_URL=URL)
        assert_refused(run, "BETTER_AUTH_SECRET")


# Each breaks one file of the contract: where, what stands there, what is put in its place, and
# what the refusal must name.
BREAKS = {
    "YAML that does not parse": (
        "paths/tasks.yaml",
        "operationId: list_tasks",
        "operationId: [list_tasks",
        "openapi/paths/tasks.yaml: not valid YAML",
    ),
    "operation without a handler": (
        "paths/tasks.yaml",
        "operationId: list_tasks",
        "operationId: list_taskz",
        "'list_taskz'",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_start_is_refused_in_one_line_for_a_contract_with_a(what, tmp_path):
    file, old, new, named = BREAKS[what]
    for folder in ("todo", "openapi"):
        shutil.copytree(
            REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    path = tmp_path / "openapi" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))

    run = run_todo("serve", cwd=tmp_path, program=TODO, PYTHONPATH=str(tmp_path))

    assert_refused(run, "The contract cannot be served")
    assert named in run.stderr


def test_migrate_on_a_server_that_is_not_there_says_so_in_one_line(tmp_path):
    port = free_port()
    url = f"postgresql://todo:very-private@127.0.0.1:{port}/todo"

    run = run_todo("migrate", cwd=tmp_path, DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)

    assert_refused(run, f"postgresql+psycopg2://todo:***@127.0.0.1:{port}/todo")
    assert "refused" in run.stderr


def test_migrate_where_no_file_can_be_says_so_in_one_line(tmp_path):
    variables = {"DATABASE_URL": "sqlite:////dev/null/todo.db", "BETTER_AUTH_SECRET": SECRET}

    run = run_todo("migrate", cwd=tmp_path, **variables)

    assert_refused(run, "sqlite+pysqlite:////dev/null/todo.db")


def doctor(folder: Path, **variables: str) -> tuple[int, list[str]]:
    run = run_todo("doctor", cwd=folder, **variables)
    assert run.stderr == ""
    assert "very-private" not in run.stdout
    return run.returncode, run.stdout.splitlines()


def test_doctor_finds_a_migrated_database_well(database_url, tmp_path):
    status, lines = doctor(tmp_path, DATABASE_URL=database_url, BETTER_AUTH_SECRET=SECRET)

    assert status == 0
    assert [line.split(":")[0] for line in lines] == [
        "ok    settings",
        "ok    database",
        "ok    schema",
        "ok    migrations",
        "ok    pooler",
        "ok    token",
        "ok    better auth",
        "ok    address",
        "ok    proxies",
        "ok    front ends",
        "ok    traces",
        "ok    log and metrics",
        "ok    limits",
    ]
    assert lines[1].startswith(
        "ok    database: PostgreSQL 1" if "postgres" in database_url else "ok    database: SQLite 3"
    )
    assert lines[2] == f"ok    schema: at revision {schema.head()}"


def test_doctor_sends_an_empty_database_to_migrate(empty_database, tmp_path):
    status, lines = doctor(tmp_path, DATABASE_URL=empty_database, BETTER_AUTH_SECRET=SECRET)

    assert status == 1
    assert (
        lines[2] == "FAIL  schema: the database has none of this API's tables; run 'todo migrate'"
    )
    assert [line[:4] for line in lines] == ["ok  "] * 2 + ["FAIL"] + ["ok  "] * 10


def test_doctor_finds_the_embedded_default_well_before_its_first_start(tmp_path):
    status, lines = doctor(tmp_path)

    assert status == 0
    assert lines[2] == "ok    schema: the tables do not exist yet; the first start creates them"
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secret"]
    secret = tmp_path.resolve() / "instance" / "secret"
    assert lines[-1] == (
        f"ok    secret: {secret} was made now; a server in another folder has another one"
    )
    assert doctor(tmp_path) == (0, lines[:-1])


def test_doctor_says_what_to_do_about_a_server_that_is_not_there(tmp_path):
    url = f"postgresql://todo:very-private@127.0.0.1:{free_port()}/todo"

    status, lines = doctor(tmp_path, DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)

    assert status == 1
    assert lines[0].startswith("ok    settings: postgresql+psycopg2://todo:***@127.0.0.1")
    assert lines[1].startswith("FAIL  database: ")
    assert lines[1].endswith("; check DATABASE_URL and that the server runs")
    assert lines[2] == "FAIL  schema: unknown: see the line 'database'"


def test_doctor_tells_no_password_of_a_query(tmp_path):
    url = f"postgresql://todo@127.0.0.1:{free_port()}/todo?password=very-private&connect_timeout=1"

    status, lines = doctor(tmp_path, DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)

    assert status == 1
    assert "connect_timeout=1" in lines[0]


def test_doctor_notices_a_database_of_another_release(database_url, tmp_path):
    rows(database_url, "UPDATE todo_api_version SET version_num = '9999'")

    status, lines = doctor(tmp_path, DATABASE_URL=database_url, BETTER_AUTH_SECRET=SECRET)

    assert status == 1
    assert lines[2].startswith("FAIL  schema: at 9999, but this release needs")


def test_token_says_on_stderr_which_secret_it_made_and_says_it_once(tmp_path):
    first, second = (run_todo("token", "--sub", "alice", cwd=tmp_path) for _ in range(2))

    secret = tmp_path.resolve() / "instance" / "secret"
    assert first.stderr == (
        f"No secret was here: 'todo token' made {secret}. Only a server that reads this file "
        "accepts the token; for another server, name its folder with INSTANCE_PATH.\n"
    )
    assert second.stderr == ""
    for run in (first, second):
        claims = jwt.decode(run.stdout.strip(), secret.read_text(), algorithms=["HS256"])
        assert (run.stdout.count("\n"), claims["sub"]) == (1, "alice")


def test_token_of_the_command_line_has_the_issuer_and_audience_that_are_set(tmp_path):
    variables = {"AUTH_JWT_ISSUER": "https://a.example", "AUTH_JWT_AUDIENCE": "todo"}

    token = run_todo("token", "--sub", "alice", cwd=tmp_path, **variables).stdout.strip()

    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["iss"], claims["aud"]) == ("alice", "https://a.example", "todo")
    assert (
        "ok    token: HS256 with BETTER_AUTH_SECRET, iss=https://a.example aud=todo; local accounts"
    ) in doctor(tmp_path, **variables)[1]


@pytest.mark.parametrize("hours", ["0", "0.0001", "nan", "inf", "1e9", "8761", "soon"])
def test_hours_that_no_token_lasts_are_refused(tmp_path, hours):
    run = run_todo("token", "--sub", "alice", "--hours", hours, cwd=tmp_path)

    assert (run.returncode, run.stdout) == (2, "")
    assert "--hours" in run.stderr
    assert "Traceback" not in run.stderr


def test_token_of_the_command_line_is_for_its_subject_and_its_hours(tmp_path, service_on):
    url = f"sqlite:///{tmp_path / 'todo.db'}"
    schema.migrate(url)
    variables = {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET}

    arguments = ("token", "--sub", "müller/1", "--hours", "0.5")
    token = run_todo(*arguments, cwd=tmp_path, program=TODO, **variables)
    refused = run_todo("token", "--sub", "", cwd=tmp_path, **variables)

    client = service_on(url).client
    headers = {"Authorization": f"Bearer {token.stdout.strip()}"}
    created = client.post("/api/me/tasks", json={"title": "Buy milk"}, headers=headers)
    assert created.json()["user_id"] == "müller/1"
    assert refused.returncode == 2
    assert "--sub" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_demo_data_gives_a_user_tasks_of_every_kind_whose_books_balance(database_url, tmp_path):
    variables = {"DATABASE_URL": database_url, "BETTER_AUTH_SECRET": SECRET}
    for _ in range(2):
        run = run_todo("demo-data", "--tasks", "1500", "--sub", "alice", cwd=tmp_path, **variables)
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout.endswith(": 1500 more tasks of 'alice'\n")

    lists = rows(database_url, "SELECT name, color, open_tasks + done_tasks AS tasks FROM lists")
    assert_books_balance(database_url, "alice", changes=3000 + len(lists), at_one_moment=False)
    assert {one["name"]: one["color"] for one in lists} == NAMES
    assert min(one["tasks"] for one in lists) > 100
    assert_all_is_counted(database_url, "alice")
    relations = "SELECT max(children) AS most, count(parent_id) AS subtasks FROM tasks"
    [found] = rows(database_url, relations)
    assert 1 < found["most"] < 100 < found["subtasks"]
    kinds = "SELECT count(DISTINCT priority) AS p, count(DISTINCT completed) AS c, count(DISTINCT"
    kinds += " length(due_date)) AS d, count(due_date) < count(*) AS n FROM tasks"
    [found] = rows(database_url, kinds)
    assert (found["p"], found["c"], found["d"], bool(found["n"])) == (3, 2, 2, True)
    repeating = "SELECT count(*) AS tasks, count(DISTINCT recurrence_text) AS rules FROM tasks"
    [found] = rows(database_url, f"{repeating} WHERE occurrence = due_date AND series_id = id")
    assert (found["tasks"] > 50, found["rules"]) == (True, 6)


def test_demo_data_that_would_not_fit_adds_nothing_and_says_why(database_url, tmp_path):
    variables = {"DATABASE_URL": database_url, "BETTER_AUTH_SECRET": SECRET}
    run = run_todo("demo-data", "--tasks", "1001", cwd=tmp_path, **variables, TASKS_PER_USER="1000")

    assert (run.returncode, run.stdout) == (1, "")
    assert "A user may have 1000 tasks, the trash included." in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert rows(database_url, "SELECT * FROM users") == []


@pytest.mark.parametrize("arguments", [("--tasks", "0"), (), ("--tasks", "1", "--sub", "a\nb")])
def test_demo_data_refuses_what_it_cannot_make(tmp_path, arguments):
    run = run_todo("demo-data", *arguments, cwd=tmp_path)

    assert (run.returncode, run.stdout) == (2, "")
    assert "Error: " in run.stderr


@pytest.mark.parametrize("command", [("token",), ("demo-data", "--tasks", "1")], ids=" ".join)
@pytest.mark.parametrize("subject", ["", "a\nb", "a\x85b", "x" * 256])
def test_commands_refuse_a_user_id_that_no_token_can_have(tmp_path, command, subject):
    variables = {"DATABASE_URL": f"sqlite:///{tmp_path / 'todo.db'}", "BETTER_AUTH_SECRET": SECRET}
    run = run_todo(*command, "--sub", subject, cwd=tmp_path, **variables)

    assert (run.returncode, run.stdout) == (2, "")
    assert (
        "Invalid value for --sub: The token's 'sub' is not 1 to 255 characters without control"
        in " ".join(run.stderr.split())
    )


def test_demo_data_sends_an_empty_database_to_migrate(postgres, tmp_path):
    variables = {"DATABASE_URL": postgres.create_database(), "BETTER_AUTH_SECRET": SECRET}
    run = run_todo("demo-data", "--tasks", "1", cwd=tmp_path, **variables)

    assert (run.returncode, run.stdout) == (1, "")
    assert "todo migrate" in run.stderr


def test_purge_without_a_database_says_so_and_makes_none(tmp_path):
    run = run_todo("purge", cwd=tmp_path)

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        f"INSTANCE_PATH: {tmp_path / 'instance'} has no database; "
        "set the folder that the server uses\n"
    )
    assert not (tmp_path / "instance" / "todo.db").exists()


def test_purge_that_reaches_no_database_says_what_the_database_said(tmp_path):
    url = f"postgresql://localhost:{free_port()}/todo"
    run = run_todo("purge", cwd=tmp_path, DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)

    assert (run.returncode, run.stdout) == (1, "")
    assert "Connection refused" in run.stderr
    assert "Retry-After" not in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_purge_deletes_expired_keys_and_no_others(database_url, service_on, tmp_path):
    alice = service_on(database_url).caller("alice")
    for key in ("old", "new"):
        alice("POST", "", json={"title": "x"}, headers={"Idempotency-Key": key})
    rows(
        database_url,
        "UPDATE idempotency_keys SET created_at = '2020-01-01 00:00:00.000000' WHERE key = 'old'",
    )
    settings = {"DATABASE_URL": database_url, "BETTER_AUTH_SECRET": SECRET}

    first, again = [run_todo("purge", cwd=tmp_path, **settings) for _ in range(2)]

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines()[3].endswith(": 1 idempotency keys have expired")
    assert again.stdout.splitlines()[3].endswith(": 0 idempotency keys have expired")
    assert rows(database_url, "SELECT key FROM idempotency_keys") == [{"key": "new"}]


def test_purge_deletes_for_good_what_was_deleted_long_ago_and_nothing_else(database_url, tmp_path):
    schema_settings = {"DATABASE_URL": database_url, "BETTER_AUTH_SECRET": SECRET}
    for owner in ("alice", "bob"):
        run_todo("demo-data", "--tasks", "4", "--sub", owner, cwd=tmp_path, **schema_settings)
    trashed = "UPDATE tasks SET deleted_at = :moment WHERE id = :task_id"
    found = rows(database_url, "SELECT id FROM tasks WHERE user_id = 'bob' ORDER BY id")
    old, *kept = [row["id"] for row in found]
    for task_id, moment in (
        (old, "2020-01-01 00:00:00.000000"),
        (kept[0], "2999-01-01 00:00:00.000000"),
    ):
        rows(database_url, trashed, task_id=task_id, moment=moment)
    rows(
        database_url,
        "UPDATE users SET trashed_tasks = 2, done_tasks = (SELECT count(*) FROM tasks WHERE"
        " user_id = users.id AND completed AND deleted_at IS NULL), open_tasks = (SELECT count(*)"
        " FROM tasks WHERE user_id = users.id AND NOT completed AND deleted_at IS NULL)",
    )

    first = run_todo("purge", cwd=tmp_path, **schema_settings)
    again = run_todo("purge", cwd=tmp_path, **schema_settings)

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines()[0].endswith(": 2 deleted tasks are gone for good")
    assert again.stdout.splitlines()[0].endswith(": 0 deleted tasks are gone for good")
    left = rows(database_url, "SELECT user_id, id FROM tasks ORDER BY user_id, id")
    assert [(row["user_id"], row["id"]) for row in left] == [
        (owner, task_id) for owner in ("alice", "bob") for task_id in kept
    ]
    for owner in ("alice", "bob"):
        assert counters_of(database_url, owner)["trashed_tasks"] == 1
        assert counters_of(database_url, owner)["revision"] == kept[-1]
