"""Limits in time over several processes and machines, with and without a real Redis."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.conftest import DIALECTS, SECRET
from tests.depth import ONLY_IN_CI
from tests.integration.server import SERVING, Server
from tests.servers.reaper import wait_until
from tests.servers.redis import Redis

pytestmark = ONLY_IN_CI

WORKERS = ("asgi", "uvicorn_worker.UvicornWorker")
LIMIT = 20
CREDENTIALS = {"email": "alice@example.com", "password": "correct horse"}
WRONG = {**CREDENTIALS, "password": "wrong horse"}
RETURN_SECONDS = 30
AWAY, BACK = "rate_limits.storage_away", "rate_limits.storage_back"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with Redis.start(tmp_path) as server:
        yield server


@pytest.fixture
def start(new_database: Callable[[str], str], tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers on one database; a day is longer than any test."""
    database = new_database(DIALECTS[0])
    with ExitStack() as stack:

        def started(**variables: str) -> Server:
            server = Server.start(
                tmp_path,
                command=SERVING,
                **{
                    "DATABASE_URL": database,
                    "BETTER_AUTH_SECRET": SECRET,
                    "LOCAL_ACCOUNTS": "true",
                    "LOG_FORMAT": "json",
                    "RATE_LIMIT": f"{LIMIT}/day",
                    "WEB_CONCURRENCY": "3",
                    **variables,
                },
            )
            stack.callback(server.close)
            return server

        yield started


def statuses(number: int, request: Callable[[], Any]) -> Counter[int]:
    """How often each status came; every request may meet another worker."""
    return Counter(request().status_code for _ in range(number))


def log_in(server: Server, body: Any = WRONG) -> Any:
    return server.client.post("/api/auth/login", json=body)


def events(server: Server, name: str) -> list[dict[str, Any]]:
    lines = [orjson.loads(line) for line in server.process.log().splitlines() if line[:1] == "{"]
    return [line for line in lines if line.get("event") == name]


@pytest.mark.parametrize("worker", WORKERS)
def test_workers_share_the_limit_of_a_user_and_the_wrong_passwords(start, worker):
    server = start(WORKER_CLASS=worker)
    alice, bob = server.caller("alice"), server.caller("bob")

    assert statuses(3 * LIMIT, lambda: alice("GET", "")) == {200: LIMIT, 429: 2 * LIMIT}
    assert bob("GET", "").status_code == 200
    assert statuses(15, lambda: log_in(server)) == {401: 10, 429: 5}


def test_workers_that_a_reload_replaces_have_the_same_counts(start):
    server = start()
    alice = server.caller("alice")
    assert statuses(LIMIT, lambda: alice("GET", "")) == {200: LIMIT}
    before = server.workers()

    os.kill(server.process.pids()[0], signal.SIGHUP)
    server.wait_for_other_workers_than(before)

    assert statuses(5, lambda: alice("GET", "")) == {429: 5}


def test_a_worker_that_is_killed_leaves_the_counts_to_the_others(start):
    server = start()
    alice = server.caller("alice")
    assert statuses(LIMIT, lambda: alice("GET", "")) == {200: LIMIT}

    before = server.workers()
    os.kill(before[0], signal.SIGKILL)
    assert wait_until(lambda: before[0] not in server.workers(), RETURN_SECONDS)

    assert statuses(9, lambda: alice("GET", "")) == {429: 9}


def test_two_servers_share_the_limits_in_redis(start, redis: Redis):
    here, there = (start(RATE_LIMIT_STORAGE=redis.url) for _ in range(2))
    alice = [server.caller("alice") for server in (here, there)]

    seen = [statuses(LIMIT, lambda caller=caller: caller("GET", "")) for caller in alice]
    assert seen == [{200: LIMIT}, {429: LIMIT}]
    assert statuses(6, lambda: log_in(here)) == {401: 6}
    assert statuses(6, lambda: log_in(there)) == {401: 4, 429: 2}
    refused = alice[0]("GET", "")
    seconds = refused.headers["retry-after"]
    assert refused.headers["ratelimit"] == f'"user-86400s";r=0;t={seconds}'


def test_nothing_in_redis_names_anybody(start, redis: Redis):
    server = start(RATE_LIMIT_STORAGE=redis.url)
    server.caller("alice@example.com")("GET", "/api/me/tasks")
    log_in(server)

    keys = redis.keys()
    assert len(keys) == 5  # the user, the address, and three of the login
    assert [key for key in keys if "alice" in key or "127" in key] == []


@pytest.mark.parametrize("gone", ["killed", "hanging"])
def test_without_redis_requests_pass_and_the_log_says_so_once(start, redis: Redis, gone):
    server = start(RATE_LIMIT_STORAGE=redis.url, WEB_CONCURRENCY="1")
    alice = server.caller("alice")
    assert statuses(LIMIT + 1, lambda: alice("GET", "")) == {200: LIMIT, 429: 1}

    if gone == "killed":
        redis.kill()
    else:
        redis.pause()
    assert statuses(2 * LIMIT, lambda: alice("GET", "")) == {200: 2 * LIMIT}
    assert statuses(15, lambda: log_in(server)) == {401: 15}
    assert len(events(server, AWAY)) == 1

    if gone == "killed":
        redis.start_again()
    else:
        redis.resume()
    assert wait_until(lambda: 429 in statuses(LIMIT + 1, lambda: alice("GET", "")), RETURN_SECONDS)
    assert len(events(server, BACK)) == 1


def test_a_server_starts_and_serves_while_redis_is_away(start, redis: Redis):
    redis.kill()
    server = start(RATE_LIMIT_STORAGE=redis.url, WEB_CONCURRENCY="1")

    alice = server.caller("alice")
    assert statuses(LIMIT + 1, lambda: alice("GET", "")) == {200: LIMIT + 1}
    assert len(events(server, AWAY)) == 1
