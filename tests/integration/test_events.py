"""Streams of real servers: two workers, reloads, ends and kills; nothing is lost or doubled."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import DIALECTS, SECRET
from tests.integration.event_reader import WAIT_SECONDS, Reader, heard, reading
from tests.integration.server import SERVING, Server
from tests.servers.reaper import wait_until
from todo.auth.tokens import mint

WORKERS = ("asgi", "uvicorn_worker.UvicornWorker")


@pytest.fixture(params=DIALECTS)
def url(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> str:
    return new_database(request.param)


@pytest.fixture
def serve(tmp_path: Path, url: str) -> Iterator[Callable[..., Server]]:
    """Start servers on one database."""
    with ExitStack() as stack:

        def start(**variables: str) -> Server:
            settings = {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET, **variables}
            server = Server.start(tmp_path, command=SERVING, **settings)
            stack.callback(server.close)
            return server

        yield start


def create(server: Server, token: str, title: str = "Buy milk") -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return server.client.post("/api/me/tasks", json={"title": title}, headers=headers)


@pytest.mark.parametrize("worker", WORKERS)
def test_a_change_through_any_process_reaches_the_listeners_of_all(serve, worker):
    server = serve(WORKER_CLASS=worker, WEB_CONCURRENCY="2")
    token = mint(SECRET, "alice", hours=1)
    with reading(server.origin, token, number=6) as readers:
        for _ in range(10):
            assert create(server, token).status_code == 201
        assert wait_until(lambda: heard(readers, 10), WAIT_SECONDS)

    assert [reader.revisions for reader in readers] == [list(range(1, 11))] * 6
    assert [reader.streams for reader in readers] == [1] * 6


@pytest.mark.parametrize("worker", WORKERS)
def test_readers_go_on_over_a_reload_and_miss_nothing(serve, worker):
    server = serve(WORKER_CLASS=worker, WEB_CONCURRENCY="2")
    token = mint(SECRET, "alice", hours=1)
    with reading(server.origin, token, number=4) as readers:
        made = 0
        for _ in range(2):
            for _ in range(5):
                assert create(server, token).status_code == 201
                made += 1
            streams = [reader.streams for reader in readers]
            os.kill(server.process.pid, signal.SIGHUP)
            assert wait_until(
                lambda before=streams: all(
                    reader.streams > number for reader, number in zip(readers, before, strict=True)
                ),
                WAIT_SECONDS,
            )
        assert create(server, token).status_code == 201
        assert wait_until(lambda: heard(readers, made + 1), WAIT_SECONDS)

    assert [reader.revisions for reader in readers] == [list(range(1, made + 2))] * 4


def test_readers_go_on_when_their_worker_is_killed(serve):
    server = serve(WEB_CONCURRENCY="1")
    token = mint(SECRET, "alice", hours=1)
    with reading(server.origin, token, number=3) as readers:
        for number in (1, 2, 3):
            assert create(server, token).status_code == 201
            assert wait_until(lambda n=number: heard(readers, n), WAIT_SECONDS)
            [worker] = [pid for pid in server.process.pids() if pid != server.process.pid]
            os.kill(worker, signal.SIGKILL)
            assert wait_until(lambda n=number: came_back(readers, n), WAIT_SECONDS)

    assert [reader.revisions for reader in readers] == [[1, 2, 3]] * 3


def came_back(readers: list[Reader], times: int) -> bool:
    return all(reader.streams > times for reader in readers)


@pytest.mark.parametrize("worker", WORKERS)
def test_the_end_of_the_server_ends_the_streams_before_they_are_cut(serve, worker):
    server = serve(WORKER_CLASS=worker, WEB_CONCURRENCY="1")
    headers = {"Authorization": f"Bearer {mint(SECRET, 'alice', hours=1)}"}
    address = f"{server.origin}/api/me/events"
    with httpx2.stream("GET", address, headers=headers, timeout=WAIT_SECONDS) as response:
        chunks = response.iter_bytes()
        next(chunks)
        os.kill(server.process.pid, signal.SIGTERM)

        # A stream that is cut has no last chunk, and the client raises.
        assert b"".join(chunks).strip(b":\n ") == b""


def test_a_stream_whose_token_has_run_out_says_so_and_ends(serve):
    server = serve(WEB_CONCURRENCY="1", AUTH_JWT_LEEWAY_SECONDS="0")
    headers = {"Authorization": f"Bearer {mint(SECRET, 'alice', hours=2 / 3600)}"}
    address = f"{server.origin}/api/me/events"

    response = httpx2.get(address, headers=headers, timeout=WAIT_SECONDS)

    assert response.text.endswith("event: expired\ndata: {}\n\n")
