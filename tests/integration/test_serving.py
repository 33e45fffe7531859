"""gunicorn as operators run it: starts, stops, reloads, loses workers, and never a request."""

import asyncio
import functools
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import httpx2
import orjson
import psycopg2
import pytest

from tests.conftest import SECRET, Caller
from tests.integration import counting_application
from tests.integration.concurrently import beside, together
from tests.integration.raw_http import chunked, request, wire_to
from tests.integration.server import REPOSITORY, SERVING, Server, postgresql_settings, run_todo
from tests.integration.sockets import connections_of
from tests.integration.tables import assert_books_balance, rows, value
from tests.servers.reaper import wait_until
from todo.auth.tokens import HS256, Family, SharedSecret, Verifier

WAIT_SECONDS = 30
STOP_SECONDS = 30
CLIENTS = 4
WAITING_FOR_A_LOCK = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
GUNICORN = (sys.executable, "-m", "gunicorn")


@pytest.fixture
def url(new_database) -> str:
    return new_database("postgresql")


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """The server of a worker class, with the embedded database; started once."""
    with ExitStack() as stack:

        @cache
        def start(worker: str) -> Server:
            folder = tmp_path_factory.mktemp("worker")
            variables = {"BETTER_AUTH_SECRET": SECRET, "WORKER_CLASS": worker}
            server = Server.start(folder, command=SERVING, WEB_CONCURRENCY="1", **variables)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def settings(url) -> dict[str, str]:
    return dict(postgresql_settings(url))


class Lock:
    """Somebody else's lock on a user's row, until ``release``."""

    def __init__(self, url: str, owner: str) -> None:
        self._connection = psycopg2.connect(url)
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM users WHERE id = %s FOR UPDATE", (owner,))
            assert cursor.rowcount == 1

    def release(self) -> None:
        self._connection.close()


def listens(server: Server) -> bool:
    try:
        with wire_to(server.port):
            return True
    except ConnectionRefusedError:
        return False


def use(server: Server, alice: Caller) -> None:
    """Create, list, complete and delete a task, as the README does."""
    task = alice.create("Buy milk")
    assert alice("GET", "").json()["tasks"] == [task]
    assert alice("PATCH", f"{task['id']}/complete").json()["completed"] is True
    assert alice("DELETE", str(task["id"])).status_code == 204
    assert alice("GET", "").json()["total"] == 0
    assert server.client.get("/openapi.json").json()["openapi"] == "3.0.3"


def assert_stops_well(server: Server) -> None:
    assert server.process.stop(signal.SIGTERM, timeout=STOP_SECONDS) == 0
    assert server.process.pids() == []
    assert "Traceback" not in server.process.log()


# One server after another.


def test_embedded_default_needs_no_setting_keeps_its_secret_and_writes_nothing_elsewhere(
    serving, tmp_path
):
    first: Server = serving()
    instance, secret = tmp_path / "instance", tmp_path / "instance" / "secret"
    kept = secret.read_text()
    token = run_todo("token", "--sub", "alice", cwd=tmp_path).stdout.strip()
    alice = Caller(first.client, "alice", token)
    use(first, alice)
    task = alice.create("Buy bread")

    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700
    assert_stops_well(first)
    # No log of SQLite's is left: a copy of the one file is a copy of everything.
    assert sorted(path.name for path in instance.iterdir()) == ["secret", "todo.db"]

    second: Server = serving()
    assert secret.read_text() == kept
    assert Caller(second.client, "alice", token)("GET", "").json()["tasks"] == [task]
    assert_stops_well(second)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "instance"]
    assert list((tmp_path / "home").rglob("*")) == []


def test_commands_that_run_first_and_at_once_agree_on_one_secret(tmp_path):
    runs = together([lambda: run_todo("token", "--sub", "alice", cwd=tmp_path)] * 4)

    secret = (tmp_path / "instance" / "secret").read_text()
    verifier = Verifier([Family((HS256,), SharedSecret(secret.encode()))], leeway=0)
    assert {asyncio.run(verifier.verify(run.stdout.strip()))["sub"] for run in runs} == {"alice"}
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secret"]


