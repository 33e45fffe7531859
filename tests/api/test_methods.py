"""Which methods a path has: 405 with a complete Allow, HEAD wherever GET is."""

import pytest

from tests.api.expect import problem, refusal
from tests.api.raw_asgi import send

PATHS = {
    "/api/{owner}/tasks": "GET, HEAD, POST",
    "/api/{owner}/tasks/1": "DELETE, GET, HEAD, PATCH, PUT",
    "/api/{owner}/tasks/1/complete": "PATCH",
    "/api/{owner}/tasks/1/move": "POST",
    "/api/{owner}/tasks/1/skip": "POST",
    "/api/{owner}/tasks/1/occurrences": "GET, HEAD",
    "/api/{owner}/tasks/bulk": "POST",
    "/api/{owner}/tasks/clear-completed": "POST",
    "/api/{owner}/tasks/complete-all": "POST",
    "/api/{owner}/lists": "GET, HEAD, POST",
    "/api/{owner}/lists/1": "DELETE, GET, HEAD, PATCH, PUT",
    "/api/{owner}/lists/1/move": "POST",
    "/api/{owner}/tags": "DELETE, GET, HEAD, PATCH",
    "/api/{owner}/stats": "GET, HEAD",
    "/api/{owner}/trash": "DELETE, GET, HEAD",
    "/api/{owner}/trash/1": "DELETE",
    "/api/{owner}/trash/1/restore": "POST",
    "/api/{owner}/changes": "GET, HEAD",
    "/api/{owner}/events": "GET, HEAD",
    "/api/{owner}/history": "GET, HEAD",
    "/api/{owner}/undo": "POST",
    "/api/auth/register": "POST",
    "/api/auth/login": "POST",
    "/api/auth/renew": "POST",
    "/api/auth/password": "POST",
    "/api/auth/me": "GET, HEAD",
    "/": "GET, HEAD",
    "/health": "GET, HEAD",
    "/livez": "GET, HEAD",
    "/readyz": "GET, HEAD",
    "/demo": "GET, HEAD",
    "/demo/page.js": "GET, HEAD",
    "/docs": "GET, HEAD",
    "/docs/init.js": "GET, HEAD",
    "/openapi.json": "GET, HEAD",
    "/openapi.yaml": "GET, HEAD",
    "/problems/busy": "GET, HEAD",
}
QUERIES = {"/api/{owner}/changes": "?since=MC4"}
"""What a path cannot do without."""
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY",
           "BREW", "get"]  # fmt: skip
REFUSED = [
    (path, method, allow)
    for path, allow in PATHS.items()
    for method in METHODS
    if method not in allow.split(", ")
]


def test_the_paths_here_are_all_the_paths_of_the_contract(client):
    contract = client.get("/openapi.json").json()
    templates = {path.replace("{owner}", "{user_id}") for path in PATHS}
    for example, name in (
        ("tasks/1", "tasks/{task_id}"),
        ("lists/1", "lists/{list_id}"),
        ("trash/1", "trash/{task_id}"),
        ("demo/page.js", "demo/{asset}"),
        ("init.js", "{asset}"),
        ("busy", "{code}"),
    ):
        templates = {path.replace(example, name) for path in templates}

    assert set(contract["paths"]) == templates


@pytest.mark.parametrize(("path", "method", "allow"), REFUSED)
def test_a_method_that_a_path_does_not_have_is_405_with_all_that_it_has(alice, path, method, allow):
    path = path.format(owner=alice.id)
    headers = [("authorization", f"Bearer {alice.token}")]
    response = send(alice.client, method, path, headers=headers)

    assert response.headers["allow"] == allow
    if method != "HEAD":
        assert refusal(response) == problem("method_not_allowed", f"Allowed here: {allow}.", path)
    assert response.status_code == 405


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "TRACE"])
def test_a_method_is_refused_without_a_token_too(client, method):
    response = send(client, method, "/api/alice/tasks/1")

    allow = "DELETE, GET, HEAD, PATCH, PUT"
    expected = problem("method_not_allowed", f"Allowed here: {allow}.", "/api/alice/tasks/1")
    assert refusal(response) == expected


@pytest.mark.parametrize("spelling", ["+1", "-1", "007", "9" * 30])
def test_a_method_is_refused_with_all_that_there_are_however_an_id_is_spelled(client, spelling):
    response = send(client, "POST", f"/api/alice/tasks/{spelling}")

    assert response.status_code == 405
    assert response.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"


def head_of(caller, path):
    """The answer to HEAD, whose body the usual client would drop by itself."""
    headers = [("authorization", f"Bearer {caller.token}"), ("accept", "*/*")]
    return send(caller.client, "HEAD", path, headers=headers)


@pytest.mark.parametrize(
    "path",
    # A stream does not end; tests/api/test_events.py has its HEAD.
    [path for path, allow in PATHS.items() if "HEAD" in allow and not path.endswith("/events")],
)
def test_head_is_get_without_its_body(alice, path):
    alice.create_list() if "/lists/" in path else alice.create()
    path = path.format(owner=alice.id) + QUERIES.get(path, "")
    get, head = alice("GET", path), head_of(alice, path)

    assert (get.status_code, head.status_code) == (200, 200)
    assert get.content
    assert head.content == b""
    own = {"x-request-id", "date"}
    assert {k: v for k, v in head.headers.items() if k not in own} == {
        k: v for k, v in get.headers.items() if k not in own
    }


@pytest.mark.parametrize("path", ["{owner}/tasks/9", "{owner}/tasks?limit=0", "somebody/tasks"])
def test_head_of_what_get_refuses_is_refused_without_a_body(alice, path):
    path = f"/api/{path.format(owner=alice.id)}"
    get, head = alice("GET", path), head_of(alice, path)

    assert head.status_code == get.status_code
    assert get.status_code >= 400
    assert head.headers["content-type"] == "application/problem+json"
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.content == b""
