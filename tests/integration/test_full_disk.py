"""The embedded database's disk is full, or may not be written to: 507 or 503, and reads work."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import event

from tests.conftest import Caller
from tests.integration.application import engine_of
from tests.integration.server import Server
from tests.integration.tables import assert_books_balance, counters_of, value
from tests.servers.programs import lack, require

PARAGRAPH = "x" * 1000
ENOUGH = 2000
"""Tasks that fill the room that is left many times over."""
DISK_KB = 2048
ROOM_KB = 600


def create_until_refused(caller: Caller) -> httpx2.Response:
    for number in range(ENOUGH):
        response = caller("POST", "", json={"title": f"Task {number}", "description": PARAGRAPH})
        if response.status_code != 201:
            return response
    raise AssertionError(f"{ENOUGH} tasks found room")


def assert_full(response: httpx2.Response) -> None:
    assert (response.status_code, response.json()["code"]) == (507, "storage_full")
    assert response.json()["detail"] == "The database has no room left."


def assert_reads_work_and_what_was_acknowledged_is_there(caller: Caller, url: str) -> None:
    page = caller("GET", "?limit=1000").json()
    assert page["total"] == len(page["tasks"]) == page["revision"] > 0
    assert caller("GET", "1").json()["description"] == PARAGRAPH
    assert_books_balance(url, caller.id, changes=page["revision"])
    assert value(url, "PRAGMA integrity_check") == "ok"


def test_database_that_may_not_grow_is_507_and_read_and_written_again_when_it_may(
    new_database, service_on
):
    url = new_database("sqlite")
    pages = value(url, "PRAGMA page_count") + 20
    service = service_on(url, web_threads=1)
    engine = engine_of(service)
    limits = [pages]

    @event.listens_for(engine, "connect")
    def limit(connection: object, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {limits[-1]}")

    alice = service.caller("alice")

    assert_full(create_until_refused(alice))
    assert_reads_work_and_what_was_acknowledged_is_there(alice, url)

    revision = counters_of(url, "alice")["revision"]
    deleted = alice("DELETE", "1").status_code
    assert deleted in (204, 507)  # its entry of the log may find room on the last page
    limits.append(2 * pages)
    engine.dispose()
    assert alice.create("Buy bread")["revision"] == revision + 1 + (deleted == 204)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB, most of it taken by the file ``ballast``."""
    disk = tmp_path / "disk"
    disk.mkdir()
    [mount, unmount] = require("mount", "umount")
    command = [mount, "-t", "tmpfs", "-o", f"size={DISK_KB}k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        lack("the right to mount a small disk (run as root)", fatal=False)
    try:
        (disk / "ballast").write_bytes(bytes(1024 * (DISK_KB - ROOM_KB)))
        yield disk
    finally:
        subprocess.run([unmount, "--lazy", disk], check=True)


def test_full_disk_is_507_while_reads_work_and_writes_return_with_room(small_disk, serving):
    server: Server = serving(INSTANCE_PATH=str(small_disk))
    secret = (small_disk / "secret").read_text().strip()
    alice = server.caller(secret=secret)
    url = f"sqlite:///{small_disk / 'todo.db'}"

    assert_full(create_until_refused(alice))
    assert_reads_work_and_what_was_acknowledged_is_there(alice, url)
    assert server.client.get("/readyz").status_code == 200
    for method, path in (("PATCH", "1/complete"), ("DELETE", "1")):
        response = alice(method, path)
        assert response.status_code in (200, 204, 507), response.text

    (small_disk / "ballast").unlink()
    task = alice.create("Buy bread")
    assert_books_balance(url, alice.id, changes=task["revision"])


def test_sqlite_that_may_not_be_written_is_503_for_writes_and_still_read(new_database, service_on):
    url = new_database("sqlite")
    service = service_on(url)
    alice = service.caller("alice")
    task = alice.create("Buy milk")
    engine = engine_of(service)

    @event.listens_for(engine, "connect")
    def forbid(connection: object, _: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    engine.dispose()

    response = alice("POST", "", json={"title": "Buy bread"})
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert alice("GET", "").json()["tasks"] == [task]
    assert_books_balance(url, alice.id, changes=1)
