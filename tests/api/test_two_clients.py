"""Two clients of one user, in any order and at once: what they see is what a model of them says.

Each client remembers what it saw last, so its preconditions go stale; any request may be sent again
at any later time. Requests that are sent at once must come out as if one had been after the other.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.api.model import Model, Request
from tests.api.model_client import Wire
from tests.conftest import Service
from tests.depth import examples
from tests.integration.concurrently import together

EXAMPLES = examples(12, in_ci=15)
STEPS = 30
"""Of each example, for each of the two databases."""

TITLES = ["Buy milk", "Buy bread"]
TAGS = ["a", "b", "c"]
fields = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(TITLES),
        "description": st.sampled_from([None, "", "x"]),
        "completed": st.booleans(),
        "tags": st.lists(st.sampled_from(TAGS), unique=True, max_size=2),
    },
)


class TwoClients(RuleBasedStateMachine):
    """Rules draw what a client does; the invariant looks at everything after each of them."""

    service: Service
    done: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        caller = self.service.caller()
        self.wire = Wire(caller)
        self.model = Model(caller.id)
        self.sent: list[Request] = []
        self.known: list[dict[int, int]] = [{}, {}]
        self.done["interleavings"] += 1

    def draw(self, data: st.DataObject, client: int) -> Request:
        """A request that ``client`` might send, with what it knows."""
        task_id = self.draw_task(data, [*self.model.live, *self.model.trash, 999])
        conditional = data.draw(st.booleans())
        revision = self.seen(client, task_id) if conditional else None
        if revision not in self.wire.tags:  # a deletion shows no tag
            revision = None
        one = {"task_id": task_id, "revision": revision}
        key = uuid.uuid4().hex if data.draw(st.booleans()) else None
        kind = data.draw(st.sampled_from(PROBLEM_TYPES))
        method, path = kind.split(" ")
        body: Any = None
        match kind:
            case "POST tasks":
                body = {"title": "x", **data.draw(fields)}
                body = {name: value for name, value in body.items() if value is not None}
            case "PUT tasks/1" | "PATCH tasks/1":
                body = data.draw(fields)
            case "PATCH tasks/1/complete":
                body = data.draw(st.sampled_from([None, {"completed": True}, {"completed": False}]))
            case "POST tasks/complete-all":
                body = {"completed": data.draw(st.booleans())}
            case "PATCH tags?name=":
                path += data.draw(st.sampled_from(TAGS))
                body = {"name": data.draw(st.sampled_from(TAGS))}
            case "POST tasks/bulk":
                body = {"operations": self.draw_operations(data, client)}
        with_task = one if "/1" in path else {}
        return Request(method, path, body, key=key, **with_task)

    def draw_operations(self, data: st.DataObject, client: int) -> list[dict[str, Any]]:
        operations: dict[int, dict[str, Any]] = {}
        for place in range(data.draw(st.integers(1, 4))):
            op = data.draw(st.sampled_from(["create", "update", "complete", "delete"]))
            task_id = self.draw_task(data, [*self.model.live, 999])
            change, conditional = data.draw(fields), data.draw(st.booleans())
            expected = {"if_revision": self.seen(client, task_id)} if conditional else {}
            operation: dict[str, Any] = {"op": op, "id": task_id, **expected}
            match op:
                case "create":
                    operations[-place] = {"op": op, "data": {"title": TITLES[place % 2]}}
                    continue
                case "update":
                    operation["data"] = change
                case "complete":
                    operation["completed"] = conditional
            operations[task_id] = operation
        return list(operations.values())

    def seen(self, client: int, task_id: int) -> int:
        """The revision at which ``client`` saw the task last: that of its creation, or later."""
        return self.known[client].get(task_id, task_id)

    def draw_task(self, data: st.DataObject, ids: list[int]) -> int:
        """One of ``ids``, by a place: what is drawn must not depend on which of two was first."""
        return ids[data.draw(st.integers(0, 11)) % len(ids)]

    @initialize()
    def both_begin_at_once(self) -> None:
        """Whatever the rest of the steps turns out to be, something is sent at once."""
        self.send_at_once([Request("POST", "tasks", {"title": title}) for title in TITLES])

    @rule(data=st.data(), client=st.integers(0, 1))
    def one_sends(self, data: st.DataObject, client: int) -> None:
        request = self.draw(data, client)
        self.sent.append(request)
        self.done["requests"] += 1
        assert self.wire.send(request) == self.model.answer(request)

    @rule(data=st.data())
    def both_send_at_once(self, data: st.DataObject) -> None:
        requests = [self.draw(data, client) for client in (0, 1)]
        if data.draw(st.booleans()):  # or one of them sends one request twice at once
            requests = [requests[0]] * 2
        self.send_at_once(requests)

    @rule(data=st.data())
    def one_sends_again(self, data: st.DataObject) -> None:
        """A repeat, late or early; without a key it is another request."""
        if not self.sent:
            return
        request = data.draw(st.sampled_from(self.sent))
        if data.draw(st.booleans()):
            self.done["requests"] += 1
            assert self.wire.send(request) == self.model.answer(request)
        else:
            self.send_at_once([request, self.draw(data, 0)])

    @rule(data=st.data())
    def a_key_is_used_for_something_else(self, data: st.DataObject) -> None:
        keys = [request.key for request in self.sent if request.key]
        if keys:
            other = self.draw(data, 1)
            request = Request(**{**vars(other), "key": data.draw(st.sampled_from(keys))})
            self.done["requests"] += 1
            assert self.wire.send(request) == self.model.answer(request)

    @rule(client=st.integers(0, 1))
    def one_looks(self, client: int) -> None:
        tasks = [*self.model.live.values(), *self.model.trash.values()]
        self.known[client] = {task["id"]: task["revision"] for task in tasks}

    def send_at_once(self, requests: list[Request]) -> None:
        self.sent += requests
        self.done["requests"] += 2
        self.done["pairs at once"] += 1
        answers = together([partial(self.wire.send, request) for request in requests])
        seen = self.wire.look()
        told = []
        for order in ((0, 1), (1, 0)):
            model = deepcopy(self.model)
            expected = {place: model.answer(requests[place]) for place in order}
            if [expected[0], expected[1]] == answers and model.shown() == seen:
                self.model = model
                return
            told.append((expected, model.shown()))
        raise AssertionError(f"{requests} gave {answers} and {seen}, but in no order: {told}")

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        assert self.wire.look() == self.model.shown()


PROBLEM_TYPES = [
    "POST tasks",
    "POST tasks",
    "PUT tasks/1",
    "PATCH tasks/1",
    "PATCH tasks/1/complete",
    "DELETE tasks/1",
    "POST trash/1/restore",
    "DELETE trash/1",
    "DELETE trash",
    "POST tasks/clear-completed",
    "POST tasks/complete-all",
    "PATCH tags?name=",
    "POST tasks/bulk",
    "POST tasks/bulk",
]


@pytest.fixture
def machine(service: Service, record_property: Any) -> Iterator[type[TwoClients]]:
    class OnThisDatabase(TwoClients):
        pass

    OnThisDatabase.service = service
    OnThisDatabase.done = Counter()
    yield OnThisDatabase
    for what, number in OnThisDatabase.done.items():
        record_property(what, number)


def test_two_clients_see_what_the_model_says_whatever_they_do_and_in_whatever_order(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.done["interleavings"] >= EXAMPLES
    assert machine.done["pairs at once"] >= machine.done["interleavings"]
