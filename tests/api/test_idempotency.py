"""``Idempotency-Key``: a repeated request is answered like the first one, and changes nothing."""

import uuid
from functools import partial
from typing import Any

import pytest

from tests.api.clock import frozen
from tests.api.expect import a_task, in_query, invalid, problem, refusal
from tests.conftest import SECRET, Caller
from tests.integration.concurrently import insist, together
from todo.auth.tokens import mint

pytestmark = pytest.mark.pooled

REPLAYED = "idempotency-replayed"
REUSED = "The Idempotency-Key was sent before with another request; nothing was written."
AT_ONCE = 50
OAT_MILK = {"json": {"title": "Buy oat milk"}}

# Each works on a task 1 that is live, and on a task 2 that is in the trash.
CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "create": ("POST", "/api/me/tasks", {"json": {"title": "Buy bread"}}),
    "update": ("PUT", "/api/me/tasks/1", {"json": {"title": "Buy oat milk"}}),
    "patch": ("PATCH", "/api/me/tasks/1?title=Buy+oat+milk", {}),
    "toggle": ("PATCH", "/api/me/tasks/1/complete", {}),
    "delete": ("DELETE", "/api/me/tasks/1", {}),
    "restore": ("POST", "/api/me/trash/2/restore", {}),
    "delete for good": ("DELETE", "/api/me/trash/2", {}),
    "empty the trash": ("DELETE", "/api/me/trash", {}),
    "clear completed": ("POST", "/api/me/tasks/clear-completed", {}),
    "complete all": ("POST", "/api/me/tasks/complete-all", {"json": {"completed": True}}),
    "rename a tag": ("PATCH", "/api/me/tags?name=home", {"json": {"name": "work"}}),
    "delete a tag": ("DELETE", "/api/me/tags?name=home", {}),
    "bulk": ("POST", "/api/me/tasks/bulk", {"json": {"operations": [{"op": "delete", "id": 1}]}}),
}
every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))


def a_key() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def two(alice: Caller) -> Caller:
    """A user with a live task, and another one in the trash."""
    alice.create(tags=["home"])
    alice.create(completed=True)
    alice("DELETE", "2")
    return alice


def state(caller: Caller) -> list[Any]:
    """All that the user can see."""
    paths = ("/api/me/tasks?sort=updated", "/api/me/trash", "/api/me/tags")
    return [caller("GET", path).json() for path in paths]


def shown(response: Any) -> tuple[Any, ...]:
    """What a repeat has in common with the first answer."""
    headers = ("etag", "location", "content-type")
    return (
        response.status_code,
        response.content,
        *(response.headers.get(name) for name in headers),
    )


@every_change
def test_a_repeat_is_answered_like_the_first_and_changes_nothing(two, change):
    method, path, arguments = change
    send = partial(two, method, path, headers={"Idempotency-Key": a_key()}, **arguments)

    first = send()
    after = state(two)
    repeat = send()

    assert first.status_code < 300, first.text
    assert REPLAYED not in first.headers
    assert shown(repeat) == shown(first)
    assert repeat.headers[REPLAYED] == "true"
    assert state(two) == after


@every_change
def test_another_key_makes_the_change_again(two, change):
    method, path, arguments = change

    answers = [
        two(method, path, headers={"Idempotency-Key": a_key()}, **arguments) for _ in range(2)
    ]

    assert [REPLAYED in answer.headers for answer in answers] == [False, False]


NOTHING, OBJECT, NULL = {}, {"json": {}}, {"content": b"null"}


@pytest.mark.parametrize(
    ("first", "again"), [(NOTHING, OBJECT), (OBJECT, NULL), (NULL, NOTHING)], ids=ascii
)
@pytest.mark.parametrize("name", ["toggle", "patch", "restore", "clear completed", "delete"])
def test_empty_json_and_no_body_are_one_request(two, name, first, again):
    method, path, _ = CHANGES[name]
    headers = {"Idempotency-Key": a_key()}

    made = two(method, path, headers=headers, **first)
    after = state(two)
    repeat = two(method, path, headers=headers, **again)

    assert made.status_code < 300, made.text
    assert shown(repeat) == shown(made)
    assert repeat.headers[REPLAYED] == "true"
    assert state(two) == after


def test_a_repeat_is_answered_after_the_task_has_changed_and_gone(alice):
    headers = {"Idempotency-Key": a_key()}
    first = alice("POST", "", json={"title": "Buy milk"}, headers=headers)
    alice("PATCH", "1", json={"title": "Buy oat milk"})
    alice("DELETE", "1")

    assert shown(alice("POST", "", json={"title": "Buy milk"}, headers=headers)) == shown(first)
    assert first.json() == a_task(alice.id, 1, "Buy milk")
    assert alice("GET", "").json()["total"] == 0


