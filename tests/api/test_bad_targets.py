"""Targets that nobody should send: none is a 5xx, none redirects, none reflects the host."""

import pytest

from tests.api.expect import a_page, problem, refusal
from tests.api.operations import every_operation, every_operation_on_one_task
from tests.api.raw_asgi import send, send_as_it_is

TOO_LONG = "Path and query exceed 4096 bytes."
NO_RESOURCE = "Resource not found."
EMPTY_SEGMENT = "Resource not found: the path has an empty segment."


def ask(caller, target, method="GET"):
    """Send ``target`` byte for byte, with the caller's token."""
    headers = [("host", "api.example"), ("authorization", f"Bearer {caller.token}")]
    return send(caller.client, method, target, headers=headers)


@every_operation_on_one_task
@pytest.mark.parametrize(
    "task_id",
    [
        "abc", "007", "00", "-1", "0", "-0", "+1", "%2B1", "1.0", "1e0", "0x1", "1_0", "%201",
        "1%20", "1%0A", "%D9%A1", "null", "true", "1,2", "1;x=1", "9" * 30, "9" * 3500,
        "9007199254740992", "9223372036854775808", "..", "%2e%2e", "1%2F", "1%3F", "%7Btask_id%7D",
    ],
    ids=lambda value: value[:30],
)  # fmt: skip
def test_a_task_id_that_is_not_a_canonical_positive_integer_is_404(alice, operation, task_id):
    task = alice.create()
    body = refusal(ask(alice, operation.path(alice.id, task_id), operation.method))

    assert (body["code"], body["status"]) == ("not_found", 404)
    assert alice("GET", "").json() == a_page([task])


@pytest.mark.parametrize("task_id", ["abc", "007", "-1", "9" * 30])
def test_the_whole_problem_of_a_task_id_that_is_none(alice, task_id):
    path = f"{alice.tasks}/{task_id}"

    assert refusal(ask(alice, path)) == problem("not_found", NO_RESOURCE, path)


def test_a_path_without_a_user_is_told_of_me(alice):
    detail = "Resource not found; did you mean '/api/me/tasks'?"

    assert refusal(ask(alice, "/api/tasks")) == problem("not_found", detail, "/api/tasks")


