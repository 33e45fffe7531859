"""Which worker took a connection, so that a run can have the same number on each.

Workers race for connections; when one of two wins all sixteen it answers alone, with sixteen
threads that fight over one lock, at a fifth more CPU per request (measured: 2.3 ms against 1.85).
That is luck, not the stack, and it was the largest noise of all.
"""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.benchmarks.cpu import PROC, descendants, process_table

TRIES_PER_CONNECTION = 20  # the odds of a fair race never asked for more than five
ACCEPT_SECONDS = 5.0
POLL_SECONDS = 0.001
# Columns of /proc/net/tcp; a connection that waits to be accepted has inode 0.
LOCAL, REMOTE, INODE = 1, 2, 9


def evenly(
    connect: Callable[[], socket.socket], server: int, count: int, workers: int
) -> list[socket.socket]:
    """Connect until each of the server's workers has its share of `count` connections.

    Should one worker keep winning, its surplus fills up the number: the count is what is promised.
    """
    share = -(-count // workers)
    taken: Counter[int] = Counter()
    kept: list[socket.socket] = []
    surplus: list[socket.socket] = []
    for _ in range(count * TRIES_PER_CONNECTION):
        if len(kept) == count:
            break
        connection = connect()
        worker = accepted_by(connection, server)
        taken[worker] += 1
        (kept if taken[worker] <= share else surplus).append(connection)
    missing = count - len(kept)
    for connection in surplus[missing:]:
        connection.close()
    return kept + surplus[:missing]


def accepted_by(connection: socket.socket, server: int) -> int:
    """The process of the server's tree that holds the other end; 0 when it cannot be told."""
    deadline = time.monotonic() + ACCEPT_SECONDS
    while time.monotonic() < deadline:
        if inode := other_end(connection):
            return holder_of(inode, descendants(server, process_table()))
        time.sleep(POLL_SECONDS)
    return 0


def other_end(connection: socket.socket) -> int:
    """The inode of the server's end of a connection over the loopback, 0 until it is accepted."""
    ours = port_of(connection.getsockname())
    theirs = port_of(connection.getpeername())
    for line in established():
        if line[LOCAL].endswith(theirs) and line[REMOTE].endswith(ours):
            return int(line[INODE])
    return 0


def port_of(address: tuple[str, int]) -> str:
    """A port as the kernel's table writes it."""
    return f":{address[1]:04X}"


def established() -> Iterator[list[str]]:
    """The rows of the kernel's table of TCP sockets."""
    with (PROC / "net/tcp").open(encoding="ascii") as table:
        next(table)  # headings
        for row in table:
            yield row.split()


def holder_of(inode: int, pids: Iterable[int]) -> int:
    """The process that has the socket open."""
    wanted = f"socket:[{inode}]"
    return next((pid for pid in pids if wanted in open_files(PROC / str(pid) / "fd")), 0)


def open_files(folder: Path) -> set[str]:
    """What a process has open; nothing when it has just ended."""
    try:
        return {str(entry.readlink()) for entry in folder.iterdir()}
    except OSError:
        return set()
