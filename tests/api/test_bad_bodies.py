"""Bodies that nobody should send: none is a 5xx, none is echoed, each says what is wrong."""

import pytest

from tests.api.expect import a_page, a_task, in_body, invalid, problem, refusal
from tests.api.operations import (
    every_operation_with_a_body,
    every_operation_with_an_optional_body,
    every_operation_without_a_body,
)
from tests.api.raw_asgi import abandon, send, stall
from todo.http.asgi import request_limits

JSON = {"Content-Type": "application/json"}
UTF8 = "str is not valid UTF-8: surrogates not allowed: line 1 column 1 (char 0)"
SERVICE_PATHS = ["/", "/health", "/livez", "/readyz", "/docs", "/docs/init.js", "/openapi.json",
                 "/openapi.yaml", "/problems/busy"]  # fmt: skip

NOT_JSON = {
    "text": (b"Buy milk", "unexpected character, expected a JSON value: line 1 column 1 (char 0)"),
    "form": (b"title=Buy+milk", "invalid literal, expected 'true': line 1 column 1 (char 0)"),
    "cut off": (b'{"title": "Buy', "unexpected end of data: line 1 column 15 (char 14)"),
    "two documents": (b"{} {}", "unexpected content after document: line 1 column 4 (char 3)"),
    "trailing comma": (b'{"title": "x",}', None),
    "single quotes": (b"{'title': 'x'}", None),
    "spaces": (b" \n\t ", "input data is empty: line 1 column 1 (char 0)"),
    "NaN": (b'{"title": NaN}', None),
    "Infinity": (b'{"title": -Infinity}', None),
    "5,000 digits": (
        b'{"title": %s}' % (b"1" * 5000),
        "number is infinity when parsed as double: line 1 column 11 (char 10)",
    ),
    "huge exponent": (b'{"title": 1e999}', None),
    "raw NUL": (b'{"title": "a\0b"}', None),
    "raw newline": (b'{"title": "a\nb"}', None),
    "only NUL": (b"\0", None),
    "lone surrogate": (rb'{"title": "\ud83d"}', None),
    "swapped surrogates": (rb'{"title": "\udca9\ud83d"}', None),
    "encoded surrogate": (b'{"title": "\xed\xa0\xbd"}', UTF8),
    "overlong": (b'{"title": "\xc0\x80"}', UTF8),
    "Latin-1": ('{"title": "Café"}'.encode("latin-1"), UTF8),
    "UTF-16": ('{"title": "Buy milk"}'.encode("utf-16"), UTF8),
    "UTF-16 without a mark": ('{"title": "Buy milk"}'.encode("utf-16-le"), None),
    "byte order mark": (
        b'\xef\xbb\xbf{"title": "Buy milk"}',
        "UTF-8 byte order mark (BOM) is not supported: line 1 column 1 (char 0)",
    ),
    "30,000 nested arrays": (
        b"[" * 30_000 + b"]" * 30_000,
        "depth limit exceeded: line 1 column 1026 (char 1025)",
    ),
    "nested objects": (b'{"title":' * 5000 + b"1" + b"}" * 5000, None),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", UTF8),
}


@pytest.fixture
def task(alice):
    """Alice's first task."""
    return alice.create()


@every_operation_with_a_body
@pytest.mark.parametrize("kind", NOT_JSON)
def test_a_body_that_is_not_json_is_400_and_changes_nothing(alice, task, operation, kind):
    content, reason = NOT_JSON[kind]
    path = operation.path(alice.id, 1)
    body = refusal(alice(operation.method, path, content=content, headers=JSON))

    assert body["detail"].startswith("The body is not valid JSON: ")
    assert body == problem("malformed_json", body["detail"], path)
    assert reason is None or body["detail"] == f"The body is not valid JSON: {reason}."
    assert alice("GET", "").json() == a_page([task])


@every_operation_with_a_body
@pytest.mark.parametrize("content", [b"[]", b'"text"', b"1", b"true", b"false", b'""'])
def test_a_body_that_is_no_object_is_422(alice, task, operation, content):
    path = operation.path(alice.id, 1)
    response = alice(operation.method, path, content=content, headers=JSON)

    assert refusal(response) == invalid(path, in_body("", "type", 'is not of type "object"'))


