"""Writers that repeat a request, with its key, until they have an answer."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from tests.api.model import Answer, Model, Request
from tests.api.model_client import Wire
from tests.conftest import SECRET
from todo.auth.tokens import mint

PATIENCE_SECONDS = 120
ANSWER_SECONDS = 30
PAUSE_SECONDS = (0.02, 0.2)
"""Shorter than ``Retry-After`` asks for: here more repeats are better."""
MANY_TASKS = 25
TAGS = ["a", "b", "c"]
TITLES = ["Buy milk", "Buy bread"]
REPEATED = 3
"""Of what a user is sent by several writers, every third request is repeated at the end."""

Task = dict[str, Any]
Sent = tuple[str, str, Any, str]
"""Method, path, body, key."""
Heard = tuple[int, Any, dict[str, str | None]]
"""Status, body, and the headers that belong to it."""


class Violation(Exception):
    """Something that must never be seen."""


@dataclass
class Tally:
    """What all writers saw; whatever was not ``acknowledged`` was sent again."""

    seen: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, *, acknowledged: bool = False) -> None:
        """Count something; whoever kills waits for the number of what was ``acknowledged``."""
        with self.lock:
            self.seen[what] += 1
            self.acknowledged += acknowledged


class Insisting:
    """A user's calls, each repeated until there is an answer that is not to be repeated."""

    def __init__(self, origin: str, user: str, tally: Tally) -> None:
        """Call the API at ``origin`` as ``user``."""
        self.user = user
        self.tally = tally
        self.takes_not_found = False
        """Whether a 404 is an answer: a repeat's whose task was deleted for good meanwhile."""
        self.origin = origin
        self.token = mint(SECRET, user, hours=2)
        self._client = httpx2.Client(
            base_url=origin,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )

    def __call__(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Return the final answer. Raises :class:`Violation` for any that must not be."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                response = self._client.request(method, path, **arguments)
            except httpx2.TransportError as error:
                self.tally.note(f"no answer: {type(error).__name__}")
            else:
                if not self._may_repeat(response):
                    return response
            time.sleep(random.uniform(*PAUSE_SECONDS))
        raise Violation(f"{method} {path}: no answer in {PATIENCE_SECONDS} s")

    def _may_repeat(self, response: httpx2.Response) -> bool:
        status = response.status_code
        if self.takes_not_found and problem_code(response) == GONE:
            self.tally.note(f"{status} {GONE}", acknowledged=True)
            return False
        if response.is_success:
            replayed = "idempotency-replayed" in response.headers
            self.tally.note(f"{status}{', replayed' if replayed else ''}", acknowledged=True)
        else:
            self.tally.note(f"{status} {problem_code(response)}")
        return may_repeat(response)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


GONE = "task_not_found"
COME_BACK = ("idempotency_key_in_progress", "too_many_requests")


def may_repeat(response: httpx2.Response) -> bool:
    """Whether to send the request again. Raises :class:`Violation` for what nobody may see."""
    if response.is_success:
        return False
    waits = response.status_code == 503 or problem_code(response) in COME_BACK
    if waits and "retry-after" in response.headers:
        return True
    raise Violation(f"{response.request.method} {response.request.url}: {response.text}")


def problem_code(response: httpx2.Response) -> str:
    """Return the code of a problem document; a violation is shown with its text."""
    if response.headers.get("content-type") != "application/problem+json":
        return "(no problem document)"
    return response.json()["code"]


class Alone:
    """The one writer of its user: every answer, and all that is there, is what the model says."""

    def __init__(self, origin: str, tally: Tally, seed: str) -> None:
        """Be a new user; the ``seed`` decides what it does."""
        self.calls = Insisting(origin, f"alone-{seed}", tally)
        self.done: list[tuple[Request, Answer]] = []
        self._wire = Wire(self.calls)
        self._model = Model(self.calls.user)
        self._chance = random.Random(seed)

    def step(self) -> None:
        """Make one change."""
        request = self._draw()
        expected = self._model.answer(request)
        keyed = replace(request, key=str(uuid.uuid4()))
        answer = replace(self._wire.send(keyed), replayed=False)
        self.done.append((keyed, answer))
        if answer != expected:
            raise Violation(f"{self.calls.user}: {request} gave {answer}, not {expected}")

    def violations(self) -> list[str]:
        """Return what is not as it should be at the end; then repeat everything and look again."""
        found = self._differences("at the end")
        self.calls.takes_not_found = True
        there = self._model.live.keys() | self._model.trash.keys()
        for request, answer in self.done:
            if self._wire.send(request) != repeated(answer, there):
                found.append(f"{self.calls.user}: {request} was answered in another way again")
        return found + self._differences("after all was repeated")

    def _differences(self, when: str) -> list[str]:
        seen, expected = self._wire.look(), self._model.shown()
        return [] if seen == expected else [f"{self.calls.user} {when}: {seen}, not {expected}"]

    def _draw(self) -> Request:
        """A random request that succeeds."""
        while True:
            request = self._any_request()
            if deepcopy(self._model).answer(request).status < 400:
                return request

    def _any_request(self) -> Request:
        chance = self._chance
        task = chance.choice([1, *self._model.live, *self._model.trash])
        state = {"completed": chance.random() < 0.5}
        fields = {"title": chance.choice(TITLES), "tags": chance.sample(TAGS, 2)}
        revision = self._model.live.get(task, {}).get("revision")
        tag = revision if revision in self._wire.tags and chance.random() < 0.5 else None
        if len(self._model.live) + len(self._model.trash) > MANY_TASKS:
            return chance.choice(
                [Request("DELETE", "trash"), Request("POST", "tasks/clear-completed")]
                + [Request("DELETE", "tasks/1", None, task)] * 3
            )
        return chance.choice(
            [
                Request("POST", "tasks", fields),
                Request("POST", "tasks", {"title": "x", **state}),
                Request("PUT", "tasks/1", fields, task, tag),
                Request("PATCH", "tasks/1", state, task, tag),
                Request("PATCH", "tasks/1/complete", None, task),
                Request("PATCH", "tasks/1/complete", state, task, tag),
                Request("DELETE", "tasks/1", None, task, tag),
                Request("POST", "trash/1/restore", None, task),
                Request("DELETE", "trash/1", None, task),
                Request("POST", "tasks/complete-all", state),
                Request("PATCH", f"tags?name={chance.choice(TAGS)}", {"name": chance.choice(TAGS)}),
                Request("POST", "tasks/bulk", {"operations": self._operations(fields, state)}),
            ]
        )

    def _operations(self, fields: dict[str, Any], state: dict[str, bool]) -> list[dict[str, Any]]:
        chance, live = self._chance, list(self._model.live)
        operations = [
            chance.choice(
                [
                    {"op": "update", "id": task, "data": fields},
                    {"op": "complete", "id": task, **state},
                    {"op": "delete", "id": task},
                ]
            )
            for task in chance.sample(live, min(len(live), 3))
        ]
        return [{"op": "create", "data": fields}, *operations]


def repeated(answer: Answer, there: Collection[int]) -> Answer:
    """Return the answer to a repeat when the only tasks that are still `there` are these.

    A task that was deleted for good is not told again: a repeat whose answer was that task is 404,
    and in the answer of a bulk the task is null.
    """
    body = answer.body or {}
    if "id" in body and body["id"] not in there:
        return Answer(404, (GONE, None))
    if "results" in body:
        results = [
            result
            if result["task"] is None or result["task"]["id"] in there
            else {**result, "task": None}
            for result in body["results"]
        ]
        body = {**body, "results": results}
    return replace(answer, body=body or answer.body, replayed=True)


class Sharing:
    """One of several writers of a user: all toggle task 1, and each has tasks of its own."""

    def __init__(self, origin: str, tally: Tally, user: str, seed: str) -> None:
        """Be a writer of ``user``; the ``seed`` decides what it does."""
        self.calls = Insisting(origin, user, tally)
        self.done: list[tuple[str, Task]] = []
        self._sent: list[tuple[Sent, Heard]] = []
        self._live: dict[int, Task] = {}
        self._trash: dict[int, Task] = {}
        self._seed = seed
        self._chance = random.Random(seed)

    def step(self) -> None:
        """Make one change; of tasks that no other writer changes, but for task 1."""
        ways = [self._create, self._toggle, self._toggle]
        if self._live:
            ways += [self._describe, self._complete, self._delete, self._bulk]
        if self._trash:
            ways.append(self._restore)
        self._chance.choice(ways)()

    def violations(self) -> list[str]:
        """Repeat some of it, and return what was answered in another way than at first."""
        found = []
        for sent, heard in self._sent[::REPEATED]:
            response = self._ask(sent)
            if _heard(response) != heard or "idempotency-replayed" not in response.headers:
                found.append(f"{self.calls.user}: {sent} was answered in another way again")
        return found

    def _create(self) -> None:
        self._note("create", self._send("POST", "tasks", {"title": self._text()}))

    def _toggle(self) -> None:
        self._note("toggle", self._send("PATCH", "tasks/1/complete"))

    def _describe(self) -> None:
        path = f"tasks/{self._one(self._live)['id']}"
        self._note("change", self._send("PATCH", path, {"description": self._text()}))

    def _complete(self) -> None:
        task = self._one(self._live)
        state = {"completed": not task["completed"]}
        self._note("change", self._send("PATCH", f"tasks/{task['id']}/complete", state))

    def _delete(self) -> None:
        task = self._one(self._live)
        self._send("DELETE", f"tasks/{task['id']}")
        self._note("delete", task)

    def _restore(self) -> None:
        path = f"trash/{self._one(self._trash)['id']}/restore"
        self._note("change", self._send("POST", path))

    def _bulk(self) -> None:
        text, task = self._text(), self._one(self._live)
        operations = [
            {"op": "create", "data": {"title": text}},
            {"op": "update", "id": task["id"], "data": {"description": text}},
        ]
        created, updated = self._send("POST", "tasks/bulk", {"operations": operations})["results"]
        self._note("create", created["task"])
        self._note("change", updated["task"])

    def _text(self) -> str:
        """A text that was never sent before."""
        return f"{self._seed} {len(self._sent)}"

    def _one(self, place: dict[int, Task]) -> Task:
        return self._chance.choice(list(place.values()))

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        sent = (method, path, body, str(uuid.uuid4()))
        heard = _heard(self._ask(sent))
        self._sent.append((sent, heard))
        return heard[1]

    def _ask(self, sent: Sent) -> httpx2.Response:
        method, path, body, key = sent
        content = {} if body is None else {"json": body}
        return self.calls(method, f"/api/me/{path}", headers={"Idempotency-Key": key}, **content)

    def _note(self, kind: str, task: Task) -> None:
        self.done.append((kind, task))
        if kind != "toggle":
            self._live.pop(task["id"], None)
            self._trash.pop(task["id"], None)
            (self._trash if kind == "delete" else self._live)[task["id"]] = task


def _heard(response: httpx2.Response) -> Heard:
    headers = {name: response.headers.get(name) for name in ("etag", "location")}
    return response.status_code, response.json() if response.content else None, headers


Writer = Alone | Sharing


def keep_writing(writer: Writer, over: Callable[[], bool], report: Callable[[str], None]) -> None:
    """Let ``writer`` make one change after the other until it is ``over``."""
    try:
        while not over():
            writer.step()
    except Exception as error:  # whatever it is, the run has failed
        report(f"{type(error).__name__}: {error}")
