"""What `todo doctor` says of the log and of the metrics."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.conftest import settings_for
from todo.cli.check import CheckFailedError
from todo.cli.check_metrics import check_metrics


@contextmanager
def answering(text: str) -> Iterator[int]:
    """A server that answers everything with `text`; the block gets its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def settings(**changes):
    return settings_for("sqlite:///none.db", **{"access_log": "on", **changes})


def test_metrics_that_are_off_say_how_to_turn_them_on():
    assert check_metrics(settings()) == "a line for each request; no metrics (set METRICS_PORT)"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])  # noqa: S104 - asked for
def test_metrics_that_are_served_are_found(host):
    with answering("todo_build_info 1\n") as port:
        told = check_metrics(settings(metrics_port=port, metrics_host=host, access_log="off"))

    assert told == f"no line for each request; metrics on port {port}, served now"


def test_metrics_of_a_server_that_does_not_run_are_no_fault():
    told = check_metrics(settings(metrics_port=1))

    assert told == "a line for each request; metrics on port 1, which no server serves now"


def test_something_else_on_the_port_is_told():
    with answering("hello") as port, pytest.raises(CheckFailedError) as failed:
        check_metrics(settings(metrics_port=port))

    assert str(failed.value) == (
        f"something else answers at http://127.0.0.1:{port}/metrics; "
        "choose another METRICS_PORT, or stop it"
    )