@every_operation_with_a_body
@pytest.mark.parametrize(
    "content",
    [b"[" * 900 + b"]" * 900, b'{"title": %s%s}' % (b"[" * 900, b"]" * 900)],
    ids=["arrays", "title"],
)
def test_a_body_that_is_nested_too_deeply_is_422(alice, task, operation, content):
    path = operation.path(alice.id, 1)
    response = alice(operation.method, path, content=content, headers=JSON)

    assert refusal(response) == invalid(path, in_body("", "too_deep", "is nested too deeply"))


@every_operation_with_a_body
@pytest.mark.parametrize(
    "content",
    [b'{"title": "%s"}' % (b"x" * 1_000_000), b"[" * 100_000, b"x" * 65_537],
    ids=["1 MB title", "100,000 nested arrays", "one byte too many"],
)
def test_a_body_above_64_kib_is_413(alice, task, operation, content):
    path = operation.path(alice.id, 1)
    response = alice(operation.method, path, content=content, headers=JSON)

    assert refusal(response) == problem("body_too_large", "The body exceeds 65536 bytes.", path)
    assert alice("GET", "").json() == a_page([task])


@every_operation_with_a_body
@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity, gzip"])
def test_an_encoded_body_is_415_even_if_it_is_not_encoded(alice, task, operation, coding):
    path = operation.path(alice.id, 1)
    headers = {**JSON, "Content-Encoding": coding}
    response = alice(operation.method, path, content=b'{"completed": true}', headers=headers)

    detail = "The body must be sent without a Content-Encoding."
    assert refusal(response) == problem("unsupported_media_type", detail, path)
    assert response.headers["accept-encoding"] == "identity"
    assert alice("GET", "").json() == a_page([task])


def test_the_coding_identity_is_none(alice):
    headers = {**JSON, "Content-Encoding": "Identity"}

    assert alice("POST", "", content=b'{"title": "x"}', headers=headers).status_code == 201


@pytest.mark.parametrize("content_length", [b"65537", b"9" * 5000, b"0" * 5000 + b"65537"])
def test_a_body_that_is_announced_too_large_is_refused_unread(alice, content_length):
    # The body that would follow is small: only what was announced can be the reason.
    headers = [
        ("authorization", f"Bearer {alice.token}"),
        ("content-type", "application/json"),
        ("content-length", content_length),
    ]
    response = send(alice.client, "POST", alice.tasks, headers=headers, chunks=[b'{"title": "x"}'])

    expected = problem("body_too_large", "The body exceeds 65536 bytes.", alice.tasks)
    assert refusal(response) == expected


def test_zeros_before_a_length_say_nothing(alice):
    headers = [
        ("authorization", f"Bearer {alice.token}"),
        ("content-type", "application/json"),
        ("content-length", b"0" * 5000 + b"14"),
    ]
    response = send(alice.client, "POST", alice.tasks, headers=headers, chunks=[b'{"title": "x"}'])

    assert response.status_code == 201


@pytest.mark.parametrize("content_length", ["15", "13", "0"])
def test_a_body_that_is_not_as_long_as_it_claims_is_400_and_changes_nothing(alice, content_length):
    headers = [
        ("authorization", f"Bearer {alice.token}"),
        ("content-type", "application/json"),
        ("content-length", content_length),
        ("upgrade", "h2c"),
    ]
    response = send(alice.client, "POST", alice.tasks, headers=headers, chunks=[b'{"title": "x"}'])

    detail = "The body is shorter than its Content-Length."
    assert refusal(response) == problem("body_incomplete", detail, alice.tasks)
    assert response.headers["connection"] == "close"
    assert alice("GET", "").json() == a_page([])


def test_a_body_of_exactly_64_kib_is_read(alice):
    content = b'{"title": "Buy milk"}'.ljust(65_536)

    assert alice("POST", "", content=content, headers=JSON).status_code == 201


@pytest.mark.parametrize("chunks", [20, 66], ids=["sum", "many"])
def test_chunks_that_become_too_large_are_refused(alice, chunks):
    headers = [
        ("authorization", f"Bearer {alice.token}"),
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
    ]
    response = send(
        alice.client, "POST", alice.tasks, headers=headers, chunks=[b" " * 3500] * chunks
    )

    expected = problem("body_too_large", "The body exceeds 65536 bytes.", alice.tasks)
    assert refusal(response) == expected