@pytest.mark.parametrize(
    "path",
    ["/", "/api/me/tasks", "/api/me/tasks/1", "/api/me/tasks/1/complete", "/docs", "/openapi.json"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("slashes", [("/", ""), ("", "/"), ("", "//"), ("//evil.example", "")])
def test_a_path_with_an_empty_segment_is_404_and_never_redirects(alice, path, method, slashes):
    target = f"{slashes[0]}{path}{slashes[1]}"
    response = ask(alice, target, method)

    assert refusal(response)["code"] == "not_found"
    assert "evil.example" not in str(response.headers)


@pytest.mark.parametrize(
    "target",
    [
        "//", "/api//tasks", "/api/me//tasks", "/api/me/tasks//1", "/api/me/tasks/1//complete",
        "/api/me/tasks/", "/docs/", "/health/", "/%2F", "/api/me/tasks%2F", "/api%2F%2Fme/tasks",
    ],
)  # fmt: skip
def test_the_whole_problem_of_a_path_with_an_empty_segment(alice, target):
    body = refusal(ask(alice, target))

    assert body == problem("not_found", EMPTY_SEGMENT, body["instance"])


@pytest.mark.parametrize(
    "path", ["/api/me/tasks/", "/api/me/tasks", "//api/me/tasks", "/docs/", "/docs", "/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_the_host_header_is_reflected_nowhere(alice, path, method):
    headers = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example"),
        ("x-original-url", "https://evil.example/"),
        ("authorization", f"Bearer {alice.token}"),
        ("content-type", "application/json"),
    ]
    body = [b'{"title": "Buy milk"}'] * (method == "POST")
    response = send(alice.client, method, path, headers=headers, chunks=body)

    assert not 300 <= response.status_code < 400
    assert response.status_code < 500
    assert "evil.example" not in response.text + str(response.headers)


@every_operation
def test_a_path_that_is_not_utf_8_is_400(alice, operation):
    for bad in ("%ff", "%C3%28", "%ed%a0%80", "%c0%af"):
        response = ask(alice, operation.path(f"a{bad}", 1), operation.method)

        detail = "The path is not percent-encoded UTF-8."
        body = refusal(response)
        assert body == problem("malformed_target", detail, body["instance"])


def test_raw_bytes_in_a_path_are_read_as_utf_8(service):
    caller = service.caller("é-raw")
    listed = ask(caller, "/api/é-raw/tasks".encode())
    refused = ask(caller, b"/api/\xe9-raw/tasks")

    assert listed.json() == a_page([])
    assert refusal(refused)["code"] == "malformed_target"


@pytest.mark.parametrize("target", ["/api/a%00b/tasks", "/%00", "/health%00", "/problems/%00"])
def test_a_path_with_nul_is_400(alice, target):
    body = refusal(ask(alice, target))

    assert body == problem("malformed_target", "The path contains NUL.", target)


@pytest.mark.parametrize(
    "target",
    [
        "/%",
        "/%zz",
        "/%e",
        "/api/%/tasks",
        "/api/%25/tasks",
        "/api/%0d%0aX:%20y/tasks",
        "/api/%7f/tasks",
    ],
)
def test_a_path_that_is_odd_is_no_resource_of_the_callers(alice, target):
    body = refusal(ask(alice, target))

    assert body["code"] in ("not_found", "user_path_mismatch")


@pytest.mark.parametrize(
    "query",
    [
        "a=%ff", "%ff=a", "limit=%C3%28", "limit=%ed%a0%80",
        "&".join(f"p{number}=1" for number in range(65)),
    ],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_a_query_that_cannot_be_decoded_is_400(alice, query):
    response = ask(alice, f"{alice.tasks}?{query}")

    detail = "The query is not percent-encoded UTF-8 of at most 64 parameters."
    assert refusal(response) == problem("malformed_target", detail, alice.tasks)


def test_raw_bytes_in_a_query_are_400(alice):
    response = ask(alice, f"{alice.tasks}?limit=".encode() + b"\xe9")

    detail = "The query is not percent-encoded UTF-8 of at most 64 parameters."
    assert refusal(response) == problem("malformed_target", detail, alice.tasks)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("=1", ""),
        ("%00=1", "\0"),
        ("%0d%0aSet-Cookie:x=1", "\r\nSet-Cookie:x"),
        ("x" * 3000, "x" * 100),
        ("<script>", "<script>"),
        ("%F0%9F%98%80=1", "😀"),
        ("__proto__=1", "__proto__"),
        ("limit[]=1", "limit[]"),
        ("%zz=1", "%zz"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_an_unknown_parameter_is_named_but_not_whole(alice, query, name):
    response = ask(alice, f"{alice.tasks}/1?{query}")

    detail = f"'{name}' is not a parameter of this operation, which has: none."
    assert refusal(response) == problem("unknown_parameter", detail, f"{alice.tasks}/1")
    assert "set-cookie" not in response.headers


@every_operation
def test_unknown_parameters_are_refused_by_every_operation(alice, operation):
    alice.create()
    path = operation.path(alice.id, 1)
    response = alice(operation.method, f"{path}?unknown=1", json=operation.body)

    body = refusal(response)
    assert (body["code"], body["status"]) == ("unknown_parameter", 400)
    assert body["detail"].startswith("'unknown' is not a parameter of this operation, which has: ")


@pytest.mark.parametrize(
    "path", ["/", "/health", "/livez", "/readyz", "/docs", "/docs/init.js", "/openapi.json",
             "/openapi.yaml", "/problems/busy"]
)  # fmt: skip
@pytest.mark.parametrize(
    "query",
    ["1732835404", "utm_source=mail&utm_source=again", "v=", "x", "a=%ff", "%zz", "=", b"q=\xe9",
     "&".join(f"p{number}=1" for number in range(65)), "x" * 4000],
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
def test_a_query_outside_of_the_api_is_ignored(alice, path, query):
    query = query.encode() if isinstance(query, str) else query
    plain, asked = ask(alice, path), ask(alice, path.encode() + b"?" + query)

    assert (plain.status_code, asked.status_code) == (200, 200)
    assert asked.content == plain.content


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize(
    "target",
    ["/" + "x" * 10_000, "/api/me/tasks?" + "x" * 10_000, "/" + "%41" * 4000, "/?" + "&" * 4096],
    ids=["path", "query", "encoded", "one byte too many"],
)
def test_a_target_above_4_kib_is_414(alice, method, target):
    body = refusal(ask(alice, target, method))

    assert body == problem("target_too_long", TOO_LONG, body["instance"])
    assert len(body["instance"]) <= 256


def test_a_target_of_exactly_4_kib_is_read(alice):
    path = f"{alice.tasks}/1"
    response = ask(alice, f"{path}?".ljust(4097, "x"))  # the question mark itself does not count

    detail = f"'{'x' * 100}' is not a parameter of this operation, which has: none."
    assert refusal(response) == problem("unknown_parameter", detail, path)


@pytest.mark.parametrize("character", ["é", "😀", "%", "x", "日"])
def test_the_instance_of_a_long_path_is_cut_between_characters(alice, character):
    path = f"/{character * 400}"
    target = path.encode().replace(b"%", b"%25")
    instance = refusal(ask(alice, target))["instance"]

    whole = "".join(f"%{byte:02X}" for byte in character.encode()) if character != "x" else "x"
    assert instance == "/" + whole * ((256 - 1) // len(whole))


@pytest.mark.parametrize(
    "path", ["/nothing", "/api", "/api/me", "/api/me/task", "/api/me/tasks/1/undo", "/tasks",
             "/api/tasks", "/docs/missing.js", "/docs/..", "/problems/no_such_code", "/problems",
             "/openapi", "/static/x", "/favicon.ico", "/api/auth/logout", "/.git/config",
             "/docs/%2e%2e%2fsettings.py", "/docs/swagger-ui.js.map"]
)  # fmt: skip
def test_what_is_not_in_the_contract_is_404(alice, path):
    body = refusal(ask(alice, path))

    assert (body["code"], body["status"]) == ("not_found", 404)


@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
@pytest.mark.parametrize("authority", ["api.example", "evil.example:8000", "u:p@[::1]:80"])
def test_a_target_that_is_a_whole_url_is_its_path(alice, scheme, authority):
    task = alice.create()
    found = ask(alice, f"{scheme}://{authority}{alice.tasks}/1")
    queried = ask(alice, f"{scheme}://{authority}{alice.tasks}?limit=0")
    missing = ask(alice, f"{scheme}://{authority}/nothing")
    wrong_method = ask(alice, f"{scheme}://{authority}/health", "POST")

    assert found.json() == task
    assert refusal(queried)["instance"] == alice.tasks
    assert refusal(missing) == problem("not_found", NO_RESOURCE, "/nothing")
    assert wrong_method.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("query", ["", "?x=1"])
def test_a_url_without_a_path_is_the_root(alice, query):
    answer = ask(alice, f"http://api.example{query}")

    assert answer.content == ask(alice, "/").content


@pytest.mark.parametrize(
    "target", ["http:///health", "http:/health", "ftp://a/health", "*", "a:80"]
)
def test_a_target_that_is_no_path_and_no_url_of_http_is_404(alice, target):
    assert refusal(ask(alice, target))["code"] == "not_found"


HOSTS = [
    "api.example", "localhost:8000", "127.0.0.1", "[::1]:8000", "[2001:db8::1]", "my_service:80",
    "a.example.", "xn--bcher-kva.example", "api.example:", "a%C3%A9",
]  # fmt: skip
NO_HOSTS = [
    "", " ", "a b", "a/b", "http://a", "a@b", "a:b", "a:80:80", "::1", "[::1", "a?x", "a#x",
    "b\xc3\xbccher.example", "a\"b", "<a>", "a\\b", "%zz", ":80",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_a_name_or_an_address_and_perhaps_a_port(client, host):
    assert send_as_it_is(client, "GET", "/health", headers=[("host", host)]).status_code == 200


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("host", NO_HOSTS)
def test_another_host_is_400(client, host, version):
    answer = send_as_it_is(client, "GET", "/livez", headers=[("host", host)], version=version)

    detail = "The Host header does not name a valid host."
    assert refusal(answer) == problem("malformed_host", detail, "/livez")


def test_a_request_of_http_1_1_without_a_host_is_400(client):
    answer = send_as_it_is(client, "GET", "/livez")

    detail = "The request has no Host header."
    assert refusal(answer) == problem("malformed_host", detail, "/livez")


@pytest.mark.parametrize("version", ["1.0", "2"])
def test_http_1_0_and_http_2_need_no_host(client, version):
    assert send_as_it_is(client, "GET", "/livez", version=version).status_code == 200


def test_two_hosts_are_400(client):
    answer = send_as_it_is(client, "GET", "/livez", headers=[("host", "api.example")] * 2)

    detail = "The request has more than one Host header."
    assert refusal(answer) == problem("malformed_host", detail, "/livez")


def test_headers_of_more_than_32_kib_are_431_and_the_largest_is_named(alice):
    answer = alice("GET", "", headers={"Cookie": "secret" * 5000, "X-Small": "x" * 5000})

    detail = "The headers exceed 32768 bytes; the largest is 'cookie'."
    assert refusal(answer) == problem("headers_too_large", detail, alice.tasks)


def test_more_than_100_headers_are_431(alice):
    answer = alice("GET", "", headers={f"X-{number}": "1" for number in range(100)})

    detail = "There are more than 100 headers."
    assert refusal(answer) == problem("headers_too_large", detail, alice.tasks)


def test_headers_of_30_kib_are_read(alice):
    assert alice("GET", "", headers={"Cookie": "x" * 30_000}).status_code == 200