def test_uvicorn_worker_serves_too(settings, serving):
    server: Server = serving(**settings, WORKER_CLASS="uvicorn_worker.UvicornWorker")

    use(server, server.caller())
    assert_stops_well(server)


@pytest.mark.parametrize(
    "worker", ["asgi", "uvicorn_worker.UvicornWorker", "uvicorn_worker.UvicornH11Worker"]
)
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_request_that_offers_to_upgrade_keeps_its_body(offered, worker, framing):
    server: Server = offered(worker)
    alice = server.caller()
    body = b'{"title": "Buy milk"}'
    framed = (f"Content-Length: {len(body)}",) if framing == "length" else (CHUNKED,)
    upgrade = ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk")
    headers = (f"Authorization: Bearer {alice.token}", JSON, *upgrade, *framed)
    with wire_to(server.port) as wire:
        wire.send(
            request(
                "POST",
                "/api/me/tasks",
                *headers,
                body=body if framing == "length" else chunked(body),
            )
        )

        assert wire.answer().status == 201
    assert [task["title"] for task in alice("GET", "").json()["tasks"]] == ["Buy milk"]


def test_plain_gunicorn_in_the_repository_serves(settings, serving, tmp_path):
    server: Server = serving(REPOSITORY, command=GUNICORN, home=tmp_path / "home", **settings)

    use(server, server.caller())
    assert_stops_well(server)


def test_a_closed_connection_leaves_nothing_in_memory(settings, serving, tmp_path):
    command = [*SERVING, f"{counting_application.__name__}:create()"]
    variables = {**settings, "PYTHONPATH": str(REPOSITORY), "WEB_CONCURRENCY": "1"}
    server: Server = serving(REPOSITORY, command=command, home=tmp_path / "home", **variables)
    for _ in range(30):
        assert server.client.get("/health").status_code == 200  # each on a connection of its own

    def few_are_held() -> bool:
        return int(server.client.get(counting_application.PATH).text) < 10

    assert wait_until(few_are_held, WAIT_SECONDS)


def test_term_lets_the_request_in_flight_finish_and_exits_with_0(settings, url, serving):
    server: Server = serving(**settings)
    alice = server.caller()
    alice.create("Buy milk")
    lock = Lock(url, alice.id)

    def stop_while_it_waits() -> None:
        assert wait_until(lambda: value(url, WAITING_FOR_A_LOCK) == 1, WAIT_SECONDS)
        os.kill(server.process.pid, signal.SIGTERM)
        assert wait_until(lambda: not listens(server), WAIT_SECONDS)
        lock.release()

    response, _ = together(
        [lambda: alice("PUT", "1", json={"title": "Buy oat milk"}), stop_while_it_waits]
    )

    assert response.status_code == 200
    assert response.json()["title"] == "Buy oat milk"
    assert_stops_well(server)
    assert_books_balance(url, alice.id, changes=2)


def test_health_answers_while_every_thread_waits_and_a_user_s_waiters_hear_whose_load_it_is(
    settings, url, serving
):
    server: Server = serving(**settings, WEB_CONCURRENCY="1", WEB_THREADS="1")
    alice = server.caller()
    alice.create("Buy milk")
    lock = Lock(url, alice.id)

    def update_from_everywhere() -> list[httpx2.Response]:
        update = functools.partial(alice, "PUT", "1", json={"title": "Buy oat milk"})
        return together([update] * 40)

    refused, healthy = beside(update_from_everywhere, [lambda: server.client.get("/health")])
    lock.release()

    assert {response.status_code for response in healthy} == {200}
    assert {response.headers["retry-after"] for response in refused} == {"1"}
    told = {(answer.status_code, answer.json()["detail"]) for answer in refused}
    assert told == {
        (503, "The database is busy with other requests."),  # the one that had the thread
        (503, "The user's earlier requests were not answered in 3 s."),  # those in the queue
    }
    assert_books_balance(url, alice.id, changes=1)
    assert alice("PUT", "1", json={"title": "Buy oat milk"}).status_code == 200


