"""`todo backup` and `todo restore`, beside a real server and writers, and what the two refuse."""

import resource
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SECRET, Caller
from tests.integration.concurrently import meanwhile
from tests.integration.event_reader import WAIT_SECONDS, reading
from tests.integration.server import SERVING, TODO, environment, run_todo
from tests.integration.tables import assert_books_balance, counters_of, rows, value
from tests.servers.reaper import wait_until
from todo.database import schema

OWNERS = ("alice", "bob")
USED = "UPDATE todo_api_version SET version_num = '9999'"
SMALL = 64 * 1024
"""Bytes that no database of this API fits into."""


def settings_of(folder: Path) -> dict[str, str]:
    """The embedded database of a server in `folder`, with the tests' secret."""
    return {"BETTER_AUTH_SECRET": SECRET, "INSTANCE_PATH": str(folder / "instance")}


@pytest.fixture
def todo(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command on the embedded database of the test's own folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_todo(*arguments, cwd=tmp_path, **settings_of(tmp_path))

    return run


@pytest.fixture
def embedded(tmp_path: Path, new_database: Callable[[str], str]) -> str:
    """The URL of an embedded database that has the tables."""
    (tmp_path / "instance").mkdir(mode=0o700)
    made = Path(new_database("sqlite").removeprefix("sqlite:///"))
    made.rename(tmp_path / "instance" / "todo.db")
    return f"sqlite:///{tmp_path / 'instance' / 'todo.db'}"


def assert_done(run: subprocess.CompletedProcess[str]) -> None:
    assert (run.returncode, run.stderr) == (0, "")


def assert_refused(run: subprocess.CompletedProcess[str], line: str) -> None:
    assert (run.returncode, run.stdout, run.stderr) == (1, "", f"{line}\n")


def assert_whole(url: str) -> None:
    """SQLite finds the file sound, and the books of everybody balance."""
    assert value(url, "PRAGMA integrity_check") == "ok"
    for owner in OWNERS:
        assert_books_balance(url, owner, changes=counters_of(url, owner)["revision"])


def writing(caller: Caller) -> Callable[[Callable[[], bool]], None]:
    """Create and complete tasks until told to stop; every response is a success, or `busy`."""

    def run(is_over: Callable[[], bool]) -> None:
        while not is_over():
            made = caller("POST", "", json={"title": "Buy milk"})
            assert made.status_code == 201 or made.json()["code"] == "busy", made.text
            if made.status_code == 201:
                done = caller("PATCH", f"{made.json()['id']}/complete", json={"completed": True})
                assert done.status_code in (200, 404, 503), done.text

    return run


def test_backups_under_writers_are_each_the_database_of_one_moment(serving, todo, tmp_path):
    server = serving(command=SERVING, **settings_of(tmp_path))
    callers = [server.caller(owner) for owner in OWNERS]
    for caller in callers:
        caller.create()
    revisions = []
    with meanwhile(*map(writing, callers)):
        for number in range(3):
            assert_done(todo("backup", f"{number}.db"))
            before = counters_of(f"sqlite:///{tmp_path}/instance/todo.db", "alice")["revision"]
            wait_until(
                lambda seen=before: callers[0]("GET", "").json()["revision"] > seen, WAIT_SECONDS
            )

    for number in range(3):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        assert_whole(url)
        revisions.append(counters_of(url, "alice")["revision"])
    assert revisions[0] < revisions[1] < revisions[2]


def test_restore_under_writers_and_listeners_gives_them_the_backup(serving, todo, tmp_path):
    server = serving(command=SERVING, **settings_of(tmp_path))
    alice, bob = (server.caller(owner) for owner in OWNERS)
    kept = alice.create("Kept")
    bob.create()
    assert_done(todo("backup", "kept.db"))
    with reading(server.origin, alice.token) as [listener]:
        lost = alice.create("Lost")["id"]
        with meanwhile(writing(bob), writing(bob)):
            assert_done(todo("restore", "kept.db"))
        assert wait_until(lambda: any(e.name == "reset" for e in listener.events), WAIT_SECONDS)

    assert alice("GET", "").json()["tasks"] == [kept]
    assert alice("GET", f"{lost}").status_code == 404
    assert alice.create()["id"] > lost
    url = f"sqlite:///{tmp_path}/instance/todo.db"
    assert value(url, "PRAGMA integrity_check") == "ok"
    assert bob("GET", "?limit=1").json()["total"] == value(
        url, "SELECT count(*) FROM tasks WHERE user_id = 'bob'"
    )


def test_backup_is_one_private_file_beside_nothing_else(embedded, todo, tmp_path):
    run = todo("backup", "kept.db")

    assert run.stdout == f"{tmp_path / 'instance' / 'todo.db'}: backed up as kept.db\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "instance", "kept.db"]
    assert stat.S_IMODE((tmp_path / "kept.db").stat().st_mode) == 0o600
    with sqlite3.connect(f"file:{tmp_path / 'kept.db'}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("delete",)]


def test_backup_overwrites_no_file(embedded, todo, tmp_path):
    (tmp_path / "kept.db").write_text("mine")

    assert_refused(todo("backup", "kept.db"), "kept.db: exists already; name a new file")
    assert (tmp_path / "kept.db").read_text() == "mine"


def test_backup_that_finds_no_room_leaves_no_file(embedded, todo, tmp_path):
    run = subprocess.run(
        [TODO, "backup", "kept.db"],
        cwd=tmp_path,
        env=environment(tmp_path / "home", **settings_of(tmp_path)),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (1, "", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "instance"]


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_database_of_postgresql_is_left_to_its_own_programs(command, tmp_path):
    url = "postgresql://todo:very-private@127.0.0.1:1/todo"
    run = run_todo(command, "x.db", cwd=tmp_path, DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)

    assert_refused(
        run,
        "DATABASE_URL: the database is PostgreSQL; back it up with pg_dump, restore it with "
        "pg_restore, then run 'todo advance-revisions'",
    )


def test_backup_without_a_database_says_so_and_makes_none(todo, tmp_path):
    assert_refused(
        todo("backup", "kept.db"),
        f"INSTANCE_PATH: {tmp_path / 'instance'} has no database; set the one that the server uses",
    )
    assert not (tmp_path / "kept.db").exists()


def test_backup_of_what_is_no_database_is_refused(embedded, todo, tmp_path):
    file = tmp_path / "instance" / "todo.db"
    file.write_bytes(b"no database" * 1000)

    assert_refused(todo("backup", "kept.db"), f"{file}: file is not a database")
    assert not (tmp_path / "kept.db").exists()


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE tasks (id int)")
    connection.close()


def damaged(path: Path) -> None:
    url = f"sqlite:///{path}"
    schema.migrate(url)
    value(url, "PRAGMA journal_mode = DELETE")
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 4] = b"\xff" * 8192
    path.write_bytes(content)


def later(path: Path) -> None:
    schema.migrate(f"sqlite:///{path}")
    rows(f"sqlite:///{path}", USED)


UNFIT: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "there is no such file"),
    "a folder": (lambda path: path.mkdir(), "there is no such file"),
    "text": (lambda path: path.write_text("text" * 1000), "file is not a database"),
    "an empty file": (lambda path: path.touch(), "the database has none of this API's tables"),
    "somebody's database": (foreign, "the database has none of this API's tables"),
    "a damaged database": (damaged, "the database is damaged: "),
    "a later release's": (later, "at revision 9999, which a later release made; "),
}


