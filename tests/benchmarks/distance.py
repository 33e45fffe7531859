"""A database that is 10 ms away: what a request waits for then is round trips, not CPU.

The relay counts them. Each costs its 10 ms; what a contender takes beyond that, on a machine with
nothing else to do, should fit into ALLOWANCE_MS.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.comparison import Size, make_plan
from tests.benchmarks.contenders import WORKERS, Contender
from tests.benchmarks.delay import Delay, calibrate, port_in, through
from tests.benchmarks.load import CONNECTIONS, Connections
from tests.benchmarks.operations import GET_ONE, Operation
from tests.benchmarks.requests import requests_for
from tests.benchmarks.rounds import RUN_SECONDS, SETTLE_SECONDS, Plan
from tests.benchmarks.servers import Server, prepare, running
from tests.benchmarks.tables import by_operation
from tests.integration.relay import listening
from tests.servers.postgres import PostgresServer

ROUND_TRIP_MS = 10
ALLOWANCE_MS = 3
REQUESTS = 60
OPENING = 300  # requests that let a server open all of its connections
LEGEND = (
    "trips: round trips to the database per request, counted by a relay with which SELECT 1 takes\n"
    f"{ROUND_TRIP_MS:g} ms; those after the answer (the end of a session) count, but nobody"
    f" waits for them.\np50 ms: of {REQUESTS} requests, one at a time for each worker."
    f" bound: trips x {ROUND_TRIP_MS} ms + {ALLOWANCE_MS} ms."
)


@dataclass(frozen=True)
class Distant:
    """One operation of one contender, far from its database."""

    operation: str
    label: str
    trips: float
    p50_ms: float
    errors: int
    unexpected: str

    @property
    def bound_ms(self) -> float:
        """What the round trips cost, and a little for the work."""
        return self.trips * ROUND_TRIP_MS + ALLOWANCE_MS


def measure_distance(
    contenders: Sequence[Contender],
    size: Size,
    operations: Sequence[Operation],
    say: Callable[[str], None],
) -> list[Distant]:
    """All operations of all contenders, each behind a relay of its own."""
    secret = secrets.token_urlsafe(48)
    plan = make_plan(size, secret, operations)
    found: list[Distant] = []
    with PostgresServer.start() as postgres:
        for contender in contenders:
            say(f"{contender.name}: preparing {size.users} users, starting far from them")
            dsn = postgres.create_database()
            prepare(contender, dsn, secret, size.users)
            with ExitStack() as stack:
                seconds = ROUND_TRIP_MS / 2 / 1000
                relay = stack.enter_context(listening(Delay(port_in(dsn), seconds)))
                far = through(dsn, relay.port)
                calibrate(relay, far, ROUND_TRIP_MS / 1000)
                server = stack.enter_context(running(contender, contender.name, far, secret))
                found += far_away(server, relay, plan, say)
    return found


def far_away(server: Server, relay: Delay, plan: Plan, say: Callable[[str], None]) -> list[Distant]:
    """Every operation of one contender, after it has opened its connections."""
    opening = requests_for(server, GET_ONE, plan.readers, OPENING, "opening")
    with Connections(server.port, server.pid, WORKERS, CONNECTIONS) as connections:
        connections.run(opening, server.contender.expected(GET_ONE), RUN_SECONDS)
    found = []
    for operation in plan.operations:
        one = distant(server, relay, plan, operation)
        say(f"{one.label}, {one.operation}: {one.trips:.1f} trips, p50 {one.p50_ms:.1f} ms")
        found.append(one)
    return found


def distant(server: Server, relay: Delay, plan: Plan, operation: Operation) -> Distant:
    """One request at a time for each worker: nothing waits but for the database."""
    who, expected = plan.who(operation), server.contender.expected(operation)
    warm_up, requests = (
        requests_for(server, operation, who, REQUESTS, f"{operation.name}, {phase}, distance")
        for phase in ("warm-up", "measured")
    )
    with Connections(server.port, server.pid, WORKERS, WORKERS) as connections:
        warm = connections.run(warm_up, expected, RUN_SECONDS)
        time.sleep(SETTLE_SECONDS)
        before = relay.messages
        outcome = connections.run(requests, expected, RUN_SECONDS)
        time.sleep(SETTLE_SECONDS)
    return Distant(
        operation=operation.name,
        label=server.label,
        trips=(relay.messages - before) / outcome.requests,
        p50_ms=outcome.percentile_ms(50),
        errors=warm.errors + outcome.errors,
        unexpected=warm.unexpected or outcome.unexpected,
    )


def distance_table(found: Sequence[Distant], operations: Sequence[Operation]) -> str:
    """Operations down, contenders across."""
    places = {operation.name: place for place, operation in enumerate(operations)}
    ordered = sorted(found, key=lambda one: places[one.operation])
    table = by_operation(
        f"{ROUND_TRIP_MS} ms to the database and back",
        ordered,
        ("{} trips", "p50 ms", "bound"),
        lambda one: (f"{one.trips:.1f}", f"{one.p50_ms:.1f}", f"{one.bound_ms:.0f}"),
    )
    return f"{table}\n\n{LEGEND}"
