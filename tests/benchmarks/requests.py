"""Requests, rendered to bytes before they are sent: the same ones for every contender."""

import json
import random
import uuid
from collections.abc import Mapping, Sequence

from tests.benchmarks.asking import etag_of
from tests.benchmarks.callers import Caller
from tests.benchmarks.dataset import TASKS_PER_USER
from tests.benchmarks.operations import Operation
from tests.benchmarks.servers import Server


def requests_for(
    server: Server, operation: Operation, who: Sequence[Caller], count: int, seed: str
) -> list[bytes]:
    """`count` requests that cycle over the callers, at tasks and with texts drawn from `seed`.

    The same seed draws the same for every contender; another seed draws other texts, because an
    update to what is already there would be a no-op that only ours recognises.
    """
    draw = random.Random(seed)
    etags = current_etags(server, operation, who[:count])
    requests = []
    for place in range(count):
        caller = who[place % len(who)]
        number = draw.randint(1, TASKS_PER_USER)
        task_id = server.contender.task_id(caller.user, number)
        headers = {"Authorization": f"Bearer {caller.forged if operation.forged else caller.token}"}
        if operation.keyed:
            headers["Idempotency-Key"] = str(uuid.UUID(int=draw.getrandbits(128), version=4))
        if caller.user in etags:
            headers["If-None-Match"] = etags[caller.user]
        body = json.dumps(operation.body(draw)).encode() if operation.body else b""
        target = caller.path + operation.target.format(task_id=task_id)
        requests.append(rendered(operation.method, target, headers, body))
    return requests


def current_etags(server: Server, operation: Operation, who: Sequence[Caller]) -> Mapping[int, str]:
    """What each caller's list is tagged with now; nothing where no request would say so."""
    if not (operation.conditional and server.contender.has_etags):
        return {}
    return {caller.user: etag_of(server, caller, operation.target) for caller in who}


def rendered(method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """One HTTP/1.1 request, with the headers that a browser's fetch would not go without."""
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: application/json",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body
