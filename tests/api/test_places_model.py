"""Lists, order, subtasks and series: whatever two clients do, everything is as a model says.

What two clients send at once has no order that the model knows; then only the rules are checked.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.api.places_model import LEARNED, Refused
from tests.api.series_model import Series
from tests.conftest import Caller, Service
from tests.depth import examples
from tests.integration.concurrently import insist, together
from tests.integration.places import assert_places_are_sound
from tests.integration.tables import rows

EXAMPLES = examples(4, in_ci=20)
STEPS = 30
"""Of each example, for each of the two databases."""
PHASES = (Phase.generate,)
"""A failure takes long to shrink: the steps of an example are few, and told."""

ALONE = [
    *["create"] * 5, *["move"] * 6, *["update"] * 3, *["complete"] * 5, "skip", "delete",
    "delete", "restore", "restore", "purge", "clear_completed", "complete_all", *["bulk"] * 4,
    "create_list", "delete_list",
]  # fmt: skip
IN_BULK = ["create", "move", "move", "update", "complete", "complete", "delete"]
IN_BULK_THAT_RESTORES = ["create", "complete", "restore", "restore"]
NOBODY = 999_999
NEW = {"op": "create", "data": {"title": "x"}}
REASONS = {"contradiction", "expired", "purged"}


KNOWN = (
    *["id", "completed", "list_id", "parent_id", *LEARNED],
    *["due_date", "recurrence", "occurrence", "occurrence_number"],
    *["series_id", "previous_id", "next_id"],
)
RULES = [
    *["FREQ=DAILY"] * 3, "FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=3;INTERVAL=2",
    "FREQ=WEEKLY;INTERVAL=2", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYMONTHDAY=-1",
]  # fmt: skip
MOST_DAYS_OFF = 20
WAYS = ("complete", "complete", "subtasks", "update", "bulk", "complete_all")

REQUESTS = {
    "create": ("POST", "tasks"),
    "update": ("PATCH", "tasks/{id}"),
    "complete": ("PATCH", "tasks/{id}/complete"),
    "move": ("POST", "tasks/{id}/move"),
    "skip": ("POST", "tasks/{id}/skip"),
    "delete": ("DELETE", "tasks/{id}"),
    "restore": ("POST", "trash/{id}/restore"),
    "purge": ("DELETE", "trash/{id}"),
    "clear_completed": ("POST", "tasks/clear-completed"),
    "complete_all": ("POST", "tasks/complete-all"),
    "bulk": ("POST", "tasks/bulk"),
    "create_list": ("POST", "lists"),
    "delete_list": ("DELETE", "lists/{id}?tasks={tasks}"),
}


def request_of(caller: Caller, operation: dict[str, Any]) -> Any:
    """Send an operation of the model as the request that makes it."""
    method, path = REQUESTS[operation["op"]]
    own = {name: operation[name] for name in operation if name not in ("op", "id", "tasks", "data")}
    body = {"name": "x"} if operation["op"] == "create_list" else operation.get("data", own)
    return caller(method, f"/api/{caller.id}/{path.format(**operation)}", json=body)


def code_of(response: Any) -> tuple[int, str]:
    body = response.json()
    code = body["code"]
    return response.status_code, body["errors"][0]["code"] if code == "validation_failed" else code


class TwoClients(RuleBasedStateMachine):
    """Rules draw what the clients do."""

    service: Service
    done: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.caller = self.service.caller()
        self.model = Series()
        self.before: list[tuple[int, Any]] = []
        self.revision = 0
        page = self.caller("GET", "").json()
        self.followed: dict[int, Any] = {}
        self.token = page["sync_token"]
        for number in (1, 2):
            self.do({"op": "create_list"})
            assert len(self.model.lists) == number
            repeats = {"recurrence": {"rule": RULES[0], "from": "due"}, "due_date": "2026-11-29"}
            self.do({"op": "create", "data": {"title": "x", "list_id": None, **repeats}})
            step = {"title": "x", "parent_id": max(self.model.live)}
            self.do({"op": "create", "data": step})
            self.do({"op": "create", "data": {**step, **(repeats if number == 1 else {})}})

    def look(self) -> tuple[dict[int, Any], dict[int, Any], set[int], int]:
        """All live tasks, those in the trash, the lists, and the revision."""
        page = self.caller("GET", "?limit=1000").json()
        trash = self.caller("GET", f"/api/{self.caller.id}/trash?limit=1000").json()["tasks"]
        lists = self.caller("GET", f"/api/{self.caller.id}/lists").json()["lists"]
        live, gone = ({task["id"]: task for task in tasks} for tasks in (page["tasks"], trash))
        return live, gone, {one["id"] for one in lists}, page["revision"]

    def do(self, operation: dict[str, Any]) -> None:
        """Let the server and the model make an operation; hold them against each other."""
        before = self.look()
        answer = insist(lambda: request_of(self.caller, operation))
        live, trash, lists, revision = self.look()
        self.done[operation["op"]] += 1
        moments = (task["updated_at"] for task in (live | trash).values())
        self.model.now = max(moments, default="")
        if (refused := self.refused(operation)) is not None:
            self.done["refused"] += 1
            assert code_of(answer) == refused, (operation, answer.text)
            assert self.look() == before
            return
        assert answer.is_success, (operation, answer.text)
        if operation["op"] == "create_list":
            self.model.lists = lists
        assert lists == self.model.lists
        self.model.adopt(live, trash)
        self.check_revisions(before, (live, trash, lists, revision))
        if revision > self.revision:
            self.before.append((revision, before))
        elif operation["op"] == "purge":  # what is gone for good, no undo brings back
            self.before = []
        self.revision = revision

    def refused(self, operation: dict[str, Any]) -> tuple[int, str] | None:
        """Let the model make an operation; return what it is refused with."""
        try:
            self.model.do(operation)
        except Refused as refused:
            return refused.answer
        return None

    def check_revisions(self, before: Any, after: Any) -> None:
        """Whatever the model says is unchanged is the very same; all else has a new revision."""
        old = before[0] | before[1]
        now = after[0] | after[1]
        for task_id, task in now.items():
            if task_id in self.model.changed:
                assert before[3] < task["revision"] <= after[3], task
            else:
                assert task == old[task_id]
        lists = len(before[2] ^ after[2])
        assert after[3] - before[3] == len(self.model.changed & now.keys()) + lists

    def draw_one(self, data: st.DataObject, among: list[Any]) -> Any:
        """One of several, by a place: what is drawn must not depend on which of two was first."""
        return among[data.draw(st.integers(0, 59)) % len(among)]

    def draw_task(self, data: st.DataObject, ids: list[int]) -> int:
        return self.draw_one(data, [*ids, *ids, NOBODY])

    def draw_place(self, data: st.DataObject) -> dict[str, Any]:
        place: dict[str, Any] = {}
        if data.draw(st.integers(0, 2)) == 0:
            place["list_id"] = self.draw_one(data, [None, *sorted(self.model.lists), NOBODY])
        if data.draw(st.integers(0, 1)) == 0:
            place["parent_id"] = self.draw_one(data, [None, *sorted(self.model.live)])
        return place

    def draw(self, data: st.DataObject, op: str) -> dict[str, Any]:  # noqa: PLR0911 - a table
        live, trash = sorted(self.model.live), sorted(self.model.trash)
        match op:
            case "create":
                done = {"completed": True} if data.draw(st.integers(0, 3)) == 0 else {}
                dates = self.draw_dates(data, data.draw(st.booleans()))
                return {"op": op, "data": {"title": "x", **done, **self.draw_place(data), **dates}}
            case "update":
                state = st.fixed_dictionaries({}, optional={"completed": st.booleans()})
                dates = self.draw_dates(data, data.draw(st.booleans()))
                changes = {**data.draw(state), **self.draw_place(data), **dates}
                return {"op": op, "id": self.draw_task(data, live), "data": changes}
            case "complete":
                completed = data.draw(st.booleans())
                with_them = {"subtasks": True} if completed and data.draw(st.booleans()) else {}
                task_id = self.draw_task(data, live)
                return {"op": op, "id": task_id, "completed": completed, **with_them}
            case "move":
                return {"op": op, "id": self.draw_task(data, live), **self.draw_move(data, live)}
            case "delete" | "skip":
                return {"op": op, "id": self.draw_task(data, live)}
            case "restore" | "purge":
                return {"op": op, "id": self.draw_task(data, trash)}
            case "complete_all":
                return {"op": op, "completed": data.draw(st.booleans())}
            case "delete_list":
                lists = sorted(self.model.lists)
                tasks = data.draw(st.sampled_from(["trash", "inbox"]))
                return {"op": op, "id": self.draw_task(data, lists), "tasks": tasks}
            case "bulk":
                return self.draw_bulk(data)
        return {"op": op}

    def draw_dates(self, data: st.DataObject, repeats: bool) -> dict[str, Any]:
        """When a task is due, and how it repeats."""
        dates: dict[str, Any] = {}
        if repeats:
            rule, origin = st.sampled_from(RULES), st.sampled_from(["due", "due", "completion"])
            drawn = {"rule": data.draw(rule), "from": data.draw(origin)}
            dates["recurrence"] = data.draw(st.sampled_from([drawn, drawn, drawn, None]))
        if data.draw(st.integers(0, 2)) == 0:
            days = timedelta(data.draw(st.integers(-MOST_DAYS_OFF, MOST_DAYS_OFF)))
            dates["due_date"] = (
                None if days == timedelta(7) else f"{datetime.now(UTC).date() + days}"
            )
        return dates

    def draw_move(self, data: st.DataObject, live: list[int]) -> dict[str, Any]:
        how = data.draw(st.sampled_from(["before", "before", "after", "after", "at", "place"]))
        if how == "at":
            end = {"at": data.draw(st.sampled_from(["start", "end"]))}
            return {**end, **self.draw_place(data)}
        if how == "place":
            return self.draw_place(data) or {"at": "end"}
        named = self.draw_place(data) if data.draw(st.integers(0, 3)) == 0 else {}
        return {how: self.draw_task(data, live), **named}

    def draw_bulk(self, data: st.DataObject) -> dict[str, Any]:
        ops = data.draw(st.sampled_from([IN_BULK, IN_BULK, IN_BULK, IN_BULK_THAT_RESTORES]))
        operations, seen = [], set()
        for _ in range(data.draw(st.integers(2, 6))):
            operation = self.draw(data, data.draw(st.sampled_from(ops)))
            if operation.get("id") not in seen and operation.get("id") != NOBODY:
                operations.append(operation)
            if "id" in operation:
                seen.add(operation["id"])
        return {"op": "bulk", "operations": operations or [NEW]}

    @initialize()
    def both_begin_at_once_and_one_takes_a_change_back(self) -> None:
        """Whatever the rest of the steps turns out to be, each happens once."""
        self.change_at_once([NEW, NEW])
        self.do(NEW)
        self.one_takes_the_last_change_back()

    @rule(data=st.data())
    def one_changes_something(self, data: st.DataObject) -> None:
        self.do(self.draw(data, data.draw(st.sampled_from(ALONE))))

    @rule(data=st.data())
    def one_moves_something(self, data: st.DataObject) -> None:
        self.do(self.draw(data, "move"))

    @rule(data=st.data(), back=st.booleans(), how=st.sampled_from(WAYS))
    def one_completes_or_reopens_what_repeats(
        self, data: st.DataObject, back: bool, how: str
    ) -> None:
        """By any operation that can do it; a bulk does something else, too."""
        live = self.model.live.values()
        ids = [task["id"] for task in live if task["completed"] == back and repeats(task)]
        if not ids:
            return
        task_id, state = self.draw_one(data, ids), {"completed": not back}
        complete = {"op": "complete", "id": task_id, **state}
        match how:
            case "update":
                self.do({"op": "update", "id": task_id, "data": state})
            case "bulk":
                move = self.draw(data, "move")
                beside = [move] if move["id"] not in (NOBODY, complete["id"]) else []
                self.do({"op": "bulk", "operations": [*beside, complete]})
            case "complete_all":
                self.do({"op": how, **state})
            case "subtasks" if not back:
                self.do({**complete, "subtasks": True})
            case _:
                self.do(complete)

    @rule(data=st.data(), completed=st.booleans())
    def one_adds_a_step(self, data: st.DataObject, completed: bool) -> None:
        above = self.draw_one(data, [None, *sorted(self.model.live)])
        step = {"title": "x", "parent_id": above, "completed": completed}
        self.do({"op": "create", "data": {**step, **self.draw_dates(data, not completed)}})

    @rule(data=st.data())
    def one_changes_much(self, data: st.DataObject) -> None:
        self.do(self.draw(data, "bulk"))

    @rule()
    def one_catches_up(self) -> None:
        """A client that follows the log has what a fresh load has."""
        page: dict[str, Any] = {"has_more": True}
        while page["has_more"]:
            query = {"since": self.token, "limit": 1000}
            page = self.caller("GET", f"/api/{self.caller.id}/changes", params=query).json()
            self.token = page["sync_token"]
            for change in page["changes"]:
                self.followed[change["id"]] = change
        tasks = [one for one in self.followed.values() if one["kind"] == "task"]
        live = {one["id"]: one["data"] for one in tasks if one["op"] != "delete"}
        assert live == self.look()[0]

    @rule()
    def one_takes_the_last_change_back(self) -> None:
        """All is then as it was before, but for new tasks, which are in the trash."""
        if not self.before or self.before[-1][0] != self.revision:
            return
        last, (live, trash, lists, _) = self.before[-1]
        if self.undo(last).status_code == 200:
            now = self.look()
            assert {one: stable(task) for one, task in now[0].items()} == {
                one: stable(task) for one, task in live.items()
            }
            assert lists == now[2]
            assert trash.keys() <= now[1].keys()
            self.done["taken back"] += 1

    @rule(data=st.data())
    def one_takes_any_change_back(self, data: st.DataObject) -> None:
        self.undo(self.draw_one(data, [*range(self.revision, 0, -1)]))

    def undo(self, revision: int) -> Any:
        before = self.look()
        path = f"/api/{self.caller.id}/undo"
        answer = self.caller("POST", path, json={"revision": revision})
        self.done["undo"] += 1
        if answer.status_code == 200:
            self.start_again()
            return answer
        assert answer.status_code in (409, 412), answer.text
        if answer.status_code == 409:
            assert {error["code"] for error in answer.json()["errors"]} <= REASONS
        assert self.look() == before
        self.done["not undone"] += 1
        return answer

    @rule(data=st.data())
    def both_change_something_at_once(self, data: st.DataObject) -> None:
        self.change_at_once([self.draw(data, data.draw(st.sampled_from(ALONE))) for _ in range(2)])

    def change_at_once(self, operations: list[dict[str, Any]]) -> None:
        calls = [partial(request_of, self.caller, operation) for operation in operations]
        answers = together([partial(insist, call) for call in calls])
        self.done["at once"] += 1
        for answer in answers:
            assert answer.is_success or answer.status_code in (404, 422), answer.text
        self.start_again()

    def start_again(self) -> None:
        """Take over what the server has: the model does not know what came first."""
        live, trash, lists, self.revision = self.look()
        units = {task["id"]: task["deleted_unit"] for task in self.trashed_units()}
        model = Series({one: known(task) for one, task in live.items()}, {}, lists)
        model.trash = {one: {**known(task), "unit": units[one]} for one, task in trash.items()}
        for task in sorted(live.values(), key=lambda task: task["position"]):
            model.order.setdefault((task["list_id"], task["parent_id"]), []).append(task["id"])
        self.model, self.before = model, []

    def trashed_units(self) -> Any:
        statement = "SELECT id, -deleted_unit AS deleted_unit FROM tasks WHERE user_id = :owner"
        url = self.service.settings.database_url
        return rows(url, f"{statement} AND deleted_at IS NOT NULL", owner=self.caller.id)

    @invariant()
    def everything_is_sound(self) -> None:
        assert_places_are_sound(self.service.settings.database_url, self.caller.id)


def known(task: dict[str, Any]) -> dict[str, Any]:
    """What the model knows of a task."""
    rule = task["recurrence"]
    return {**{name: task[name] for name in KNOWN}, "recurrence": rule and dict(rule)}


def repeats(task: dict[str, Any]) -> bool:
    """Whether to complete the task, or to reopen it, is of any meaning to others."""
    return bool(task["next_id"] if task["completed"] else task["recurrence"])


def stable(task: dict[str, Any]) -> dict[str, Any]:
    return {name: task[name] for name in task if name not in ("revision", "updated_at")}


@pytest.fixture
def machine(
    service: Service, record_property: Any, small_batches: None
) -> Iterator[type[TwoClients]]:
    class OnThisDatabase(TwoClients):
        pass

    OnThisDatabase.service = service
    OnThisDatabase.done = Counter()
    yield OnThisDatabase
    for what, number in OnThisDatabase.done.items():
        record_property(what, number)


def test_everything_is_where_the_model_says_whatever_two_clients_do(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.done["taken back"] >= EXAMPLES
    assert machine.done["at once"] >= EXAMPLES
