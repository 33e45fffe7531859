"""Every process of a server under test: how to find them, and who ends them if we cannot.

Handlers of `atexit` do not run when the test run is killed (a CI time-out, `kill -9`, the
out-of-memory killer), and the servers it started would stay for ever. So the first server starts
a guard: this very file as a small process in a session of its own, connected by a pipe. It is told
what is running; when its parent is gone it ends what is left, removes the folders, and exits.

Linux's `/proc` is the only source, and this file needs nothing but the standard library.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

POLL_SECONDS = 0.01
ORDERLY_SECONDS = 5.0
KILL_SECONDS = 5.0
PARENT_CHECK_SECONDS = 1.0
PROGRAMS_OF_A_CLUSTER = frozenset({b"postgres", b"initdb"})


@dataclasses.dataclass(frozen=True)
class Process:
    """One row of the process table; `command` is its raw command line, NUL between arguments."""

    pid: int
    parent: int
    session: int
    state: str
    started: int
    command: bytes


def process(pid: int) -> Process | None:
    """Read one process from `/proc` (proc_pid_stat(5)); None when it is gone or hidden."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    # The program's name, in parentheses, may itself hold blanks and parentheses.
    fields = stat.rpartition(b")")[2].split()
    return Process(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        state=fields[0].decode(),
        started=int(fields[19]),
        command=command,
    )


def process_table() -> list[Process]:
    """All processes that run now, in the order of their pids; zombies are left out."""
    pids = sorted(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    found = (process(pid) for pid in pids)
    return [entry for entry in found if entry is not None and entry.state not in "ZX"]


@dataclasses.dataclass(frozen=True)
class Backends:
    """The processes of a PostgreSQL cluster, known by a marker in their command lines.

    Every backend is in a session of its own, and after a crash of the postmaster the parent of
    those left is `init`: neither session nor parent finds them. Their titles do, because they bear
    `cluster_name` (`postgres: MARKER: checkpointer`); postmaster and initdb bear it in `-D`.
    """

    marker: str

    def processes(self) -> list[Process]:
        """The processes of the cluster: postmaster, backends, initdb."""
        return [entry for entry in process_table() if self._owns(entry)]

    def _owns(self, entry: Process) -> bool:
        program = entry.command.partition(b"\0")[0]
        name = program.rpartition(b"/")[2]
        is_postgres = program.startswith(b"postgres:") or name in PROGRAMS_OF_A_CLUSTER
        return is_postgres and self.marker.encode() in entry.command


@dataclasses.dataclass(frozen=True)
class Session:
    """The processes of a command that was started as a session leader, and their descendants."""

    leader: int
    started: int

    def processes(self) -> list[Process]:
        """Members of the session, then those who left it but descend from a member."""
        table = process_table()
        if any(entry.pid == self.leader and entry.started != self.started for entry in table):
            return []  # The pid has been reused: whatever bears it now is not ours.
        known = {entry.pid: entry for entry in table if entry.session == self.leader}
        size = -1
        while size != len(known):
            size = len(known)
            known |= {entry.pid: entry for entry in table if entry.parent in known}
        return sorted(known.values(), key=lambda entry: (entry.pid != self.leader, entry.pid))


Group = Backends | Session


def send(group: Group, number: int) -> None:
    """Send a signal to every process of the group."""
    for entry in group.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(entry.pid, number)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition holds (True) or the time is over (False)."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def kill(group: Group) -> bool:
    """SIGKILL until none is left, also those forked meanwhile; False when some outlive the wait."""

    def none_left() -> bool:
        send(group, signal.SIGKILL)
        return not group.processes()

    return wait_until(none_left, KILL_SECONDS)


def end(group: Group, folders: Sequence[Path]) -> None:
    """End the group, a cluster in order where it still can, and remove its folders.

    SIGQUIT is PostgreSQL's immediate shutdown: no checkpoint, but it frees its System V shared
    memory, which would stay in the kernel after SIGKILL.
    """
    if isinstance(group, Backends):
        send(group, signal.SIGCONT)
        send(group, signal.SIGQUIT)
        wait_until(lambda: not group.processes(), ORDERLY_SECONDS)
    kill(group)
    for folder in folders:
        _free_shared_memory(folder / "data" / "postmaster.pid")
        shutil.rmtree(folder, ignore_errors=True)


def _free_shared_memory(lock_file: Path) -> None:
    """Free the System V segment of a server that was killed and not started again.

    An orderly end frees it, and removes the lock file, whose line 7 is `key id` (miscadmin.h).
    """
    with contextlib.suppress(OSError, IndexError):
        segment = lock_file.read_text().split("\n")[6].split()[1]
        # As its owner: root without CAP_SYS_ADMIN (a container's) may not.
        user = lock_file.stat().st_uid if os.geteuid() == 0 else None
        subprocess.run(["ipcrm", "-m", segment], user=user, stderr=subprocess.DEVNULL, check=False)


class Guard:
    """Our end of the pipe to the guard process; one for each process that starts servers."""

    _current: Guard | None = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        """Start the guard process."""
        self._owner = os.getpid()
        # A session of its own: neither Ctrl-C nor a signal to our process group reaches it.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # Whoever reads our output must not wait for the guard.
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        atexit.register(self._close)

    @classmethod
    def watch(cls, group: Group, folders: Sequence[Path]) -> None:
        """From now on the group and its folders do not outlive this process."""
        record = {**_identity(group), "folders": [str(folder) for folder in folders]}
        cls._tell(record)

    @classmethod
    def forget(cls, group: Group) -> None:
        """The group has ended and its folders are gone."""
        cls._tell(_identity(group))

    @classmethod
    def _tell(cls, record: dict[str, Any]) -> None:
        with cls._lock:
            # After a fork without exec the pipe is the parent's; the child starts its own guard.
            if cls._current is None or cls._current._owner != os.getpid():
                cls._current = cls()
            stdin: IO[bytes] | None = cls._current._process.stdin
            assert stdin is not None
            with contextlib.suppress(OSError, ValueError):  # killed or closed: atexit remains
                stdin.write(json.dumps(record).encode() + b"\n")
                stdin.flush()

    def _close(self) -> None:
        if os.getpid() == self._owner and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2 * ORDERLY_SECONDS)


def _identity(group: Group) -> dict[str, Any]:
    return {"kind": type(group).__name__, "fields": dataclasses.asdict(group)}


def _group(record: dict[str, Any]) -> Group:
    kinds: dict[str, type[Group]] = {"Backends": Backends, "Session": Session}
    return kinds[record["kind"]](**record["fields"])


def _records(parent: int) -> dict[Group, list[Path]]:
    """Follow the parent's messages until it is gone; what it watched and did not forget."""
    watched: dict[Group, list[Path]] = {}
    pending = b""
    # A child forked by the parent may hold the pipe open: its end alone is not enough.
    while os.getppid() == parent:
        if not select.select([0], [], [], PARENT_CHECK_SECONDS)[0]:
            continue
        data = os.read(0, 65536)
        if not data:
            break
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            record = json.loads(line)
            if "folders" in record:
                watched[_group(record)] = [Path(folder) for folder in record["folders"]]
            else:
                watched.pop(_group(record), None)
    return watched


def main() -> None:
    """Run as the guard: wait for the parent's end, then end what it left."""
    for group, folders in _records(os.getppid()).items():
        end(group, folders)


if __name__ == "__main__":
    main()
