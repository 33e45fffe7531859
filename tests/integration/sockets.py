"""Which process holds which TCP connection, from Linux's ``/proc`` (proc_net_tcp(5))."""

from collections.abc import Iterable
from pathlib import Path


def connections_of(pid: int) -> set[int]:
    """Return the local ports of the TCP connections that a process has open, shared or not."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            inodes.add(target[len("socket:[") : -1])
    return {port for port, inode in _local_ports(pid) if inode in inodes}


def _local_ports(pid: int) -> Iterable[tuple[int, str]]:
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        yield int(fields[1].rpartition(":")[2], 16), fields[9]