def test_the_key_is_looked_up_before_the_precondition(alice):
    alice.create()
    headers = {"Idempotency-Key": a_key(), "If-Match": alice("GET", "1").headers["etag"]}
    first = alice("PATCH", "1", json={"title": "Buy oat milk"}, headers=headers)
    repeat = alice("PATCH", "1", json={"title": "Buy oat milk"}, headers=headers)

    assert (first.status_code, shown(repeat)) == (200, shown(first))
    assert alice("PATCH", "1", json={"title": "x"}, headers={"If-Match": headers["If-Match"]})


@every_change
def test_a_change_of_nothing_is_stored_too(alice, change):
    method, path, arguments = change
    alice.create("Buy oat milk", tags=["work"])
    body = {"json": {"title": "Buy oat milk"}}
    send = partial(alice, "PUT", "1", headers={"Idempotency-Key": a_key()}, **body)

    first = send()
    alice(method, path, **arguments)
    repeat = send()

    assert first.json()["revision"] == 1
    assert shown(repeat) == shown(first)
    assert repeat.headers[REPLAYED] == "true"


@pytest.mark.parametrize(
    ("method", "path", "arguments", "status"),
    [
        ("PATCH", "/api/me/tasks/2/complete", {}, 404),
        ("PATCH", "/api/me/tasks/1", {"json": {"title": ""}}, 422),
        ("DELETE", "/api/me/tags?name=none", {}, 404),
        (
            "POST",
            "/api/me/tasks/bulk",
            {"json": {"operations": [{"op": "delete", "id": 2}]}},
            404,
        ),
    ],
)
def test_what_was_refused_is_not_stored(alice, method, path, arguments, status):
    alice.create()
    headers = {"Idempotency-Key": a_key()}

    refused = alice(method, path, headers=headers, **arguments)
    done = alice("POST", "", json={"title": "Buy bread"}, headers=headers)

    assert refused.status_code == status
    assert REPLAYED not in refused.headers
    assert (done.status_code, REPLAYED in done.headers) == (201, False)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/api/me/tasks/2/complete"),
        ("DELETE", "/api/me/tasks/2"),
        ("POST", "/api/me/trash/1/restore"),
        ("DELETE", "/api/me/trash/1"),
    ],
)
def test_under_a_key_too_a_task_on_the_other_side_is_404_and_nothing_changes(two, method, path):
    before = state(two)
    response = two(method, path, headers={"Idempotency-Key": a_key()})

    assert (response.status_code, refusal(response)["code"]) == (404, "task_not_found")
    assert state(two) == before


def test_a_412_is_not_stored(alice):
    alice.create()
    headers = {"Idempotency-Key": a_key()}
    send = partial(alice, "PATCH", "1/complete")

    assert send(headers={**headers, "If-Match": '"other"'}).status_code == 412
    done = send(headers={**headers, "If-Match": "*"})
    assert (done.status_code, REPLAYED in done.headers) == (200, False)


@pytest.mark.parametrize(
    ("method", "path", "arguments", "more"),
    [
        ("PATCH", "/api/me/tasks/1?completed=true", OAT_MILK, {}),
        ("PUT", "/api/me/tasks/1", OAT_MILK, {}),
        ("PATCH", "/api/me/tasks/2?completed=false", OAT_MILK, {}),
        ("PATCH", "/api/me/tasks/1?completed=false", {"json": {"title": "Buy soy milk"}}, {}),
        ("PATCH", "/api/me/tasks/1?completed=false", OAT_MILK, {"If-Match": "*"}),
        ("PATCH", "/api/me/tasks/1/complete", {}, {}),
        ("DELETE", "/api/me/tasks/1", {}, {}),
    ],
    ids=["query", "method", "task", "body", "If-Match", "path", "nothing in common"],
)
def test_the_key_of_another_request_is_422(two, method, path, arguments, more):
    key = {"Idempotency-Key": a_key()}
    first = ("PATCH", "/api/me/tasks/1?completed=false")
    two(*first, **OAT_MILK, headers=key)
    before = state(two)

    response = two(method, path, **arguments, headers={**key, **more})

    expected = problem("idempotency_key_reused", REUSED, path.partition("?")[0])
    assert refusal(response) == expected
    assert state(two) == before


