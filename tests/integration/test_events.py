"""Streams of real servers: two workers, reloads, ends and kills; nothing is lost or doubled."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.listening import Event, parsed
from tests.conftest import DIALECTS, SECRET
from tests.integration.server import SERVING, Server
from tests.servers.reaper import wait_until
from todo.auth.tokens import mint

WAIT_SECONDS = 30
WORKERS = ("asgi", "uvicorn_worker.UvicornWorker")


class Reader:
    """A client that listens on a thread, and comes back where it was until it leaves."""

    def __init__(self, server: Server, token: str) -> None:
        self.url = f"http://127.0.0.1:{server.port}/api/me/events"
        self.token = token
        self.events: list[Event] = []
        self.streams = 0
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._read_on, daemon=True)
        self._thread.start()

    @property
    def revisions(self) -> list[int]:
        """The revisions of the changes so far."""
        return [event.data["revision"] for event in self.events if event.name == "change"]

    @property
    def place(self) -> str:
        return next((event.id for event in reversed(self.events) if event.id), "")

    def leave(self) -> None:
        self._left.set()

    def _read_on(self) -> None:
        while not self._left.is_set():
            try:
                self._read()
            except httpx2.HTTPError:
                self._left.wait(0.05)

    def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        if self.place:
            headers["Last-Event-ID"] = self.place
        with httpx2.stream("GET", self.url, headers=headers, timeout=WAIT_SECONDS) as response:
            if response.status_code != 200:
                raise httpx2.ReadError(str(response.status_code))
            self.streams += 1
            text = ""
            for chunk in response.iter_text():
                *blocks, text = (text + chunk).split("\n\n")
                self.events += [event for block in blocks if (event := parsed(block))]
                if self._left.is_set():
                    return


@contextmanager
def reading(server: Server, token: str, number: int = 1) -> Iterator[list[Reader]]:
    """So many readers, which listen already."""
    readers = [Reader(server, token) for _ in range(number)]
    try:
        assert wait_until(lambda: all(reader.streams for reader in readers), WAIT_SECONDS)
        yield readers
    finally:
        for reader in readers:
            reader.leave()


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
    with reading(server, token, number=6) as readers:
        for _ in range(10):
            assert create(server, token).status_code == 201
        assert wait_until(lambda: heard(readers, 10), WAIT_SECONDS)

    assert [reader.revisions for reader in readers] == [list(range(1, 11))] * 6
    assert [reader.streams for reader in readers] == [1] * 6


@pytest.mark.parametrize("worker", WORKERS)
def test_readers_go_on_over_a_reload_and_miss_nothing(serve, worker):
    server = serve(WORKER_CLASS=worker, WEB_CONCURRENCY="2")
    token = mint(SECRET, "alice", hours=1)
    with reading(server, token, number=4) as readers:
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
    with reading(server, token, number=3) as readers:
        for number in (1, 2, 3):
            assert create(server, token).status_code == 201
            assert wait_until(lambda n=number: heard(readers, n), WAIT_SECONDS)
            [worker] = [pid for pid in server.process.pids() if pid != server.process.pid]
            os.kill(worker, signal.SIGKILL)
            assert wait_until(lambda n=number: came_back(readers, n), WAIT_SECONDS)

    assert [reader.revisions for reader in readers] == [[1, 2, 3]] * 3


def heard(readers: list[Reader], number: int) -> bool:
    return all(len(reader.revisions) >= number for reader in readers)


def came_back(readers: list[Reader], times: int) -> bool:
    return all(reader.streams > times for reader in readers)


@pytest.mark.parametrize("worker", WORKERS)
def test_the_end_of_the_server_ends_the_streams_before_they_are_cut(serve, worker):
    server = serve(WORKER_CLASS=worker, WEB_CONCURRENCY="1")
    headers = {"Authorization": f"Bearer {mint(SECRET, 'alice', hours=1)}"}
    address = f"http://127.0.0.1:{server.port}/api/me/events"
    with httpx2.stream("GET", address, headers=headers, timeout=WAIT_SECONDS) as response:
        chunks = response.iter_bytes()
        next(chunks)
        os.kill(server.process.pid, signal.SIGTERM)

        # A stream that is cut has no last chunk, and the client raises.
        assert b"".join(chunks).strip(b":\n ") == b""


def test_a_stream_whose_token_has_run_out_says_so_and_ends(serve):
    server = serve(WEB_CONCURRENCY="1", AUTH_JWT_LEEWAY_SECONDS="0")
    headers = {"Authorization": f"Bearer {mint(SECRET, 'alice', hours=2 / 3600)}"}
    address = f"http://127.0.0.1:{server.port}/api/me/events"

    response = httpx2.get(address, headers=headers, timeout=WAIT_SECONDS)

    assert response.text.endswith("event: expired\ndata: {}\n\n")
