"""CPU seconds of a server: of its master process and all descendants, living or reaped.

CPU per request, not requests per second, is what is compared: on two shared cores the wall clock
measures the neighbours. The kernel's own accounts in `/proc/PID/stat` (proc(5)) are exact to one
clock tick (10 ms) per process, so a sample should last a second of CPU or more.
"""

import os
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

# Places after the command's closing parenthesis, i.e. the fields of proc(5) less three.
PARENT = 1
OWN_AND_REAPED_TIMES = slice(11, 15)  # utime, stime, and cutime, cstime of children waited for


class Process(NamedTuple):
    """One line of the process table: whose child, and the ticks it and its dead children took."""

    parent: int
    ticks: int


def tree_seconds(root: int) -> float:
    """CPU seconds, user and system, that `root` and everything below it have taken so far.

    A living process counts for itself, a reaped one through its parent, so the sum only grows,
    also when a worker is replaced between two readings. Raises ProcessLookupError when `root` has
    gone: a ratio of a crashed server would be a lie.
    """
    table = process_table()
    if root not in table:
        raise ProcessLookupError(f"process {root} is gone")
    return sum(table[pid].ticks for pid in descendants(root, table)) / TICKS_PER_SECOND


def parent_of(pid: int) -> int:
    """The parent of a living process."""
    return process_table()[pid].parent


def process_table() -> dict[int, Process]:
    """Every process that can be seen now, by its id."""
    pids = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    return {pid: process for pid in pids if (process := read_process(pid)) is not None}


def read_process(pid: int) -> Process | None:
    """The process's line, or None when it ended while the table was being read."""
    try:
        line = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = line.rpartition(")")[2].split()  # a command may itself hold blanks and parentheses
    return Process(int(fields[PARENT]), sum(map(int, fields[OWN_AND_REAPED_TIMES])))


def descendants(root: int, table: dict[int, Process]) -> set[int]:
    """`root` and all that descend from it."""
    found: set[int] = set()
    generation = {root}
    while generation:
        found |= generation
        generation = {pid for pid, process in table.items() if process.parent in generation} - found
    return found
