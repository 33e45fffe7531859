"""The access log: one line for each request, which tells nothing that is anybody's secret."""

import os
import re
import select
import subprocess
import sys
import time
from datetime import UTC, datetime

import orjson
import pytest

from tests.api.listening import listening
from tests.api.raw_asgi import abandon, send
from tests.conftest import SECRET, settings_for
from todo.http.asgi import access_log
from todo.http.asgi.access_log import hash_key, hashed

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
EVIL = "a\r\nFAKE\x1b[31m\x7f\x85\u2028\u202eb"
TIMES = ("timestamp", "duration_ms", "queued_ms", "waited_ms", "database_ms")
EXACT = {"level": "info", "logger": "todo.access", "event": "request"}


@pytest.fixture(scope="module")
def service(backend, new_database, serve):
    """An application whose requests are those of this file alone."""
    time.sleep(4 * access_log.WAIT_SECONDS)  # until the lines of the files before are written
    return serve(settings_for(new_database(backend), access_log="on"))


@pytest.fixture
def logged(service, capfd):
    """What the service has written to the access log since the last look, as text."""
    service.application.access_log.flush()
    capfd.readouterr()

    def read() -> str:
        service.application.access_log.flush()
        return capfd.readouterr().err

    return read


def lines_of(text):
    events = [orjson.loads(line) for line in text.splitlines()]
    return [event for event in events if event["logger"] == "todo.access"]


def only(text):
    """The one line, and the times of it that no test knows beforehand."""
    [line] = lines_of(text)
    return {name: value for name, value in line.items() if name not in TIMES}, {
        name: line[name] for name in TIMES if name in line
    }


def user_of(caller):
    return hashed(caller.id, hash_key(SECRET))


def test_a_request_is_one_line_that_says_all_of_it_but_what_was_sent(alice, logged):
    headers = {"X-Request-ID": "r-1", "traceparent": TRACE}
    response = alice("POST", "", json={"title": "Buy milk"}, headers=headers)

    line, times = only(logged())

    assert line == {
        **EXACT,
        "request_id": "r-1",
        "method": "POST",
        "operation": "create_task",
        "status": 201,
        "bytes": len(response.content),
        "user": user_of(alice),
        "traceparent": TRACE,
    }
    assert set(times) == set(TIMES)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", times["timestamp"])
    assert 0 < times["database_ms"] <= times["duration_ms"]
    assert 0 <= times["queued_ms"] <= times["duration_ms"]
    assert 0 <= times["waited_ms"] <= times["duration_ms"]


def test_a_problem_is_told_by_its_code(alice, logged):
    response = alice("GET", "999", headers={"X-Request-ID": "r-2"})

    line, _ = only(logged())

    assert line == {
        **EXACT,
        "request_id": "r-2",
        "method": "GET",
        "operation": "get_task",
        "status": 404,
        "code": "task_not_found",
        "bytes": len(response.content),
        "user": user_of(alice),
    }


