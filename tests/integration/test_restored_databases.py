"""What clients saw after the backup means nothing else in the database that was restored."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.api.expect import refusal
from tests.conftest import DIALECTS, SECRET, Caller
from tests.integration.restoring import OnPostgreSQL, OnSQLite, Restorable, caller
from tests.integration.server import REPOSITORY, postgresql_settings, run_todo
from tests.integration.tables import assert_all_is_counted, assert_log_is_whole, rows, value
from tests.servers.postgres import PostgresServer
from tests.servers.programs import lack, require
from todo.database import schema
from todo.sync.advance import GAP
from todo.tasks.sorts import SORTS
from todo.values.revisions import MAX_REVISION

PAGE = REPOSITORY / "docs" / "deploying.md"
CREDENTIALS = {"email": "alice@example.com", "password": "correct horse"}


@pytest.fixture(params=DIALECTS)
def world(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    service_on: Callable[..., Any],
    tmp_path: Path,
) -> Restorable:
    """A service on each dialect in turn."""
    url = new_database(request.param)
    if request.param == "sqlite":
        return OnSQLite(url, service_on(url), tmp_path)
    return OnPostgreSQL(url, service_on, request.getfixturevalue("postgres"), tmp_path)


@pytest.fixture
def alice(world: Restorable) -> Caller:
    return caller(world, "alice")


def wait_for_the_next_second() -> None:
    """Generations of passwords are seconds: one second has one restore."""
    begun = int(time.time())
    while int(time.time()) == begun:
        time.sleep(0.01)


def restored(world: Restorable) -> Caller:
    """Alice, in the database that was restored."""
    world.restore()
    return caller(world, "alice")


def test_restored_database_has_what_the_backup_had_and_nothing_else(world, alice):
    kept = alice.create("Buy milk", tags=["shopping"])
    world.back_up()
    alice("PATCH", f"{kept['id']}", json={"title": "Buy bread"})
    alice.create("Call the bank")

    alice = restored(world)

    page = alice("GET", "").json()
    assert (page["tasks"], page["total"]) == ([kept], 1)
    assert caller(world, "alice")("GET", f"{kept['id']}").json() == kept


def test_lists_and_subtasks_of_the_backup_are_there_with_their_counts(world, alice):
    home = alice("POST", "/api/me/lists", json={"name": "Home"}).json()
    parent = alice.create("Move house", list_id=home["id"])
    child = alice.create("Pack", parent_id=parent["id"])
    shown = alice("GET", "/api/me/lists").json()
    world.back_up()
    alice("PATCH", f"{child['id']}/complete")
    alice("DELETE", f"/api/me/lists/{home['id']}")

    alice = restored(world)

    lists = alice("GET", "/api/me/lists").json()
    assert (lists["lists"], lists["counts"]) == (shown["lists"], shown["counts"])
    assert [alice("GET", f"{one['id']}").json() for one in (parent, child)] == [parent, child]
    behind = alice.create("Unpack", parent_id=parent["id"])
    assert (behind["list_id"], behind["position"] > child["position"]) == (home["id"], True)
    assert_all_is_counted(world.service.settings.database_url, alice.id)


def test_ids_and_revisions_of_after_the_backup_are_never_given_again(world, alice):
    alice.create()
    world.back_up()
    seen = [task["revision"] for task in (alice.create(), alice.create())]
    for _ in range(3):
        alice = restored(world)
        assert alice("GET", f"{seen[-1]}").status_code == 404
        task = alice.create()
        changed = alice("PATCH", f"{task['id']}", json={"title": "x"}).json()

        assert task["id"] == task["revision"] > max(seen)
        assert changed["revision"] == task["revision"] + 1 <= MAX_REVISION
        seen += [task["revision"], changed["revision"]]


def test_user_who_first_wrote_after_the_backup_gets_no_id_twice(world, alice):
    world.back_up()
    seen = [alice.create()["id"], alice.create()["id"]]
    for _ in range(2):
        alice = restored(world)
        empty = alice("GET", "").json()
        assert (empty["tasks"], empty["revision"]) == ([], 0)
        seen.append(alice.create()["id"])
        assert alice("GET", "").json()["revision"] == seen[-1]

    assert sorted(set(seen)) == seen


def test_etags_of_after_the_backup_match_nothing_any_more(world, alice):
    task = alice.create()
    world.back_up()
    changed = alice("PATCH", f"{task['id']}", json={"title": "x"})
    listed = alice("GET", "").headers["ETag"]

    alice = restored(world)

    stale = {"If-Match": changed.headers["ETag"]}
    refused = alice("PATCH", f"{task['id']}", json={"title": "y"}, headers=stale)
    assert (refused.status_code, refusal(refused)["current"]) == (412, task)
    bulk = {"op": "update", "id": task["id"], "data": {"title": "y"}, "if_revision": 2}
    assert alice("POST", "bulk", json={"operations": [bulk]}).status_code == 412
    for path, etag in ((f"{task['id']}", changed.headers["ETag"]), ("", listed)):
        again = alice("GET", path, headers={"If-None-Match": etag})
        assert (again.status_code, again.headers["ETag"] == etag) == (200, False)


def test_etag_of_a_task_that_the_backup_had_still_matches(world, alice):
    task = alice.create()
    etag = alice("GET", f"{task['id']}").headers["ETag"]
    world.back_up()

    alice = restored(world)

    changed = alice("PATCH", f"{task['id']}", json={"title": "x"}, headers={"If-Match": etag})
    assert changed.status_code == 200


@pytest.mark.parametrize("at", ["before", "after"])
def test_sync_tokens_of_the_lost_database_are_expired(world, alice, at):
    tokens = {}
    for when in ("before", "after"):
        alice.create()
        tokens[when] = alice("GET", "").json()["sync_token"]
        if when == "before":
            world.back_up()

    alice = restored(world)

    path = f"/api/alice/changes?since={tokens[at]}"
    for _ in range(4):
        assert refusal(alice("GET", path))["code"] == "changes_expired"
        alice.create()


def test_new_sync_tokens_lead_on_from_the_restored_database(world, alice):
    kept = alice.create()
    world.back_up()
    alice = restored(world)
    page = alice("GET", "").json()
    same = alice("GET", f"/api/alice/changes?since={page['sync_token']}").json()
    task = alice.create("Call the bank")

    found = alice("GET", f"/api/alice/changes?since={page['sync_token']}").json()

    assert (same["changes"], same["has_more"]) == ([], False)
    assert [change["data"] for change in found["changes"]] == [task]
    assert found["revision"] == task["revision"] == page["revision"] + 1
    assert page["tasks"] == [kept]


def test_history_and_undo_begin_anew(world, alice):
    alice.create()
    world.back_up()
    lost = alice.create()

    alice = restored(world)

    assert alice("GET", "/api/alice/history").json()["changes"] == []
    for revision in (1, lost["revision"]):
        refused = alice("POST", "/api/alice/undo", json={"revision": revision})
        assert refused.status_code == 409
        assert refused.json()["errors"][0]["code"] == "expired"
    task = alice.create()
    undone = alice("POST", "/api/alice/undo", json={"revision": task["revision"]})
    assert undone.json()["changed"] == 1


def test_cursors_of_after_the_backup_lead_behind_the_same_position(world, alice):
    for number in range(6):
        alice.create(f"Task {number}", due_date=f"2030-01-0{number + 1}")
    world.back_up()
    lost = alice.create("Task 2b", due_date="2030-01-03")
    sorts = [sort if sort != "position" else "position&list=none&parent=none" for sort in SORTS]
    queries = [f"?limit=4&sort={sort}&order={order}" for sort in sorts for order in ("asc", "desc")]
    firsts = {query: alice("GET", query).json() for query in queries}

    alice = restored(world)

    for query, first in firsts.items():
        rest = alice("GET", f"{query}&cursor={first['next_cursor']}").json()["tasks"]
        met = [task["id"] for task in (*first["tasks"], *rest) if task["id"] != lost["id"]]
        whole = alice("GET", query.replace("limit=4", "limit=100")).json()["tasks"]
        assert met == [task["id"] for task in whole]


def test_tokens_of_local_accounts_are_revoked_however_often_the_backup_is_restored(world):
    client = world.service.client
    user = client.post("/api/auth/register", json=CREDENTIALS).json()["user"]["id"]
    tokens = [client.post("/api/auth/login", json=CREDENTIALS).json()["token"]]
    world.back_up()
    change = {"password": "correct horse", "new_password": "another horse"}
    Caller(client, user, tokens[0])("POST", "/api/auth/password", json=change)
    generations = []
    for _ in range(2):
        wait_for_the_next_second()
        world.restore()
        client = world.service.client
        for token in tokens:
            assert refusal(Caller(client, user, token)("GET", ""))["code"] == "token_revoked"
        tokens.append(client.post("/api/auth/login", json=CREDENTIALS).json()["token"])
        assert Caller(client, user, tokens[-1])("GET", "").status_code == 200
        url = world.service.settings.database_url
        generations.append(value(url, "SELECT generation FROM accounts"))
    assert 2 < generations[0] < generations[1]


def test_revisions_move_ahead_of_what_a_wrong_clock_gave(database_url, service_on, tmp_path):
    alice = service_on(database_url).caller("alice")
    alice.create()
    high = MAX_REVISION - 2 * GAP
    rows(database_url, "UPDATE users SET revision = :high, logged = :high", high=high)
    settings = {"DATABASE_URL": database_url, "BETTER_AUTH_SECRET": SECRET}

    run = run_todo("advance-revisions", cwd=tmp_path, **settings)

    assert run.stdout.endswith(
        ": the revisions of 1 users are ahead, the tokens of 0 accounts revoked\n"
    )
    assert alice.create()["id"] == high + GAP + 1
    assert_log_is_whole(database_url, "alice")


def test_what_the_release_before_did_not_count_is_counted_after_revisions_moved_ahead(
    database_url, service_on, tmp_path
):
    alice = service_on(database_url).caller("alice")
    parent = alice.create()
    alice.create(parent_id=parent["id"])
    complete = "UPDATE tasks SET completed = true, completed_at = created_at WHERE id = 2"
    counters = "UPDATE users SET revision = 3, open_tasks = 1, done_tasks = 1"
    rows(database_url, complete)
    rows(database_url, counters)
    settings = {"DATABASE_URL": database_url, "BETTER_AUTH_SECRET": SECRET}

    assert run_todo("advance-revisions", cwd=tmp_path, **settings).returncode == 0

    alice.create()
    assert_all_is_counted(database_url, "alice")


def test_advance_revisions_of_a_database_without_tables_sends_to_migrate(postgres, tmp_path):
    variables = {"DATABASE_URL": postgres.create_database(), "BETTER_AUTH_SECRET": SECRET}
    run = run_todo("advance-revisions", cwd=tmp_path, **variables)

    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (1, "", 1)
    assert "todo migrate" in run.stderr


def run_as_documented(program: str, url: str, folder: Path) -> None:
    """Run the page's line with `program` on the database at ``url``; it must end well."""
    shell, path = require("sh", program)
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    major = value(url, "SHOW server_version").split(".")[0]
    if f" {major}." not in version.stdout:
        lack(f"{program} {major} (apt-get install postgresql-client-{major})", fatal=False)
    lines = [line for line in PAGE.read_text().splitlines() if "$MIGRATION_DATABASE_URL" in line]
    [line] = [line for line in lines if program in line]
    environment = {**os.environ, "MIGRATION_DATABASE_URL": url}
    run = subprocess.run(
        [shell, "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_dump_of_an_earlier_release_is_restored_as_the_page_says(
    postgres: PostgresServer, tmp_path
):
    old, new = postgres.create_database(), postgres.create_database()
    schema.migrate(old, "0005")
    rows(old, "INSERT INTO users VALUES ('alice', 7, 0, 0, 0, now(), now())")
    run_as_documented("pg_dump", old, tmp_path)
    schema.migrate(old)

    run_as_documented("pg_restore", new, tmp_path)
    settings = postgresql_settings(new)
    commands = ("migrate", "advance-revisions", "doctor")
    runs = [run_todo(command, cwd=tmp_path, **settings) for command in commands]

    assert (tmp_path / "todo.dump").stat().st_mode & 0o777 == 0o600
    assert [(run.returncode, run.stderr) for run in runs] == [(0, "")] * 3
    assert value(new, "SELECT revision FROM users WHERE id = 'alice'") > GAP
    assert value(old, "SELECT revision FROM users WHERE id = 'alice'") == 7
