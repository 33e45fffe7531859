"""The order of things: interleaved rounds, each sample taken after a warm-up of its own.

Contenders take turns within every operation and swap places from round to round, so that what
drifts (the machine's clock, the neighbours, the tables' size) meets both alike.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks.contenders import WORKERS
from tests.benchmarks.cpu import tree_seconds
from tests.benchmarks.load import Connections
from tests.benchmarks.operations import OPERATIONS, Caller, Operation, render
from tests.benchmarks.servers import Server

RUN_SECONDS = 60.0  # the bound of one run, far above what it takes
SETTLE_SECONDS = 0.1  # what servers do after an answer (closing a session) belongs to it


@dataclass(frozen=True)
class Plan:
    """How much is asked: the same of both contenders."""

    rounds: int
    requests: int
    warm_up: int
    readers: Sequence[Caller]
    creators: Sequence[Caller]

    def who(self, operation: Operation) -> Sequence[Caller]:
        """Creates go to users of their own, lest the lists that are read grow with the rounds."""
        return self.creators if operation.grows else self.readers


@dataclass(frozen=True)
class Sample:
    """One contender's run of one operation in one round."""

    label: str
    operation: str
    round: int
    cpu_ms: float  # server CPU per request
    database_ms: float | None  # CPU of all of PostgreSQL per request, if it is ours
    requests_per_second: float
    requests: int
    errors: int
    reconnects: int
    unexpected: str


@dataclass(frozen=True)
class Bench:
    """What a sample is taken on: a server, and PostgreSQL's process when it is ours to count."""

    server: Server
    postmaster: int | None

    def cpu_seconds(self) -> tuple[float, float | None]:
        """What the server's processes, and PostgreSQL's, have taken so far."""
        database = None if self.postmaster is None else tree_seconds(self.postmaster)
        return self.server.cpu_seconds(), database


def samples(plan: Plan, benches: Sequence[Bench]) -> Iterator[Sample]:
    """Every sample of the plan, as it is taken."""
    for number in range(plan.rounds):
        turns = benches if number % 2 == 0 else benches[::-1]
        for operation in OPERATIONS:
            for bench in turns:
                yield sample(plan, operation, number, bench)


def sample(plan: Plan, operation: Operation, number: int, bench: Bench) -> Sample:
    """Warm up, read the CPU accounts, run, read them again."""
    server = bench.server

    def rendered(count: int, phase: str) -> list[bytes]:
        seed = f"{operation.name}, round {number}, {phase}"
        return render(operation, plan.who(operation), server.contender.task_id, count, seed)

    warm_up, requests = rendered(plan.warm_up, "warm-up"), rendered(plan.requests, "measured")
    with Connections(server.port, server.pid, WORKERS) as connections:
        warm = connections.run(warm_up, operation.expected, RUN_SECONDS)
        time.sleep(SETTLE_SECONDS)
        before = bench.cpu_seconds()
        outcome = connections.run(requests, operation.expected, RUN_SECONDS)
        time.sleep(SETTLE_SECONDS)
        after = bench.cpu_seconds()
    return Sample(
        label=server.label,
        operation=operation.name,
        round=number,
        cpu_ms=1000 * (after[0] - before[0]) / outcome.requests,
        database_ms=milliseconds(before[1], after[1], outcome.requests),
        requests_per_second=outcome.requests / outcome.seconds,
        requests=outcome.requests,
        errors=warm.errors + outcome.errors,
        reconnects=warm.reconnects + outcome.reconnects,
        unexpected=warm.unexpected or outcome.unexpected,
    )


def milliseconds(before: float | None, after: float | None, requests: int) -> float | None:
    """CPU per request, where there are accounts of it."""
    return None if before is None or after is None else 1000 * (after - before) / requests
