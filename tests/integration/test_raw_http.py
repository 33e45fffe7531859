"""gunicorn and the edge, byte by byte: whatever arrives, the answer is ours and is framed well."""

from collections.abc import Iterator

import orjson
import pytest

from tests.conftest import SECRET
from tests.integration.raw_http import Answer, chunked, request, wire_to
from tests.integration.server import Server
from todo.auth.tokens import mint

TOO_MUCH = 70_000
MEGABYTE = 1024 * 1024
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server.start(tmp_path_factory.mktemp("embedded"), BETTER_AUTH_SECRET=SECRET)
    yield server
    server.close()


@pytest.fixture
def bearer() -> str:
    return f"Authorization: Bearer {mint(SECRET, 'alice', hours=1)}"


def ask(server: Server, data: bytes, *, to_head: bool = False) -> Answer:
    with wire_to(server.port) as wire:
        wire.send(data)
        return wire.answer(to_head=to_head)


def test_target_of_ten_kilobytes_is_a_414_problem(server):
    answer = ask(server, request("GET", f"/api/me/tasks?x={'x' * 10_000}"))

    assert answer.status == 414
    assert answer.problem()["code"] == "target_too_long"


def test_trace_is_a_405_problem_with_a_complete_allow(server):
    answer = ask(server, request("TRACE", "/api/me/tasks", "Cookie: secret=1"))

    assert answer.status == 405
    assert answer.problem()["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert b"secret" not in answer.raw


def test_chunked_body_is_a_body(server, bearer):
    body = chunked(b'{"title": "Buy', b" m", b'ilk"}')

    answer = ask(server, request("POST", "/api/me/tasks", bearer, JSON, CHUNKED, body=body))

    assert answer.status == 201
    assert orjson.loads(answer.body)["title"] == "Buy milk"


def test_chunked_body_of_nothing_is_no_body(server, bearer):
    created = request(
        "POST", "/api/me/tasks", bearer, JSON, CHUNKED, body=chunked(b'{"title":"x"}')
    )
    task = orjson.loads(ask(server, created).body)
    target = f"/api/me/tasks/{task['id']}/complete"

    answer = ask(server, request("PATCH", target, bearer, JSON, CHUNKED, body=chunked()))

    assert answer.status == 200
    assert orjson.loads(answer.body)["completed"] is True


def test_body_over_64_kib_is_a_413_problem_and_the_connection_is_closed(server, bearer):
    data = request("POST", "/api/me/tasks", bearer, JSON, f"Content-Length: {MEGABYTE}")
    with wire_to(server.port) as wire:
        wire.send(data + b"x" * MEGABYTE)
        answer = wire.answer()

        assert answer.status == 413
        assert answer.problem()["code"] == "body_too_large"
        assert answer.headers["connection"] == "close"
        assert wire.is_closed()


def test_length_over_64_kib_is_refused_before_a_byte_of_the_body_is_sent(server, bearer):
    with wire_to(server.port) as wire:
        wire.send(
            request("POST", "/api/me/tasks", bearer, JSON, f"Content-Length: {10 * MEGABYTE}")
        )

        assert wire.answer().problem()["code"] == "body_too_large"
        assert wire.is_closed()


def test_chunks_over_64_kib_are_a_413_problem_and_the_connection_is_closed(server, bearer):
    body = chunked(*[b"x" * 1000] * 1000)
    with wire_to(server.port) as wire:
        wire.send(request("POST", "/api/me/tasks", bearer, JSON, CHUNKED, body=body))
        answer = wire.answer()

        assert answer.status == 413
        assert answer.problem()["code"] == "body_too_large"
        assert answer.headers["connection"] == "close"
        assert wire.is_closed()


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_body_just_over_64_kib_that_has_come_whole_is_never_taken_for_a_request(
    server, bearer, framing
):
    body = request("GET", "/docs") * (TOO_MUCH // 35)
    headers = (f"Content-Length: {len(body)}",) if framing == "length" else (CHUNKED,)
    with wire_to(server.port) as wire:
        wire.send(
            request("POST", "/api/me/tasks", bearer, JSON, *headers)
            + (body if framing == "length" else chunked(body))
        )
        answer = wire.answer()

        assert answer.problem()["code"] == "body_too_large"
        assert answer.headers["connection"] == "close"
        wire.send(request("GET", "/health"))  # gunicorn keeps the connection, as it may
        assert wire.is_closed() or wire.answer().body == b'{"status":"ok"}'


def test_body_of_exactly_64_kib_is_read(server, bearer):
    body = b'{"title": "x"}'.ljust(65_536)

    answer = ask(
        server, request("POST", "/api/me/tasks", bearer, JSON, "Content-Length: 65536", body=body)
    )

    assert answer.status == 201


def test_head_has_the_headers_of_get_and_no_body(server):
    with wire_to(server.port) as wire:
        wire.send(request("HEAD", "/openapi.json"))
        head = wire.answer(to_head=True)
        wire.send(request("GET", "/openapi.json"))  # a body of HEAD would come before its answer
        get = wire.answer()

    assert (head.status, head.body, get.status) == (200, b"", 200)
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))
    assert head.headers["etag"] == get.headers["etag"]


