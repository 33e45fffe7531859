"""One counter for each user: every change takes the next number, and nothing else takes one."""

import pytest

pytestmark = pytest.mark.pooled


def revision(caller):
    """The user's revision, as the list tells it."""
    return caller("GET", "").json()["revision"]


def test_every_change_takes_exactly_the_next_revision(alice):
    taken = [
        alice.create()["revision"],
        alice.create()["revision"],
        alice("PUT", "1", json={"title": "A"}).json()["revision"],
        alice("PATCH", "1", json={"title": "B"}).json()["revision"],
        alice("PATCH", "1?title=C").json()["revision"],
        alice("PATCH", "2/complete").json()["revision"],
        alice("PATCH", "2/complete", json={"completed": False}).json()["revision"],
    ]
    alice("DELETE", "2")

    assert taken == [1, 2, 3, 4, 5, 6, 7]
    assert revision(alice) == 8
    assert alice.create()["revision"] == 9


def test_the_list_tells_the_revision_of_the_latest_change(alice):
    seen = [revision(alice)]
    alice.create()
    seen.append(revision(alice))
    alice("PATCH", "1/complete")
    seen.append(revision(alice))
    alice("DELETE", "1")
    seen.append(revision(alice))

    assert seen == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "1", {"title": "Buy milk"}),
        ("PUT", "1", {}),
        ("PATCH", "1", {"completed": False}),
        ("PATCH", "1", None),
        ("PATCH", "1/complete", {"completed": False}),
        ("GET", "1", None),
    ],
)
def test_a_request_that_changes_nothing_takes_no_revision(alice, method, path, body):
    task = alice.create()
    response = alice(method, path, **({} if body is None else {"json": body}))

    assert response.json() == task
    assert revision(alice) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "9", {"title": "A"}, 404),
        ("PATCH", "9", {"title": "A"}, 404),
        ("PATCH", "9/complete", None, 404),
        ("DELETE", "9", None, 404),
        ("PUT", "abc", {"title": "A"}, 404),
        ("POST", "", {"title": ""}, 422),
        ("PUT", "1", {"title": ""}, 422),
        ("POST", "", None, 400),
        ("POST", "1", {"title": "A"}, 405),
    ],
)
def test_a_request_that_is_refused_takes_no_revision(alice, method, path, body, status):
    alice.create()
    response = alice(method, path, **({} if body is None else {"json": body}))

    assert response.status_code == status
    assert revision(alice) == 1


def test_refused_writes_of_a_new_user_leave_the_user_at_revision_0(alice):
    alice("DELETE", "1")
    alice("PUT", "1", json={"title": "A"})

    assert revision(alice) == 0
    assert alice.create()["id"] == 1


def test_each_user_has_a_counter_of_their_own(alice, bob):
    alice.create()
    alice.create()

    assert bob.create()["revision"] == 1
    assert (revision(alice), revision(bob)) == (2, 1)
