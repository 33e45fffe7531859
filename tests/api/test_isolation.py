"""The authorisation matrix: every operation of the contract that needs a token, with no token, with
an expired one, on the path of somebody else, and with the id of something that is somebody else's.

An operation joins the matrix when it joins the contract. Whole bodies are compared, and all that
the other user can see, before and after.
"""

import time
from typing import Any

import pytest

from tests.api.expect import PROBLEMS, a_page, problem, refusal
from tests.api.tokens import claims, sign
from tests.conftest import Caller
from tests.contract.entities import ABOUT_THE_TRASH, MAKERS, call, named_by
from tests.contract.reading import ENDLESS, OPERATIONS, Operation, schemas

MISSING = "The request has no Authorization header."
EXPIRED = "The token's 'exp' has passed."
MISMATCH = "The user in the path must be the token's 'sub', or 'me'."
SERVERS_OWN = {"id", "user_id", "created_at", "updated_at", "completed_at", "revision"}
ABSENT = 7  # nobody's in these tests

SECURED = [op for op in OPERATIONS if op.secured]
OF_A_USER = [op for op in SECURED if "{user_id}" in op.path]
ON_ONE = [op for op in OF_A_USER if any(f"{{{name}}}" in op.path for name in MAKERS)]
READS = [op for op in OF_A_USER if op.method == "GET" and op.name != ENDLESS and op not in ON_ONE]

TASK, LIST = 7, 8
"""The ids of a task and of a list of Bob's: Alice has nothing with an id as high."""
IN_LIST: dict[str, Any] = {"title": "Buy milk", "list_id": LIST}
BELOW: dict[str, Any] = {"title": "Buy milk", "parent_id": TASK}


def bulk(**operation: Any) -> dict[str, Any]:
    """What is sent as a bulk of one operation."""
    return {"json": {"operations": [operation]}}


IDS_ELSEWHERE: dict[tuple[str, str], dict[str, Any]] = {
    ("show_history", "task_id"): {"params": {"task_id": TASK}},
    ("show_history", "list_id"): {"params": {"list_id": LIST}},
    ("create_task", "list_id"): {"json": IN_LIST},
    ("update_task", "list_id"): {"json": IN_LIST},
    ("patch_task", "list_id"): {"json": IN_LIST},
    ("create_task", "parent_id"): {"json": BELOW},
    ("update_task", "parent_id"): {"json": BELOW},
    ("patch_task", "parent_id"): {"json": BELOW},
    ("move_task", "list_id"): {"json": {"list_id": LIST}},
    ("move_task", "parent_id"): {"json": {"parent_id": TASK}},
    ("move_task", "before"): {"json": {"before": TASK}},
    ("move_task", "after"): {"json": {"after": TASK}},
    ("change_tasks", "id"): bulk(op="delete", id=TASK),
    ("change_tasks", "list_id"): bulk(op="create", data=IN_LIST),
    ("change_tasks", "parent_id"): bulk(op="create", data=BELOW),
    ("change_tasks", "before"): bulk(op="move", id=1, before=TASK),
    ("change_tasks", "after"): bulk(op="move", id=1, after=TASK),
    ("move_list", "before"): {"json": {"before": LIST}},
    ("move_list", "after"): {"json": {"after": LIST}},
    ("undo_change", "revision"): {"json": {"revision": TASK}},
}
"""What names an entity, or a change, outside of a path: the operation and the name."""


