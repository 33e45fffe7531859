"""The order of things: interleaved rounds, each sample taken after a warm-up of its own.

Contenders take turns within every operation and swap places from round to round, so that what
drifts (the machine's clock, the neighbours, the tables' size) meets all alike. Every operation is
asked twice: as fast as a contender answers, and at half of what the slowest one answered.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.benchmarks.callers import Caller
from tests.benchmarks.contenders import WORKERS
from tests.benchmarks.cpu import tree_seconds
from tests.benchmarks.load import Connections
from tests.benchmarks.operations import OPERATIONS, Operation
from tests.benchmarks.requests import requests_for
from tests.benchmarks.servers import Server

RUN_SECONDS = 60.0  # the bound of one run, far above what it takes
SETTLE_SECONDS = 0.1  # what servers do after an answer (closing a session) belongs to it


class Load(StrEnum):
    """How hard a sample drives the server."""

    FULL = "saturated"
    HALF = "half load"


@dataclass(frozen=True)
class Plan:
    """How much is asked: the same of all contenders."""

    rounds: int
    requests: int
    half_requests: int
    warm_up: int
    readers: Sequence[Caller]
    writers: Sequence[Caller]
    operations: Sequence[Operation] = OPERATIONS

    def who(self, operation: Operation) -> Sequence[Caller]:
        """What changes lists goes to users of its own, lest they grow with the rounds."""
        return self.writers if operation.apart else self.readers

    def count(self, load: Load) -> int:
        """The requests of one sample."""
        return self.requests if load is Load.FULL else self.half_requests


@dataclass(frozen=True)
class Sample:
    """One contender's run of one operation in one round."""

    label: str
    operation: str
    round: int
    load: Load
    cpu_ms: float  # server CPU per request
    database_ms: float | None  # CPU of all of PostgreSQL per request, if it is ours
    requests_per_second: float
    p50_ms: float
    p99_ms: float
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
        for operation in plan.operations:
            slowest = float("inf")
            for bench in turns:
                full = sample(plan, operation, number, bench)
                slowest = min(slowest, full.requests_per_second)
                yield full
            for bench in turns:
                yield sample(plan, operation, number, bench, rate=slowest / 2)


def sample(
    plan: Plan, operation: Operation, number: int, bench: Bench, rate: float | None = None
) -> Sample:
    """Warm up, read the CPU accounts, run, read them again."""
    server, who = bench.server, plan.who(operation)
    load = Load.HALF if rate else Load.FULL
    expected = server.contender.expected(operation)

    def rendered(count: int, phase: str) -> list[bytes]:
        seed = f"{operation.name}, {load}, round {number}, {phase}"
        return requests_for(server, operation, who, count, seed)

    warm_up, requests = rendered(plan.warm_up, "warm-up"), rendered(plan.count(load), "measured")
    with Connections(server.port, server.pid, WORKERS) as connections:
        warm = connections.run(warm_up, expected, RUN_SECONDS)
        time.sleep(SETTLE_SECONDS)
        before = bench.cpu_seconds()
        outcome = connections.run(requests, expected, RUN_SECONDS, rate)
        time.sleep(SETTLE_SECONDS)
        after = bench.cpu_seconds()
    return Sample(
        label=server.label,
        operation=operation.name,
        round=number,
        load=load,
        cpu_ms=1000 * (after[0] - before[0]) / outcome.requests,
        database_ms=milliseconds(before[1], after[1], outcome.requests),
        requests_per_second=outcome.requests / outcome.seconds,
        p50_ms=outcome.percentile_ms(50),
        p99_ms=outcome.percentile_ms(99),
        requests=outcome.requests,
        errors=warm.errors + outcome.errors,
        reconnects=warm.reconnects + outcome.reconnects,
        unexpected=warm.unexpected or outcome.unexpected,
    )


def milliseconds(before: float | None, after: float | None, requests: int) -> float | None:
    """CPU per request, where there are accounts of it."""
    return None if before is None or after is None else 1000 * (after - before) / requests
