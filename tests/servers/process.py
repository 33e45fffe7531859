"""One command that serves HTTP, run for a test: `ServerProcess`, and `free_port()`."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import os
import secrets
import shutil
import signal as signals
import socket
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.servers.reaper import Guard, Session, kill, process

READY_SECONDS = 20.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
PROBE_SECONDS = 2.0
TAIL_LINES = 40
PORT_ATTEMPTS = 100
START_ATTEMPTS = 3
LOWEST_PORT = 15000
FEWEST_PORTS = 1000
EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
DEFAULT_EPHEMERAL_START = 32768


class StartFailed(RuntimeError):
    """A server ended, or was not ready in time; the message ends with the tail of its log."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses now, drawn below the kernel's ephemeral range.

    A port out of that range can be lost to any outgoing connection while its server is down;
    worse, a client that retries it may connect to itself (TCP simultaneous open) and keep it.
    Between the answer and the use another process may take it: whoever binds it tries again.
    """
    ports = range(LOWEST_PORT, max(_ephemeral_start(), LOWEST_PORT + FEWEST_PORTS))
    for _ in range(PORT_ATTEMPTS):
        port = secrets.choice(ports)  # Not `random`: two runs with one seed would meet.
        # Without SO_REUSEADDR the probe is stricter than the servers, which set it.
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port in {ports} after {PORT_ATTEMPTS} attempts")


def _ephemeral_start() -> int:
    try:
        return int(EPHEMERAL_RANGE.read_text().split()[0])
    except OSError:
        return DEFAULT_EPHEMERAL_START


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, for a message."""
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


class ServerProcess:
    """A command in a session (and so a process group) of its own, its output in a file.

    Made by `start()`. Ends with `stop()`, `kill()`, `close()`, the end of a `with` block, the end
    of the interpreter, or, if that is killed, by the guard in `reaper`.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str] | None, cwd: Path | None
    ) -> None:
        """Run the command and wait for nothing; use `start()`."""
        self.command = list(command)
        self._owner = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix="todo-serve-"))
        self.log_path = self._folder / "log"
        self._last_log: str | None = None
        try:
            self._process = self._spawn(env, cwd)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self.pid = self._process.pid
        entry = process(self.pid)  # Present even when it ended at once: we have not reaped it.
        assert entry is not None
        self._session = Session(leader=self.pid, started=entry.started)
        Guard.watch(self._session, [self._folder])
        atexit.register(self.close)

    def _spawn(self, env: Mapping[str, str] | None, cwd: Path | None) -> subprocess.Popen[bytes]:
        with self.log_path.open("wb") as log:
            return subprocess.Popen(
                self.command,
                env=None if env is None else dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        url: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = READY_SECONDS,
    ) -> Self:
        """Run the command and return when `url` answers with a status below 500.

        `env` is the whole environment (None: ours). `url` is plain `http://`; proxies of the
        environment are not used. Raises `StartFailed` with the tail of the log when the command
        ends, or when `timeout` seconds pass first; then nothing of it is left.
        """
        server = cls(command, env, cwd)
        try:
            server.wait_until_ready(url, timeout)
        except BaseException:
            server.close()
            raise
        return server

    @classmethod
    def start_on_free_port(
        cls, command: Callable[[int], Sequence[str]], *, env: Mapping[str, str] | None = None
    ) -> tuple[Self, int]:
        """Run the command that is made for a port, and return the process and the port.

        Another port is tried when somebody took it meanwhile. Returns when the port answers HTTP
        that is not encrypted, if only by refusing it; raises as `start()` does.
        """
        for attempt in range(1, START_ATTEMPTS + 1):
            port = free_port()
            try:
                url = f"http://127.0.0.1:{port}/livez"
                return cls.start(command(port), url=url, env=env), port
            except StartFailed as error:
                if "in use" not in str(error) or attempt == START_ATTEMPTS:
                    raise
        raise AssertionError  # the loop returns or raises

    def wait_until_ready(self, url: str, timeout: float = READY_SECONDS) -> None:
        """Return when `url` answers with a status below 500; raises as `start()` does."""
        deadline = time.monotonic() + timeout
        answer = "nothing asked yet"
        while time.monotonic() < deadline:
            code = self._process.poll()
            if code is not None:
                raise self._failure(f"ended with exit code {code} before it answered")
            answer = _probe(url)
            if answer.isdigit() and int(answer) < 500:
                return
            time.sleep(POLL_SECONDS)
        raise self._failure(f"not ready at {url} after {timeout:g} s (last answer: {answer})")

    def _failure(self, what: str) -> StartFailed:
        return StartFailed(f"{' '.join(self.command)}: {what}\n{tail(self.log_path)}")

    def log(self) -> str:
        """Everything that the command wrote so far; still there after the end."""
        if self._last_log is not None:
            return self._last_log
        return self.log_path.read_text(errors="replace")

    def pids(self) -> list[int]:
        """The command's own process first, then its descendants, from `/proc`; empty at the end.

        A worker that outlives its master is in this list: after `stop()` it should be empty.
        """
        return [entry.pid for entry in self._session.processes()]

    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while the command runs."""
        return self._process.poll()

    def stop(self, signal: int = signals.SIGTERM, timeout: float = STOP_SECONDS) -> int:
        """Signal the command's own process, wait for its end, and return its exit code.

        The code is negative for a signal, as in `subprocess`. Its children are its own business.
        After `timeout` seconds everything is killed and TimeoutError raised, with the log's tail.
        """
        if self._process.poll() is None:
            self._process.send_signal(signal)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            message = f"{' '.join(self.command)}: did not end in {timeout:g} s after {signal!r}"
            raise TimeoutError(f"{message}\n{tail(self.log_path)}") from None

    def kill(self) -> None:
        """SIGKILL for the command and all of its descendants; returns when they are gone."""
        if self._process.poll() is None:
            # Stopped first, a master cannot see its workers die and fork new ones.
            self._process.send_signal(signals.SIGSTOP)
        kill(self._session)
        self._process.wait()

    def close(self) -> None:
        """Kill what is left, keep the log's text, remove the files; more calls do nothing."""
        if self._last_log is not None or os.getpid() != self._owner:
            return
        self.kill()
        self._last_log = self.log()
        shutil.rmtree(self._folder, ignore_errors=True)
        Guard.forget(self._session)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        """Give the server itself; the end of the block closes it."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close, whatever happened."""
        self.close()


def _probe(url: str) -> str:
    """The status of one GET, or what went wrong, as text."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"not an http:// URL: {url}")
    target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", target, headers={"Connection": "close"})
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