def test_problem_of_a_head_request_has_no_body_either(server):
    with wire_to(server.port) as wire:
        wire.send(request("HEAD", "/nowhere"))
        head = wire.answer(to_head=True)
        wire.send(request("GET", "/health"))

        assert (head.status, wire.answer().status) == (404, 200)


@pytest.mark.parametrize("target", ["/api/me/tasks/", "/docs/", "//", "/api//me/tasks"])
def test_trailing_slash_is_404_and_never_reflects_the_host(server, target):
    data = request("GET", target).replace(b"api.example", b"evil.example")

    answer = ask(server, data)

    assert answer.status == 404
    assert answer.problem()["code"] == "not_found"
    assert b"evil" not in answer.raw
    assert "location" not in answer.headers


def test_connection_is_kept_for_the_next_request_also_after_an_error(server, bearer):
    with wire_to(server.port) as wire:
        statuses = []
        for target in ("/health", "/nowhere", "/api/me/tasks", "/api/other/tasks", "/health"):
            wire.send(request("GET", target, bearer))
            statuses.append(wire.answer().status)

    assert statuses == [200, 404, 200, 403, 200]


def test_requests_sent_in_one_go_are_answered_in_their_order(server):
    with wire_to(server.port) as wire:
        wire.send(request("GET", "/health") + request("GET", "/nowhere") + request("GET", "/livez"))

        assert [wire.answer().status for _ in range(3)] == [200, 404, 200]


def test_unread_body_of_a_refused_request_is_not_taken_for_the_next_one(server):
    smuggled = request("DELETE", "/api/me/tasks/1")
    with wire_to(server.port) as wire:
        wire.send(
            request("POST", "/nowhere", f"Content-Length: {len(smuggled)}", body=smuggled)
            + request("GET", "/health")
        )

        assert wire.answer().status == 404
        assert wire.answer().body == b'{"status":"ok"}'


@pytest.mark.parametrize("path", ["/%ff", "/api/me/tasks/%ff", "/api/%C0%80/tasks", "/a%00b"])
def test_path_that_is_not_utf8_or_holds_nul_is_a_400_problem(server, path):
    answer = ask(server, request("GET", path))

    assert answer.status == 400
    assert answer.problem()["code"] == "malformed_target"


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", CHUNKED),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: -1",),
        ("Transfer-Encoding: identity, chunked, x",),
    ],
)
def test_body_of_two_lengths_reaches_no_operation_and_ends_the_connection(server, bearer, headers):
    with wire_to(server.port) as wire:
        wire.send(request("POST", "/api/me/tasks", bearer, JSON, *headers, body=b"0\r\n\r\nGET"))

        assert wire.answer().status in (400, 501)
        assert wire.is_closed()


def test_http_1_0_is_answered_and_closed(server):
    with wire_to(server.port) as wire:
        wire.send(b"GET /health HTTP/1.0\r\n\r\n")

        assert wire.answer().body == b'{"status":"ok"}'
        assert wire.is_closed()


def test_client_that_leaves_in_the_middle_of_its_body_leaves_the_server_well(server, bearer):
    for _ in range(20):
        with wire_to(server.port) as wire:
            wire.send(request("POST", "/api/me/tasks", bearer, JSON, "Content-Length: 100") + b"{")

    assert ask(server, request("GET", "/readyz")).status == 200
    assert "Traceback" not in server.process.log()


