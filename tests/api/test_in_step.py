"""Clients that keep in step: two writers, a delta client and a stream client, cut off at random.

However often a client is cut off, whatever it had applied by then, it ends with the state of the
server. The log, applied to nothing, gives that state, too.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.api.listening import Stream, listening
from tests.conftest import Caller, Service
from tests.depth import examples
from tests.integration.concurrently import together
from todo.sync.sync_tokens import Place

pytestmark = pytest.mark.pooled

STEPS = 15
TAGS = ["a", "b"]
Tasks = dict[int, Any]


def apply(tasks: Tasks, change: Any) -> None:
    """What a client does with one change."""
    if change["op"] == "delete":
        tasks.pop(change["id"], None)
    else:
        tasks[change["id"]] = change["data"]


def whole_list(caller: Caller) -> tuple[Tasks, str]:
    """All live tasks, page by page, and the token of the first page."""
    page = caller("GET", "?limit=2&order=asc").json()
    found, token = list(page["tasks"]), page["sync_token"]
    while cursor := page["next_cursor"]:
        page = caller("GET", f"?limit=2&order=asc&cursor={cursor}").json()
        found += page["tasks"]
    return {task["id"]: task for task in found}, token


class DeltaClient:
    """Asks for what has changed, now and then, a few entries at a time."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.tasks, self.token = whole_list(caller)

    def read(self, limit: int, pages: int) -> bool:
        """Read so many pages; whether there are more."""
        for _ in range(pages):
            query = {"since": self.token, "limit": limit}
            page = self.caller("GET", "/api/me/changes", params=query).json()
            for change in page["changes"]:
                apply(self.tasks, change)
            self.token = page["sync_token"]
            if not page["has_more"]:
                return False
        return True


class StreamClient:
    """Listens until it is cut off, and comes back with the id of the last event that it applied."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.tasks, self.token = whole_list(caller)
        self.revisions: list[int] = []
        self._stack = ExitStack()
        self._stream: Stream | None = None
        self._applied = 0

    def listen(self) -> None:
        self._stream = self._stack.enter_context(listening(self.caller, "", self.token))
        self._applied = 0

    def take(self, most: int) -> None:
        """Apply up to so many of the events that have come."""
        assert self._stream is not None
        for event in self._stream.events[self._applied :][:most]:
            assert event.name in ("", "change")
            if event.name:
                apply(self.tasks, event.data)
                self.revisions.append(event.data["revision"])
            self.token = event.id
            self._applied += 1

    def cut(self) -> None:
        """Lose the line, and what was not applied yet."""
        self._stack.close()
        self._stream = None

    def catch_up(self, revision: int) -> None:
        """Listen until the event of the server's last revision has come."""
        assert self._stream is not None
        self._stream.wait_until(lambda stream: reaches(stream.place, revision))
        self.take(len(self._stream.events))


def reaches(place: str, revision: int) -> bool:
    return bool(place) and Place.of(place).revision >= revision


class InStep(RuleBasedStateMachine):
    """Rules draw what the writers and the clients do."""

    service: Service

    def __init__(self) -> None:
        super().__init__()
        self.writer = self.service.caller()
        self.delta, self.stream = DeltaClient(self.writer), StreamClient(self.writer)
        self.stream.listen()
        self.last: list[int] = []

    def changes(self, data: st.DataObject) -> Iterator[tuple[str, str, Any]]:
        """One change that a writer makes."""
        task_id = data.draw(st.integers(1, 8))
        tag = data.draw(st.sampled_from(TAGS))
        owner = self.writer.id
        yield data.draw(
            st.sampled_from(
                [
                    ("POST", "", {"title": "New", "tags": [tag]}),
                    ("POST", "", {"title": "Done", "completed": True}),
                    ("PATCH", str(task_id), {"title": f"{task_id} {tag}"}),
                    ("PATCH", f"{task_id}/complete", None),
                    ("DELETE", str(task_id), None),
                    ("POST", f"/api/{owner}/trash/{task_id}/restore", None),
                    ("DELETE", f"/api/{owner}/trash/{task_id}", None),
                    ("POST", "clear-completed", None),
                    ("POST", "complete-all", {"completed": tag == "a"}),
                    ("PATCH", f"/api/{owner}/tags?name={tag}", {"name": f"{tag}{tag}"}),
                    ("POST", f"/api/{owner}/undo", {"revision": task_id}),
                    (
                        "POST",
                        "bulk",
                        {
                            "operations": [
                                {"op": "create", "data": {"title": "Bulk"}},
                                {"op": "create", "data": {"title": "Bulk", "tags": [tag]}},
                            ]
                        },
                    ),
                ]
            )
        )

    def send(self, change: tuple[str, str, Any]) -> Any:
        method, path, body = change
        response = self.writer(method, path, **({} if body is None else {"json": body}))
        assert response.status_code < 500, response.text
        return response

    @rule(data=st.data())
    def one_writes(self, data: st.DataObject) -> None:
        for change in self.changes(data):
            self.send(change)

    @rule(data=st.data())
    def both_write_at_once(self, data: st.DataObject) -> None:
        changes = [*self.changes(data), *self.changes(data)]
        together([lambda change=change: self.send(change) for change in changes])

    @rule(limit=st.integers(1, 4), pages=st.integers(1, 3))
    def the_delta_client_reads_some(self, limit: int, pages: int) -> None:
        self.delta.read(limit, pages)

    @rule(most=st.integers(0, 3))
    def the_stream_client_is_cut_off(self, most: int) -> None:
        self.stream.take(most)
        self.stream.cut()
        self.stream.listen()

    def teardown(self) -> None:
        """In the end all have the state of the server."""
        server, _ = whole_list(self.writer)
        revision = self.writer("GET", "?limit=1").json()["revision"]
        while self.delta.read(limit=3, pages=1):
            pass
        try:
            self.stream.catch_up(revision)
        finally:
            self.stream.cut()
        assert self.delta.tasks == server
        assert self.stream.tasks == server
        assert self.stream.revisions == sorted(set(self.stream.revisions))
        assert replayed(self.writer) == server


def replayed(caller: Caller) -> Tasks:
    """The live tasks that the log makes of nothing."""
    log = caller("GET", "/api/me/history?limit=1000").json()["changes"]
    assert [entry["revision"] for entry in reversed(log)] == list(range(1, len(log) + 1))
    tasks: Tasks = {}
    for entry in reversed(log):
        if entry["after"] is None:  # deleted for good since
            tasks.pop(entry["id"], None)
            continue
        same = {"revision": entry["revision"], "updated_at": entry["at"]}
        tasks[entry["id"]] = {**tasks.get(entry["id"], {}), **entry["after"], **same}
    live = {key: task for key, task in tasks.items() if task.get("deleted_at") is None}
    return {
        key: {name: value for name, value in task.items() if name != "deleted_at"}
        for key, task in live.items()
    }


def test_clients_that_are_cut_off_at_random_end_with_the_state_of_the_server(service: Service):
    machine = type("InStepOf", (InStep,), {"service": service})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples(8, in_ci=25),
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
