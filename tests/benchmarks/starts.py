"""From the start of a server's command to its first task: how long a restart leaves a gap."""

import time

from tests.benchmarks.asking import fetch
from tests.benchmarks.callers import Caller
from tests.benchmarks.contenders import Contender
from tests.benchmarks.servers import running


def start_seconds(
    contender: Contender, dsn: str, secret: str, caller: Caller, times: int
) -> list[float]:
    """How long each of so many starts took, until a task came from the database."""
    target = f"{caller.path}/{contender.task_id(caller.user, 1)}"
    taken = []
    for _ in range(times):
        started = time.monotonic()
        with running(contender, contender.name, dsn, secret) as server:
            fetch(server, target, caller.token)
            taken.append(time.monotonic() - started)
    return taken
