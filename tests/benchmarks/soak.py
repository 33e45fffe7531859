"""Many mixed requests to ours: do its workers keep their memory?"""

import random
import secrets
from collections.abc import Callable, Sequence
from statistics import mean

from tests.benchmarks.asking import OK
from tests.benchmarks.comparison import Size, make_plan
from tests.benchmarks.contenders import OURS, WORKERS
from tests.benchmarks.load import Connections
from tests.benchmarks.operations import Operation
from tests.benchmarks.requests import requests_for
from tests.benchmarks.rounds import Plan
from tests.benchmarks.servers import Server, prepare, running
from tests.benchmarks.tables import grid
from tests.servers.postgres import PostgresServer

READINGS = 20
ENOUGH = 50_000  # fewer requests are all warm-up
FLAT = 1.03  # what the last quarter may take of the second one
RUN_SECONDS = 600.0

Say = Callable[[str], None]


def soak(size: Size, operations: Sequence[Operation], show: Say, say: Say) -> int:
    """Show memory after every twentieth of the requests; 1 when it grows or answers are wrong."""
    secret = secrets.token_urlsafe(48)
    plan = make_plan(size, secret, operations)
    batch = size.requests // READINGS
    with PostgresServer.start() as postgres:
        say(f"ours: preparing {size.users} users, starting")
        dsn = postgres.create_database()
        prepare(OURS, dsn, secret, size.users)
        with running(OURS, OURS.name, dsn, secret) as server:
            rest = server.megabytes_per_worker()
            readings, errors = soaked(server, plan, batch, say)
    show(soak_table(batch, rest, readings))
    verdict, growth = judged(size.requests, readings)
    show(f"{verdict}; {errors} wrong answers")
    return 1 if errors or growth else 0


def soaked(server: Server, plan: Plan, batch: int, say: Say) -> tuple[list[float], int]:
    """Memory per worker after each batch, and how many answers were wrong."""
    readings, errors = [], 0
    # An update between the reading of an ETag and its use makes a 200 of a 304.
    expected = frozenset({OK, *(operation.expected for operation in plan.operations)})
    for number in range(READINGS):
        requests = mixed(server, plan, batch, f"soak {number}")
        with Connections(server.port, server.pid, WORKERS) as connections:
            outcome = connections.run(requests, expected, RUN_SECONDS)
        readings.append(server.megabytes_per_worker())
        errors += outcome.errors
        rate = outcome.requests / outcome.seconds
        say(f"{(number + 1) * batch:,} requests: {readings[-1]:.1f} MB per worker, {rate:.0f}/s")
        if outcome.unexpected:
            say(outcome.unexpected)
    return readings, errors


def mixed(server: Server, plan: Plan, count: int, seed: str) -> list[bytes]:
    """Requests of the plan's operations, equally often, in an order drawn from `seed`."""
    each = -(-count // len(plan.operations))
    requests = [
        request
        for operation in plan.operations
        for request in requests_for(server, operation, plan.who(operation), each, seed)
    ]
    random.Random(seed).shuffle(requests)
    return requests[:count]


def soak_table(batch: int, rest: float, readings: Sequence[float]) -> str:
    """Memory by the number of requests answered."""
    rows = [("requests", "MB per worker"), ("0", f"{rest:.1f}")]
    rows += [
        (f"{number * batch:,}", f"{megabytes:.1f}")
        for number, megabytes in enumerate(readings, start=1)
    ]
    return grid(rows)


def judged(requests: int, readings: Sequence[float]) -> tuple[str, bool]:
    """What the readings say, and whether they say that memory grows.

    The second quarter is the base: in the first one caches fill and connections open.
    """
    quarter = len(readings) // 4
    factor = mean(readings[-quarter:]) / mean(readings[quarter : 2 * quarter])
    told = f"the last quarter takes {factor:.3f} of the second one's memory"
    if requests < ENOUGH:
        return f"{told}: no verdict on fewer than {ENOUGH:,} requests", False
    return (f"{told}: it grows", True) if factor > FLAT else (f"{told}: flat", False)
