"""One PostgreSQL cluster of our own: made, started, crashed, paused, stopped, removed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tests.servers.binaries import UNPRIVILEGED, find_installation, server_environment
from tests.servers.process import StartFailed, free_port, tail
from tests.servers.reaper import Backends, Guard, end, kill, process, send, wait_until

StopMode = Literal["smart", "fast", "immediate"]

START_SECONDS = 30.0
STOP_SECONDS = 30.0
SIGNAL_SECONDS = 5.0
PORT_ATTEMPTS = 10
MAX_CONNECTIONS = 200
# Not UTC, and not a whole hour from it: a mistake of the application with time zones shows.
TIME_ZONE = "Asia/Kathmandu"
STOP_SIGNALS: dict[StopMode, int] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
MEMORY = Path("/dev/shm")  # noqa: S108 - only mkdtemp() makes folders in it
SHORT_BASES = ("/tmp", "/var/tmp")  # noqa: S108 - likewise
MEMORY_BYTES = 2 * 1024**3
SOCKET_PATH_LIMIT = 107
LONGEST_SOCKET_NAME = "/.s.PGSQL.65535.lock"


class Cluster:
    """A data folder and the server on it, in one folder that goes with them.

    Not durable: fsync off, and in memory where there is room. Not for speed of writing alone: on
    ext4 without a journal, files are slow to make for minutes after others were deleted (the
    kernel's `recently_deleted`), and a clone of a database grew from 14 to 250 ms by that.
    """

    def __init__(self, *, durable: bool, force: str | None = None) -> None:
        """Make the cluster and start its server; raises `Unavailable` or `StartFailed`."""
        self.durable = durable
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = _make_folder(in_memory=not durable)
        self.data = self.folder / "data"
        self.log_path = self.folder / "log"
        self.backends = Backends(marker=self.folder.name)
        self.socket_folder = _make_socket_folder(self.folder)
        self._folders = list({self.folder, self.socket_folder})
        Guard.watch(self.backends, self._folders)
        try:
            self.installation = find_installation(self.folder, force)
            self._initialise()
            self._start_on_a_free_port()
        except BaseException:
            self.close()
            raise

    def _initialise(self) -> None:
        for locale in ("C.UTF-8", "C"):
            options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
            arguments = [f"--pgdata={self.data}", f"--locale={locale}", *options]
            answer = self.installation.run("initdb", *arguments, cwd=self.folder)
            if answer.returncode == 0:
                break
        else:
            raise StartFailed(f"initdb failed\n{answer.stdout}")
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{line}\n" for line in self._settings())

    def _settings(self) -> Iterator[str]:
        yield "listen_addresses = '127.0.0.1'"
        yield f"unix_socket_directories = '{self.socket_folder}'"
        yield f"cluster_name = '{self.backends.marker}'"
        yield f"max_connections = {MAX_CONNECTIONS}"
        yield f"timezone = '{TIME_ZONE}'"
        # POSIX segments would stay in /dev/shm after a kill; files go with the data folder.
        yield "dynamic_shared_memory_type = mmap"
        if not self.durable:
            yield "fsync = off"
            yield "synchronous_commit = off"
            yield "full_page_writes = off"
            yield "max_wal_size = 256MB"

    def _start_on_a_free_port(self) -> None:
        for attempt in range(1, PORT_ATTEMPTS + 1):
            self.port = free_port()
            try:
                self.start()
            except StartFailed as error:
                if "Address already in use" not in str(error) or attempt == PORT_ATTEMPTS:
                    raise
            else:
                return

    def start(self) -> None:
        """Start on the port and data there are; raises `StartFailed` with the tail of the log."""
        if self._process is not None:
            if self._process.poll() is None:
                raise RuntimeError("the server runs already: stop() or kill() it first")
            self.kill()  # It ended by itself; a backend may be left, and would hold the data.
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [self.installation.bin / "postgres", "-D", self.data, "-p", str(self.port)],
                cwd=self.folder,
                env=server_environment(),
                user=UNPRIVILEGED,
                group=UNPRIVILEGED,
                extra_groups=None if UNPRIVILEGED is None else [],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not self._becomes_ready(self._process):
            self.kill()
            raise StartFailed(f"PostgreSQL did not start\n{tail(self.log_path)}")

    def _becomes_ready(self, postmaster: subprocess.Popen[bytes]) -> bool:
        """Wait for `ready` in postmaster.pid, as pg_ctl does.

        Not for an answer on the port: it could come from a server of somebody else there.
        """

        def ready_or_ended() -> bool:
            return postmaster.poll() is not None or self._is_ready(postmaster.pid)

        return wait_until(ready_or_ended, START_SECONDS) and postmaster.poll() is None

    def _is_ready(self, pid: int) -> bool:
        with contextlib.suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().split("\n")
            # Line 1 is the pid (after a crash the file of the dead server is still there), 8 the
            # state (miscadmin.h, LOCK_FILE_LINE_PM_STATUS).
            return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def pids(self) -> list[int]:
        """The postmaster first, if it is there, then all others."""
        postmaster = None if self._process is None else self._process.pid
        pids = [entry.pid for entry in self.backends.processes()]
        return sorted(pids, key=lambda pid: (pid != postmaster, pid))

    def stop(self, mode: StopMode) -> None:
        """Shut down and keep the data; a paused server is resumed first; stopped: do nothing.

        Raises TimeoutError when it does not end, as `smart` does not while clients stay.
        """
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(STOP_SIGNALS[mode])
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            message = f"the server did not stop ({mode}) in {STOP_SECONDS:g} s"
            raise TimeoutError(f"{message}\n{tail(self.log_path)}") from None
        self._process = None

    def kill(self) -> None:
        """SIGKILL for the postmaster and all backends; returns when they are gone."""
        if self._process is None:
            return
        self._stop_postmaster()  # Stopped, it can neither fork nor recover from dead backends.
        if not kill(self.backends):
            raise TimeoutError(f"processes outlive SIGKILL: {self.backends.processes()}")
        self._process.wait()
        self._process = None

    def pause(self) -> None:
        """SIGSTOP for all processes, the postmaster first; returns when all have stopped."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("the server does not run")
        self._stop_postmaster()
        send(self.backends, signal.SIGSTOP)
        if not wait_until(self._all_stopped, SIGNAL_SECONDS):
            raise TimeoutError(f"processes outlive SIGSTOP: {self.backends.processes()}")

    def _all_stopped(self) -> bool:
        return all(entry.state == "T" for entry in self.backends.processes())

    def _stop_postmaster(self) -> None:
        assert self._process is not None
        pid = self._process.pid
        self._process.send_signal(signal.SIGSTOP)

        def stopped_or_ended() -> bool:
            entry = process(pid)
            return entry is None or entry.state in "TZX"

        wait_until(stopped_or_ended, SIGNAL_SECONDS)

    def resume(self) -> None:
        """SIGCONT for all processes; does nothing to those that run."""
        send(self.backends, signal.SIGCONT)

    def close(self) -> None:
        """End all processes and remove everything; more calls do nothing."""
        end(self.backends, self._folders)
        if self._process is not None:
            self._process.wait()
            self._process = None
        Guard.forget(self.backends)


def _make_folder(*, in_memory: bool) -> Path:
    """A new folder that the unprivileged user owns; its name is the cluster's marker."""
    for base in _bases(in_memory=in_memory):
        with contextlib.suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix="todo-pg-", dir=base))
            if UNPRIVILEGED is not None:
                os.chown(folder, UNPRIVILEGED, UNPRIVILEGED)
            return folder
    raise StartFailed("no temporary folder that an unprivileged user can reach")


