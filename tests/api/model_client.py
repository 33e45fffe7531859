"""The requests of the model, sent over the wire."""

from collections.abc import Callable
from typing import Any

from tests.api.model import Answer, Request


class Wire:
    """The real server, and the tags that it gave to the revisions of the user."""

    def __init__(self, caller: Callable[..., Any]) -> None:
        """``caller`` sends ``(method, path, headers=, json=)`` as the user; see ``Caller``."""
        self.caller = caller
        self.tags: dict[int, str] = {}

    def send(self, request: Request) -> Answer:
        """Send a request, with the tag of its revision, and return what came back."""
        headers = {}
        if request.revision is not None:
            headers["If-Match"] = self.tags[request.revision]
        if request.key is not None:
            headers["Idempotency-Key"] = request.key
        path = request.path.replace("/1", f"/{request.task_id}")
        body = {} if request.body is None else {"json": request.body}
        response = self.caller(request.method, f"/api/me/{path}", headers=headers, **body)
        replayed = response.headers.get("idempotency-replayed") == "true"
        if response.status_code == 204:  # without a revision that its tag could be noted under
            return Answer(204, replayed=replayed)
        answer = response.json()
        if response.status_code >= 400:
            return Answer(response.status_code, (answer["code"], answer.get("current")))
        if "etag" in response.headers:
            self.note(answer["revision"], response.headers["etag"])
        return Answer(response.status_code, answer, replayed)

    def note(self, revision: int, tag: str) -> None:
        """Remember the tag of a revision, which stays the same for ever."""
        assert self.tags.setdefault(revision, tag) == tag

    def look(self) -> tuple[Any, Any, int]:
        """Both lists, the last change first, and the revision; reads the tags that are new."""
        live = self.caller("GET", "/api/me/tasks?sort=updated").json()
        trash = self.caller("GET", "/api/me/trash").json()
        for task in live["tasks"]:
            if task["revision"] not in self.tags:
                tag = self.caller("GET", f"/api/me/tasks/{task['id']}").headers["etag"]
                self.note(task["revision"], tag)
        deleted = [
            {name: task[name] for name in task if name not in ("deleted_at", "purge_at")}
            for task in trash["tasks"]
        ]
        assert live["total"] == len(live["tasks"])
        assert trash["total"] == len(deleted)
        return live["tasks"], deleted, live["revision"]