def each(operations: list[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda op: op.name)


def path_of(operation: Operation, caller: Caller, **values: object) -> str:
    """The path of the operation on what ``caller`` has just made for it."""
    return operation.path.format_map({**named_by(operation, caller), **values})


def everything(caller: Caller) -> dict[str, Any]:
    """All that the user can see, by operation."""
    return {op.name: caller("GET", op.path.format(user_id="me")).json() for op in READS}


@pytest.fixture
def bobs(bob):
    """Bob's three tasks, newest first."""
    return [bob.create(title=f"Bob's {number}") for number in range(3)][::-1]


def test_the_matrix_has_every_operation_that_is_not_public():
    assert len(SECURED) > len(OF_A_USER) > len(ON_ONE) > len(MAKERS)
    assert {op.path for op in OPERATIONS if "/api/{" in op.path} == {op.path for op in OF_A_USER}


@each([op for op in OF_A_USER if op.name != ENDLESS])
@pytest.mark.parametrize("owner", ["own", "me"])
def test_an_operation_on_ones_own_path_succeeds(alice, operation, owner):
    path = path_of(operation, alice, user_id=alice.id if owner == "own" else "me")

    assert call(alice, operation, path).status_code == min(operation.responses)


@each(SECURED)
@pytest.mark.parametrize("owner", ["bob", "me"])
def test_an_operation_without_a_token_is_401(client, bob, operation, owner):
    path = path_of(operation, bob, user_id=bob.id if owner == "bob" else "me")
    before = everything(bob)

    response = call(client.request, operation, path)

    assert refusal(response) == problem("token_missing", MISSING, path)
    assert response.headers["www-authenticate"] == 'Bearer realm="todo"'
    assert everything(bob) == before


@each(SECURED)
@pytest.mark.parametrize("owner", ["bob", "me"])
def test_an_operation_with_an_expired_token_is_401(service, bob, operation, owner):
    path = path_of(operation, bob, user_id=bob.id if owner == "bob" else "me")
    before = everything(bob)
    late = Caller(service.client, bob.id, sign(claims(sub=bob.id, exp=int(time.time()) - 11)))

    response = call(late, operation, path)

    assert refusal(response) == problem("token_expired", EXPIRED, path)
    challenge = f'Bearer realm="todo", error="invalid_token", error_description="{EXPIRED}"'
    assert response.headers["www-authenticate"] == challenge
    assert everything(bob) == before


@each(OF_A_USER)
def test_an_operation_on_a_foreign_path_is_403(alice, bob, operation):
    path = path_of(operation, bob, user_id=bob.id)
    before = everything(bob)

    response = call(alice, operation, path)

    assert refusal(response) == problem("user_path_mismatch", MISMATCH, path)
    assert everything(bob) == before


@each(ON_ONE)
def test_a_foreign_path_does_not_tell_whether_the_id_exists(alice, bob, operation):
    there = path_of(operation, bob, user_id=bob.id)
    absent = operation.path.format_map(dict.fromkeys(MAKERS, ABSENT) | {"user_id": bob.id})

    for path in (there, absent):
        response = call(alice, operation, path)
        assert refusal(response) == problem("user_path_mismatch", MISMATCH, path)


@each(ON_ONE)
@pytest.mark.parametrize("owner", ["own", "me"])
def test_a_foreign_id_is_answered_like_an_absent_one(alice, bob, bobs, operation, owner):
    user_id = alice.id if owner == "own" else "me"
    foreign = path_of(operation, bob, user_id=user_id)
    absent = operation.path.format_map(dict.fromkeys(MAKERS, ABSENT) | {"user_id": user_id})
    code = "list_not_found" if "{list_id}" in operation.path else "task_not_found"
    detail = PROBLEMS[code][1] + " in the trash" * (operation.path in ABOUT_THE_TRASH)
    before = everything(bob), everything(alice)

    answers = [call(alice, operation, path) for path in (foreign, absent)]

    for path, response in zip((foreign, absent), answers, strict=True):
        assert refusal(response) == problem(code, detail, path)
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert (everything(bob), everything(alice)) == before


@each([op for op in ON_ONE if op.method == "GET"])
def test_head_tells_no_more_than_get(alice, client, bob, operation):
    foreign = path_of(operation, bob, user_id=bob.id)
    absent = operation.path.format_map(named_by(operation, bob))

    assert client.head(foreign).status_code == 401
    assert alice("HEAD", foreign).status_code == 403
    assert alice("HEAD", absent).status_code == 404


@pytest.mark.parametrize(("name", "field"), IDS_ELSEWHERE)
def test_an_id_in_query_or_body_is_answered_alike_whether_somebody_else_has_it_or_not(
    alice, bob, name, field
):
    [operation] = [op for op in OF_A_USER if op.name == name]
    path = path_of(operation, alice, user_id="me")
    sent = IDS_ELSEWHERE[name, field]
    own = everything(alice)
    nobodys = alice(operation.method, path, **sent)
    while bob.create()["id"] < TASK:
        pass
    assert bob.create_list()["id"] == LIST
    before = everything(bob)

    bobs = alice(operation.method, path, **sent)

    assert (bobs.status_code, bobs.json()) == (nobodys.status_code, nobodys.json())
    assert everything(bob) == before
    assert everything(alice) == own


def test_every_id_outside_of_a_path_is_in_the_matrix():
    names = {"id", "revision", "parent_id", "before", "after", *MAKERS}
    in_query = {(op.name, name) for op in OF_A_USER for name in op.parameters("query")}
    in_body = {
        (op.name, name)
        for op in OF_A_USER
        for content in op.bodies.values()
        for _, schema in schemas(content["schema"], "")
        for name in schema.get("properties", {})
    }

    assert {(op, name) for op, name in in_query | in_body if name in names} == set(IDS_ELSEWHERE)


@each([op for op in OF_A_USER if op.bodies])
def test_a_field_that_only_the_server_sets_is_refused_in_every_body(alice, bob, operation):
    path = path_of(operation, alice)
    schemas_of = [content["schema"] for content in operation.bodies.values()]
    taken = {name for schema in schemas_of for name in schema.get("properties", {})}
    before = everything(alice), everything(bob)

    for field in SERVERS_OWN - taken:
        response = call(alice, operation, path, **{field: bob.id})
        assert refusal(response)["code"] == "validation_failed"
        assert [error["pointer"] for error in response.json()["errors"]] == [f"/{field}"]
    assert (everything(alice), everything(bob)) == before


@each(SECURED)
def test_the_token_is_asked_for_before_the_request_is_judged(client, operation):
    values = {"user_id": "somebody", **dict.fromkeys(MAKERS, 3)}
    path = f"{operation.path.format_map(values)}?unknown=1"
    response = client.request(operation.method, path, content=b"not JSON")

    assert refusal(response)["code"] == "token_missing"


@each(OF_A_USER)
def test_a_foreign_path_is_refused_before_the_request_is_judged(alice, operation):
    values = {"user_id": "somebody", **dict.fromkeys(MAKERS, 3)}
    path = f"{operation.path.format_map(values)}?unknown=1"
    response = alice(operation.method, path, content=b"not JSON")

    assert refusal(response)["code"] == "user_path_mismatch"


def test_an_id_that_is_a_path_leads_nowhere_else(service, bob, bobs):
    # A path is decoded before it is routed, so this reads Bob's list, with a token of nobody else.
    mallory = service.caller(f"{bob.id}/tasks")

    assert refusal(mallory("GET", f"/api/{bob.id}%2Ftasks"))["code"] == "user_path_mismatch"
    assert refusal(mallory("GET", f"/api/{bob.id}%2Ftasks/tasks"))["code"] == "not_found"
    assert mallory("GET", "/api/me/tasks").json() == a_page([])


def test_ids_that_differ_in_case_or_form_only_are_different_users(service):
    ids = ["Zoë-case", "zoë-case", "zoe\u0308-case", "ZOË-CASE"]
    for subject in ids:
        service.caller(subject)("POST", "/api/me/tasks", json={"title": subject})

    listed = [service.caller(subject)("GET", "/api/me/tasks").json() for subject in ids]

    assert [[task["title"] for task in page["tasks"]] for page in listed] == [[i] for i in ids]
