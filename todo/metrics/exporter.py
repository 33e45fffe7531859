"""Serving the metrics: gunicorn's master adds up what its workers have recorded.

Each worker records into files of its own, which all processes map into memory (prometheus-client's
multiprocess mode). The master reads them when Prometheus asks, on a thread, over plain HTTP.
"""

import os
import platform
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import structlog

from todo.metrics import catalogue

DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that tells prometheus-client where the files are."""
RETRY_SECONDS: Final = 1.0
"""How long a new master waits for the old one to let the port go (gunicorn's USR2)."""
_PREFIX: Final = "todo-metrics-"

log = structlog.get_logger("todo.metrics")


class Exporter:
    """The metrics of one gunicorn, from the start of its master to its end."""

    def __init__(self, host: str, port: int, folder: Path, *, url: str, version: str) -> None:
        """Turn the metrics on, which will be at ``url``.

        A folder for their files is made in ``folder``, for this user alone; those that killed
        masters left there are removed.
        """
        self._address = host, port
        self._url = url
        self._server: Any = None
        self._is_over = threading.Event()
        _remove_left_behind(folder)
        self._files = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=folder))
        os.environ[DIRECTORY] = str(self._files)
        turn_on()
        catalogue.BUILD.set(1, version, platform.python_version())

    def serve(self) -> None:
        """Serve the metrics on a thread, as soon as the port is free."""
        if not self._listen():
            threading.Thread(target=self._keep_trying, name="metrics", daemon=True).start()

    def _keep_trying(self) -> None:
        while not self._is_over.wait(RETRY_SECONDS) and not self._listen():
            pass

    def _listen(self) -> bool:
        from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self._files))  # type: ignore[no-untyped-call]
        host, port = self._address
        try:
            self._server, _ = start_http_server(port, addr=host, registry=registry)
        except OSError as error:
            log.info("metrics.wait", port=port, reason=error.strerror)
            return False
        log.info("metrics.ready", url=self._url)
        return True

    def forked(self) -> None:
        """Let go, in a new worker, of the socket that is the master's."""
        if self._server is not None:
            self._server.socket.close()

    def died(self, pid: int) -> None:
        """Forget the gauges of a worker that has ended; what it counted stays."""
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        with suppress(OSError):  # which would end gunicorn's master
            mark_process_dead(pid, str(self._files))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Remove the files. The thread ends with the process."""
        self._is_over.set()
        shutil.rmtree(self._files, ignore_errors=True)


def turn_on() -> None:
    """Let every metric of the catalogue record from now on, in this process and its forks."""
    import prometheus_client  # noqa: PLC0415 - it looks for DIRECTORY when it is imported

    for metric in catalogue.ALL:
        metric.turn_on(prometheus_client)


def _remove_left_behind(folder: Path) -> None:
    for files in folder.glob(f"{_PREFIX}*"):
        pid = files.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not _is_alive(int(pid)):
            shutil.rmtree(files, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    with suppress(PermissionError):  # somebody else's
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True
