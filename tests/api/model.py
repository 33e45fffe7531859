"""What the API knows of one user, in a few lines of Python without a database."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.api.expect import MOMENT, a_task

Task = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What a client sends; ``revision`` is that of the tag in its ``If-Match``."""

    method: str
    path: str
    body: Any = None
    task_id: int | None = None
    revision: int | None = None
    key: str | None = None

    def same_as(self, other: "Request") -> bool:
        """Whether the two are one request, as far as keys go."""
        ours, theirs = vars(self).items(), vars(other).items()
        return [item for item in ours if item[0] != "key"] == [
            item for item in theirs if item[0] != "key"
        ]


@dataclass(frozen=True)
class Answer:
    """What a client hears: status, body (of a problem: its code and the current task)."""

    status: int
    body: Any = None
    replayed: bool = False


class Refused(Exception):
    """A change that is not made."""

    def __init__(self, status: int, code: str, current: Task | None = None) -> None:
        self.answer = Answer(status, (code, current))


def missing() -> Refused:
    return Refused(404, "task_not_found")


@dataclass
class Model:
    """All that the server knows of the user."""

    owner: str
    revision: int = 0
    live: dict[int, Task] = field(default_factory=dict)
    trash: dict[int, Task] = field(default_factory=dict)
    kept: dict[str, tuple[Request, Answer]] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        """Do what the request asks for, once."""
        if request.key in self.kept:
            first, answer = self.kept[request.key]
            if not first.same_as(request):
                return Answer(422, ("idempotency_key_reused", None))
            return Answer(answer.status, answer.body, replayed=answer.status < 400)
        before = deepcopy((self.revision, self.live, self.trash))
        try:
            answer = deepcopy(self._do(request))
        except Refused as refused:
            self.revision, self.live, self.trash = before
            return refused.answer
        if request.key is not None:
            self.kept[request.key] = (request, answer)
        return answer

    def _do(self, request: Request) -> Answer:
        name, _, tag = request.path.partition("?name=")
        return self.DO[request.method, name](self, request, tag)

    def created(self, request: Request, _: str) -> Answer:
        return Answer(201, self.create(request.body))

    def changed(self, request: Request, _: str) -> Answer:
        return Answer(200, self.change(self.checked(self.live, request), request.body))

    def completed(self, request: Request, _: str) -> Answer:
        task = self.checked(self.live, request)
        state = request.body["completed"] if request.body else not task["completed"]
        return Answer(200, self.change(task, {"completed": state}))

    def deleted(self, request: Request, _: str) -> Answer:
        self.delete(self.checked(self.live, request))
        return Answer(204)

    def restored(self, request: Request, _: str) -> Answer:
        task = self.checked(self.trash, request)
        self.live[task["id"]] = self.trash.pop(task["id"])
        return Answer(200, self.step(task))

    def purged(self, request: Request, _: str) -> Answer:
        task = self.checked(self.trash, request)
        self.forget([self.trash.pop(task["id"])])
        return Answer(204)

    def emptied(self, _: Request, __: str) -> Answer:
        gone, self.trash = self.trash, {}
        self.forget(gone.values())
        return Answer(200, {"changed": len(gone), "revision": self.revision})

    def forget(self, tasks: Iterable[Task]) -> None:
        """Take what is gone for good out of the answers that are kept."""
        ids = {task["id"] for task in tasks}
        for key, (request, answer) in self.kept.items():
            body = answer.body or {}
            if isinstance(body, dict) and body.get("id") in ids:
                self.kept[key] = (request, missing().answer)
            for result in body.get("results", []) if isinstance(body, dict) else []:
                if result["task"] and result["task"]["id"] in ids:
                    result["task"] = None

    def cleared(self, _: Request, __: str) -> Answer:
        return self.each(self.delete, [task for task in self.live.values() if task["completed"]])

    def all_completed(self, request: Request, _: str) -> Answer:
        state = request.body["completed"]
        others = [task for task in self.live.values() if task["completed"] != state]
        return self.each(lambda task: self.change(task, request.body), others)

    def step(self, task: Task) -> Task:
        self.revision += 1
        task |= {"revision": self.revision, "updated_at": MOMENT}
        return task

    def create(self, data: dict[str, Any]) -> Task:
        self.revision += 1
        done = {"completed_at": MOMENT} if data.get("completed") else {}
        task = a_task(self.owner, self.revision, **{**data, **done})
        self.live[self.revision] = task
        return task

    def change(self, task: Task, data: dict[str, Any]) -> Task:
        if any(task[name] != value for name, value in data.items()):
            task |= data
            task["completed_at"] = MOMENT if task["completed"] else None
            self.step(task)
        return task

    def delete(self, task: Task) -> None:
        self.trash[task["id"]] = self.live.pop(task["id"])
        self.step(task)

    def checked(self, place: dict[int, Task], request: Request) -> Task:
        task = place.get(request.task_id or 0)
        if task is None:
            raise missing()
        if request.revision not in (None, task["revision"]):
            raise Refused(412, "precondition_failed", task)
        return task

    def each(self, change: Callable[[Task], Any], tasks: list[Task]) -> Answer:
        for task in sorted(tasks, key=lambda task: task["id"]):
            change(task)
        return Answer(200, {"changed": len(tasks), "revision": self.revision})

    def renamed(self, request: Request, old: str) -> Answer:
        tagged = [task for task in self.live.values() if old in task["tags"]]
        if not tagged:
            raise Refused(404, "tag_not_found")
        new, before = request.body["name"], self.revision
        others = {tag for task in tagged for tag in task["tags"]} - {new}

        def rename(task: Task) -> None:
            tags = [new if tag == old else tag for tag in task["tags"] if tag in (old, *others)]
            self.change(task, {"tags": tags})

        self.each(rename, tagged)
        return Answer(200, {"changed": self.revision - before, "revision": self.revision})

    def changed_in_bulk(self, request: Request, _: str) -> Answer:
        operations = request.body["operations"]
        for operation in operations:
            if operation["op"] != "create":
                revision = operation.get("if_revision")
                self.checked(self.live, Request("", "", None, operation["id"], revision))
        results = [self.one_of_bulk(operation) for operation in operations]
        return Answer(200, {"results": results, "revision": self.revision})

    def one_of_bulk(self, operation: dict[str, Any]) -> dict[str, Any]:
        if operation["op"] == "create":
            return {"status": 201, "task": self.create(operation["data"])}
        task = self.live[operation["id"]]
        if operation["op"] == "delete":
            self.delete(task)
            return {"status": 204, "task": None}
        data = operation.get("data", {"completed": operation.get("completed")})
        return {"status": 200, "task": self.change(task, data)}

    def shown(self) -> tuple[Any, Any, int]:
        """What both clients can see: the lists, the last change first, and the revision."""
        live, trash = [
            sorted(place.values(), key=lambda task: -task["revision"])
            for place in (self.live, self.trash)
        ]
        return live, trash, self.revision

    DO: ClassVar[dict[tuple[str, str], Callable[["Model", Request, str], Answer]]] = {
        ("POST", "tasks"): created,
        ("PUT", "tasks/1"): changed,
        ("PATCH", "tasks/1"): changed,
        ("PATCH", "tasks/1/complete"): completed,
        ("DELETE", "tasks/1"): deleted,
        ("POST", "trash/1/restore"): restored,
        ("DELETE", "trash/1"): purged,
        ("DELETE", "trash"): emptied,
        ("POST", "tasks/clear-completed"): cleared,
        ("POST", "tasks/complete-all"): all_completed,
        ("PATCH", "tags"): renamed,
        ("POST", "tasks/bulk"): changed_in_bulk,
    }