def _bases(*, in_memory: bool) -> Iterator[Path]:
    if in_memory and _has_room(MEMORY):
        yield MEMORY
    for base in map(Path, (tempfile.gettempdir(), *SHORT_BASES)):
        if UNPRIVILEGED is None or _others_can_enter(base):
            yield base


def _has_room(base: Path) -> bool:
    """Whether a cluster fits; in containers /dev/shm is often 64 MB and `noexec`."""
    try:
        facts = os.statvfs(base)
    except OSError:
        return False
    is_executable = not facts.f_flag & os.ST_NOEXEC  # for the copy of the wheel
    return is_executable and facts.f_bavail * facts.f_frsize >= MEMORY_BYTES


def _others_can_enter(base: Path) -> bool:
    resolved = base.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (resolved, *resolved.parents))


def _make_socket_folder(folder: Path) -> Path:
    """The folder itself, or a short one when a socket's path there would not fit sun_path."""
    if len(os.fsencode(folder)) + len(LONGEST_SOCKET_NAME) <= SOCKET_PATH_LIMIT:
        return folder
    short = Path(tempfile.mkdtemp(prefix="todo-pg-", dir=SHORT_BASES[0]))
    if UNPRIVILEGED is not None:
        os.chown(short, UNPRIVILEGED, UNPRIVILEGED)
    return short
