"""The log of changes in the tables: how long it is, how it begins, and what is in no table."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.api.expect import token_at
from tests.api.test_changes import since, token
from tests.api.test_undo import undo
from tests.conftest import Caller
from tests.integration.concurrently import together
from tests.integration.tables import assert_books_balance, rows, value
from todo.auth.user import User
from todo.database.engine import maintenance_engine
from todo.models import Base
from todo.sync import log_purge, trash
from todo.tasks import demo
from todo.tasks.resource import TASKS

SECRET_TEXT = "swordfish"
USER = "SELECT revision, logged, log_floor FROM users WHERE id = :owner"
OLDEST = "SELECT min(revision) FROM changes WHERE user_id = :owner"
BY_AN_EARLIER_RELEASE = """
UPDATE tasks SET title = 'Changed', title_key = 'changed', revision = 4 WHERE id = 1;
UPDATE users SET revision = 4 WHERE id = 'alice'
"""


def user(url, owner="alice"):
    [row] = rows(url, USER, owner=owner)
    return tuple(row.values())


def everything(url):
    """Every value of every table, as text."""
    engine = maintenance_engine(url)
    with engine.connect() as connection:
        for table in Base.metadata.tables:
            for row in connection.execute(sa.select(sa.text("*")).select_from(sa.table(table))):
                for cell in row:
                    is_bytes = isinstance(cell, bytes | memoryview)
                    yield table, bytes(cell).decode("latin-1") if is_bytes else str(cell)


def where_it_says(url, text):
    return {table for table, cell in everything(url) if text in cell}


@pytest.fixture
def alice(database_url, service_on):
    return service_on(database_url).caller("alice")


def with_key(key):
    return {"Idempotency-Key": key}


def test_what_is_deleted_for_good_is_in_no_table(alice, database_url):
    milk = {"title": f"Milk {SECRET_TEXT}", "tags": [SECRET_TEXT]}
    alice("POST", "", json=milk, headers=with_key("create"))
    alice("PATCH", "1", json={"description": SECRET_TEXT}, headers=with_key("change"))
    alice("PATCH", "1", json={"description": SECRET_TEXT}, headers=with_key("no change"))
    alice.create("Bread")
    operations = [
        {"op": "update", "id": 1, "data": {"title": SECRET_TEXT}},
        {"op": "update", "id": 3, "data": {"title": "Rye bread"}},
    ]
    alice("POST", "bulk", json={"operations": operations}, headers=with_key("bulk"))
    bulk = {"operations": operations, "dry_run": True}
    alice("POST", "bulk", json=bulk, headers=with_key("dry run"))
    alice("PATCH", f"/api/alice/tags?name={SECRET_TEXT}", json={"name": f"{SECRET_TEXT}!"})
    alice("DELETE", "1", headers=with_key("delete"))
    assert where_it_says(database_url, SECRET_TEXT) == {"tasks", "changes", "idempotency_keys"}

    assert alice("DELETE", "/api/alice/trash/1").status_code == 204

    assert where_it_says(database_url, SECRET_TEXT) == set()
    assert where_it_says(database_url, "Rye bread") == {"tasks", "changes", "idempotency_keys"}


@pytest.mark.parametrize("how", ["one", "all", "by the command"])
def test_the_key_of_what_is_deleted_for_good_stays_and_its_repeat_is_404(
    alice, database_url, service_on, how
):
    operations = [
        {"op": "update", "id": 1, "data": {"title": "x"}},
        {"op": "create", "data": {"title": "Bread"}},
    ]

    def create():
        return alice("POST", "", json={"title": "Milk"}, headers=with_key("create"))

    def bulk():
        return alice("POST", "bulk", json={"operations": operations}, headers=with_key("bulk"))

    create()
    first = bulk().json()
    alice("DELETE", "1")
    match how:
        case "one":
            alice("DELETE", "/api/alice/trash/1")
        case "all":
            alice("DELETE", "/api/alice/trash")
        case _:
            rows(database_url, "UPDATE tasks SET deleted_at = '2020-01-01' WHERE id = 1")
            service = service_on(database_url)
            with service.application.flask.app_context():
                assert trash.purge(TASKS, days=1) == 1
    revision = alice("GET", "").json()["revision"]

    gone, again = create(), bulk()

    assert (gone.status_code, gone.json()["code"]) == (404, "task_not_found")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {
        **first,
        "results": [{"status": 200, "task": None}, first["results"][1]],
    }
    assert alice("GET", "").json()["revision"] == revision


def test_what_an_earlier_release_kept_is_forgotten_too(alice, database_url):
    alice("POST", "", json={"title": SECRET_TEXT}, headers=with_key("create"))
    rows(database_url, "UPDATE idempotency_keys SET shows = NULL")
    alice("DELETE", "1")

    alice("DELETE", "/api/alice/trash/1")

    assert where_it_says(database_url, SECRET_TEXT) == set()


def test_a_log_begins_where_an_earlier_release_stopped(alice, database_url):
    for _ in range(3):
        alice.create()
    before = token(alice)
    rows_of_release = BY_AN_EARLIER_RELEASE.split(";")
    for statement in rows_of_release:
        rows(database_url, statement)
    between = token(alice)

    assert since(alice, before).status_code == 410
    assert since(alice, between).json() == {
        "changes": [],
        "revision": 4,
        "sync_token": token_at(4),
        "has_more": False,
    }
    assert alice("GET", "/api/alice/history").json()["changes"] == []
    assert undo(alice, 3).json()["errors"][0]["code"] == "expired"
    assert user(database_url) == (4, 3, 0)

    alice.create()

    assert user(database_url) == (5, 5, 4)
    assert since(alice, before).status_code == 410
    assert [change["id"] for change in since(alice, between).json()["changes"]] == [5]
    assert [e["revision"] for e in alice("GET", "/api/alice/history").json()["changes"]] == [5]
    assert undo(alice, 5).status_code == 200


def test_a_user_of_before_the_log_begins_at_the_next_change(alice, database_url):
    rows(
        database_url,
        "INSERT INTO users (id, revision, open_tasks, done_tasks, trashed_tasks, created_at,"
        " updated_at) VALUES ('bob', 7, 0, 0, 0, '2026-01-01', '2026-01-01')",
    )
    bob = Caller(alice.client, "bob")
    place = token(bob)

    assert since(bob, place).json()["changes"] == []
    bob.create()

    assert [change["id"] for change in since(bob, place).json()["changes"]] == [8]
    assert user(database_url, "bob") == (8, 8, 7)


def test_a_log_that_is_too_long_loses_its_oldest_entries(database_url, service_on):
    alice = service_on(database_url, changes_per_user=1000).caller("alice")
    create = [{"op": "create", "data": {"title": "x"}}] * 100
    places = []
    for _ in range(11):
        places.append(token(alice))
        alice("POST", "bulk", json={"operations": create})

    revision, logged, floor = user(database_url)
    assert (revision, logged) == (1100, 1100)
    assert revision - floor <= 1000
    assert value(database_url, OLDEST, owner="alice") == floor + 1
    assert [since(alice, place).status_code for place in places] == [410] * 2 + [200] * 9
    assert undo(alice, floor).json()["errors"][0]["code"] == "expired"
    assert undo(alice, floor + 1).json()["errors"][0]["code"] == "expired"
    assert_books_balance(database_url, "alice", changes=1100)


def test_a_change_of_very_many_leaves_no_more_than_may_be_kept(database_url, service_on):
    alice = service_on(database_url, changes_per_user=1000).caller("alice")
    create = [{"op": "create", "data": {"title": "x"}}] * 100
    for _ in range(12):
        alice("POST", "bulk", json={"operations": create})

    alice("POST", "complete-all", json={"completed": True})

    revision, _, floor = user(database_url)
    assert revision == 2400
    count = value(database_url, "SELECT count(*) FROM changes")
    assert count == revision - floor <= 1000


def test_the_command_deletes_what_is_too_old(alice, database_url, service_on):
    places = []
    for _ in range(4):
        alice.create()
        places.append(token(alice))
    old = (datetime.now(UTC) - timedelta(days=91)).strftime("%Y-%m-%d %H:%M:%S.000000")
    rows(database_url, "UPDATE changes SET at = :old WHERE revision <= 2", old=old)
    service = service_on(database_url)

    with service.application.flask.app_context():
        assert log_purge.purge(90) == 2
        assert log_purge.purge(90) == 0

    assert user(database_url) == (4, 4, 2)
    assert [since(alice, place).status_code for place in places] == [410, 200, 200, 200]
    alice.create()
    assert user(database_url) == (5, 5, 2)


def test_the_command_finds_what_is_too_old_below_the_floor_too(alice, database_url, service_on):
    for _ in range(3):
        alice.create()
    old = (datetime.now(UTC) - timedelta(days=400)).strftime("%Y-%m-%d %H:%M:%S.000000")
    rows(database_url, "UPDATE changes SET at = :old", old=old)
    rows(database_url, "UPDATE users SET revision = 4")  # an earlier release made a change
    rows(database_url, "UPDATE tasks SET revision = 4 WHERE id = 2")

    with service_on(database_url).application.flask.app_context():
        assert log_purge.purge(90) == 3
        assert log_purge.purge(90) == 0

    assert rows(database_url, "SELECT * FROM changes") == []
    assert user(database_url) == (4, 4, 4)


def test_a_command_that_writes_keeps_no_more_than_may_be_kept(database_url, service_on):
    with service_on(database_url).application.flask.app_context():
        demo.fill(User("alice"), 2500, quota=10_000, most_entries=1000)

    revision, logged, floor = user(database_url)
    assert (revision, logged) == (2500, 2500)
    assert value(database_url, "SELECT count(*) FROM changes") == revision - floor <= 1000


def test_what_deletes_for_good_takes_nothing_of_the_log(database_url, service_on):
    service = service_on(database_url)
    alice = service.caller("alice")
    alice.create()
    alice("DELETE", "1")
    rows(database_url, "UPDATE users SET revision = 300000, logged = 300000")
    rows(database_url, "UPDATE tasks SET deleted_at = '2020-01-01 00:00:00.000000'")

    with service.application.flask.app_context():
        assert trash.purge(TASKS, 30) == 1

    assert user(database_url) == (300_000, 300_000, 0)


def test_a_database_that_was_restored_has_other_places(tmp_path, new_database, service_on):
    url = new_database("sqlite")
    path = url.removeprefix("sqlite:///")
    alice = service_on(url).caller("alice")
    alice.create()
    alice.client.app.close()
    shutil.copy(path, tmp_path / "backup.db")
    lost = alice.create("Lost")
    alice.create("Lost, too")
    places = [token(alice)]
    etags = alice("GET", "").headers["etag"], alice("GET", "2").headers["etag"]
    alice.client.app.close()
    shutil.copy(tmp_path / "backup.db", path)
    for suffix in ("-wal", "-shm"):
        (tmp_path.parent / f"{path}{suffix}").unlink(missing_ok=True)

    assert since(alice, places[0]).status_code == 410
    for title in ("Other", "Other, too"):
        alice.create(title)

    assert lost["id"] == 2
    assert since(alice, places[0]).status_code == 410
    assert alice("GET", "", headers={"If-None-Match": etags[0]}).status_code == 200
    assert alice("GET", "2", headers={"If-None-Match": etags[1]}).status_code == 200


def test_writers_at_once_leave_a_log_that_has_every_revision_once(alice, database_url):
    alice.create()
    together([lambda: alice("PATCH", "1/complete")] * 8 + [alice.create] * 8)

    log = alice("GET", "/api/alice/history").json()["changes"]

    assert [entry["revision"] for entry in log] == list(range(17, 0, -1))
    assert_books_balance(database_url, "alice", changes=17)
