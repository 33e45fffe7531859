"""Connections that send no request, or send its head slowly: they are closed, and make room."""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import orjson
import pytest

from tests.conftest import SECRET
from tests.integration import narrow_application
from tests.integration.raw_http import Wire, request, wire_to
from tests.integration.server import REPOSITORY, SERVING, Server
from tests.servers.reaper import wait_until

WAIT_SECONDS = 30
HALF_A_HEAD = b"GET /health HTTP/1.1\r\nHost: api.example\r\n"
HEALTH = request("GET", "/health")
OK = b'{"status":"ok"}'
MANY = 2 * narrow_application.FILES


@pytest.fixture
def start(serving: Callable[..., Server], tmp_path: Path) -> Callable[[str], Server]:
    """Start a server of one worker, in one of the ways of ``narrow_application``."""

    def start(way: str) -> Server:
        command = [*SERVING, f"{narrow_application.__name__}:{way}()"]
        variables = {"PYTHONPATH": str(REPOSITORY), "WEB_CONCURRENCY": "1", "LOG_FORMAT": "json"}
        return serving(command=command, BETTER_AUTH_SECRET=SECRET, **variables)

    return start


def told(server: Server, event: str) -> list[dict[str, object]]:
    lines = [orjson.loads(line) for line in server.process.log().splitlines() if line[:1] == "{"]
    return [line for line in lines if line["event"] == event]


def send_slowly(wire: Wire) -> bool:
    """Send a header now and then; whether the server has closed the connection at last."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        wire.send(b"X-Slow: 1\r\n")
        time.sleep(0.05)
        if wire.is_closed_already():
            return True
    return False


def test_a_head_that_comes_slowly_is_cut_and_the_log_says_so(start):
    server = start("impatient")
    with wire_to(server.port) as wire:
        wire.send(HALF_A_HEAD)

        assert send_slowly(wire)
    [line] = told(server, "connections.slow")
    assert (line["level"], line["closed"]) == ("warning", 1)


def test_a_connection_that_sends_nothing_is_closed(start):
    with wire_to(start("impatient").port) as wire:
        assert wire.is_closed()


def test_a_second_head_that_comes_slowly_is_cut_and_a_connection_that_rests_is_kept(start):
    server = start("impatient")
    with wire_to(server.port) as slow, wire_to(server.port) as resting:
        for wire in (slow, resting):
            wire.send(HEALTH)
            assert wire.answer().body == OK
        slow.send(HALF_A_HEAD)

        assert send_slowly(slow)
        resting.send(HEALTH)
        assert resting.answer().body == OK


def test_a_body_has_more_time_than_a_head(start):
    server = start("impatient")
    authorization = f"Authorization: Bearer {server.caller().token}"
    headers = (authorization, "Content-Type: application/json", "Content-Length: 20")
    with wire_to(server.port) as slow, wire_to(server.port) as other:
        slow.send(request("POST", "/api/me/tasks", *headers))
        assert other.is_closed()  # it came later, and has sent nothing
        slow.send(b'{"title": "Buy milk"')

        assert slow.answer().status == 400  # the whole body is there, and is no JSON


def test_more_slow_connections_than_fit_leave_room_for_requests_and_the_log_says_so(start):
    server = start("cramped")
    with ExitStack() as stack:
        for _ in range(MANY):
            with suppress(ConnectionResetError):
                stack.enter_context(wire_to(server.port)).send(HALF_A_HEAD)
        with wire_to(server.port) as wire:
            wire.send(HEALTH)
            assert wire.answer().body == OK
        alice = server.caller()
        assert alice("GET", "").json()["tasks"] == []

        assert wait_until(lambda: told(server, "connections.full"), WAIT_SECONDS)
        assert (
            told(server, "connections.full")[0]["reason"] == "there is room for 64: see 'ulimit -n'"
        )
