"""`python -m tests.benchmarks`: start everything, measure in turn, print the ratios."""

import argparse
import secrets
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import growth as growing
from tests.benchmarks.contenders import OURS, PEER, Contender
from tests.benchmarks.database import postmaster_pid
from tests.benchmarks.load import CONNECTIONS, LoadError
from tests.benchmarks.operations import callers
from tests.benchmarks.report import Row, summarise, table, write_json
from tests.benchmarks.rounds import Bench, Plan, Sample, samples
from tests.benchmarks.sameness import SamenessError, check_same_answers
from tests.benchmarks.servers import PrepareError, Server, prepare, running
from tests.benchmarks.tokens import token_table
from tests.servers.postgres import PostgresServer, StartFailed, Unavailable

MOST_CALLERS = 200  # more tokens than requests in flight, fewer than any cache forgets
WARM_UP_SHARE = 5  # one request of warm-up for this many measured ones
UNMEASURABLE = (LoadError, PrepareError, SamenessError, StartFailed, Unavailable)

FULL = {"rounds": 5, "requests": 2000, "users": 1000}
# CPU is accounted in steps of 10 ms; readers and creators are different users.
LEAST = {"rounds": 1, "requests": 100, "users": 2}
SHORT = {"rounds": 2, "requests": 300, "users": 100}

LEGEND = (
    "ms: CPU per request of all server processes, median of the rounds. ratio: {1} / {0}, above 1"
    " when {0} is cheaper; lowest-highest: of single rounds. database: PostgreSQL's CPU ms per"
    " request, {0} then {1}. Requests per second are no verdict: cores are shared with the load."
)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """The command line; what is not given comes from FULL, or from SHORT with --short."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5)")
    parser.add_argument("--requests", type=int, help="requests per sample (2000)")
    parser.add_argument("--users", type=int, help="users with 100 tasks each (1000)")
    parser.add_argument("--short", action="store_true", help="two minutes: does it run?")
    parser.add_argument("--noise", action="store_true", help="the peer against itself")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    options = parser.parse_args(given)
    for name, value in (SHORT if options.short else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    for name, least in LEAST.items():
        if getattr(options, name) < least:
            parser.error(f"--{name}: at least {least}")
    return options


def make_plan(options: argparse.Namespace, secret: str) -> Plan:
    """Who calls, and how often."""
    half = min(MOST_CALLERS, options.users // 2)
    return Plan(
        rounds=options.rounds,
        requests=options.requests,
        warm_up=max(CONNECTIONS, options.requests // WARM_UP_SHARE),
        readers=callers(range(half), secret),
        creators=callers(range(half, 2 * half), secret),
    )


def measure(contenders: dict[str, Contender], options: argparse.Namespace) -> list[Sample]:
    """Prepare and start the contenders on one PostgreSQL, and carry out the plan."""
    secret = secrets.token_urlsafe(48)
    plan = make_plan(options, secret)
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer.start())
        servers: list[Server] = []
        for label, contender in contenders.items():
            say(f"{label}: preparing {options.users} users, starting")
            dsn = postgres.create_database()
            prepare(contender, dsn, secret, options.users)
            servers.append(stack.enter_context(running(contender, label, dsn, secret)))
        check_same_answers(servers, plan.readers[0], plan.creators[0])
        postmaster = postmaster_pid(postgres, dsn)
        return take(plan, [Bench(server, postmaster) for server in servers])


def growth(options: argparse.Namespace) -> str:
    """What the same questions cost of few tasks and of many."""
    size = growing.SHORT if options.short else growing.FULL
    with PostgresServer.start() as postgres:
        return growing.growth_table(postgres, secrets.token_urlsafe(48), size, say)


def take(plan: Plan, benches: Sequence[Bench]) -> list[Sample]:
    """All samples, with a sign of life for each."""
    taken = []
    for one in samples(plan, benches):
        say(f"round {one.round + 1}, {one.operation}, {one.label}: {one.cpu_ms:.2f} ms")
        taken.append(one)
    return taken


def say(line: str) -> None:
    """Progress, kept out of the result."""
    sys.stderr.write(line + "\n")


def complain(rows: Sequence[Row], taken: Sequence[Sample]) -> None:
    """Show the first unexpected answer of each operation."""
    for row in rows:
        evidence = [one for one in taken if one.operation == row.operation and one.unexpected]
        for one in evidence[:1]:
            say(f"\n{row.errors} errors in {row.operation}; {one.label}:\n{one.unexpected}")


def main(given: Sequence[str] | None = None) -> int:
    """0 when every request got its status, 1 when not, 2 when there was nothing to measure.

    No number decides: time on a shared machine is evidence to read, never a test to pass.
    """
    options = arguments(given)
    contenders = {"peer a": PEER, "peer b": PEER} if options.noise else {"ours": OURS, "peer": PEER}
    first, second = contenders
    try:
        taken = measure(contenders, options)
    except UNMEASURABLE as error:
        say(str(error))
        return 2
    rows = summarise(taken, (first, second))
    sys.stdout.write(f"{table(rows, (first, second))}\n\n{LEGEND.format(first, second)}\n")
    sys.stdout.write(f"\n{token_table(options.requests)}\n")
    if not options.noise:
        sys.stdout.write(f"\n{growth(options)}\n")
    complain(rows, taken)
    if options.json:
        write_json(options.json, rows, taken)
    return 1 if any(row.errors for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
