"""The command line of the benchmark."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.comparison import Size
from tests.benchmarks.operations import OPERATIONS

FULL = {"rounds": 5, "requests": 2000, "users": 1000}
# CPU is accounted in steps of 10 ms; readers and writers are different users.
LEAST = {"rounds": 1, "requests": 100, "users": 2}
SHORT = {"rounds": 1, "requests": 150, "users": 100}
SOAK_REQUESTS = 200_000


def options(given: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for; what is not given comes from FULL, or from SHORT with --short."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5)")
    parser.add_argument("--requests", type=int, help="requests per sample (2000), of --soak 200000")
    parser.add_argument("--users", type=int, help="users with 100 tasks each (1000)")
    parser.add_argument("--only", metavar="NAME", help="operations whose name contains this")
    parser.add_argument("--short", action="store_true", help="two minutes: does it run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the CPU there (.svg)")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--noise", action="store_true", help="the seed against itself")
    mode.add_argument("--distance", action="store_true", help="10 ms to the database and back")
    mode.add_argument("--soak", action="store_true", help="does ours keep its memory?")
    found = parser.parse_args(given)
    if found.soak and found.requests is None:
        found.requests = SOAK_REQUESTS
    for name, value in (SHORT if found.short else FULL).items():
        if getattr(found, name) is None:
            setattr(found, name, value)
    for name, least in LEAST.items():
        if getattr(found, name) < least:
            parser.error(f"--{name}: at least {least}")
    found.size = Size(found.rounds, found.requests, found.users)
    found.operations = [one for one in OPERATIONS if (found.only or "") in one.name]
    if not found.operations:
        parser.error(f"--only: none of {', '.join(one.name for one in OPERATIONS)}")
    return found
