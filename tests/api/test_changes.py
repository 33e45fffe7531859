"""``GET /api/{user_id}/changes``: what has changed behind a sync token."""

import pytest

from tests.api.clock import frozen
from tests.api.expect import a_task, in_query, invalid, problem, refusal, token_at
from todo.sync.sync_tokens import BEGINNING, Place

pytestmark = pytest.mark.pooled

NOON = "2026-12-31T12:00:00.000Z"


@pytest.fixture
def changes(alice):
    """The path of what has changed for Alice."""
    return f"/api/{alice.id}/changes"


def token(caller):
    """Where the caller is now."""
    return caller("GET", "?limit=1").json()["sync_token"]


def since(caller, place, **query):
    return caller("GET", f"/api/{caller.id}/changes", params={"since": place, **query})


def put(task):
    kind = {"kind": "task", "id": task["id"], "op": "put", "revision": task["revision"]}
    return {**kind, "at": task["updated_at"], "data": task}


def gone(task_id, revision, at=NOON):
    kind = {"kind": "task", "id": task_id, "op": "delete", "revision": revision}
    return {**kind, "at": at, "data": None}


def a_page(*changes, revision, end=None, has_more=False):
    return {
        "changes": list(changes),
        "revision": revision,
        "sync_token": token_at(revision if end is None else end),
        "has_more": has_more,
    }


def test_a_user_who_never_wrote_is_at_the_beginning(alice):
    assert token(alice) == BEGINNING.token
    assert since(alice, BEGINNING.token).json() == a_page(revision=0)


def test_what_changed_behind_a_token_comes_as_it_is_now_in_the_order_of_the_changes(alice):
    milk = alice.create("Buy milk")
    place = token(alice)
    bread, tea = alice.create("Buy bread"), alice.create("Buy tea")
    bread = alice("PATCH", f"{bread['id']}/complete").json()
    milk = alice("PATCH", str(milk["id"]), json={"title": "Buy oat milk"}).json()

    response = since(alice, place)

    assert response.status_code == 200
    assert response.json() == a_page(put(tea), put(bread), put(milk), revision=5)
    assert since(alice, response.json()["sync_token"]).json() == a_page(revision=5)


def test_a_deletion_is_told_and_a_task_that_came_back_is_there_again(service):
    with frozen(service, NOON) as alice:
        place = token(alice)
        for _ in range(3):
            alice.create()
        for task_id in (1, 2, 3):
            alice("DELETE", str(task_id))
        restored = alice("POST", f"/api/{alice.id}/trash/2/restore").json()
        alice("DELETE", f"/api/{alice.id}/trash/3")

        assert since(alice, place).json() == a_page(
            gone(1, 4), gone(3, 6), put(restored), revision=7
        )


def test_pages_read_so_many_entries_and_lead_to_each_other(alice):
    place = token(alice)
    milk = alice.create("Buy milk")
    for title in ("1", "2", "3"):
        milk = alice("PATCH", "1", json={"title": title}).json()

    first = since(alice, place, limit=3).json()
    second = since(alice, first["sync_token"], limit=3).json()

    assert first == a_page(revision=4, end=3, has_more=True)
    assert second == a_page(put(milk), revision=4)


def test_a_change_of_many_is_told_one_by_one(alice):
    tasks = [alice.create() for _ in range(3)]
    place = token(alice)
    alice("POST", "complete-all", json={"completed": True})

    told = since(alice, place).json()

    listed = alice("GET", "?order=asc").json()["tasks"]
    assert [task["completed"] for task in listed] == [True] * len(tasks)
    assert told == a_page(*map(put, listed), revision=6)


def expired(alice, changes):
    detail = "The log of changes has no such place any more; load the lists again."
    return problem("changes_expired", detail, changes)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(Place(3, "0123456789abcdef"), id="the future"),
        pytest.param(Place(2, "0123456789abcdef"), id="another database, at its end"),
        pytest.param(Place(1, "0123456789abcdef"), id="another database, before its end"),
        pytest.param(Place(0, "0123456789abcdef"), id="another beginning"),
        pytest.param(Place(1, ""), id="without the random part"),
    ],
)
def test_a_place_that_the_log_does_not_have_is_expired(alice, changes, place):
    alice.create(), alice.create()

    response = since(alice, place.token)

    assert response.status_code == 410
    assert refusal(response) == expired(alice, changes)


def test_the_token_of_another_user_is_expired_at_the_same_revision(alice, bob, changes):
    alice.create(), bob.create()

    assert refusal(since(alice, token(bob))) == expired(alice, changes)


@pytest.mark.parametrize("text", ["x", "MC4=", "MDEuYQ", "0.", "LTEuYQ", "é", "MS5BQkM"])
def test_text_that_is_no_token_is_422(alice, changes, text):
    response = since(alice, text)

    assert refusal(response) == invalid(changes, in_query("since", "format", "is not a sync token"))


def test_since_is_required(alice, changes):
    response = alice("GET", changes)

    assert refusal(response) == invalid(changes, in_query("since", "required", "is required"))


def test_every_token_of_the_way_gives_all_that_came_behind_it(alice):
    places = [token(alice)]
    for number in range(4):
        alice.create(str(number))
        places.append(token(alice))

    for number, place in enumerate(places):
        told = since(alice, place).json()["changes"]
        assert [change["id"] for change in told] == list(range(number + 1, 5))


def test_a_list_and_its_token_are_of_one_moment(alice):
    page = alice("GET", "").json()
    created = alice.create()

    told = since(alice, page["sync_token"]).json()

    assert told["changes"] == [put(a_task(alice.id, 1, "Buy milk"))]
    assert told["changes"][0]["data"] == created