@pytest.mark.parametrize(
    "chunks",
    [
        [b'{"title": "Caf', b"\xc3", b'\xa9"', b"}"],
        [b"", b'{"title": "Caf\xc3\xa9"}', b""],
    ],
    ids=["in pieces", "with empty chunks"],
)
def test_a_chunked_body_is_put_together(alice, chunks):
    headers = [
        ("authorization", f"Bearer {alice.token}"),
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
    ]
    response = send(alice.client, "POST", alice.tasks, headers=headers, chunks=chunks)

    assert response.status_code == 201
    assert response.json() == a_task(alice.id, 1, "Café")


def test_a_chunked_optional_body_is_read_too(alice, task):
    headers = [
        ("authorization", f"Bearer {alice.token}"),
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
    ]
    path = f"{alice.tasks}/1/complete"
    chunks = [b'{"comp', b'leted": false}']
    response = send(alice.client, "PATCH", path, headers=headers, chunks=chunks)

    assert response.json() == task


def test_a_body_that_ends_halfway_is_not_answered_and_changes_nothing(alice):
    headers = [("authorization", f"Bearer {alice.token}"), ("content-type", "application/json")]
    sent = abandon(
        alice.client, "POST", alice.tasks, headers=headers, chunks=[b'{"title": "Buy milk"}']
    )

    assert sent == []
    assert alice("GET", "").json() == a_page([])


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "1")])
@pytest.mark.parametrize("headers", [{}, JSON, {"Content-Type": "text/plain"}], ids=ascii)
def test_an_empty_body_where_one_is_required_is_400(alice, task, method, path, headers):
    response = alice(method, path, content=b"", headers=headers)

    expected = problem(
        "body_required", "Send a JSON object as the body.", f"{alice.tasks}{path and '/'}{path}"
    )
    assert refusal(response) == expected


def test_of_a_repeated_key_the_last_value_counts(alice):
    content = b'{"title": "First", "title": "Last"}'
    response = alice("POST", "", content=content, headers=JSON)

    assert response.json() == a_task(alice.id, 1, "Last")


def test_escapes_in_json_are_decoded(alice):
    content = rb'{"t\u0069tle": "\ud83d\ude00 \u00e9\t"}'

    assert alice("POST", "", content=content, headers=JSON).json()["title"] == "😀 é\t"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "APPLICATION/JSON",
        "Application/Json ; Charset=Utf8",
        "application/json; profile=x",
        " application/json ",
    ],
)
def test_json_is_read_under_every_spelling_of_its_media_type(alice, content_type):
    response = alice(
        "POST", "", content=b'{"title": "Buy milk"}', headers={"Content-Type": content_type}
    )

    assert response.json() == a_task(alice.id, 1, "Buy milk")


@every_operation_with_a_body
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/problem+json"},
        {"Content-Type": "application/json-patch+json"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json, text/plain"},
        {"Content-Type": "*/*"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json; charset=bogus"},
        {"Content-Type": "application/json; charset="},
    ],
    ids=ascii,
)
def test_a_body_of_another_media_type_is_415(alice, task, operation, headers):
    path = operation.path(alice.id, 1)
    response = alice(operation.method, path, content=b'{"title": "Buy milk"}', headers=headers)

    accepted = "application/json"
    if operation.name == "patch":
        accepted += ", application/merge-patch+json"
    detail = f"The body's Content-Type must be one of: {accepted}; in UTF-8."
    assert refusal(response) == problem("unsupported_media_type", detail, path)
    assert response.headers["accept"] == accepted
    assert alice("GET", "").json() == a_page([task])


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/1")])
def test_null_where_a_body_is_required_is_422(alice, task, method, path):
    response = alice(method, alice.tasks + path, content=b"null", headers=JSON)

    error = in_body("", "type", 'is not of type "object"')
    assert refusal(response) == invalid(alice.tasks + path, error)


EMPTY_JSON = [
    (b"{}", JSON),
    (b"null", JSON),
    (b" { }\r\n", {"Content-Type": "application/json; charset=latin-1"}),
    (b"\tnull\n", {}),
    (b"{" + b" " * 60_000 + b"}", {"Content-Type": "text/xml"}),
]
every_empty_json = pytest.mark.parametrize(
    ("content", "headers"), EMPTY_JSON, ids=lambda value: ascii(value)[:20]
)


@every_operation_without_a_body
@every_empty_json
def test_empty_json_where_no_body_is_expected_is_no_body(alice, task, operation, content, headers):
    path = operation.path(alice.id, 1)
    response = alice(operation.method, path, content=content, headers=headers)

    assert response.status_code == operation.success