@pytest.mark.parametrize(
    ("method", "path", "headers", "told"),
    [
        ("GET", "/nowhere", {}, {"status": 404, "code": "not_found"}),
        ("PUT", "/livez", {}, {"status": 405, "code": "method_not_allowed"}),
        ("GET", "/livez", {}, {"status": 200, "operation": "check_liveness"}),
        ("HEAD", "/livez", {}, {"status": 200, "operation": "check_liveness"}),
        (
            "GET",
            "/api/me/tasks",
            {},
            {"status": 401, "code": "token_missing", "operation": "list_tasks"},
        ),
        (
            "OPTIONS",
            "/api/me/tasks",
            {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET"},
            {"status": 200},
        ),
    ],
)
def test_a_request_without_a_user_is_a_line_too(client, logged, method, path, headers, told):
    response = client.request(method, path, headers={"X-Request-ID": "r-3", **headers})

    line, _ = only(logged())

    size = len(response.content)
    assert line == {**EXACT, "request_id": "r-3", "method": method, "bytes": size, **told}


def test_a_verified_user_is_told_where_the_path_names_somebody_else(alice, bob, logged):
    alice("GET", f"{bob.tasks}")

    line, _ = only(logged())

    assert (line["code"], line["user"]) == ("user_path_mismatch", user_of(alice))


def test_a_client_that_goes_away_leaves_a_line_with_the_status_499(service, alice, logged):
    token = [("Authorization", f"Bearer {alice.token}"), ("Content-Length", "10")]
    assert abandon(service.client, "POST", alice.tasks, headers=token, chunks=[b"{"]) == []

    line, _ = only(logged())

    assert (line["status"], line["bytes"]) == (499, 0)


def test_a_stream_is_a_line_when_it_ends(alice, logged):
    with listening(alice) as stream:
        milk = alice.create("Buy milk")
        stream.wait_until(lambda one: one.changes)
        during = lines_of(logged())
    [line] = lines_of(logged())

    assert [each["operation"] for each in during] == ["create_task"]
    assert (line["operation"], line["status"]) == ("stream_events", 200)
    assert line["bytes"] == len(stream.text.encode())
    assert line["user"] == user_of(alice)
    assert milk["title"] not in str(line)


def test_no_line_has_a_secret_a_title_or_a_value_that_the_client_sent(service, logged):
    alice = service.caller("name-that-nobody-else-has")
    secret = {"username": "user-in-the-body", "password": "password-in-the-body"}
    everything = {"Cookie": "session=cookie-in-the-header", "X-Other": "other-in-the-header"}
    for path in ("/api/auth/register", "/api/auth/login"):
        service.client.post(path, json=secret, headers=everything)
    alice.create("title-in-the-body", tags=["tag-in-the-body"])
    alice("GET", "?q=query-in-the-target", headers=everything)
    alice("PUT", "/api/me/tags/tag-in-the-path", json={"name": "tag-in-the-body"})
    alice("GET", "/path-in-the-target?x=query-in-the-target")
    alice("GET", "/api/foreign-in-the-path/tasks")
    service.client.get("/api/me", headers={"Authorization": "Bearer token-in-the-header"})

    text = logged()

    assert len(lines_of(text)) == 8
    assert re.findall(r"\w+-in-the-\w+", text) == []
    assert alice.id not in text
    assert alice.token not in text


@pytest.mark.parametrize("method", ["GET", f"GET{EVIL}"])
def test_no_client_forges_a_line_or_moves_the_cursor(service, logged, method):
    headers = [
        (name, EVIL.encode())
        for name in ("X-Request-ID", "traceparent", "User-Agent", "Referer", "X-Forwarded-For")
    ]
    send(service.client, method, f"/{EVIL}".encode(), headers=headers)

    text = logged()

    line, _ = only(text)
    assert text.endswith("\n")
    assert text.isascii()
    assert text[:-1].isprintable(), ascii(text)
    assert "FAKE" not in text
    assert line["method"] == ("GET" if method == "GET" else "OTHER")
    assert re.fullmatch("[0-9a-f]{32}", line["request_id"])


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ([TRACE], TRACE),
        ([f"cc{TRACE[2:]}"], f"cc{TRACE[2:]}"),
        ([f"01{TRACE[2:]}-what-comes-later"], f"01{TRACE[2:]}"),
        ([], None),
        ([TRACE, TRACE], None),
        ([f"{TRACE}-more"], None),
        ([f"ff{TRACE[2:]}"], None),
        ([TRACE.upper()], None),
        ([f"00-{'0' * 32}-00f067aa0ba902b7-01"], None),
        ([f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01"], None),
        ([f"cc{TRACE[2:]}.later"], None),
        ([TRACE[:-1]], None),
    ],
)
def test_a_trace_is_told_if_it_is_one(service, logged, sent, told):
    send(service.client, "GET", "/livez", headers=[("traceparent", trace) for trace in sent])

    line, _ = only(logged())

    assert line.get("traceparent") == told


def test_a_user_has_one_hash_under_one_secret_and_another_under_another():
    assert hashed("alice", hash_key(SECRET)) == hashed("alice", hash_key(SECRET))
    assert len({hashed(user, hash_key(SECRET)) for user in ("alice", "bob", "", "\ud800")}) == 4
    assert hashed("alice", hash_key(SECRET)) != hashed("alice", hash_key(SECRET[::-1]))
    assert hashed("alice", hash_key(None)) != hashed("alice", hash_key(None))


@pytest.mark.parametrize("quiet", [{"access_log": "off"}, {"log_level": "warning"}])
def test_a_log_that_is_off_has_no_line(new_database, serve, capfd, quiet):
    service = serve(settings_for(new_database("sqlite"), **{"access_log": "on", **quiet}))
    capfd.readouterr()

    service.client.get("/livez")

    assert service.application.access_log is None
    assert capfd.readouterr().err == ""


IN_A_TERMINAL = """
import sys
from todo.http.asgi.access_log import AccessLog
from todo.http.exchange import Exchange
from todo.logs import configure

configure("info", "console")
log, exchange = AccessLog(b"key", "console"), Exchange()
exchange.request_id, exchange.operation, exchange.status = "r-1", "get_task", 200
exchange.user = "alice"
log._waiting.append(("GET", exchange))
log.flush()
"""


def test_a_line_for_a_terminal_is_readable():
    run = subprocess.run(
        [sys.executable, "-c", IN_A_TERMINAL], capture_output=True, check=True, timeout=60
    )

    text = run.stderr.decode()
    assert text.count("\n") == 1
    assert re.fullmatch(
        r"\S+Z \[info +\] request +\[todo.access\] bytes=0 duration_ms=[\d.]+ method='GET'"
        rf" operation='get_task' request_id='r-1' status=200 user='{hashed('alice', b'key')}'\n",
        text,
    )


def test_lines_that_cannot_be_written_cost_no_request(service, capfd):
    application = service.application
    application.access_log.flush()
    kept = os.dup(2)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        os.dup2(full, 2)
        statuses = [service.client.get("/livez").status_code for _ in range(3)]
        application.access_log.flush()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(full)
    capfd.readouterr()

    assert statuses == [200, 200, 200]


def test_what_is_written_at_once_goes_into_a_pipe_whole():
    moment = datetime.now(UTC)
    pieces = list(access_log._pieces((moment, {"number": number}) for number in range(100)))

    assert len(pieces) > 1
    assert max(len(b"".join(piece)) for piece in pieces) <= select.PIPE_BUF
    numbers = [orjson.loads(line)["number"] for piece in pieces for line in piece]
    assert numbers == list(range(100))


def test_what_is_logged_is_written_soon_without_being_asked_for(service, logged, capfd):
    logged()
    service.client.get("/livez")
    text = ""
    for _ in range(600):
        text += capfd.readouterr().err
        if text:
            break
        time.sleep(0.05)

    assert len(lines_of(text)) == 1