def test_the_same_request_written_in_another_way_is_a_repeat(alice):
    alice.create()
    headers = {"Idempotency-Key": a_key(), "Content-Type": "application/json"}
    ways = [
        ("/api/me/tasks/1?title=Buy+oat+milk&completed=true", b'{"tags":["a"],"priority":"low"}'),
        (
            f"/api/{alice.id}/tasks/1?completed=true&title=Buy%20oat%20milk",
            b'{ "priority": "low", "tags": ["\\u0061"] }',
        ),
    ]

    first, repeat = [alice("PATCH", path, content=body, headers=headers) for path, body in ways]

    assert (first.status_code, shown(repeat)) == (200, shown(first))
    assert repeat.headers[REPLAYED] == "true"


def test_keys_are_those_of_one_user(alice, bob):
    headers = {"Idempotency-Key": a_key()}
    ours, theirs = [
        caller("POST", "/api/me/tasks", json={"title": "Buy milk"}, headers=headers)
        for caller in (alice, bob)
    ]

    assert ours.json() == a_task(alice.id, 1, "Buy milk")
    assert theirs.json() == a_task(bob.id, 1, "Buy milk")
    assert REPLAYED not in theirs.headers


def test_fifty_at_once_with_one_key_make_one_change_and_fifty_equal_answers(alice):
    alice.create()
    toggle = partial(alice, "PATCH", "1/complete", headers={"Idempotency-Key": a_key()})

    answers = together([partial(insist, toggle)] * AT_ONCE)

    assert {shown(answer) for answer in answers} == {shown(answers[0])}
    assert answers[0].json()["completed"] is True
    assert sum(REPLAYED in answer.headers for answer in answers) == AT_ONCE - 1
    assert alice("GET", "").json()["revision"] == 2


def test_first_write_of_a_user_is_made_once_however_often_it_is_sent_at_once(alice):
    headers = {"Idempotency-Key": a_key()}
    create = partial(alice, "POST", "", json={"title": "Buy milk"}, headers=headers)

    answers = together([partial(insist, create)] * 10)

    assert {shown(answer) for answer in answers} == {shown(answers[0])}
    assert alice("GET", "").json()["tasks"] == [answers[0].json()]


def test_a_key_is_remembered_for_its_hours_and_no_longer(service):
    headers = {"Idempotency-Key": a_key()}
    with frozen(service, "2026-06-01T12:00:00Z") as alice:
        create = partial(alice, "POST", "", json={"title": "Buy milk"}, headers=headers)
        alice.token = mint(SECRET, alice.id, hours=48)
        first = create()
    with frozen(service, "2026-06-02T12:00:00Z"):
        repeat = create()
    with frozen(service, "2026-06-02T12:00:00.001Z"):
        late, again = create(), create()

    assert shown(repeat) == shown(first)
    assert (late.status_code, late.json()["id"], REPLAYED in late.headers) == (201, 2, False)
    assert shown(again) == shown(late)


@pytest.mark.parametrize(
    ("key", "code", "detail"),
    [
        (b"", "too_short", "is shorter than 1 character"),
        (b"x" * 256, "too_long", "is longer than 255 characters"),
        (b"caf\xc3\xa9", "pattern", "must be printable ASCII"),
        (b"a\x01b", "pattern", "must be printable ASCII"),
    ],
    ids=["empty", "long", "not ASCII", "control"],
)
def test_a_key_that_is_none_is_422(alice, key, code, detail):
    response = alice("POST", "", json={"title": "x"}, headers={b"Idempotency-Key": key})

    errors = refusal(response)["errors"]
    assert in_query("Idempotency-Key", code, detail) in errors
    assert refusal(response) == invalid(alice.tasks, *errors)
    assert alice("GET", "").json()["total"] == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, '"8e03978e"', "a b", "!~"])
def test_a_key_is_any_printable_text(alice, key):
    for status, replayed in ((201, False), (201, True)):
        response = alice("POST", "", json={"title": "x"}, headers={"Idempotency-Key": key})
        assert (response.status_code, REPLAYED in response.headers) == (status, replayed)


def test_reads_and_accounts_know_no_keys(alice):
    headers = {"Idempotency-Key": a_key()}
    alice.create()
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": "correct horse"}

    assert alice("GET", "1", headers=headers).status_code == 200
    first, again = [
        alice("POST", "/api/auth/register", json=account, headers=headers) for _ in range(2)
    ]
    assert (first.status_code, again.status_code) == (201, 409)
    assert alice("PATCH", "1/complete", headers=headers).json()["revision"] == 2
