"""The metrics as Prometheus gets them: of all workers of a gunicorn, from its master."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import SECRET
from tests.integration.server import SERVING, Server, environment, postgresql_settings
from tests.servers.process import free_port
from tests.servers.reaper import wait_until
from todo import __version__
from todo.metrics.catalogue import ALL
from todo.metrics.instruments import Counter

WAIT_SECONDS = 30
THREADS = 3
UVICORN = "uvicorn_worker.UvicornWorker"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - what gunicorn and the metrics use
MEMORY = SHARED_MEMORY if SHARED_MEMORY.is_dir() else Path(tempfile.gettempdir())


class Metrics:
    """What a scrape of a port gives."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/metrics"

    def families(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """Every sample, by its name and its labels."""
        found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        for family in text_string_to_metric_families(httpx2.get(self.url, trust_env=False).text):
            for sample in family.samples:
                found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = (
                    sample.value
                )
        return found

    def value(self, name: str, **labels: str) -> float:
        """One number; 0 while nobody has recorded it."""
        return self.families().get(name, {}).get(tuple(sorted(labels.items())), 0.0)

    def reaches(self, number: float, name: str, **labels: str) -> bool:
        """Whether the number gets there: gauges are read once a second."""
        return wait_until(lambda: self.value(name, **labels) == number, WAIT_SECONDS)


def requests(operation: str, status: int, code: str = "") -> dict[str, str]:
    return {"operation": operation, "status": str(status), "code": code}


@pytest.fixture(scope="module", params=["asgi on postgresql", "uvicorn on sqlite"])
def server(request, new_database, tmp_path_factory) -> Iterator[Server]:
    worker, _, dialect = request.param.partition(" on ")
    server = Server.start(
        tmp_path_factory.mktemp("metrics"),
        command=SERVING,
        METRICS_PORT=str(free_port()),
        WEB_THREADS=str(THREADS),
        LOCAL_ACCOUNTS="true",
        WORKER_CLASS={"uvicorn": UVICORN}.get(worker, worker),
        **postgresql_settings(new_database(dialect)),
    )
    yield server
    server.close()


@pytest.fixture
def metrics(server) -> Metrics:
    command = Path(f"/proc/{server.process.pid}/environ").read_text().split("\0")
    [port] = [line.partition("=")[2] for line in command if line.startswith("METRICS_PORT=")]
    return Metrics(int(port))


def test_requests_of_all_workers_are_counted_by_operation_status_and_code(server, metrics):
    alice = server.caller()
    asked = {("get_task", 404, "task_not_found"): 10, ("list_tasks", 200, ""): 10}
    before = {each: metrics.value("todo_requests_total", **requests(*each)) for each in asked}
    timed = metrics.value("todo_request_duration_seconds_count", operation="get_task")

    for _ in range(10):
        alice("GET", "999")
        alice("GET", "")

    after = {each: metrics.value("todo_requests_total", **requests(*each)) for each in asked}
    assert {each: after[each] - before[each] for each in asked} == asked
    now = metrics.value("todo_request_duration_seconds_count", operation="get_task")
    assert now - timed == 10


def test_threads_connections_and_the_log_are_those_of_all_workers(server, metrics):
    server.caller().create()

    assert metrics.reaches(2 * THREADS, "todo_threads")
    assert metrics.reaches(2 * THREADS, "todo_pool_connections_max")
    assert metrics.reaches(0, "todo_threads_in_use")
    assert metrics.value("todo_pool_connections_in_use") == 0
    assert metrics.value("todo_requests_waiting", **{"for": "thread"}) == 0
    python = ".".join(map(str, sys.version_info[:3]))
    assert metrics.value("todo_build_info", version=__version__, python=python) == 1


def test_a_stream_is_counted_while_it_lasts_and_is_no_slow_request(server, metrics):
    alice = server.caller()
    headers = {"Authorization": f"Bearer {alice.token}"}
    url = f"/api/{alice.id}/events"
    with server.client.stream("GET", url, headers=headers) as stream:
        chunks = stream.iter_raw()
        next(chunks)
        assert metrics.reaches(1, "todo_streams")
    alice.create()  # what is told finds nobody there

    assert metrics.reaches(0, "todo_streams")
    assert metrics.reaches(1, "todo_requests_total", **requests("stream_events", 200))
    assert metrics.value("todo_request_duration_seconds_count", operation="stream_events") == 0


def test_a_killed_worker_takes_its_gauges_with_it_and_leaves_its_counters(server, metrics):
    alice = server.caller()
    for _ in range(10):
        alice("GET", "")
    counted = metrics.value("todo_requests_total", **requests("list_tasks", 200))
    old = server.workers()

    os.kill(old[0], signal.SIGKILL)
    server.wait_for_other_workers_than(old[:1])

    assert metrics.reaches(2 * THREADS, "todo_threads")
    assert metrics.value("todo_requests_total", **requests("list_tasks", 200)) == counted


def test_every_metric_is_served_with_its_meaning_before_anything_happened(server, metrics):
    del server
    text = httpx2.get(metrics.url, trust_env=False).text

    for metric in ALL:
        name = metric.name + ("_total" if isinstance(metric, Counter) else "")
        if not metric.labels:
            assert f"# HELP {name} " in text
            assert f"\n{name}" in text


def test_the_files_of_the_metrics_are_private_and_go_with_the_server(tmp_path):
    left = Path(tempfile.mkdtemp(prefix=f"todo-metrics-{_dead_process()}-", dir=MEMORY))
    server = Server.start(
        tmp_path, command=SERVING, METRICS_PORT=str(free_port()), BETTER_AUTH_SECRET=SECRET
    )
    try:
        [files] = MEMORY.glob(f"todo-metrics-{server.process.pid}-*")
        assert files.stat().st_mode & 0o777 == 0o700
        assert not left.exists()

        os.kill(server.process.pid, signal.SIGTERM)

        assert wait_until(lambda: not files.exists(), WAIT_SECONDS), server.process.log()
    finally:
        server.close()


def _dead_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(timeout=60)
    return ended.pid


def test_a_port_that_is_taken_ends_the_start_with_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        run = subprocess.run(
            SERVING,
            cwd=tmp_path,
            env=environment(
                tmp_path / "home",
                BETTER_AUTH_SECRET=SECRET,
                METRICS_PORT=str(port),
                PORT=str(free_port()),
            ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert run.returncode != 0
    assert (
        f"METRICS_PORT: cannot listen on 127.0.0.1, port {port}: Address already in use; "
        "stop what listens there, or choose another METRICS_HOST or METRICS_PORT"
    ) in run.stderr


WITHOUT = """
import sys
import todo.serving
from todo.app import create_app

create_app()
print([name for name in sys.modules if name.startswith("prometheus_client")])
"""


def test_a_server_without_metrics_loads_nothing_for_them(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=tmp_path,
        env=environment(tmp_path / "home", BETTER_AUTH_SECRET=SECRET),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert run.stdout == "[]\n"
