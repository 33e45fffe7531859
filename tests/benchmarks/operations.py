"""What is asked of both contenders: four operations, rendered to bytes before they are sent."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from tests.benchmarks.dataset import TASKS_PER_USER, user_name

PAGE = 20
TOKEN_LIFE = timedelta(hours=6)

TaskId = Callable[[int, int], int]  # (user, number) -> the id that a contender gave the task


@dataclass(frozen=True)
class Operation:
    """An operation of the API, and what its success looks like."""

    name: str
    method: str
    target: str  # after /api/{user_id}/tasks
    expected: int
    writes: str = ""  # the verb that the new title begins with; "" sends no body
    grows: bool = False  # adds rows, so it gets users of its own


GET_ONE = Operation("get one", "GET", "/{task_id}", 200)
LIST = Operation("list 20", "GET", f"?limit={PAGE}", 200)
CREATE = Operation("create", "POST", "", 201, writes="Buy", grows=True)
UPDATE = Operation("update", "PUT", "/{task_id}", 200, writes="Return")
OPERATIONS = (GET_ONE, LIST, CREATE, UPDATE)


@dataclass(frozen=True)
class Caller:
    """A user who calls, by place in the dataset, with the token that says so."""

    user: int
    token: str

    @property
    def path(self) -> str:
        """The collection that is this user's."""
        return f"/api/{user_name(self.user)}/tasks"


def callers(users: Sequence[int], secret: str) -> list[Caller]:
    """Sign one HS256 token per user, the way Better Auth's shared secret does."""
    now = datetime.now(UTC)
    return [Caller(user, sign(user_name(user), now, secret)) for user in users]


def sign(subject: str, now: datetime, secret: str) -> str:
    """A token that outlives the whole benchmark."""
    return jwt.encode({"sub": subject, "iat": now, "exp": now + TOKEN_LIFE}, secret, "HS256")


def render(
    operation: Operation,
    who: Sequence[Caller],
    task_id: TaskId,
    count: int,
    seed: str,
) -> list[bytes]:
    """`count` requests that cycle over the callers, at tasks and with texts drawn from `seed`.

    The same seed draws the same for both contenders; another seed draws other texts, because an
    update to what is already there would be a no-op that only one of them recognises.
    """
    draw = random.Random(seed)
    requests = []
    for place in range(count):
        caller = who[place % len(who)]
        number = draw.randint(1, TASKS_PER_USER)
        target = operation.target.format(task_id=task_id(caller.user, number))
        body = text_body(operation.writes, draw) if operation.writes else b""
        requests.append(render_one(operation.method, caller.path + target, caller.token, body))
    return requests


def text_body(verb: str, draw: random.Random) -> bytes:
    """A title and a description of ordinary length."""
    number = draw.getrandbits(48)
    return json.dumps(
        {
            "title": f"{verb} book number {number}",
            "description": f"It is on shelf {number % 1000}, second row, behind the atlas",
        }
    ).encode()


def render_one(method: str, target: str, token: str, body: bytes) -> bytes:
    """One HTTP/1.1 request, with the headers that a browser's fetch would not go without."""
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: application/json",
        f"Authorization: Bearer {token}",
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body
