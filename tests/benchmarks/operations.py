"""What is asked of every contender, as data; `requests` renders it to bytes."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PAGE = 20
LONG_PAGE = 100

Body = Callable[[random.Random], Mapping[str, object]]


def text(verb: str) -> Body:
    """A title that begins with this verb and a description, both of ordinary length."""

    def drawn(draw: random.Random) -> Mapping[str, object]:
        number = draw.getrandbits(48)
        return {
            "title": f"{verb} book number {number}",
            "description": f"It is on shelf {number % 1000}, second row, behind the atlas",
        }

    return drawn


def bad(draw: random.Random) -> Mapping[str, object]:
    """A body with two mistakes: no title, and a priority that there is not."""
    return {"description": f"Shelf {draw.getrandbits(48)}", "priority": "urgent"}


@dataclass(frozen=True)
class Operation:
    """An operation of the API, and what its success looks like."""

    name: str
    method: str
    target: str  # after /api/{user_id}/tasks
    expected: int
    body: Body | None = None
    apart: bool = False  # changes what lists show, so users of its own ask for it
    keyed: bool = False  # bears an Idempotency-Key, a new one each time
    conditional: bool = False  # bears the current ETag, where there is one
    forged: bool = False  # bears a token that somebody else signed


GET_ONE = Operation("get one", "GET", "/{task_id}", 200)
LIST = Operation(f"list {PAGE}", "GET", f"?limit={PAGE}", 200)
LONG_LIST = Operation(f"list {LONG_PAGE}", "GET", f"?limit={LONG_PAGE}", 200)
FILTERED_LIST = Operation(
    "filtered list", "GET", f"?limit={PAGE}&completed=true&priority=high", 200
)
CREATE = Operation("create", "POST", "", 201, text("Buy"), apart=True)
KEYED_CREATE = Operation("keyed create", "POST", "", 201, text("Order"), apart=True, keyed=True)
UPDATE = Operation("update", "PUT", "/{task_id}", 200, text("Return"))
COMPLETE = Operation("complete", "PATCH", "/{task_id}/complete", 200, apart=True)
CONDITIONAL_LIST = Operation("304 of a list", "GET", f"?limit={PAGE}", 304, conditional=True)
REFUSED_TOKEN = Operation("401", "GET", "/{task_id}", 401, forged=True)
REFUSED_BODY = Operation("422", "POST", "", 422, bad)

OPERATIONS = (
    *(GET_ONE, LIST, LONG_LIST, FILTERED_LIST, CREATE, KEYED_CREATE, UPDATE, COMPLETE),
    *(CONDITIONAL_LIST, REFUSED_TOKEN, REFUSED_BODY),
)
