"""Traces out of gunicorn's forked workers, over OTLP, as a collector gets them."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.conftest import SECRET
from tests.depth import ONLY_IN_CI
from tests.integration.server import SERVING
from tests.servers.http import answering
from tests.servers.reaper import wait_until

pytestmark = ONLY_IN_CI

WAIT_SECONDS = 30
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@contextmanager
def collecting() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A collector: its URL, and what it has been sent."""
    received: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with answering(Collector) as port:
        yield f"http://127.0.0.1:{port}", received


def told(received: list[ExportTraceServiceRequest]) -> set[tuple[str, str, str]]:
    """The service, the name and the trace of every span."""
    return {
        (
            next(a.value.string_value for a in of.resource.attributes if a.key == "service.name"),
            span.name,
            span.trace_id.hex(),
        )
        for sent in received
        for of in sent.resource_spans
        for scope in of.scope_spans
        for span in scope.spans
    }


def test_a_worker_sends_its_spans_while_it_works_and_the_last_ones_when_it_ends(serving):
    with collecting() as (endpoint, received):
        server = serving(
            command=SERVING,
            BETTER_AUTH_SECRET=SECRET,
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
            OTEL_BSP_SCHEDULE_DELAY="100",
        )
        alice = server.caller()
        alice("GET", "", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        listed = ("todo-api", "GET /api/{user_id}/tasks", TRACE)

        assert wait_until(lambda: listed in told(received), WAIT_SECONDS)

        alice("GET", "1", headers={"traceparent": f"00-{TRACE[::-1]}-{PARENT}-01"})
        server.process.stop(timeout=WAIT_SECONDS)
        last = ("todo-api", "GET /api/{user_id}/tasks/{task_id}", TRACE[::-1])
        assert last in told(received)


def test_a_collector_that_is_away_fails_no_request_and_holds_up_no_end(serving):
    server = serving(
        command=SERVING,
        BETTER_AUTH_SECRET=SECRET,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
        OTEL_BSP_SCHEDULE_DELAY="50",
    )
    alice = server.caller()

    assert [alice.create()["id"] for _ in range(5)] == [1, 2, 3, 4, 5]
    assert server.process.stop(timeout=WAIT_SECONDS) == 0
    assert "SIGKILL" not in server.process.log()
