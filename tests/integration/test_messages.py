"""How many messages go to PostgreSQL for an operation, COMMIT included: each is a round trip."""

import pytest

from tests.conftest import Service
from tests.integration.application import sent_by

KEY = {"Idempotency-Key": "once"}
BODY = {"title": "Buy milk"}
BULK = {"operations": [{"op": "create", "data": BODY}, {"op": "delete", "id": 1}]}
MOVES = {"operations": [{"op": "move", "id": 1, "after": 2}, {"op": "move", "id": 8, "after": 1}]}
REPEATS = {"due_date": "2099-01-05", "recurrence": {"rule": "FREQ=DAILY"}}
ONCE = {**REPEATS, "recurrence": {"rule": "FREQ=DAILY;COUNT=1"}}
SUBTASKS = {"completed": True, "subtasks": True}
COMPLETES = {"operations": [{"op": "complete", "id": one, "completed": True} for one in (13, 14)]}
READS = {
    "get": (("GET", "1"), 1),
    "list": (("GET", ""), 1),
    "changes": (("GET", "/api/{owner}/changes?since=MC4"), 1),
    "history": (("GET", "/api/{owner}/history"), 1),
    "a list that counts": (("GET", "?priority=high&completed=true"), 1),
    "lists with their counts": (("GET", "/api/{owner}/lists"), 1),
    "one list": (("GET", "/api/{owner}/lists/5"), 1),
    "occurrences": (("GET", "13/occurrences"), 1),
}
WRITES = {
    # Lock with BEGIN, write with COMMIT.
    "create": (("POST", "", BODY), 2),
    "update": (("PATCH", "1", BODY), 2),
    "an update of nothing": (("PATCH", "1", {"title": "Read"}), 2),
    "complete": (("PATCH", "1/complete"), 2),
    "delete": (("DELETE", "1"), 2),
    # Lock, the entries, their tasks, write.
    "undo": (("POST", "/api/{owner}/undo", {"revision": 2}), 4),
    # Lock and read, what is below it, which kept responses show it, write.
    "delete for good": (("DELETE", "/api/{owner}/trash/3"), 4),
    "clear-completed": (("POST", "clear-completed"), 4),
    "bulk": (("POST", "bulk", BULK), 4),
    "create a list": (("POST", "/api/{owner}/lists", {"name": "x"}), 2),
    "update a list": (("PATCH", "/api/{owner}/lists/5", {"name": "x"}), 2),
    # Lock and read, the places of all lists, write.
    "move a list": (("POST", "/api/{owner}/lists/5/move", {"at": "end"}), 3),
    # Lock and read, its tasks, write.
    "delete an empty list": (("DELETE", "/api/{owner}/lists/6"), 3),
    # Lock and read, its tasks, change them, write the list, write its counters.
    "delete a list with tasks": (("DELETE", "/api/{owner}/lists/5"), 5),
    "its tasks to the inbox": (("DELETE", "/api/{owner}/lists/5?tasks=inbox"), 5),
    # Lock, the trees and lists that are named, write.
    "move": (("POST", "1/move", {"at": "start"}), 3),
    "move beside another": (("POST", "1/move", {"after": 2}), 3),
    "create below a task": (("POST", "", {"title": "x", "parent_id": 1}), 3),
    "update to another place": (("PATCH", "1", {"list_id": 5}), 3),
    # The same, and several tasks.
    "move with what is below": (("POST", "7/move", {"list_id": None}), 4),
    "delete with what is below": (("DELETE", "7"), 4),
    "restore with what is below": (("POST", "/api/{owner}/trash/9/restore"), 4),
    "complete with subtasks": (("PATCH", "7/complete", {"completed": True, "subtasks": True}), 4),
    "move in a bulk": (("POST", "bulk", MOVES), 4),
    # Lock and read, write.
    "update a task that repeats": (("PATCH", "13", BODY), 2),
    "set a rule": (("PATCH", "1", {"recurrence": {"rule": "FREQ=DAILY"}}), 2),
    "end a series": (("PATCH", "13", {"recurrence": None}), 2),
    "skip": (("POST", "13/skip"), 2),
    "create a task that repeats": (("POST", "", {"title": "x", **REPEATS}), 2),
    # The same, and its tree with what is around it in the order.
    "complete a task that repeats": (("PATCH", "13/complete"), 4),
    "complete the last one of a series": (("PATCH", "16/complete"), 3),
    "reopen a task that repeats": (("PATCH", "17/complete", {"completed": False}), 4),
    "complete what repeats, and subtasks": (("PATCH", "14/complete", SUBTASKS), 5),
    "complete what repeats in a bulk": (("POST", "bulk", COMPLETES), 5),
}
# Announce the key, lock, look the key up, read what is not read with the lock, write with
# COMMIT.
UNDER_A_KEY = {"create": 4, "update": 5, "complete": 5, "delete": 5, "bulk": 6}


@pytest.fixture
def service(service_of) -> Service:
    return service_of("postgresql")


@pytest.fixture
def alice(service):
    alice = service.caller()
    alice.create("Read")
    alice.create("Read", completed=True)
    alice.create("Read")
    alice("DELETE", "3")
    for name in ("With tasks", "Empty"):
        alice.create_list(name)
    alice.create("In the first list", list_id=5)
    alice.create("Below", parent_id=7)
    alice.create("In the trash with what is below")
    alice.create("Below", parent_id=9)
    alice("DELETE", "9")
    alice.create("Repeats", **REPEATS)
    alice.create("Repeats", **REPEATS)
    alice.create("Below", parent_id=14)
    alice.create("Repeats once", **ONCE)
    alice.create("Repeats", **REPEATS)
    alice("PATCH", "17/complete")
    return alice


def sent_for(service, caller, request, headers=None):
    method, path, *body = request
    path = path.format(owner=caller.id)
    with sent_by(service) as sent:
        response = caller(
            method, path, headers=headers or {}, **({"json": body[0]} if body else {})
        )
    assert response.is_success, response.text
    return len(sent)


@pytest.mark.parametrize("name", [*READS, *WRITES])
def test_operation_takes_so_many_messages(service, alice, name):
    request, messages = {**READS, **WRITES}[name]

    assert sent_for(service, alice, request) == messages


@pytest.mark.parametrize(("name", "messages"), UNDER_A_KEY.items())
def test_operation_under_a_key_takes_so_many_messages(service, alice, name, messages):
    request, _ = WRITES[name]

    assert sent_for(service, alice, request, KEY) == messages


def test_a_repeat_is_answered_in_four_messages(service, alice):
    request, _ = WRITES["create"]
    sent_for(service, alice, request, KEY)

    assert sent_for(service, alice, request, KEY) == 4
