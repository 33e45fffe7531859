"""Exactly what front ends built against this API send, and what they read out of the answers.

Each call here was found in a real front end; ``specs/`` says what else the API can do.
"""

import pytest

from tests.api.expect import a_page, a_task

FRONT_END = "http://localhost:3000"
ALWAYS_JSON = {"Content-Type": "application/json", "Accept": "application/json, text/plain, */*"}


@pytest.fixture
def page(alice):
    """The front end of a signed-in user: every call says JSON, even one without a body."""

    def call(method, path, **kwargs):
        headers = {"Origin": FRONT_END, **ALWAYS_JSON}
        response = alice(method, path, headers=headers, **kwargs)
        assert response.headers["access-control-allow-origin"] == FRONT_END
        return response

    return call


def test_the_first_list_is_empty(page):
    body = page("GET", "?skip=0&limit=100").json()

    assert (body["tasks"], body["total"]) == ([], 0)


def test_the_list_is_read_with_skip_limit_and_completed(alice, page):
    open_task = alice.create(title="Open")
    done = alice.create(title="Done", completed=True)

    def read(query):
        body = page("GET", query).json()
        return body["tasks"], body["total"]

    assert read("?skip=0&limit=100") == ([done, open_task], 2)
    assert read("?skip=0&limit=100&completed=true") == ([done], 1)
    assert read("?skip=0&limit=100&completed=false") == ([open_task], 1)
    assert read("?skip=1&limit=1") == ([open_task], 2)
    assert read("?status=pending&sort=created_at&order=desc") == ([open_task], 1)


def test_a_task_is_created_from_a_title_and_an_empty_description(alice, page):
    response = page("POST", "", json={"title": "Buy milk", "description": ""})

    assert response.status_code == 201
    assert response.json() == a_task(alice.id, 1, "Buy milk", description="")
    assert isinstance(response.json()["id"], int)


def test_an_edit_is_a_put_of_title_and_description(alice, page):
    task = alice.create(title="Buy milk", description="Two litres", completed=True)
    response = page("PUT", "1", json={"title": "Buy oat milk", "description": ""})
    edited = response.json()

    assert response.status_code == 200
    assert edited == {
        **task,
        "title": "Buy oat milk",
        "description": "",
        "updated_at": edited["updated_at"],
        "revision": 2,
    }


def test_a_put_of_one_field_keeps_the_others(alice, page):
    alice.create(title="Buy milk", description="Two litres")
    edited = page("PUT", "1", json={"completed": True}).json()

    assert (edited["title"], edited["description"]) == ("Buy milk", "Two litres")
    assert edited["completed"] is True


def test_the_checkbox_is_a_patch_without_a_body_and_reads_the_whole_task_back(alice, page):
    alice.create(title="Buy milk")
    response = page("PATCH", "1/complete")
    ticked = response.json()

    assert response.status_code == 200
    assert ticked == a_task(
        alice.id,
        1,
        "Buy milk",
        completed=True,
        completed_at=ticked["updated_at"],
        revision=2,
    )
    assert page("PATCH", "1/complete").json()["completed"] is False


def test_delete_is_204_with_nothing_to_parse(alice, page):
    alice.create()
    response = page("DELETE", "1")

    assert (response.status_code, response.content) == (204, b"")
    assert page("GET", "").json() == a_page([], revision=2)


def test_one_task_is_read_with_a_json_content_type_and_no_body(alice, page):
    task = alice.create()

    assert page("GET", "1").json() == task


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["", "/1", "/1/complete"])
def test_the_browser_asks_first_and_is_allowed(client, alice, method, path):
    response = client.options(
        f"{alice.tasks}{path}",
        headers={
            "Origin": FRONT_END,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == FRONT_END
    assert method in response.headers["access-control-allow-methods"].split(", ")
    assert response.headers["access-control-allow-headers"] == "authorization,content-type"


def test_calls_with_credentials_are_allowed(alice, page):
    assert page("GET", "").headers["access-control-allow-credentials"] == "true"


def test_a_cookie_of_the_front_end_is_neither_read_nor_answered(client, alice):
    cookie = {"Cookie": f"better-auth.session_token={alice.token}", "Origin": FRONT_END}
    response = client.get(alice.tasks, headers=cookie)

    assert response.status_code == 401
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "", {"title": ""}, 422),
        ("POST", "", {"title": "x", "starred": True}, 422),
        ("POST", "", {"title": "x", "recurrence_rule": None}, 422),
        ("GET", "?limit=5000", None, 422),
        ("GET", "?category=work", None, 400),
        ("GET", "99", None, 404),
        ("PUT", "99", {"title": "x"}, 404),
        ("PATCH", "99/complete", None, 404),
        ("DELETE", "99", None, 404),
        ("GET", "/api/somebody-else/tasks", None, 403),
        ("GET", "/api/tasks", None, 404),
        ("POST", "1/complete", None, 405),
    ],
)
def test_the_detail_of_every_error_is_a_sentence_to_show(page, method, path, body, status):
    response = page(method, path, **({} if body is None else {"json": body}))

    assert response.status_code == status
    assert isinstance(response.json()["detail"], str)
    assert response.json()["detail"]


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 415, 422])
def test_nothing_but_a_bad_token_is_a_401_because_it_logs_the_user_out(alice, status):
    response = {
        400: lambda: alice("POST", "", content=b"{", headers=ALWAYS_JSON),
        403: lambda: alice("GET", "/api/somebody-else/tasks"),
        404: lambda: alice("GET", "99"),
        405: lambda: alice("DELETE", ""),
        413: lambda: alice("POST", "", content=b"x" * 70_000, headers=ALWAYS_JSON),
        415: lambda: alice("POST", "", content=b"x"),
        422: lambda: alice("GET", "?limit=5000"),
    }[status]()

    assert response.status_code == status