@pytest.mark.parametrize("what", UNFIT)
def test_restore_refuses_in_one_line_and_changes_nothing_for(what, embedded, todo, tmp_path):
    make, reason = UNFIT[what]
    make(tmp_path / "unfit.db")
    before = (tmp_path / "instance" / "todo.db").read_bytes()

    run = todo("restore", "unfit.db")

    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (1, "", 1)
    assert run.stderr.startswith("unfit.db: ")
    assert reason in run.stderr
    assert (tmp_path / "instance" / "todo.db").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "instance").glob(".*")) == []


def test_restore_on_a_new_machine_makes_the_database(embedded, todo, tmp_path, service_on):
    service_on(embedded).caller("alice").create("Buy milk")
    assert_done(todo("backup", "kept.db"))
    new = tmp_path / "new"

    run = run_todo("restore", "kept.db", cwd=tmp_path, **settings_of(new))

    assert run.stdout == (
        f"{new / 'instance' / 'todo.db'}: restored from kept.db; "
        "the revisions of 1 users are ahead, the tokens of 0 accounts revoked\n"
    )
    file = new / "instance" / "todo.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    [task] = service_on(f"sqlite:///{file}").caller("alice")("GET", "").json()["tasks"]
    assert task["title"] == "Buy milk"


def test_restore_over_what_is_no_database_says_what_to_do(embedded, todo, tmp_path):
    assert_done(todo("backup", "kept.db"))
    file = tmp_path / "instance" / "todo.db"
    file.write_bytes(b"no database" * 1000)

    assert_refused(
        todo("restore", "kept.db"),
        f"{file}: file is not a database; stop the server, move the file away, and restore again",
    )


def test_restore_brings_a_backup_of_an_earlier_release_to_this_ones_schema(
    embedded, todo, tmp_path
):
    schema.migrate(f"sqlite:///{tmp_path / 'old.db'}", "0007")

    assert_done(todo("restore", "old.db"))

    assert value(embedded, "SELECT version_num FROM todo_api_version") == schema.head()
    assert value(f"sqlite:///{tmp_path / 'old.db'}", "SELECT * FROM todo_api_version") == "0007"
