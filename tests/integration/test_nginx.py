"""Through nginx as it usually is, with buffers: what only a proxy can do to the API."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import DIALECTS, SECRET, Caller
from tests.integration.event_reader import WAIT_SECONDS, Reader, heard, reading
from tests.integration.server import SERVING, Server
from tests.servers.nginx import Nginx
from tests.servers.reaper import wait_until
from todo.auth.tokens import mint
from todo.sync.streams import MOST_OF_A_USER

WORKERS = ("asgi", "uvicorn_worker.UvicornWorker")
KEPT_ALIVE, DEFAULT = "1.1", "1.0"
"""The HTTP that nginx speaks to the server. By default it knows no chunks, and holds a response
back until a buffer is full."""
HOLDING = "proxy_ignore_headers X-Accel-Buffering"
KEY = {"Idempotency-Key": "the-only-one"}


@pytest.fixture(scope="module", params=WORKERS)
def server(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A server of one process: another one would tell it of a change half a second later."""
    with ExitStack() as stack:
        server = Server.start(
            tmp_path_factory.mktemp("server"),
            command=SERVING,
            DATABASE_URL=new_database(DIALECTS[0]),
            BETTER_AUTH_SECRET=SECRET,
            WORKER_CLASS=request.param,
            WEB_CONCURRENCY="1",
        )
        stack.callback(server.close)
        yield server


@pytest.fixture(params=[KEPT_ALIVE, DEFAULT])
def nginx(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[Nginx]:
    with Nginx.start(server.port, tmp_path / "nginx", version=request.param) as proxy:
        yield proxy


@pytest.fixture
def alice(server: Server, nginx: Nginx) -> Iterator[Caller]:
    """A new user, whose every request goes through nginx."""
    with httpx2.Client(base_url=nginx.origin, timeout=WAIT_SECONDS, trust_env=False) as client:
        subject = server.caller().id
        yield Caller(client, subject, mint(SECRET, subject, hours=1))


def listen(origin: str, user: Caller, **headers: str) -> Any:
    """Open a stream, whose response is to be closed."""
    headers |= {"Authorization": f"Bearer {user.token}"}
    return httpx2.stream(
        "GET", f"{origin}/api/me/events", headers=headers, timeout=WAIT_SECONDS, trust_env=False
    )


def test_the_first_event_arrives_before_anything_else_is_sent(nginx, alice):
    with listen(nginx.origin, alice) as stream:
        first = next(stream.iter_text())

    assert stream.status_code == 200
    assert stream.headers["content-type"] == "text/event-stream"
    assert first.startswith("retry: ")
    assert first.endswith("\n\n")


def test_each_change_arrives_before_the_next_one_is_made(nginx, alice):
    with reading(nginx.origin, alice.token) as [reader]:
        for number in range(1, 11):
            alice.create()
            assert wait_until(lambda n=number: heard([reader], n), WAIT_SECONDS)

    assert reader.revisions == list(range(1, 11))
    assert reader.streams == 1


def test_an_nginx_that_ignores_the_header_of_the_stream_holds_it_back(server, tmp_path):
    alice = server.caller()
    with (
        Nginx.start(server.port, tmp_path / "nginx", HOLDING, version=DEFAULT) as holding,
        reading(server.origin, alice.token, MOST_OF_A_USER - 1) as readers,
        Reader(holding.origin, alice.token) as held,
    ):

        def has_no_room() -> bool:
            with listen(server.origin, alice) as another:
                return another.status_code == 429

        assert wait_until(has_no_room, WAIT_SECONDS)
        alice.create()
        assert wait_until(lambda: heard(readers, 1), WAIT_SECONDS)
        assert (held.streams, held.events) == (0, [])


def test_a_stream_goes_on_behind_its_last_event_id(nginx, alice):
    place = alice("GET", "").json()["sync_token"]
    tasks = [alice.create() for _ in range(3)]
    with Reader(nginx.origin, alice.token, place) as reader:
        assert wait_until(lambda: heard([reader], 3), WAIT_SECONDS)
    with Reader(nginx.origin, alice.token, reader.events[1].id) as again:
        assert wait_until(lambda: heard([again], 2), WAIT_SECONDS)

    changes = [event.data["data"] for event in reader.events if event.name == "change"]
    assert changes == tasks
    assert again.revisions == [2, 3]


def test_all_streams_of_a_user_hear_of_each_change_and_leave_room_when_they_go(nginx, alice):
    for round_ in (1, 2):
        with reading(nginx.origin, alice.token, MOST_OF_A_USER) as readers:
            alice.create()
            assert wait_until(lambda: heard(readers, 1), WAIT_SECONDS)
            with listen(nginx.origin, alice) as refused:
                assert refused.status_code == 429
            for reader in readers:
                reader.leave()
            alice.create()  # whoever has left closes the connection at its next event

        assert [reader.revisions[0] for reader in readers] == [2 * round_ - 1] * MOST_OF_A_USER


def test_a_cached_task_is_checked_and_changed_by_its_etag(nginx, alice):
    task = alice.create()
    path = str(task["id"])
    tag = alice("GET", path).headers["etag"]

    assert alice("GET", path, headers={"If-None-Match": tag}).status_code == 304
    renamed = alice("PATCH", path, json={"title": "a"}, headers={"If-Match": tag})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "a")
    stale = alice("PATCH", path, json={"title": "b"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["current"]) == (412, renamed.json())
    assert stale.headers["etag"] == renamed.headers["etag"] != tag


def test_a_long_list_keeps_its_etag(nginx, alice):
    for _ in range(30):
        alice.create("x" * 200)
    page = alice("GET", "")

    assert len(page.content) > 8_192
    assert not page.headers["etag"].startswith("W/")
    assert alice("GET", "", headers={"If-None-Match": page.headers["etag"]}).status_code == 304


def test_a_request_that_is_repeated_with_its_key_changes_nothing(nginx, alice):
    first, again = (alice("POST", "", json={"title": "a"}, headers=KEY) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert alice("GET", "").json()["total"] == 1


@pytest.mark.parametrize("version", [KEPT_ALIVE, DEFAULT])
@pytest.mark.parametrize("worker", WORKERS)
def test_the_end_of_the_server_ends_the_stream_before_it_is_cut(
    serving, new_database, tmp_path, worker, version
):
    server = serving(
        command=SERVING,
        DATABASE_URL=new_database(DIALECTS[0]),
        BETTER_AUTH_SECRET=SECRET,
        WORKER_CLASS=worker,
        WEB_CONCURRENCY="1",
    )
    with (
        Nginx.start(server.port, tmp_path / "nginx", version=version) as nginx,
        listen(nginx.origin, server.caller()) as stream,
    ):
        chunks = stream.iter_bytes()
        next(chunks)
        os.kill(server.process.pid, signal.SIGTERM)

        # A stream that is cut has no last chunk, and the client raises.
        assert b"".join(chunks).strip(b":\n ") == b""
