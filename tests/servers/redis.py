"""A real Redis that keeps nothing on the disk: `Redis`.

with Redis.start(folder) as redis:
    url = redis.url
"""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Self

import redis

from tests.servers.process import ServerProcess, StartFailed, free_port, tail
from tests.servers.programs import require
from tests.servers.reaper import wait_until

START_SECONDS = 20.0
ANSWER_SECONDS = 5.0
PORT_ATTEMPTS = 3


class Redis:
    """A running Redis on one port of the loopback; from `start()`."""

    def __init__(self, folder: Path) -> None:
        """Know where its files would be; use `start()`."""
        self._folder = folder
        self.port = 0
        self.process: ServerProcess | None = None

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start in `folder`; returns when it answers.

        Skips the test where there is no Redis; raises `StartFailed` when it does not start.
        """
        server = cls(folder)
        for attempt in range(1, PORT_ATTEMPTS + 1):
            server.port = free_port()
            try:
                server.start_again()
            except StartFailed as error:
                if "in use" not in str(error) or attempt == PORT_ATTEMPTS:
                    raise
            else:
                break
        return server

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start_again(self) -> None:
        """Start on the same port, after `kill()`, with nothing in it; returns when it answers."""
        [program] = require("redis-server")
        words = f"--port {self.port} --bind 127.0.0.1 --appendonly no --dir {self._folder}"
        process = ServerProcess([program, *words.split(), "--save", ""], None, None)
        self.process = process
        wait_until(lambda: process.returncode() is not None or self._answers(), START_SECONDS)
        if process.returncode() is not None or not self._answers():
            log = tail(process.log_path)
            self.kill()
            raise StartFailed(f"Redis did not start\n{log}")

    def _answers(self) -> bool:
        try:
            address = ("127.0.0.1", self.port)
            with socket.create_connection(address, ANSWER_SECONDS) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16) == b"+PONG\r\n"
        except OSError:
            return False

    def keys(self) -> list[str]:
        """The names of everything in it."""
        with redis.Redis.from_url(self.url) as client:
            return sorted(key.decode() for key in client.scan_iter())

    def pause(self) -> None:
        """Let it hang: connections are accepted, and nothing is answered, until `resume()`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pids()[0], number)

    def kill(self) -> None:
        """SIGKILL, as in a crash; `start_again()` after. Stopped: do nothing."""
        if self.process is not None:
            self.process.close()
            self.process = None

    def __enter__(self) -> Self:
        """Give the server itself; the end of the block ends it."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End it, whatever happened."""
        self.kill()