def test_a_change_that_takes_longer_than_gunicorns_timeout_is_made_and_answered(
    settings, url, serving, tmp_path
):
    """The timeout is one of the event loop, which goes on while a thread works."""
    command = (*GUNICORN, "--timeout", "2")
    server = serving(REPOSITORY, command=command, home=tmp_path / "home", **settings)
    workers = server.workers()
    alice = server.caller()
    for _ in range(3):
        alice.create("Buy milk")
    rows(
        url,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';"
        "CREATE TRIGGER slow BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION slow()",
    )

    answer = alice("POST", "complete-all", json={"completed": True})

    assert (answer.status_code, answer.json()) == (200, {"changed": 3, "revision": 6})
    assert server.workers() == workers


# One server, whose workers come and go.


@pytest.fixture(scope="module")
def shared_url(new_database) -> str:
    return new_database("postgresql")


@pytest.fixture(scope="module")
def shared_server(shared_url, tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("shared")
    server = Server.start(folder, **postgresql_settings(shared_url), WEB_THREADS="2")
    yield server
    server.close()


def test_todo_serve_serves_postgresql_with_two_workers(shared_server):
    assert len(shared_server.workers()) == 2
    use(shared_server, shared_server.caller())


def test_workers_forked_from_one_application_share_no_connection(shared_server, shared_url):
    alice = shared_server.caller()
    backends = (
        "SELECT client_port FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'todo'"
    )
    master, *workers = shared_server.process.pids()

    def every_worker_has_connected() -> bool:
        together([lambda: alice("GET", "")] * 8)
        ports = {row["client_port"] for row in rows(shared_url, backends)}
        return all(ports & connections_of(worker) for worker in workers)

    assert wait_until(every_worker_has_connected, WAIT_SECONDS)
    ports = {row["client_port"] for row in rows(shared_url, backends)}
    first, second = (ports & connections_of(worker) for worker in workers)
    assert first.isdisjoint(second)
    assert first | second == ports
    assert ports & connections_of(master) == set()


def test_killed_worker_is_replaced_and_the_service_goes_on(shared_server, shared_url):
    alice = shared_server.caller()
    alice.create("Buy milk")
    killed, other = shared_server.workers()

    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: killed not in shared_server.workers(), WAIT_SECONDS)
    assert alice("GET", "").json()["total"] == 1
    shared_server.wait_for_other_workers_than([killed])

    assert other in shared_server.workers()
    together([alice.create] * 8)
    assert_books_balance(shared_url, alice.id, changes=9)


def test_reload_under_load_fails_no_request(shared_server, shared_url):
    alice = shared_server.caller()
    alice.create("Buy milk")

    def work() -> None:
        alice.create("Buy bread")
        assert alice("GET", "1").status_code == 200

    def reload_twice() -> None:
        for _ in range(2):
            workers = shared_server.workers()
            os.kill(shared_server.process.pid, signal.SIGHUP)
            shared_server.wait_for_other_workers_than(workers)

    _, created = beside(reload_twice, [work] * CLIENTS)

    assert len(created) >= CLIENTS
    assert_books_balance(shared_url, alice.id, changes=len(created) + 1)
    assert_stops_well(shared_server)


@pytest.mark.parametrize("worker", ["asgi", "uvicorn_worker.UvicornWorker"])
def test_a_long_body_right_behind_another_request_is_answered(offered, worker):
    server = offered(worker)
    authorization = f"Authorization: Bearer {server.caller().token}"

    def sending(operations: int) -> bytes:
        data = {"title": "x" * 200, "description": "y" * 1000}
        body = orjson.dumps({"operations": [{"op": "create", "data": data}] * operations})
        length = f"Content-Length: {len(body)}"
        return request("POST", "/api/me/tasks/bulk", authorization, JSON, length, body=body)

    # The second request arrives in pieces, while the first one is being worked on.
    first, second = sending(100), sending(100)
    with wire_to(server.port) as wire:
        for _ in range(3):
            wire.send(first)
            for start in range(0, len(second), 50_000):
                wire.send(second[start : start + 50_000])
            assert [wire.answer().status, wire.answer().status] == [200, 200]