def test_body_that_stops_half_way_is_a_408_problem_and_the_connection_is_closed(server, bearer):
    with wire_to(server.port) as wire:
        wire.send(request("POST", "/api/me/tasks", bearer, JSON, "Content-Length: 50"))
        wire.send(b'{"title": "Buy')
        answer = wire.answer()

        assert answer.status == 408
        assert answer.problem()["code"] == "body_timeout"
        assert answer.headers["connection"] == "close"
        assert wire.is_closed()


@pytest.mark.parametrize("path", ["/health", "/api/me/tasks", "/nothing"])
def test_websocket_handshake_is_refused(server, path):
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

    answer = ask(server, request("GET", path, *upgrade, key))

    assert answer.status == 403
    assert "Traceback" not in server.process.log()


def test_token_above_8_kib_is_a_401_problem(server):
    token = "Authorization: Bearer " + "x" * 8193

    assert (
        ask(server, request("GET", "/api/me/tasks", token)).problem()["code"] == "token_malformed"
    )


PAGE = "Origin: http://localhost:3000"


def test_target_that_is_a_whole_url_is_answered_like_its_path(server, bearer):
    target = "http://proxied.example:8000/api/me/tasks?limit=1"

    whole = ask(server, request("GET", target, bearer))
    assert (whole.status, orjson.loads(whole.body)["limit"]) == (200, 1)


@pytest.mark.parametrize("host", [b"", b"Host:\r\n", b"Host: a/b\r\n", b"Host: a b\r\n"])
def test_request_without_a_good_host_is_a_400_problem_that_a_page_may_read(server, host):
    answer = ask(server, b"GET /health HTTP/1.1\r\n" + host + PAGE.encode() + b"\r\n\r\n")

    assert (answer.status, answer.problem()["code"]) == (400, "malformed_host")
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"


@pytest.mark.parametrize(
    "headers",
    [[f"Cookie: {'x' * 33_000}"], [f"Cookie-{n}: {'x' * 9_000}" for n in range(4)], ["A: b"] * 101],
    ids=["one", "four", "many"],
)
def test_too_large_headers_are_a_431_problem_that_a_page_may_read(server, headers):
    answer = ask(server, request("GET", "/health", PAGE, *headers))

    assert (answer.status, answer.problem()["code"]) == (431, "headers_too_large")
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("GET", "/caf\xe9"), 400),
        (request("GET", "/a b"), 400),
        (request("GET", "/health", "Host: another.example"), 400),
        (request("GET", "/health", "A header: x"), 400),
        (request("GET", "/health", f"Cookie: {'x' * 50_000}"), 431),
        (request("GET", "/health", *["A: b"] * 120), 431),
    ],
    ids=["raw bytes", "space", "two hosts", "no token", "50 KB", "120 headers"],
)
def test_what_gunicorn_itself_refuses_is_text_and_ends_the_connection(server, data, status):
    with wire_to(server.port) as wire:
        wire.send(data)
        answer = wire.answer()

        assert (answer.status, answer.headers["content-type"]) == (status, "text/plain")
        assert wire.is_closed()


def test_status_line_has_the_phrase_of_its_status(server, bearer):
    body = b'{"title":"x"}'
    length = f"Content-Length: {len(body)}"
    ask(server, request("POST", "/api/me/tasks", bearer, JSON, length, body=body))

    stale = ask(server, request("DELETE", "/api/me/tasks/1", bearer, 'If-Match: "stale"'))
    large = ask(server, request("GET", "/health", f"Cookie: {'x' * 33_000}"))

    assert stale.raw.startswith(b"HTTP/1.1 412 Precondition Failed\r\n")
    assert large.raw.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


def test_preflight_mirrors_no_more_than_the_server_takes(server):
    asked = ("Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: baggage,x-\xe9")
    answer = ask(server, request("OPTIONS", "/api/me/tasks/1", PAGE, *asked))

    assert answer.status == 200
    assert answer.headers["access-control-allow-headers"] == "baggage,x-\xe9"
