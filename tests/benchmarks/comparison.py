"""The comparison: every contender on one PostgreSQL, started, checked, measured in turn."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.callers import callers
from tests.benchmarks.contenders import Contender
from tests.benchmarks.database import postmaster_pid
from tests.benchmarks.load import CONNECTIONS
from tests.benchmarks.operations import OPERATIONS, Operation
from tests.benchmarks.rounds import Bench, Plan, Sample, samples
from tests.benchmarks.sameness import check_same_answers
from tests.benchmarks.servers import Server, prepare, running
from tests.benchmarks.starts import start_seconds
from tests.benchmarks.summary import Figure
from tests.benchmarks.tables import grid, span
from tests.servers.postgres import PostgresServer

MOST_CALLERS = 200  # more tokens than requests in flight, fewer than any cache forgets
WARM_UP_SHARE = 5  # one request of warm-up for this many measured ones
HALF_LOAD_SHARE = 4  # half load is slow: one request for this many of a saturated sample

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    requests: int
    users: int


@dataclass(frozen=True)
class Footprint:
    """What a contender takes before it answers anything, and after it has answered everything."""

    label: str
    start_seconds: Figure
    rest_megabytes: float  # per worker
    loaded_megabytes: float


@dataclass(frozen=True)
class Result:
    """Everything that was measured."""

    taken: Sequence[Sample]
    footprints: Sequence[Footprint]


def make_plan(size: Size, secret: str, operations: Sequence[Operation] = OPERATIONS) -> Plan:
    """Who calls, and how often."""
    half = min(MOST_CALLERS, size.users // 2)
    return Plan(
        rounds=size.rounds,
        requests=size.requests,
        half_requests=max(CONNECTIONS, size.requests // HALF_LOAD_SHARE),
        warm_up=max(CONNECTIONS, size.requests // WARM_UP_SHARE),
        readers=callers(range(half), secret),
        writers=callers(range(half, 2 * half), secret),
        operations=operations,
    )


def compare(
    contenders: Mapping[str, Contender], size: Size, operations: Sequence[Operation], say: Say
) -> Result:
    """Prepare and start the contenders on one PostgreSQL, and carry out the plan."""
    secret = secrets.token_urlsafe(48)
    plan = make_plan(size, secret, operations)
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer.start())
        servers: list[Server] = []
        starts: list[list[float]] = []
        for label, contender in contenders.items():
            say(f"{label}: preparing {size.users} users, starting")
            dsn = postgres.create_database()
            prepare(contender, dsn, secret, size.users)
            starts.append(start_seconds(contender, dsn, secret, plan.readers[0], size.rounds))
            servers.append(stack.enter_context(running(contender, label, dsn, secret)))
        check_same_answers(servers, plan.readers[0], plan.writers[0])
        at_rest = [server.megabytes_per_worker() for server in servers]
        postmaster = postmaster_pid(postgres, dsn)
        taken = take(plan, [Bench(server, postmaster) for server in servers], say)
        loaded = [server.megabytes_per_worker() for server in servers]
    footprints = [
        Footprint(label, Figure.of(taken_seconds), before, after)
        for label, taken_seconds, before, after in zip(
            contenders, starts, at_rest, loaded, strict=True
        )
    ]
    return Result(taken, footprints)


def take(plan: Plan, benches: Sequence[Bench], say: Say) -> list[Sample]:
    """All samples, with a sign of life for each."""
    taken = []
    for one in samples(plan, benches):
        say(
            f"round {one.round + 1}, {one.operation}, {one.label}, {one.load}:"
            f" {one.cpu_ms:.2f} ms, {one.requests_per_second:.0f}/s, p50 {one.p50_ms:.1f} ms"
        )
        taken.append(one)
    return taken


def footprint_table(footprints: Sequence[Footprint]) -> str:
    """Memory and start of every contender."""
    return grid(
        [
            ("memory and start", "MB per worker at rest", "after the load", "first answer s"),
            *(
                (
                    one.label,
                    f"{one.rest_megabytes:.0f}",
                    f"{one.loaded_megabytes:.0f}",
                    span(one.start_seconds, ".2f"),
                )
                for one in footprints
            ),
        ]
    )
