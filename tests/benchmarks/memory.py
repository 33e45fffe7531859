"""Memory of a server: the proportional set size of all its processes, for each worker.

A page that processes share, as those of a preloaded application, is divided among them (`Pss` in
`/proc/PID/smaps_rollup`, proc(5)): in the sum every page of the server counts once.
"""

from tests.benchmarks.cpu import PROC, descendants, process_table

KILOBYTES_PER_MEGABYTE = 1024


def megabytes(root: int) -> float:
    """What `root` and all below it have in memory together."""
    return sum(map(kilobytes, descendants(root, process_table()))) / KILOBYTES_PER_MEGABYTE


def kilobytes(pid: int) -> int:
    """The share of one process; none when it has just ended."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