@every_operation_with_an_optional_body
@every_empty_json
def test_empty_json_where_a_body_may_be_absent_is_no_body(alice, task, operation, content, headers):
    path = operation.path(alice.id, 1)
    response = alice(operation.method, path, content=content, headers=headers)

    assert response.status_code == 200
    assert response.json()["completed"] == (operation.name == "complete")


@every_empty_json
def test_empty_json_is_no_body_for_the_trash_the_whole_list_and_accounts(alice, content, headers):
    for _ in range(3):
        alice.create(tags=["home"])
    alice("PATCH", "1", json={"completed": True})
    send_it = [
        ("POST", "tasks/clear-completed", {"changed": 1, "revision": 5}),
        ("DELETE", "tags?name=home", {"changed": 2, "revision": 7}),
        ("DELETE", "trash", {"changed": 1, "revision": 7}),
    ]
    for method, path, answer in send_it:
        response = alice(method, f"/api/me/{path}", content=content, headers=headers)
        assert response.json() == answer
    alice("DELETE", "2")
    restored = alice("POST", "/api/me/trash/2/restore", content=content, headers=headers)
    assert (restored.status_code, restored.json()["id"]) == (200, 2)
    alice("DELETE", "2")
    assert alice("DELETE", "/api/me/trash/2", content=content, headers=headers).status_code == 204
    account = {"email": f"{alice.id}@example.com", "password": "correct horse"}
    session = alice("POST", "/api/auth/register", json=account).json()
    holder = {"Authorization": f"Bearer {session['token']}", **headers}
    renewed = alice.client.post("/api/auth/renew", content=content, headers=holder)
    assert (renewed.status_code, renewed.json()["user"]) == (200, session["user"])


@every_operation_without_a_body
@pytest.mark.parametrize(
    "content",
    [b"[]", b'{"": 1}', b"{}{}", b"nul", b"NULL", b'""', b"0", b"false", b" ", b"\xa0{}", b"\xff",
     b"\xef\xbb\xbf{}", b" " * 60_000, b"{" + b" " * 60_000, b"x" * 1000],
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
def test_a_body_where_none_is_expected_is_400(alice, task, operation, content):
    path = operation.path(alice.id, 1)
    response = alice(operation.method, path, content=content, headers=JSON)

    assert refusal(response) == problem("unexpected_body", "This operation takes no body.", path)
    assert alice("GET", "").json() == a_page([task])


@pytest.mark.parametrize("path", SERVICE_PATHS)
def test_a_body_where_none_is_expected_is_400_without_a_token_too(client, path):
    response = client.request("GET", path, content=b"[]", headers=JSON)

    assert refusal(response) == problem("unexpected_body", "This operation takes no body.", path)


@pytest.mark.parametrize("path", SERVICE_PATHS)
def test_empty_json_is_no_body_without_a_token_too(client, path):
    assert client.request("GET", path, content=b"{}", headers=JSON).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "\x01"])
def test_an_empty_body_on_a_get_may_claim_any_content_type(alice, task, content_type):
    headers = [("authorization", f"Bearer {alice.token}"), ("content-type", content_type)]

    assert send(alice.client, "GET", f"{alice.tasks}/1", headers=headers).json() == task


@pytest.mark.parametrize(
    "fields",
    [
        {f"field-{number}": 1 for number in range(50)},
        {"\x01" * 5000: 1, "\x02" * 5000: 1},
        {"😀" * 3000: 1, "~" * 3000: 1, "/" * 3000: 1},
        {"title": "secret title" * 100, "description": "secret" * 1000, "completed": "secret"},
        {"title": {"secret": ["secret"] * 1000}},
    ],
    ids=["many", "control", "astral", "values", "nested"],
)
def test_a_refusal_is_short_and_never_holds_the_values(alice, fields):
    response = alice("POST", "", json=fields)
    body = refusal(response)

    assert body["code"] == "validation_failed"
    assert 1 <= len(body["errors"]) <= 10
    assert "secret" not in response.text


def test_a_body_that_stalls_is_408_in_http_2_which_needs_not_announce_it(alice, monkeypatch):
    monkeypatch.setattr(request_limits, "BODY_SECONDS", 0.05)
    headers = [("authorization", f"Bearer {alice.token}"), ("content-type", "application/json")]
    begun = {"headers": headers, "chunks": [b'{"title": '], "version": "2"}
    response = stall(alice.client, "POST", alice.tasks, **begun)

    assert (response.status_code, refusal(response)["code"]) == (408, "body_timeout")
