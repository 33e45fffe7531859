"""Before anything is measured: do all contenders really answer the same question?

A benchmark of an empty list, or of an error page with a 200 on it, would look excellent.
"""

from collections.abc import Sequence
from typing import Any

from tests.benchmarks.asking import UnexpectedAnswer, fetch
from tests.benchmarks.callers import Caller
from tests.benchmarks.dataset import TASKS_PER_USER
from tests.benchmarks.operations import FILTERED_LIST, LIST, PAGE
from tests.benchmarks.servers import Server

UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
SHARED_FIELDS = ("user_id", "title", "description", "completed", "priority", "due_date", "tags")


def check_same_answers(servers: Sequence[Server], caller: Caller, other: Caller) -> None:
    """Pages, a task and three refusals of each; raises UnexpectedAnswer where they differ."""
    seen = [what_is_seen(server, caller, other) for server in servers]
    for server, sight in zip(servers, seen, strict=True):
        if sight != seen[0]:
            raise UnexpectedAnswer(
                f"{servers[0].label} and {server.label} answer the same requests with"
                f" {seen[0]} and {sight}"
            )


def what_is_seen(server: Server, caller: Caller, other: Caller) -> dict[str, object]:
    """What a client learns from this contender, in terms that all have."""
    page = fetch(server, caller.path + LIST.target, caller.token).document
    tasks = page["tasks"]
    if len(tasks) != PAGE or page["total"] != TASKS_PER_USER:
        raise UnexpectedAnswer(f"{server.label}: {len(tasks)} tasks of {page['total']} in a page")
    filtered = fetch(server, caller.path + FILTERED_LIST.target, caller.token).document
    if not filtered["tasks"]:
        raise UnexpectedAnswer(f"{server.label}: the filtered list is empty")
    number = server.contender.task_id(caller.user, TASKS_PER_USER // 2)
    task = fetch(server, f"{caller.path}/{number}", caller.token).document
    fetch(server, f"{caller.path}/{number}", caller.forged, UNAUTHORIZED)
    fetch(server, other.path, caller.token, FORBIDDEN)
    fetch(server, f"{caller.path}/999999999", caller.token, NOT_FOUND)
    return {
        "page": [shared(one) for one in tasks],
        "filtered": [shared(one) for one in filtered["tasks"]],
        "found": filtered["total"],
        "task": shared(task),
    }


def shared(task: dict[str, Any]) -> dict[str, Any]:
    """The fields that every contender's tasks have."""
    return {name: task[name] for name in SHARED_FIELDS}
