"""Before anything is measured: do both contenders really answer the same question?

A benchmark of an empty list, or of an error page with a 200 on it, would look excellent.
"""

import http.client
import json
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.dataset import TASKS_PER_USER
from tests.benchmarks.load import LOOPBACK, PATIENCE_SECONDS
from tests.benchmarks.operations import PAGE, Caller
from tests.benchmarks.servers import Server

FORBIDDEN = 403
OK = 200
SHARED_FIELDS = ("user_id", "title", "description", "completed", "priority", "due_date", "tags")


class SamenessError(RuntimeError):
    """The contenders do not do the same work, so a ratio would mean nothing."""


def check_same_answers(servers: Sequence[Server], caller: Caller, other: Caller) -> None:
    """One page, one task and one foreign path of each; raises SamenessError where they differ."""
    seen = [what_is_seen(server, caller, other) for server in servers]
    if any(sight != seen[0] for sight in seen):
        raise SamenessError(f"different answers to the same requests: {seen}")


def what_is_seen(server: Server, caller: Caller, other: Caller) -> dict[str, object]:
    """What a client learns from this contender, in terms that both have."""
    page = fetch(server, f"{caller.path}?limit={PAGE}", caller.token, OK)
    tasks = page["tasks"]
    if len(tasks) != PAGE or page["total"] != TASKS_PER_USER:
        raise SamenessError(f"{server.label}: {len(tasks)} tasks of {page['total']} in a page")
    number = TASKS_PER_USER // 2
    task = fetch(
        server,
        f"{caller.path}/{server.contender.task_id(caller.user, number)}",
        caller.token,
        OK,
    )
    fetch(server, other.path, caller.token, FORBIDDEN)
    return {"page": [shared(one) for one in tasks], "task": shared(task)}


def shared(task: dict[str, Any]) -> dict[str, Any]:
    """The fields that both contenders' tasks have."""
    return {name: task[name] for name in SHARED_FIELDS}


def fetch(server: Server, path: str, token: str, expected: int) -> dict[str, Any]:
    """The JSON object that a GET answers with; raises SamenessError for another status."""
    connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != expected:
        raise SamenessError(f"{server.label}: {answer.status} for {path}: {body[:500]!r}")
    document: dict[str, Any] = json.loads(body)
    return document
